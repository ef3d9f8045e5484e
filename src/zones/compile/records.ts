import type { Columns } from '../records/columns.ts';
import { compareStored } from '../records/rdata-order.ts';
import type { RecordStore } from '../records/record-store.ts';
import type { NameTree } from './names.ts';

/** A zone's records by owner, each owner's by type and then in canonical order, duplicates merged (RFC 2181 §5). */
export type GroupedRecords = {
  /** Record numbers in the store. */
  readonly order: Uint32Array;
  /** By the owner's number in the tree: its records are `order[start[owner]]` to `order[end[owner] - 1]`. */
  readonly start: Uint32Array;
  readonly end: Uint32Array;
};

/** `owners`: by name number in the store, the owner's number in the tree. `keep` leaves records out. */
export function groupRecords(
  columns: Columns,
  store: RecordStore,
  tree: NameTree,
  owners: Int32Array,
  keep: (record: number, owner: number) => boolean,
): GroupedRecords {
  // A counting sort by owner keeps the order of reading within each, then each owner's few records are sorted.
  const start = columns.uint32(tree.size + 1);
  const kept = columns.uint8(store.size);
  for (let record = 0; record < store.size; record++) {
    const owner = owners[store.ownerOf(record)];
    if (!keep(record, owner)) continue;
    kept[record] = 1;
    start[owner + 1]++;
  }
  for (let owner = 0; owner < tree.size; owner++) start[owner + 1] += start[owner];
  const order = columns.uint32(start[tree.size]);
  const end = columns.uint32(tree.size);
  for (let owner = 0; owner < tree.size; owner++) end[owner] = start[owner];
  for (let record = 0; record < store.size; record++) {
    if (kept[record] === 1) order[end[owners[store.ownerOf(record)]]++] = record;
  }
  for (let owner = 0; owner < tree.size; owner++) {
    if (end[owner] - start[owner] > 1) end[owner] = sortGroup(store, order, start[owner], end[owner]);
  }
  return { order, start, end };
}

/** Sorts `order[from..to)` and drops duplicates. Returns the new end. */
function sortGroup(store: RecordStore, order: Uint32Array, from: number, to: number): number {
  const compare = (a: number, b: number) => compareRecords(store, a, b);
  if (to - from > 24) order.subarray(from, to).sort(compare);
  else insertionSort(order, from, to, compare);
  let end = from + 1;
  for (let i = from + 1; i < to; i++) {
    if (compare(order[end - 1], order[i]) !== 0) order[end++] = order[i];
  }
  return end;
}

function insertionSort(order: Uint32Array, from: number, to: number, compare: (a: number, b: number) => number): void {
  for (let i = from + 1; i < to; i++) {
    const record = order[i];
    let at = i;
    for (; at > from && compare(order[at - 1], record) > 0; at--) order[at] = order[at - 1];
    order[at] = record;
  }
}

function compareRecords(store: RecordStore, a: number, b: number): number {
  return store.typeOf(a) - store.typeOf(b) || compareStored(store, a, b);
}
