import { LOWER } from '../../dns/name.ts';
import { compareStored, sameStored } from '../records/rdata-order.ts';
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

function canonicalOrder(store: RecordStore): Uint32Array {
  const keys = new Map<number, string>();
  for (let record = 0; record < store.size; record++) {
    const owner = store.ownerOf(record);
    if (!keys.has(owner)) keys.set(owner, nameSortKey(store.names.octets, store.names.offsetOf(owner)));
  }
  const sorted = [...keys].sort(([, a], [, b]) => (a < b ? -1 : 1));
  const rank = new Uint32Array(store.names.size);
  for (const [place, [owner]] of sorted.entries()) rank[owner] = place;
  const records = Uint32Array.from({ length: store.size }, (_, record) => record);
  return records.sort(
    (a, b) =>
      rank[store.ownerOf(a)] - rank[store.ownerOf(b)] ||
      store.typeOf(a) - store.typeOf(b) ||
      compareStored(store, a, b) ||
      a - b,
  );
}

/**
 * A string that sorts as the name does (RFC 4034 §6.1): labels from the right, lowercase, each closed by a zero; zero
 * and one inside a label become two characters, so that a label's end sorts before any octet.
 */
function nameSortKey(octets: Uint8Array, offset: number): string {
  const labels: string[] = [];
  for (let at = offset; octets[at] !== 0; at += 1 + octets[at]) {
    let label = '';
    for (let i = at + 1; i <= at + octets[at]; i++) {
      const octet = LOWER[octets[i]];
      label += octet > 1 ? String.fromCharCode(octet) : `\x01${String.fromCharCode(octet + 1)}`;
    }
    labels.push(label);
  }
  return labels
    .reverse()
    .map((label) => `${label}\0`)
    .join('');
}
