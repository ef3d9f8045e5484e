import type { RecordStore } from './record-store.ts';

const SIG = 24;
const RRSIG = 46;

/**
 * Number of the RRset that a record of an owner belongs to: its type, and for signatures the type covered above bit 16.
 * Signatures of different types are RRsets of their own, each with the TTL of what it covers (RFC 4034 §3).
 */
export function rrsetOf(store: RecordStore, record: number): number {
  const type = store.typeOf(record);
  return type === RRSIG || type === SIG ? type + 0x10000 * coveredBy(store, record) : type;
}

/** The type that an RRSIG or SIG covers: the first field of its rdata, which scanning has checked. */
function coveredBy(store: RecordStore, record: number): number {
  const at = store.rdataStart(record);
  return store.rdata[at] * 256 + store.rdata[at + 1];
}

/** Whether two records of one owner belong to one RRset. */
export function isOneRrset(store: RecordStore, a: number, b: number): boolean {
  const type = store.typeOf(a);
  if (type !== store.typeOf(b)) return false;
  return (type !== RRSIG && type !== SIG) || coveredBy(store, a) === coveredBy(store, b);
}
