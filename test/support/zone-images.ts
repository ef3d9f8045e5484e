import { readFileSync } from 'node:fs';
import { lowerName } from '../../src/dns/name.ts';
import type { ZoneUpdate } from '../../src/server/answer/zone-update.ts';
import { compileZone } from '../../src/zones/compile/compile.ts';
import type { RecordStore } from '../../src/zones/records/record-store.ts';
import { readZone } from '../../src/zones/scan/read-zone.ts';
import { wireName } from './dns-query.ts';

/** A zone as a test writes it. */
export type ZoneSpec = {
  readonly origin: string;
  /** Master-file text, SOA included. */
  readonly text: string;
  /** Names with live addresses (relative to the root), and the slot they are in. */
  readonly live?: readonly string[];
  readonly liveTtl?: number;
  readonly slot?: number;
  /** Not to be transferred. */
  readonly isHeld?: boolean;
  readonly serial?: number;
};

/** Reads zone text; throws with all faults when there are any. */
export function storeOf(origin: string, text: string): RecordStore {
  const { store, faults } = readZone({
    origin: wireName(origin),
    file: `${origin}.zone`,
    text: new TextEncoder().encode(text),
    defaultTtl: 300,
    initialOwner: wireName(origin),
    includeRoot: null,
    include: () => {
      throw new Error('no $INCLUDE here');
    },
  });
  const errors = faults.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join('\n'));
  return store;
}

export function imageOf({ origin, text, live, liveTtl = 60, serial }: ZoneSpec): SharedArrayBuffer {
  return compileZone({
    origin: wireName(origin),
    store: storeOf(origin, text),
    serial: serial ?? null,
    live: live === undefined ? null : { names: live.map(wireName), ttl: liveTtl },
  });
}

/** The update that makes a thread serve the zone as number `zone`. */
export function zoneUpdate(spec: ZoneSpec, zone: number, network = 1): ZoneUpdate {
  const origin = lowerName(wireName(spec.origin));
  return {
    kind: 'zone',
    zone,
    origin,
    image: imageOf(spec),
    slot: spec.slot ?? -1,
    network,
    isHeld: spec.isHeld ?? false,
  };
}

/** Text of a zone file below `test/`. */
export function zoneText(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
}
