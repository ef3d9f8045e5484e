import type { RecordStore } from '../records/record-store.ts';
import { isOneRrset } from '../records/rrset.ts';
import type { NameTree } from './names.ts';
import type { RdataNameTable } from './rdata-names.ts';
import type { GroupedRecords } from './records.ts';

const TYPES = 0x10000;
const LIVE_TYPES = [1, 28]; // A, AAAA
/** CNAME, SOA, DNAME: a name has one at most (RFC 2181 §10.1, RFC 6672 §2.4); the checks report more. */
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
  readonly rdataNames: RdataNameTable;
  /** By name: 1 for a node of the zone, 2 for a live one, 0 for other names. */
  readonly nodes: Uint8Array;
};

/**
 * Iterates over a node's RRsets in order of type, signatures in order of the type they cover. The fields are those of
 * the current one.
 */
export class RrsetCursor {
  owner = 0;
  type = 0;
  /** The RRset's records are `grouped.order[from]` to `[to - 1]`; none of a live one. */
  from = 0;
  to = 0;
  live = false;
  private readonly plan: ZonePlan;
  private at = 0;
  private end = 0;
  private liveNext = LIVE_TYPES.length;

  constructor(plan: ZonePlan) {
    this.plan = plan;
  }

  enter(owner: number): void {
    const { grouped, nodes } = this.plan;
    this.owner = owner;
    this.at = grouped.start[owner];
    this.end = grouped.end[owner];
    this.liveNext = nodes[owner] === 2 ? 0 : LIVE_TYPES.length;
  }

  /** Goes to the next RRset; false when there is none. */
  next(): boolean {
    const { grouped, input } = this.plan;
    const { end } = this;
    const from = this.at;
    const type = from < end ? input.store.typeOf(grouped.order[from]) : TYPES;
    if (this.liveNext < LIVE_TYPES.length && LIVE_TYPES[this.liveNext] < type) {
      this.type = LIVE_TYPES[this.liveNext++];
      this.from = this.to = 0;
      this.live = true;
      return true;
    }
    if (from === end) return false;
    let to = from + 1;
    while (to < end && isOneRrset(input.store, grouped.order[from], grouped.order[to])) to++;
    this.at = to;
    this.type = type;
    this.from = from;
    this.to = SINGLETONS.includes(type) ? from + 1 : to;
    this.live = false;
    return true;
  }
}
