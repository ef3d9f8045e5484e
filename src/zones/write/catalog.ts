/** Catalog zones (RFC 9432, version 2): a list of zones as a zone, from which secondaries learn which there are. */
import { createHash } from 'node:crypto';
import { type WireName, wireFromName } from '../../dns/name.ts';
import { compileZone } from '../compile/compile.ts';
import { RecordStore } from '../records/record-store.ts';

/** `group`: RFC 9432 §4.3.2, the network of the zone; null: none. */
export type CatalogMember = { readonly origin: WireName; readonly group: string | null };

const TYPE = { ns: 2, soa: 6, ptr: 12, txt: 16 } as const;
const INVALID = Uint8Array.from(Buffer.from('\x07invalid\0', 'latin1')); // RFC 9432 §4.1
/** Seconds: refresh, retry, expire, minimum. A lost NOTIFY costs a minute. */
const SOA_TIMES = [60, 10, 1_209_600, 0];
const TTL = 0;

/** The catalog's image. `members` in any order. */
export function catalogImage(origin: WireName, members: readonly CatalogMember[], serial: number): SharedArrayBuffer {
  const store = new RecordStore();
  const apex = wireFromName(origin);
  const add = (labels: readonly string[], type: number, rdata: Uint8Array): void => {
    const owner = Buffer.concat([...labels.map((label) => text(label)), apex]);
    store.add(store.names.intern(new Uint8Array(owner)), type, TTL, rdata, 0, rdata.length);
  };
  const numbers = Buffer.alloc(20);
  [serial, ...SOA_TIMES].forEach((value, i) => void numbers.writeUInt32BE(value, 4 * i));
  add([], TYPE.soa, new Uint8Array(Buffer.concat([INVALID, INVALID, numbers])));
  add([], TYPE.ns, INVALID);
  add(['version'], TYPE.txt, text('2'));
  for (const { origin: member, group } of members) {
    const id = memberId(member);
    add([id, 'zones'], TYPE.ptr, wireFromName(member));
    if (group !== null) add(['group', id, 'zones'], TYPE.txt, text(group.slice(0, 255)));
  }
  return compileZone({ origin: apex, store, serial, live: null });
}

/**
 * The same for a zone as long as it is served: another one would make secondaries throw it away and begin anew (§5.4).
 */
function memberId(origin: WireName): string {
  return createHash('sha1').update(origin, 'latin1').digest('hex');
}

/** Of the members alone, whatever their order: another digest, another serial. */
export function catalogDigest(members: readonly CatalogMember[]): string {
  const sorted = [...members].sort((a, b) => (a.origin < b.origin ? -1 : 1));
  return createHash('sha1').update(JSON.stringify(sorted), 'utf8').digest('hex');
}

/** A character-string or a label: its length, then its octets. */
function text(value: string): Uint8Array {
  const octets = Buffer.from(value, 'utf8').subarray(0, 255);
  return Uint8Array.from([octets.length, ...octets]);
}
