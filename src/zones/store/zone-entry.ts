import type { WireName } from '../../dns/name.ts';
import type { Standing } from '../agreement/own-step.ts';
import type { FileHash } from './file-cache.ts';
import type { ServedZone } from './publish.ts';
import type { StoreFault, ZoneEntry, ZoneState, ZoneTarget } from './types.ts';

/** What an attempt to load a zone rests on, besides its files. */
export type ZoneSource = {
  readonly target: ZoneTarget;
  /** What of the settings goes into a network's zone; empty for a static one. */
  readonly dns: string;
};

export function sameSource(a: ZoneSource, b: ZoneSource): boolean {
  return a.target.file === b.target.file && a.target.network === b.target.network && a.dns === b.dns;
}

export type ZoneParts = Pick<Zone, 'zone' | 'source' | 'files' | 'faults' | 'failed' | 'served'> &
  Partial<Pick<Zone, 'unsettled' | 'previous'>>;

/** A zone as the store knows it. As an entry it shows itself, since there may be ten thousand to be shown. */
export class Zone implements ZoneEntry {
  readonly zone: number;
  /** Of the last attempt to load it, like `files` and `faults`. */
  readonly source: ZoneSource;
  readonly files: ReadonlyMap<string, FileHash>;
  readonly faults: readonly StoreFault[];
  readonly failed: boolean;
  readonly served: ServedZone | null;
  /** Another version waits until its files are whole, and `files` are those of the attempt before. */
  readonly unsettled: boolean;
  /** As it was before that; null: there was no such zone, or nothing waits. */
  readonly previous: Zone | null;

  constructor(parts: ZoneParts) {
    this.zone = parts.zone;
    this.source = parts.source;
    this.files = parts.files;
    this.faults = parts.faults;
    this.failed = parts.failed;
    this.served = parts.served;
    this.unsettled = parts.unsettled ?? false;
    this.previous = parts.previous ?? null;
  }

  /** The same zone with these parts. */
  with(parts: Partial<Pick<ZoneParts, 'served' | 'faults'>>): Zone {
    const { zone, source, files, faults, failed, served, unsettled, previous } = this;
    // What is served now is served also where an older version of the files is returned to.
    const earlier = parts.served === undefined ? previous : (previous?.with({ served: parts.served }) ?? null);
    return new Zone({ zone, source, files, faults, failed, served, unsettled, ...parts, previous: earlier });
  }

  get origin(): WireName {
    return this.source.target.origin;
  }
  get name(): string {
    return this.source.target.name;
  }
  get network(): string | null {
    return this.source.target.network;
  }
  get file(): string {
    return this.source.target.file;
  }
  get state(): ZoneState {
    return this.failed ? (this.served === null ? 'broken' : 'stale') : 'ok';
  }
  get serial(): number {
    return this.served?.serial ?? 0;
  }
  get records(): number {
    return this.served?.records ?? 0;
  }
  get signaturesEnd(): number | null {
    return this.served?.signaturesEnd ?? null;
  }
  get loadedAt(): number {
    return this.served?.loadedAt ?? 0;
  }
  get standing(): Standing | undefined {
    return this.served?.standing;
  }
  get image(): SharedArrayBuffer | null {
    return this.served?.image ?? null;
  }
}
