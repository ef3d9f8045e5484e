import type { Run, ZonePlan } from './compile-plan.ts';
import { NODE } from './image-layout.ts';
import { wireNameLength } from './name.ts';
import { rdataNames } from './rdata-names.ts';

const A = 1;
const AAAA = 28;
const NS = 2;

/** Finds which of the zone's own addresses belong beside an RRset in the additional section. */
export class AdditionalTargets {
  /** Result of `collect`: tree numbers, each once, those a referral must carry first. */
  readonly list: number[] = [];
  required = 0;
  private readonly plan: ZonePlan;
  private readonly flags: Uint8Array;
  private readonly seen = new Set<number>();

  constructor(plan: ZonePlan, flags: Uint8Array) {
    this.plan = plan;
    this.flags = flags;
  }

  get count(): number {
    return this.list.length;
  }

  /** Fills `list` and `required` for one RRset and returns how many targets there are. */
  collect({ owner, type, from, to, live }: Run): number {
    this.list.length = 0;
    this.required = 0;
    if (live) return 0;
    const fields = rdataNames(type);
    if (!fields.some(({ additional }) => additional)) return 0;
    const { grouped, input, tree } = this.plan;
    const isCut = type === NS && (this.flags[owner] & NODE.cut) !== 0;
    const others: number[] = [];
    this.seen.clear();
    for (let i = from; i < to; i++) {
      let at = input.store.rdataStart(grouped.order[i]);
      for (const { skip, additional } of fields) {
        at += skip;
        if (additional) {
          const target = tree.intern(input.store.rdata, at);
          if (!this.seen.has(target) && this.hasAddresses(target)) {
            this.seen.add(target);
            (isCut && this.isBelow(target, owner) ? this.list : others).push(target);
          }
        }
        at += wireNameLength(input.store.rdata, at);
      }
    }
    this.required = this.list.length;
    for (const target of others) this.list.push(target);
    return this.list.length;
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
