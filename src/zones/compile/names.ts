import { LOWER } from '../../dns/name.ts';
import { hashLabel, ROOT_HASH, spread } from '../../dns/name-hash.ts';
import type { Columns } from '../records/columns.ts';

/**
 * Interns names as a tree: the number of a name leads to its parent's number and its leftmost label. The root is 0 and
 * every parent has a smaller number than its children. The spelling kept is the first one seen.
 *
 * The scan's `NameTable` cannot stand in for it: the image needs each name's parent, empty non-terminals among them, and
 * the hash that a lookup computes label by label on its way down. Nor can this stand in for that one: a name would have
 * to be put together from its labels each time that a check compares or prints it.
 */
export class NameTree {
  size = 1;
  parent: Int32Array;
  /** Offset of a name's leftmost label in `labels`. */
  label: Int32Array;
  hash: Int32Array;
  labels: Uint8Array;
  labelsUsed = 1; // the root's label: one zero octet
  private slots: Int32Array;
  private readonly offsets: Uint8Array;
  /** The parent of the name interned last: the root at first. */
  private lastParent = 0;
  private lastLength = 1;
  private readonly lastOctets: Uint8Array;

  /** `expected`: about how many names will come; a wrong guess only costs time. */
  constructor(columns: Columns, expected: number) {
    const capacity = Math.max(32, expected + (expected >>> 3));
    this.parent = columns.int32(capacity);
    this.label = columns.int32(capacity);
    this.hash = columns.int32(capacity);
    this.labels = columns.uint8(10 * capacity);
    this.slots = columns.int32(1 << (33 - Math.clz32(capacity)));
    this.offsets = columns.uint8(128); // a name has no more labels
    this.lastOctets = columns.uint8(256);
    this.parent[0] = -1;
    this.hash[0] = ROOT_HASH;
  }

  /** The number of the uncompressed name at `source[offset]`. */
  intern(source: Uint8Array, offset: number): number {
    if (source[offset] === 0) return 0;
    const parentAt = offset + 1 + source[offset];
    // A zone's names mostly have the parent of the name before.
    if (!this.isLastParent(source, parentAt)) this.internParent(source, parentAt);
    return this.child(this.lastParent, source, offset);
  }

  private isLastParent(source: Uint8Array, offset: number): boolean {
    const { lastOctets, lastLength } = this;
    for (let i = 0; i < lastLength; i++) if (lastOctets[i] !== source[offset + i]) return false;
    return true;
  }

  private internParent(source: Uint8Array, offset: number): void {
    const { offsets, lastOctets } = this;
    let count = 0;
    let length = 1;
    for (let at = offset; source[at] !== 0; at += 1 + source[at]) {
      offsets[count++] = at - offset;
      length += 1 + source[at];
    }
    let id = 0;
    while (count > 0) id = this.child(id, source, offset + offsets[--count]);
    for (let i = 0; i < length; i++) lastOctets[i] = source[offset + i];
    this.lastLength = length;
    this.lastParent = id;
  }

  /** The child of `parent` by the label at `source[at]`, made when there is none. */
  child(parent: number, source: Uint8Array, at: number): number {
    const hash = hashLabel(this.hash[parent], source, at);
    const mask = this.slots.length - 1;
    let slot = spread(hash) & mask;
    for (; this.slots[slot] !== 0; slot = (slot + 1) & mask) {
      const id = this.slots[slot];
      if (this.hash[id] === hash && this.parent[id] === parent && this.sameLabel(id, source, at)) return id;
    }
    return this.add(parent, hash, source, at, slot);
  }

  private sameLabel(id: number, source: Uint8Array, at: number): boolean {
    const { labels } = this;
    const start = this.label[id];
    if (labels[start] !== source[at]) return false;
    for (let i = source[at]; i > 0; i--) {
      if (LOWER[labels[start + i]] !== LOWER[source[at + i]]) return false;
    }
    return true;
  }

  private add(parent: number, hash: number, source: Uint8Array, at: number, slot: number): number {
    const length = 1 + source[at];
    if (this.size === this.parent.length) this.widen();
    if (this.labelsUsed + length > this.labels.length) {
      const wider = new Uint8Array(this.labels.length * 2);
      wider.set(this.labels);
      this.labels = wider;
    }
    const id = this.size++;
    this.parent[id] = parent;
    this.hash[id] = hash;
    this.label[id] = this.labelsUsed;
    for (let i = 0; i < length; i++) this.labels[this.labelsUsed + i] = source[at + i];
    this.labelsUsed += length;
    this.slots[slot] = id;
    if (this.size * 2 > this.slots.length) this.rehash();
    return id;
  }

  private widen(): void {
    const size = this.parent.length * 2;
    this.parent = copied(this.parent, size);
    this.label = copied(this.label, size);
    this.hash = copied(this.hash, size);
  }

  private rehash(): void {
    const slots = new Int32Array(this.slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 1; id < this.size; id++) {
      let slot = spread(this.hash[id]) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
    this.slots = slots;
  }
}

function copied(old: Int32Array, size: number): Int32Array {
  const next = new Int32Array(size);
  next.set(old);
  return next;
}
