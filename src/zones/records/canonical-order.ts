import { LOWER } from '../../dns/name.ts';
import { compareStored } from './rdata-order.ts';
import type { RecordStore } from './record-store.ts';

/**
 * Record numbers of a store in canonical order (RFC 4034 §6): by owner, then type, then rdata; equal records in reading
 * order. What NSEC chains and signatures are made from.
 */
export function canonicalOrder(store: RecordStore): Uint32Array {
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
