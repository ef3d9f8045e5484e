import type { RecordStore } from './record-store.ts';

const RRSIG = 46;
/** In the rdata: after type covered, algorithm, labels and original TTL (RFC 4034 §3.1). */
const EXPIRATION_AT = 8;

/**
 * When the first of a zone's signatures ends, epoch seconds as RRSIGs have them, which is until 2106 (RFC 4034 §3.1.5);
 * null: the zone is not signed.
 */
export function signaturesEnd(store: RecordStore): number | null {
  let first: number | null = null;
  for (let record = 0; record < store.size; record++) {
    if (store.typeOf(record) !== RRSIG) continue;
    const at = store.rdataStart(record) + EXPIRATION_AT;
    const { rdata } = store;
    const end = rdata[at] * 2 ** 24 + ((rdata[at + 1] << 16) | (rdata[at + 2] << 8) | rdata[at + 3]);
    if (first === null || end < first) first = end;
  }
  return first;
}
