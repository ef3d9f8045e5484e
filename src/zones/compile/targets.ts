import { rdataNames } from '../../dns/rdata-names.ts';
import { NODE } from '../image/layout.ts';
import type { RrsetCursor, ZonePlan } from './plan.ts';

const A = 1;
const AAAA = 28;
const NS = 2;
const NONE = -1;
const STAR_LABEL = Uint8Array.of(1, 0x2a);

/** Finds which of the zone's own addresses belong beside an RRset in the additional section. */
export class AdditionalTargets {
  /**
   * Result of `collect`: for each name, once, its number and the node that has its addresses (another one where a
   * wildcard makes them); those that a referral must carry come first.
   */
  readonly list: number[] = [];
  required = 0;
  private readonly plan: ZonePlan;
  private readonly flags: Uint8Array;
  private readonly seen = new Set<number>();
  private readonly others: number[] = [];

  constructor(plan: ZonePlan, flags: Uint8Array) {
    this.plan = plan;
    this.flags = flags;
  }

  get count(): number {
    return this.list.length / 2;
  }

  /** Fills `list` and `required` for one RRset and returns how many names there are. */
  collect({ owner, type, from, to, live }: RrsetCursor): number {
    this.list.length = 0;
    this.required = 0;
    if (live || !hasTargets(type)) return 0;
    const { grouped, rdataNames } = this.plan;
    const isCut = type === NS && (this.flags[owner] & NODE.cut) !== 0;
    this.others.length = 0;
    if (to - from > 1) this.seen.clear();
    for (let i = from; i < to; i++) {
      const target = rdataNames.of(grouped.order[i], 0);
      if (to - from > 1) {
        if (this.seen.has(target)) continue;
        this.seen.add(target);
      }
      const node = this.addressNode(target);
      if (node !== NONE) (isCut && this.isBelow(target, owner) ? this.list : this.others).push(target, node);
    }
    this.required = this.count;
    for (const number of this.others) this.list.push(number);
    return this.count;
  }

  /** The node whose addresses a name has: its own, or the `*` of its closest encloser (RFC 4592 §3.3.1); else NONE. */
  private addressNode(name: number): number {
    const { tree, nodes, origin } = this.plan;
    if (nodes[name] !== 0) return this.hasAddresses(name) ? name : NONE;
    let encloser = name;
    while (encloser > origin && nodes[encloser] === 0) encloser = tree.parent[encloser];
    if (encloser < origin || nodes[encloser] === 0 || (this.flags[encloser] & NODE.wildcard) === 0) return NONE;
    for (let id = encloser; id !== origin; id = tree.parent[id]) {
      if ((this.flags[id] & (NODE.cut | NODE.dname)) !== 0) return NONE; // below a cut, or redirected
    }
    const star = tree.child(encloser, STAR_LABEL, 0);
    return this.hasAddresses(star) ? star : NONE;
  }

  private hasAddresses(name: number): boolean {
    const { nodes, grouped, input } = this.plan;
    if (nodes[name] === 0 || (this.flags[name] & NODE.occluded) !== 0) return false;
    if (nodes[name] === 2) return true;
    for (let i = grouped.start[name]; i < grouped.end[name]; i++) {
      const type = input.store.typeOf(grouped.order[i]);
      if (type === A || type === AAAA) return true;
    }
    return false;
  }

  private isBelow(name: number, ancestor: number): boolean {
    const { tree } = this.plan;
    let id = name;
    while (id > ancestor) id = tree.parent[id]; // a parent's number is smaller
    return id === ancestor;
  }
}

/** Whether a type names hosts whose addresses come along; each such type has one name in its rdata. */
function hasTargets(type: number): boolean {
  const fields = rdataNames(type);
  return fields.length > 0 && fields[0].additional;
}
