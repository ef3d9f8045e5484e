import { RecordStore } from '../records/record-store.ts';

/** How a zone's records differ from those that are served, as its checks found. */
export type Changes = {
  /** By record: 1 where it is not served. */
  readonly omitted: Uint8Array;
  /** Pairs of a record and the TTL it gets, since an RRset has one (RFC 2181 §5.2). */
  readonly ttls: readonly number[];
};

/** Applies `changes`: the store itself with other TTLs, or a copy without the records that are not served. */
export function normalized(store: RecordStore, { omitted, ttls }: Changes): RecordStore {
  for (let i = 0; i < ttls.length; i += 2) store.setTtl(ttls[i], ttls[i + 1]);
  return omitted.includes(1) ? without(store, omitted) : store;
}

function without(store: RecordStore, omitted: Uint8Array): RecordStore {
  const kept = new RecordStore();
  kept.files.push(...store.files);
  for (let record = 0; record < store.size; record++) {
    if (omitted[record] === 1) continue;
    kept.add(
      kept.names.intern(store.names.octets, store.names.offsetOf(store.ownerOf(record))),
      store.typeOf(record),
      store.ttlOf(record),
      store.rdata,
      store.rdataStart(record),
      store.rdataEnd(record),
      store.fileOf(record),
      store.lineOf(record),
    );
  }
  return kept;
}
