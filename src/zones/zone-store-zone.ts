import type { WireName } from './name.ts';
import type { FileHash } from './zone-store-files.ts';
import type { ServedZone } from './zone-store-publish.ts';
import type { StoreFault, ZoneEntry, ZoneTarget } from './zone-store-types.ts';

/** A zone as the store knows it. `target`, `files` and `faults` are of the last attempt to load it. */
export type Zone = {
  readonly number: number;
  readonly target: ZoneTarget;
  /** What of the settings went into that attempt. */
  readonly key: string;
  readonly files: ReadonlyMap<string, FileHash>;
  readonly faults: readonly StoreFault[];
  readonly failed: boolean;
  readonly served: ServedZone | null;
};

/** The zone as others see it. */
export function entryOf(origin: WireName, { number, target, served, faults, failed }: Zone): ZoneEntry {
  return {
    zone: number,
    origin,
    name: target.name,
    network: target.network,
    file: target.file,
    state: failed ? (served === null ? 'broken' : 'stale') : 'ok',
    serial: served?.serial ?? 0,
    faults,
    records: served?.records ?? 0,
    loadedAt: served?.loadedAt ?? 0,
    image: served?.image ?? null,
  };
}
