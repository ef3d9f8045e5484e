import type { NameTree } from './compile-names.ts';
import type { GroupedRecords } from './compile-records.ts';
import type { RecordStore } from './record-store.ts';

const LIVE_TYPES = [1, 28]; // A, AAAA
/** CNAME, SOA, DNAME: a name has one at most (RFC 2181 §10.1, RFC 6672 §2.4); the loader has complained about more. */
const SINGLETONS = [5, 6, 39];

/** What an image is made of. All names are uncompressed wire octets. */
export type ImageInput = {
  readonly origin: Uint8Array;
  /** Records outside the origin are left out. */
  readonly store: RecordStore;
  /** The serial the zone is served with; null: the SOA record's own. */
  readonly serial: number | null;
  /** Names whose A and AAAA come from a live slot; such records in the store are left out. `ttl` in seconds. */
  readonly live: null | { readonly names: readonly Uint8Array[]; readonly ttl: number };
};

/** Everything about a zone that is settled before any octet is written. Numbers are those of the tree. */
export type ZonePlan = {
  readonly input: ImageInput;
  readonly tree: NameTree;
  readonly origin: number;
  readonly grouped: GroupedRecords;
  /** By name: 1 for a node of the zone, 2 for a live one, 0 for other names. */
  readonly nodes: Uint8Array;
};

/** One RRset to be written: a run of `grouped.order`, or a live one (empty run). */
export type Run = { owner: number; type: number; from: number; to: number; live: boolean };

/** A node's RRsets in order of type. `run` is the same object each time. */
export function forEachRun({ grouped, input, nodes }: ZonePlan, owner: number, visit: (run: Run) => void): void {
  const run: Run = { owner, type: 0, from: 0, to: 0, live: false };
  const live = nodes[owner] === 2 ? LIVE_TYPES : [];
  let liveNext = 0;
  const visitLive = (before: number) => {
    for (; liveNext < live.length && live[liveNext] < before; liveNext++) {
      run.type = live[liveNext];
      run.from = run.to = 0;
      run.live = true;
      visit(run);
    }
  };
  const end = grouped.end[owner];
  for (let from = grouped.start[owner]; from < end; ) {
    const type = input.store.typeOf(grouped.order[from]);
    let to = from + 1;
    while (to < end && input.store.typeOf(grouped.order[to]) === type) to++;
    visitLive(type);
    run.type = type;
    run.from = from;
    run.to = SINGLETONS.includes(type) ? from + 1 : to;
    run.live = false;
    visit(run);
    from = to;
  }
  visitLive(0x10000);
}
