import { wireNameLength } from '../../dns/name.ts';
import { spread } from '../../dns/name-hash.ts';
import {
  HEAD,
  LINKS,
  MAGIC,
  NODE,
  namesInPlace,
  octetsAfter,
  octetsBefore,
  RRSET,
  RRSET_FLAG,
} from '../image/layout.ts';
import type { Columns } from '../records/columns.ts';
import { RrsetCursor, type ZonePlan } from './plan.ts';
import { AdditionalTargets } from './targets.ts';

const NS = 2;
const CNAME = 5;
const SOA = 6;
const DNAME = 39;
const STAR = 0x2a;

/** Writes the image of a planned zone: first everything is counted, then written into a buffer of the right size. */
export function writeImage(columns: Columns, plan: ZonePlan): SharedArrayBuffer {
  const { tree, nodes } = plan;
  const numbers = numberNames(columns, plan);
  const flags = nodeFlags(columns, plan);
  const targets = new AdditionalTargets(plan, flags);
  const run = new RrsetCursor(plan);
  let rrsets = 0;
  let links = 0;
  let octets = tree.labelsUsed;
  let nodeCount = 0;
  for (let id = 0; id < tree.size; id++) {
    if (nodes[id] === 0) continue;
    nodeCount++;
    run.enter(id);
    while (run.next()) {
      rrsets++;
      links += linkWords(run, targets);
      octets += dataOctets(plan, run);
    }
  }
  const slots = tableSize(nodeCount);
  const at: Sections = {
    slots: HEAD.words,
    parent: HEAD.words + slots,
    label: HEAD.words + slots + tree.size,
    meta: HEAD.words + slots + 2 * tree.size,
    rrsets: HEAD.words + slots + 2 * tree.size + nodeCount,
    sets: HEAD.words + slots + 2 * tree.size + 2 * nodeCount,
    links: HEAD.words + slots + 2 * tree.size + 2 * nodeCount + rrsets * RRSET.words,
  };
  const words = at.links + links;
  const shared = new SharedArrayBuffer(4 * words + octets);
  new ImageWriter(plan, shared, at, words, numbers, flags, targets).write(nodeCount, slots);
  return shared;
}

type Sections = {
  readonly slots: number;
  readonly parent: number;
  readonly label: number;
  readonly meta: number;
  readonly rrsets: number;
  readonly sets: number;
  readonly links: number;
};

/** A power of two, so that the table is at most half full. */
function tableSize(nodes: number): number {
  let size = 4;
  while (size < nodes * 2) size *= 2;
  return size;
}

/** Image numbers by tree number: nodes first, in the tree's order, so that the origin is 0. */
function numberNames(columns: Columns, { tree, nodes }: ZonePlan): Int32Array {
  const numbers = columns.int32(tree.size);
  let next = 0;
  for (const wanted of [true, false]) {
    for (let id = 0; id < tree.size; id++) if ((nodes[id] !== 0) === wanted) numbers[id] = next++;
  }
  return numbers;
}

function nodeFlags(columns: Columns, { tree, nodes, grouped, input, origin }: ZonePlan): Uint8Array {
  const flags = columns.uint8(tree.size);
  for (let id = 0; id < tree.size; id++) {
    if (nodes[id] === 0) continue;
    for (let i = grouped.start[id]; i < grouped.end[id]; i++) {
      const type = input.store.typeOf(grouped.order[i]);
      if (type === NS && id !== origin) flags[id] |= NODE.cut;
      else if (type === DNAME) flags[id] |= NODE.dname;
      else if (type === CNAME) flags[id] |= NODE.cname;
    }
    if (nodes[id] === 2) flags[id] |= NODE.live;
    if (id === origin) continue;
    const parent = tree.parent[id];
    if ((flags[parent] & (NODE.dname | NODE.occluded)) !== 0) flags[id] |= NODE.occluded;
    const label = tree.label[id];
    if (tree.labels[label] === 1 && tree.labels[label + 1] === STAR) flags[parent] |= NODE.wildcard;
  }
  return flags;
}

function linkWords(run: RrsetCursor, targets: AdditionalTargets): number {
  const names = namesInPlace(run.type) * (run.to - run.from);
  const count = targets.collect(run);
  return names + count === 0 ? 0 : LINKS.list + 2 * count + names;
}

function dataOctets({ input: { store }, grouped }: ZonePlan, { type, from, to }: RrsetCursor): number {
  if (namesInPlace(type) > 0) return (to - from) * (octetsBefore(type) + octetsAfter(type));
  let octets = 0;
  for (let i = from; i < to; i++) octets += 2 + store.rdataEnd(grouped.order[i]) - store.rdataStart(grouped.order[i]);
  return octets;
}

class ImageWriter {
  private readonly plan: ZonePlan;
  private readonly at: Sections;
  private readonly numbers: Int32Array;
  private readonly flags: Uint8Array;
  private readonly targets: AdditionalTargets;
  private readonly words: Int32Array;
  private readonly octets: Uint8Array;
  private nextSet: number;
  private nextLink: number;
  private nextOctet: number;
  private records = 0;
  private readonly run: RrsetCursor;

  constructor(
    plan: ZonePlan,
    shared: SharedArrayBuffer,
    at: Sections,
    words: number,
    numbers: Int32Array,
    flags: Uint8Array,
    targets: AdditionalTargets,
  ) {
    this.plan = plan;
    this.at = at;
    this.numbers = numbers;
    this.flags = flags;
    this.targets = targets;
    this.run = new RrsetCursor(plan);
    this.words = new Int32Array(shared, 0, words);
    this.octets = new Uint8Array(shared, 4 * words);
    this.nextSet = at.sets;
    this.nextLink = at.links;
    this.nextOctet = plan.tree.labelsUsed;
  }

