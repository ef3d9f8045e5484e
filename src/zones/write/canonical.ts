import { canonicalOrder } from '../records/canonical-order.ts';
import { sameStored } from '../records/rdata-order.ts';
import type { RecordStore } from '../records/record-store.ts';
import { printStored } from './print-record.ts';

const SOA = 6;

/**
 * All records of a store as lines in canonical order (RFC 4034 §6: names from the right, then type, then rdata), each
 * record once. The origin's SOA goes first, as a master file wants it.
 */
export function* canonicalLines(store: RecordStore): Generator<string> {
  const records = canonicalOrder(store);
  const soa = records.find((record) => store.typeOf(record) === SOA);
  if (soa !== undefined) yield printStored(store, soa);
  let before = -1;
  for (const record of records) {
    const copy = before >= 0 && isCopy(store, before, record);
    before = record;
    if (record !== soa && !copy) yield printStored(store, record);
  }
}

function isCopy(store: RecordStore, a: number, b: number): boolean {
  return store.ownerOf(a) === store.ownerOf(b) && store.typeOf(a) === store.typeOf(b) && sameStored(store, a, b);
}
