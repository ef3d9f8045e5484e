import { HEADER_LENGTH, POINTER_MAX, TCP_MAX } from './message.ts';
import { NAME_MAX } from './name.ts';
import { hashLabel, ROOT_HASH, spread } from './name-hash.ts';
import { rdataNames } from './rdata-names.ts';
import { TSIG_ROOM } from './tsig-record.ts';

const PLACES = 4096;
/** Names in one message beyond this are written out: the table stays half empty. */
const PLACES_USED = PLACES / 2;
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
  private readonly places = new Uint16Array(PLACES);
  private used = 0;
  private readonly labels = new Uint8Array(128);
  private readonly hashes = new Int32Array(128);
  /**
   * The last owner, since the next one is often the same or its writeSibling: the octets behind its first label, their number
   * (0: there is none), their hash, and where the whole name and those octets stand in the message.
   */
  private readonly parent = new Uint8Array(NAME_MAX + 1);
  private parentLength = 0;
  private parentHash = 0;
  private parentPlace = 0;
  private lastPlace = 0;

  /** Begins a message with a copy of `head`: the twelve octets of the header, and the question if there is to be one. */
  begin(head: Uint8Array): void {
    this.out.set(head);
    this.at = head.length;
    this.answers = 0;
    this.out.fill(0, 6, HEADER_LENGTH);
    this.places.fill(0);
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
      // Names of this record were noted, past the end now. Forgetting all places costs compression only.
      this.at = start;
      this.places.fill(0);
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
      out[this.at++] = 0xc0 | (this.lastPlace >>> 8);
      out[this.at++] = this.lastPlace;
      return;
    }
    const hash = hashLabel(this.parentHash, owner, 0);
    const place = this.find(owner, 0, hash);
    if (place > 0) {
      out[this.at++] = 0xc0 | (place >>> 8);
      out[this.at++] = place;
      this.lastPlace = place;
      return;
    }
    this.note(hash, begin);
    this.copy(owner, 0, 1 + owner[0]);
    out[this.at++] = 0xc0 | (this.parentPlace >>> 8);
    out[this.at++] = this.parentPlace;
    if (begin < POINTER_MAX) this.lastPlace = begin;
    else this.parentLength = 0;
  }

  private isLast(owner: Uint8Array): boolean {
    const { out, lastPlace } = this;
    for (let i = 0; i <= owner[0]; i++) if (out[lastPlace + i] !== owner[i]) return false;
    return true;
  }

  /** After the name was written at `begin`. */
  private keepParent(owner: Uint8Array, begin: number): void {
    const { out, hashes, parent } = this;
    this.parentLength = 0;
    if (owner[0] === 0) return;
    const from = 1 + owner[0];
    if (owner[from] === 0) return; // below the root, there is nothing to point to
    const place = out[begin] >= 0xc0 ? ((out[begin] & 0x3f) << 8) | out[begin + 1] : begin;
    let behind = place + 1 + out[place];
    if (out[behind] >= 0xc0) behind = ((out[behind] & 0x3f) << 8) | out[behind + 1];
    if (place >= POINTER_MAX || behind >= POINTER_MAX) return;
    let length = 0;
    while (owner[from + length] !== 0) length += 1 + owner[from + length];
    length += 1;
    for (let i = 0; i < length; i++) parent[i] = owner[from + i];
    this.parentLength = length;
    this.parentHash = hashes[1];
    this.parentPlace = behind;
    this.lastPlace = place;
  }

  /** Writes the uncompressed name at `source[start]`, pointing to what stands already. Returns its length in `source`. */
  private name(source: Uint8Array, start: number): number {
    const count = this.takeApart(source, start);
    const { labels, hashes, out } = this;
    let length = 1;
    for (let i = 0; i < count; i++) length += 1 + source[start + labels[i]];
    for (let i = 0; i < count; i++) {
      const place = this.find(source, start + labels[i], hashes[i]);
      if (place > 0) {
        out[this.at++] = 0xc0 | (place >>> 8);
        out[this.at++] = place;
        return length;
      }
      this.note(hashes[i], this.at);
      this.copy(source, start + labels[i], start + labels[i] + 1 + source[start + labels[i]]);
    }
    out[this.at++] = 0;
    return length;
  }

  /** The question's name stands in the message already. */
  private noteName(source: Uint8Array, start: number): void {
    const count = this.takeApart(source, start);
    for (let i = 0; i < count; i++) this.note(this.hashes[i], start + this.labels[i]);
  }

  private takeApart(source: Uint8Array, start: number): number {
    let count = 0;
    for (let at = 0; at < NAME_MAX && source[start + at] !== 0; at += 1 + source[start + at]) this.labels[count++] = at;
    let hash = ROOT_HASH;
    for (let i = count - 1; i >= 0; i--) {
      hash = hashLabel(hash, source, start + this.labels[i]);
      this.hashes[i] = hash;
    }
    return count;
  }

  private note(hash: number, place: number): void {
    if (place >= POINTER_MAX || this.used >= PLACES_USED) return;
    let slot = spread(hash) & (PLACES - 1);
    while (this.places[slot] !== 0) slot = (slot + 1) & (PLACES - 1);
    this.places[slot] = place;
    this.used++;
  }

  private find(source: Uint8Array, at: number, hash: number): number {
    for (let slot = spread(hash) & (PLACES - 1); this.places[slot] !== 0; slot = (slot + 1) & (PLACES - 1)) {
      if (this.same(this.places[slot], source, at)) return this.places[slot];
    }
    return 0;
  }

  /** Whether the name at `place` of the message, compressed or not, is the one at `source[at]`; octet for octet. */
  private same(place: number, source: Uint8Array, at: number): boolean {
    const { out } = this;
    let here = place;
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
