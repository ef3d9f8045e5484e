import { isWithin, lowerName, nameFromText, type WireName, wireFromName } from '../../dns/name.ts';
import type { RecordStore } from '../records/record-store.ts';

/** What the server adds to a network's include files; a part of `Config`'s `dns`. */
export type ZoneDns = {
  readonly nsRecords: readonly WireName[];
  readonly soaNameserver: WireName;
  readonly soaMailbox: WireName;
  /** Labels (or several, `a.b`), relative to each zone. */
  readonly rotateZones: readonly string[];
  /** Seconds, of live records. */
  readonly ttl: number;
};

/**
 * TTL of the made SOA and NS records, and of include records that have none: edgemanage's (specification section 7).
 */
export const MADE_TTL = 300;

/** Refresh, retry, expire and minimum of the made SOA, in seconds: edgemanage's. */
const SOA_TIMES: readonly number[] = [43200, 10800, 1209600, 300];

const NS = 2;
const SOA = 6;

/**
 * Puts into an empty store what every zone of a network begins with: SOA (serial 0: the real one is put into the
 * image), then NS in the configuration's order. Records have line 0: no file wrote them.
 */
export function addNetworkHead(store: RecordStore, origin: Uint8Array, dns: ZoneDns): void {
  const apex = store.names.intern(origin);
  const mname = wireFromName(dns.soaNameserver);
  const rname = wireFromName(dns.soaMailbox);
  const soa = new Uint8Array(mname.length + rname.length + 20);
  soa.set(mname);
  soa.set(rname, mname.length);
  const times = new DataView(soa.buffer, mname.length + rname.length + 4);
  for (const [i, seconds] of SOA_TIMES.entries()) times.setUint32(4 * i, seconds);
  store.add(apex, SOA, MADE_TTL, soa, 0, soa.length);
  for (const name of dns.nsRecords) {
    const wire = wireFromName(name);
    store.add(apex, NS, MADE_TTL, wire, 0, wire.length);
  }
}

/**
 * The names of a zone that the live set answers, each once: the apex and each rotate label. Labels that make no name in
 * this zone (too long, absolute) are left out.
 */
export function liveNames(origin: Uint8Array, rotateZones: readonly string[]): readonly Uint8Array[] {
  const apex = lowerName(origin);
  const names = new Map([[apex, origin]]);
  for (const label of rotateZones) {
    const name = nameFromText(label, origin);
    if (typeof name === 'string') continue;
    const key = lowerName(name);
    if (isWithin(key, apex) && !names.has(key)) names.set(key, name);
  }
  return [...names.values()];
}
