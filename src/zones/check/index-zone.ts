import { LOWER, lowerName, type WireName, wireNameLength } from '../../dns/name.ts';
import type { Columns } from '../records/columns.ts';
import type { NameTable } from '../records/name-table.ts';
import type { RecordStore } from '../records/record-store.ts';

export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  WKS: 11,
  PTR: 12,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  RT: 21,
  SIG: 24,
  KEY: 25,
  AAAA: 28,
  SRV: 33,
  A6: 38,
  DNAME: 39,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  NSEC3PARAM: 51,
  CDS: 59,
  CDNSKEY: 60,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
} as const;

/** What an owner has, as bits: all that the checks of one name need to know of others. */
export const HAS = {
  address: 1,
  cname: 2,
  dname: 4,
  ns: 8,
  spf: 16,
  /** The live set answers here. */
  live: 32,
  /** Owner of an A, AAAA, MX, WKS, A6 or NSEC3 record: a host name is expected. */
  host: 64,
  /** Anything else. */
  other: 128,
} as const;

/** Depth of a name that is not in the zone. */
export const OUTSIDE = 255;

const BIT = new Uint8Array(65536).fill(HAS.other);
for (const type of [TYPE.A, TYPE.AAAA]) BIT[type] = HAS.address | HAS.host;
for (const type of [TYPE.MX, TYPE.WKS, TYPE.A6, TYPE.NSEC3]) BIT[type] = HAS.other | HAS.host;
BIT[TYPE.CNAME] = HAS.cname;
BIT[TYPE.DNAME] = HAS.dname;
BIT[TYPE.NS] = HAS.ns;
BIT[TYPE.SPF] = HAS.spf;

/**
 * A zone's records by owner, for the checks. Columns over name and record numbers, as in the store:
 *
 * ```
 * first[name] ──▶ record ── next[record] ──▶ record ──▶ -1      in reading order, records in the zone only
 * ```
 */
export class ZoneIndex {
  readonly store: RecordStore;
  readonly names: NameTable;
  readonly origin: Uint8Array;
  /** The origin's name number. */
  readonly apex: number;
  /** First record of each name, -1: none. */
  readonly first: Int32Array;
  readonly next: Int32Array;
  /** `HAS` bits of each name. */
  readonly has: Uint8Array;
  /** Labels below the origin of each name; `OUTSIDE`: not in the zone. */
  readonly depth: Uint8Array;
  /** `HAS` bits of all names together, and whether the zone has a cut below its apex. */
  readonly any: number;
  readonly anyCut: boolean;
  readonly anyWildcard: boolean;
  private ancestors: ReadonlySet<WireName> | null = null;

  /** `live`: names (wire) that the live set answers; `omitted`: 1 for each record that is not served. */
  constructor(
    columns: Columns,
    store: RecordStore,
    origin: Uint8Array,
    live: readonly Uint8Array[],
    omitted: Uint8Array,
  ) {
    this.store = store;
    this.origin = origin;
    this.names = store.names;
    this.apex = store.names.intern(origin);
    const liveNames = live.map((name) => store.names.intern(name));
    const count = store.names.size;
    this.depth = columns.uint8(count);
    for (let name = 0; name < count; name++)
      this.depth[name] = this.depthOf(this.names.octets, this.names.offsetOf(name));
    this.first = columns.int32(count).fill(-1);
    this.next = columns.int32(store.size).fill(-1);
    this.has = columns.uint8(count);
    // From the last to the first, so that each chain runs in reading order.
    for (let record = store.size - 1; record >= 0; record--) {
      const owner = store.ownerOf(record);
      if (omitted[record] === 1 || this.depth[owner] === OUTSIDE) continue;
      this.next[record] = this.first[owner];
      this.first[owner] = record;
      this.has[owner] |= BIT[store.typeOf(record)];
    }
    for (const name of liveNames) this.has[name] |= HAS.live;
    let any = 0;
    let anyCut = false;
    let anyWildcard = false;
    for (let name = 0; name < count; name++) {
      any |= this.has[name];
      if ((this.has[name] & HAS.ns) !== 0 && name !== this.apex) anyCut = true;
      if (this.first[name] >= 0 && this.isWildcard(name)) anyWildcard = true;
    }
    this.any = any;
    this.anyCut = anyCut;
    this.anyWildcard = anyWildcard;
  }

  /** Labels of the name at `wire[offset]` below the origin; `OUTSIDE` where it is not at or below it. */
  depthOf(wire: Uint8Array, offset: number): number {
    const { origin } = this;
    const start = offset + wireNameLength(wire, offset) - origin.length;
    if (start < offset) return OUTSIDE;
    let at = offset;
    let labels = 0;
    while (at < start) {
      at += 1 + wire[at];
      labels++;
    }
    if (at !== start) return OUTSIDE;
    for (let i = 0; i < origin.length; i++) if (LOWER[wire[at + i]] !== LOWER[origin[i]]) return OUTSIDE;
    return labels;
  }

  isWildcard(name: number): boolean {
    const { octets } = this.names;
    const at = this.names.offsetOf(name);
    return octets[at] === 1 && octets[at + 1] === 0x2a;
  }

  /**
   * The highest name strictly above the one at `wire[offset]` (in the zone, `depth` labels below the apex) that is a
   * cut or has a DNAME, and so hides it; -1: none. A DNAME at the apex counts, the apex's own NS do not.
   */
  hiddenBy(wire: Uint8Array, offset: number, depth: number): number {
    if (!this.anyCut && (this.any & HAS.dname) === 0) return -1;
    let found = -1;
    let at = offset;
    for (let left = depth; left > 0; left--) {
      at += 1 + wire[at];
      const name = left === 1 ? this.apex : this.names.find(wire, at);
      if (name < 0 || name >= this.has.length) continue;
      const bits = this.has[name] & (left === 1 ? HAS.dname : HAS.dname | HAS.ns);
      if (bits !== 0) found = name;
    }
    return found;
  }

  /**
   * Whether a name is an empty non-terminal or has records itself (RFC 4592 §2.2.2). Costly: only for the odd target.
   */
  exists(wire: Uint8Array, offset: number): boolean {
    const name = this.names.find(wire, offset);
    if (name >= 0 && name < this.first.length && (this.first[name] >= 0 || (this.has[name] & HAS.live) !== 0))
      return true;
    this.ancestors ??= this.collectAncestors();
    return this.ancestors.has(lowerName(wire, offset));
  }

  private collectAncestors(): ReadonlySet<WireName> {
    const found = new Set<WireName>();
    const { octets } = this.names;
    for (let name = 0; name < this.first.length; name++) {
      if (this.first[name] < 0 && (this.has[name] & HAS.live) === 0) continue;
      let at = this.names.offsetOf(name);
      for (let left = this.depth[name]; left > 0; left--) {
        at += 1 + octets[at];
        const key = lowerName(octets, at);
        if (found.has(key)) break;
        found.add(key);
      }
    }
    return found;
  }
}
