import { LOWER, wireNameLength } from '../../dns/name.ts';

/** Initial capacity, in names. */
const NAMES = 128;

/**
 * Interns wire-format names: equal names (ignoring case, RFC 4343) get one small number, counted from 0. Flat typed
 * arrays, because a zone may hold a million of them. The spelling kept is the first one seen.
 *
 * Compiling has an interner of its own, `NameTree` (`compile/names.ts`), because the two number different things. Here
 * only names that records have are numbered, in the order they come; a name lies in one piece, for the checks that
 * compare, slice and print names; and the table is emptied for the next zone with its memory kept. There, ancestors that
 * have no record are numbered, too, and a name is its label and its parent, as the image has it.
 */
export class NameTable {
  /** All names, one after another, as first spelled. */
  octets: Uint8Array = new Uint8Array(4096);
  private used = 0;
  private offsets = new Uint32Array(NAMES);
  private hashes = new Uint32Array(NAMES);
  private count = 0;
  private slots = new Uint32Array(2 * NAMES); // id + 1, 0 empty

  get size(): number {
    return this.count;
  }

  get octetsUsed(): number {
    return this.used;
  }

  /** Forgets all names. The memory stays. */
  clear(): void {
    this.used = 0;
    this.count = 0;
    this.slots.fill(0);
  }

  /** Offset of a name in `octets`. */
  offsetOf(id: number): number {
    return this.offsets[id];
  }

  /** A copy of the name's octets. */
  wireOf(id: number): Uint8Array {
    const start = this.offsets[id];
    return this.octets.slice(start, start + wireNameLength(this.octets, start));
  }

  /** The number of the uncompressed name at `source[offset]`, which must end within `source`. */
  intern(source: Uint8Array, offset = 0): number {
    const length = wireNameLength(source, offset);
    const hash = hashName(source, offset, length);
    const mask = this.slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = this.slots[slot];
      if (found === 0) return this.add(source, offset, length, hash, slot);
      const id = found - 1;
      if (this.hashes[id] === hash && this.same(id, source, offset, length)) return id;
    }
  }

  /** The number of an equal name that was interned before; -1 when there is none. */
  find(source: Uint8Array, offset = 0): number {
    const length = wireNameLength(source, offset);
    const hash = hashName(source, offset, length);
    const mask = this.slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = this.slots[slot];
      if (found === 0) return -1;
      if (this.hashes[found - 1] === hash && this.same(found - 1, source, offset, length)) return found - 1;
    }
  }

  private same(id: number, source: Uint8Array, offset: number, length: number): boolean {
    const start = this.offsets[id];
    for (let i = 0; i < length; i++) {
      if (LOWER[this.octets[start + i]] !== LOWER[source[offset + i]]) return false;
    }
    return true;
  }

  private add(source: Uint8Array, offset: number, length: number, hash: number, slot: number): number {
    while (this.used + length > this.octets.length) this.octets = grown(this.octets, Uint8Array);
    if (this.count === this.offsets.length) {
      this.offsets = grown(this.offsets, Uint32Array);
      this.hashes = grown(this.hashes, Uint32Array);
    }
    const id = this.count++;
    this.offsets[id] = this.used;
    this.hashes[id] = hash;
    // A loop: `set` needs a `subarray`, an object for each name.
    for (let i = 0; i < length; i++) this.octets[this.used++] = source[offset + i];
    this.slots[slot] = id + 1;
    if (this.count * 2 > this.slots.length) this.rehash();
    return id;
  }

  private rehash(): void {
    const slots = new Uint32Array(this.slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 0; id < this.count; id++) {
      let slot = this.hashes[id] & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    }
    this.slots = slots;
  }
}

function grown<T extends Uint8Array | Uint32Array>(old: T, Type: new (length: number) => T): T {
  const next = new Type(old.length * 2);
  next.set(old);
  return next;
}

/** FNV-1a over the lowercase octets, finished so that the low bits are well mixed. */
function hashName(source: Uint8Array, offset: number, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = offset; i < offset + length; i++) hash = Math.imul(hash ^ LOWER[source[i]], 0x01000193);
  hash ^= hash >>> 15;
  return Math.imul(hash, 0x2c1b3c6d) >>> 0;
}
