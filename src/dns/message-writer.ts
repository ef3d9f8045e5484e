import { HEADER_LENGTH, POINTER_MAX, TCP_MAX } from './message.ts';
import { NAME_MAX } from './name.ts';
import { hashLabel, spread } from './name-hash.ts';
import { ParsedName } from './parsed-name.ts';
import { rdataNames } from './rdata-names.ts';
import { TSIG_ROOM } from './tsig-record.ts';

const BUCKETS = 4096;
/** Names in one message beyond this are written out: the table stays half empty. */
const BUCKETS_USED = BUCKETS / 2;
const CLASS_IN = 1;

/**
 * Puts records, given uncompressed, into one message after another (transfers, NOTIFY). Owner names and the names that
 * RFC 1035's types hold are compressed against all names of the same message.
 */
export class MessagePacker {
  /** The message; TSIG fits behind it. */
  readonly out: Uint8Array = new Uint8Array(TCP_MAX + TSIG_ROOM);
  at = 0;
  /** Records in it. */
  answers = 0;
  /** Hash table of the names in the message: the offset of each, 0 empty. */
  private readonly offsets = new Uint16Array(BUCKETS);
  private used = 0;
  private readonly parsed = new ParsedName();
  /**
   * The last owner, since the next one is often the same or its sibling: the name of its parent, its length (0: there
   * is no last owner), its hash, and the offsets of the parent and of the owner in the message.
   */
  private readonly parent = new Uint8Array(NAME_MAX + 1);
  private parentLength = 0;
  private parentHash = 0;
  private parentOffset = 0;
  private lastOffset = 0;

  /**
   * Begins a message with a copy of `head`: the twelve octets of the header, and the question if there is to be one.
   */
  begin(head: Uint8Array): void {
    this.out.set(head);
    this.at = head.length;
    this.answers = 0;
    this.out.fill(0, 6, HEADER_LENGTH);
    this.offsets.fill(0);
    this.used = 0;
    this.parentLength = 0;
    if (head.length > HEADER_LENGTH) this.noteName(head, HEADER_LENGTH);
  }

  /**
   * Adds a record to the answer section (the caller may move the count). False, with nothing written, when the message
   * would grow over `limit` octets.
   */
  add(owner: Uint8Array, type: number, ttl: number, rdata: Uint8Array, rdataLength: number, limit: number): boolean {
    const start = this.at;
    // Uncompressed it is largest; only what fits then is tried, so that nothing is written past the buffer.
    if (start + owner.length + 10 + rdataLength > TCP_MAX) return false;
    const { out } = this;
    this.owner(owner);
    out[this.at] = type >>> 8;
    out[this.at + 1] = type;
    out[this.at + 2] = 0;
    out[this.at + 3] = CLASS_IN;
    out[this.at + 4] = ttl >>> 24;
    out[this.at + 5] = ttl >>> 16;
    out[this.at + 6] = ttl >>> 8;
    out[this.at + 7] = ttl;
    const lengthAt = this.at + 8;
    this.at += 10;
    this.rdata(type, rdata, rdataLength);
    const length = this.at - lengthAt - 2;
    out[lengthAt] = length >>> 8;
    out[lengthAt + 1] = length;
    if (this.at > limit) {
      // Names of this record were noted, past the end now. Forgetting all names costs compression only.
      this.at = start;
      this.offsets.fill(0);
      this.used = 0;
      this.parentLength = 0;
      return false;
    }
    this.answers += 1;
    return true;
  }

  /** The message's length, with its count of answers in the header. */
  finish(): number {
    this.out[6] = this.answers >>> 8;
    this.out[7] = this.answers;
    return this.at;
  }

  private rdata(type: number, rdata: Uint8Array, length: number): void {
    let from = 0;
    for (const { skip, compress } of rdataNames(type)) {
      if (!compress) break;
      this.copy(rdata, from, from + skip);
      from += skip;
      from += this.name(rdata, from);
    }
    this.copy(rdata, from, length);
  }

  private copy(source: Uint8Array, from: number, to: number): void {
    for (let i = from; i < to; i++) this.out[this.at++] = source[i];
  }

  private owner(owner: Uint8Array): void {
    if (this.isSibling(owner)) {
      this.writeSibling(owner);
      return;
    }
    const begin = this.at;
    this.name(owner, 0);
    this.keepParent(owner, begin);
  }

  /** Whether the name differs from the last owner in its first label at most. */
  private isSibling(owner: Uint8Array): boolean {
    const { parent, parentLength } = this;
    if (parentLength === 0) return false;
    const from = 1 + owner[0];
    for (let i = 0; i < parentLength; i++) if (owner[from + i] !== parent[i]) return false;
    return true;
  }