  write(nodeCount: number, slots: number): void {
    const { plan, words, at } = this;
    const { tree, nodes, origin } = plan;
    this.octets.set(tree.labels.subarray(0, tree.labelsUsed));
    for (let id = 0; id < tree.size; id++) {
      const number = this.numbers[id];
      words[at.parent + number] = id === 0 ? -1 : this.numbers[tree.parent[id]];
      words[at.label + number] = tree.label[id];
      if (nodes[id] !== 0) this.writeNode(id, number, slots - 1);
    }
    let originLabels = 0;
    for (let id = origin; id > 0; id = tree.parent[id]) originLabels++;
    words[HEAD.magic] = MAGIC;
    words[HEAD.records] = this.records;
    words[HEAD.isLive] = plan.input.live === null ? 0 : 1;
    words[HEAD.names] = tree.size;
    words[HEAD.nodes] = nodeCount;
    words[HEAD.slotMask] = slots - 1;
    words[HEAD.slots] = at.slots;
    words[HEAD.parent] = at.parent;
    words[HEAD.label] = at.label;
    words[HEAD.meta] = at.meta;
    words[HEAD.rrsets] = at.rrsets;
    words[HEAD.octets] = 4 * words.length;
    words[HEAD.originLabels] = originLabels;
  }

  private writeNode(id: number, number: number, mask: number): void {
    const { words, at, plan } = this;
    let slot = spread(plan.tree.hash[id]) & mask;
    while (words[at.slots + slot] !== 0) slot = (slot + 1) & mask;
    words[at.slots + slot] = number + 1;
    words[at.rrsets + number] = this.nextSet;
    let count = 0;
    this.run.enter(id);
    for (; this.run.next(); count++) this.writeSet(this.run);
    words[at.meta + number] = this.flags[id] | (count << NODE.countShift);
  }

  private writeSet(run: RrsetCursor): void {
    const { words, plan } = this;
    const set = this.nextSet;
    this.nextSet += RRSET.words;
    words[set + RRSET.ttl] = run.live ? (plan.input.live?.ttl ?? 0) : this.lowestTtl(run);
    words[set + RRSET.count] = run.to - run.from;
    words[set + RRSET.type] = run.type | (run.live ? RRSET_FLAG.live : 0);
    if (run.live) return;
    this.records += run.to - run.from;
    const links = this.nextLink;
    const linked = linkWords(run, this.targets);
    this.nextLink += linked;
    words[set + RRSET.data] = linked > 0 ? links : this.nextOctet;
    if (linked > 0) {
      words[set + RRSET.type] |= RRSET_FLAG.links;
      words[links + LINKS.octets] = this.nextOctet;
      words[links + LINKS.targets] = this.targets.count;
      words[links + LINKS.required] = this.targets.required;
      const { list } = this.targets;
      for (let i = 0; i < list.length; i++) words[links + LINKS.list + i] = this.numbers[list[i]];
    }
    if (namesInPlace(run.type) > 0) this.writeLinked(run, links + LINKS.list + 2 * this.targets.count);
    else this.writeOpaque(run);
    if (run.type === SOA) this.noteSoa(set);
  }

  /** Records of one RRset with differing TTLs: the lowest does no harm (RFC 2181 §5.2; the checks warn). */
  private lowestTtl({ from, to }: RrsetCursor): number {
    const { grouped, input } = this.plan;
    let ttl = input.store.ttlOf(grouped.order[from]);
    for (let i = from + 1; i < to; i++) ttl = Math.min(ttl, input.store.ttlOf(grouped.order[i]));
    return ttl;
  }

  private writeOpaque({ from, to }: RrsetCursor): void {
    const { grouped, input } = this.plan;
    for (let i = from; i < to; i++) {
      const start = input.store.rdataStart(grouped.order[i]);
      const end = input.store.rdataEnd(grouped.order[i]);
      this.octets[this.nextOctet++] = (end - start) >>> 8;
      this.octets[this.nextOctet++] = end - start;
      this.copyRdata(start, end);
    }
  }

  private writeLinked({ type, from, to }: RrsetCursor, namesAt: number): void {
    const { grouped, input, rdataNames } = this.plan;
    let link = namesAt;
    for (let i = from; i < to; i++) {
      let at = input.store.rdataStart(grouped.order[i]);
      this.copyRdata(at, at + octetsBefore(type));
      at += octetsBefore(type);
      for (let name = 0; name < namesInPlace(type); name++) {
        this.words[link++] = this.numbers[rdataNames.of(grouped.order[i], name)];
        at += wireNameLength(input.store.rdata, at);
      }
      this.copyRdata(at, at + octetsAfter(type));
    }
  }

  private copyRdata(start: number, end: number): void {
    const { rdata } = this.plan.input.store;
    for (let i = start; i < end; i++) this.octets[this.nextOctet++] = rdata[i];
  }

  /** The SOA's last 20 octets have just been written. */
  private noteSoa(set: number): void {
    const { words } = this;
    const view = new DataView(this.octets.buffer, this.octets.byteOffset + this.nextOctet - 20, 20);
    const { serial } = this.plan.input;
    if (serial !== null) view.setUint32(0, serial);
    words[HEAD.serial] = view.getInt32(0);
    words[HEAD.soa] = set;
    words[HEAD.negativeTtl] = Math.min(view.getUint32(16), words[set + RRSET.ttl] >>> 0);
  }
}