  private writeSibling(owner: Uint8Array): void {
    const { out } = this;
    const begin = this.at;
    if (this.isLast(owner)) {
      out[this.at++] = 0xc0 | (this.lastOffset >>> 8);
      out[this.at++] = this.lastOffset;
      return;
    }
    const hash = hashLabel(this.parentHash, owner, 0);
    const offset = this.find(owner, 0, hash);
    if (offset > 0) {
      out[this.at++] = 0xc0 | (offset >>> 8);
      out[this.at++] = offset;
      this.lastOffset = offset;
      return;
    }
    this.note(hash, begin);
    this.copy(owner, 0, 1 + owner[0]);
    out[this.at++] = 0xc0 | (this.parentOffset >>> 8);
    out[this.at++] = this.parentOffset;
    if (begin < POINTER_MAX) this.lastOffset = begin;
    else this.parentLength = 0;
  }

  private isLast(owner: Uint8Array): boolean {
    const { out, lastOffset } = this;
    for (let i = 0; i <= owner[0]; i++) if (out[lastOffset + i] !== owner[i]) return false;
    return true;
  }

  /** After the name was written at `begin`. */
  private keepParent(owner: Uint8Array, begin: number): void {
    const { out, parent } = this;
    this.parentLength = 0;
    if (owner[0] === 0) return;
    const from = 1 + owner[0];
    if (owner[from] === 0) return; // below the root, there is nothing to point to
    const offset = out[begin] >= 0xc0 ? ((out[begin] & 0x3f) << 8) | out[begin + 1] : begin;
    let behind = offset + 1 + out[offset];
    if (out[behind] >= 0xc0) behind = ((out[behind] & 0x3f) << 8) | out[behind + 1];
    if (offset >= POINTER_MAX || behind >= POINTER_MAX) return;
    let length = 0;
    while (owner[from + length] !== 0) length += 1 + owner[from + length];
    length += 1;
    for (let i = 0; i < length; i++) parent[i] = owner[from + i];
    this.parentLength = length;
    this.parentHash = this.parsed.hash[1];
    this.parentOffset = behind;
    this.lastOffset = offset;
  }

  /**
   * Writes the uncompressed name at `source[start]`, with a pointer to what was written already. Returns its length
   * there.
   */
  private name(source: Uint8Array, start: number): number {
    const { parsed, out } = this;
    parsed.read(source, start, source.length);
    const { labels, length, at, hash } = parsed;
    for (let i = 0; i < labels; i++) {
      const from = start + at[i];
      const offset = this.find(source, from, hash[i]);
      if (offset > 0) {
        out[this.at++] = 0xc0 | (offset >>> 8);
        out[this.at++] = offset;
        return length;
      }
      this.note(hash[i], this.at);
      this.copy(source, from, from + 1 + source[from]);
    }
    out[this.at++] = 0;
    return length;
  }

  /** The question's name is in the message already. */
  private noteName(source: Uint8Array, start: number): void {
    const { parsed } = this;
    parsed.read(source, start, source.length);
    for (let i = 0; i < parsed.labels; i++) this.note(parsed.hash[i], start + parsed.at[i]);
  }

  private note(hash: number, offset: number): void {
    if (offset >= POINTER_MAX || this.used >= BUCKETS_USED) return;
    let bucket = spread(hash) & (BUCKETS - 1);
    while (this.offsets[bucket] !== 0) bucket = (bucket + 1) & (BUCKETS - 1);
    this.offsets[bucket] = offset;
    this.used++;
  }

  private find(source: Uint8Array, at: number, hash: number): number {
    for (let bucket = spread(hash) & (BUCKETS - 1); this.offsets[bucket] !== 0; bucket = (bucket + 1) & (BUCKETS - 1)) {
      if (this.same(this.offsets[bucket], source, at)) return this.offsets[bucket];
    }
    return 0;
  }

  /** Whether the name at `offset` of the message, compressed or not, is the one at `source[at]`; octet for octet. */
  private same(offset: number, source: Uint8Array, at: number): boolean {
    const { out } = this;
    let here = offset;
    let there = at;
    for (;;) {
      while (out[here] >= 0xc0) here = ((out[here] & 0x3f) << 8) | out[here + 1];
      const length = out[here];
      if (length !== source[there]) return false;
      if (length === 0) return true;
      // Case must be the same too: a transfer keeps the spelling of every name (RFC 5936 §3.4).
      for (let i = 1; i <= length; i++) if (out[here + i] !== source[there + i]) return false;
      here += 1 + length;
      there += 1 + length;
    }
  }
}
