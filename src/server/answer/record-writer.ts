import * as message from '../../dns/message.ts';
import * as messageView from '../../dns/message-view.ts';
import type { LiveSlots } from '../../live/slots.ts';
import * as liveSlots from '../../live/slots.ts';
import type { ZoneImage } from '../../zones/image/image.ts';
import * as layout from '../../zones/image/layout.ts';
import { CompressionTable } from './compression.ts';
import { LiveBlock } from './outcome.ts';
import type { ServedZone } from './zone-table.ts';

// Bindings of another module are looked up at each use in V8, constants of this module are not: a tenth of an answer's
// time.
const { HEAD, LINKS, namesInPlace, octetsAfter, octetsBefore, RRSET, RRSET_FLAG } = layout;
const { SLOT } = liveSlots;
const { CLASS, TYPE } = message;
const { copyOctets } = messageView;

/** The two bits that make a length octet a pointer, RFC 1035 §4.1.4. */
const POINTER = 0xc000;
/** How words of addresses lie in memory: their octets are copied, whatever the machine. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
/** An offset beyond every limit: what was to be written does not fit. */
const FULL = 1 << 24;
const NO_SLOTS = new Int32Array(0);

/**
 * Writes records of zone images into a message. Nothing is allocated per message: names are compressed by
 * `compression`, which knows for each name of the image where in this message it was written.
 */
export class RecordWriter {
  /** The message, the offset of its next octet, and the first offset that must stay free. */
  private out: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(this.out.buffer);
  at = 0;
  private limit = 0;
  private readonly slots: LiveSlots;
  private image: ZoneImage | null = null;
  /** The zone's live slots, by the number of a pool. */
  private zoneSlots: Int32Array = NO_SLOTS;
  /** Where names of the image were written. */
  readonly compression: CompressionTable = new CompressionTable();
  private rotation4 = 0;
  private rotation6 = 0;
  readonly liveBlock: LiveBlock = new LiveBlock();

  constructor(slots: LiveSlots) {
    this.slots = slots;
  }

  /** A new message: `view` is of the whole of `out`. */
  begin(out: Uint8Array, view: DataView, at: number, limit: number): void {
    this.out = out;
    this.view = view;
    this.at = at;
    this.limit = limit;
    this.image = null;
    this.liveBlock.clear();
  }

  /** The next records are of this zone. Names of another zone that were written are not pointed to any more. */
  useZone(zone: ServedZone, image: ZoneImage): void {
    this.zoneSlots = zone.slots;
    if (this.image === image) return;
    this.image = image;
    this.compression.begin(image);
  }

  /**
   * Writes one RRset. Its owner is at `ownerOffset` of the message or, if that is 0, is name `owner` of the image.
   * Returns the number of records; -1 when they do not fit: then nothing was written.
   */
  set(image: ZoneImage, set: number, owner: number, ownerOffset: number): number {
    const { words } = image;
    const head = words[set + RRSET.type];
    if ((head & RRSET_FLAG.live) !== 0) return this.live(image, set, owner, ownerOffset);
    const start = this.at;
    const count = words[set + RRSET.count];
    const fits =
      namesInPlace(head & 0xffff) > 0
        ? this.linked(image, set, words[set + RRSET.ttl], owner, ownerOffset)
        : this.opaque(image, set, owner, ownerOffset);
    if (fits) return count;
    this.rollBack(image, start, owner);
    return -1;
  }

  /** Writes the SOA of a negative answer (RFC 2308 §5). False when it does not fit. */
  negativeSoa(image: ZoneImage): boolean {
    if (image.soa === 0) return true;
    const start = this.at;
    if (this.linked(image, image.soa, image.negativeTtl, 0, 0)) return true;
    this.rollBack(image, start, 0);
    return false;
  }

  private opaque(image: ZoneImage, set: number, owner: number, ownerOffset: number): boolean {
    const { words, view: source } = image;
    const { view, limit } = this;
    const type = words[set + RRSET.type];
    const ttl = words[set + RRSET.ttl];
    const data = words[set + RRSET.data];
    let from = (type & RRSET_FLAG.links) !== 0 ? words[data + LINKS.octets] : data;
    let at = this.at;
    for (let count = words[set + RRSET.count]; count > 0; count--) {
      at = this.recordHead(image, at, type, ttl, owner, ownerOffset);
      const length = 2 + source.getUint16(from);
      if (at + length > limit) return false;
      copyOctets(view, at, source, from, length);
      at += length;
      from += length;
    }
    this.at = at;
    return true;
  }

  private linked(image: ZoneImage, set: number, ttl: number, owner: number, ownerOffset: number): boolean {
    const { words, view: source } = image;
    const { view } = this;
    const type = words[set + RRSET.type] & 0xffff;
    const links = words[set + RRSET.data];
    const names = namesInPlace(type);
    const before = octetsBefore(type);
    const after = octetsAfter(type);
    let link = links + LINKS.list + 2 * words[links + LINKS.targets];
    let from = words[links + LINKS.octets];
    for (let count = words[set + RRSET.count]; count > 0; count--) {
      const lengthAt = this.recordHead(image, this.at, type, ttl, owner, ownerOffset);
      this.at = lengthAt + 2;
      if (this.at + before > this.limit) return false;
      copyOctets(view, this.at, source, from, before);
      this.at += before;
      from += before;
      for (let name = 0; name < names; name++) {
        if (!this.name(image, words[link++])) return false;
      }
      if (this.at + after > this.limit) return false;
      copyOctets(view, this.at, source, from, after);
      if (type === TYPE.soa) view.setInt32(this.at, this.serial(image));
      this.at += after;
      from += after;
      view.setInt16(lengthAt, this.at - lengthAt - 2);
    }
    return true;
  }

  /**
   * Writes a CNAME made of a DNAME. Its owner is at `ownerOffset`; its target is the `length` octets of labels at
   * `labels[from]` before the name at `rest`. Returns the target's offset; -1: it does not fit.
   */
  cname(
    image: ZoneImage,
    ttl: number,
    ownerOffset: number,
    labels: Uint8Array,
    from: number,
    length: number,
    rest: number,
  ): number {
    const { out } = this;
    let at = this.recordHead(image, this.at, TYPE.cname, ttl, 0, ownerOffset);
    if (at + 4 + length > this.limit) return -1;
    out[at++] = 0;
    out[at++] = length + 2;
    const offset = at;
    for (let i = 0; i < length; i++) out[at++] = labels[from + i];
    out[at++] = 0xc0 | (rest >>> 8);
    out[at++] = rest;
    this.at = at;
    return offset;
  }

  /** Writes owner, type, class and TTL at `at`. Returns the offset after them; FULL when they do not fit. */
  private recordHead(
    image: ZoneImage,
    start: number,
    type: number,
    ttl: number,
    owner: number,
    ownerOffset: number,
  ): number {
    const { view } = this;
    let at = start;
    if (ownerOffset > 0) {
      if (at + 12 > this.limit) return FULL;
      view.setInt16(at, POINTER | ownerOffset);
      at += 2;
    } else {
      this.at = at;
      if (!this.name(image, owner)) return FULL;
      at = this.at;
      if (at + 10 > this.limit) return FULL;
    }
    view.setInt32(at, (type << 16) | CLASS.in); // a type's flags fall off
    view.setInt32(at + 4, ttl);
    return at + 8;
  }

  /** Writes name `id`, compressed against all names of the message. False: it does not fit. */
  name(image: ZoneImage, id: number): boolean {
    const { words, octets, parent, label } = image;
    const { out, compression, limit } = this;
    let at = this.at;
    for (let name = id; ; name = words[parent + name]) {
      let from = words[label + name];
      const length = octets[from];
      if (length === 0) {
        if (at >= limit) return false;
        out[at++] = 0;
        break;
      }
      const known = compression.of(name);
      if (known > 0) {
        if (at + 2 > limit) return false;
        out[at] = 0xc0 | (known >>> 8);
        out[at + 1] = known;
        at += 2;
        break;
      }
      if (at + 1 + length >= limit) return false;
      compression.note(name, at);
      for (const end = from + length; from <= end; from++) out[at++] = octets[from];
    }
    this.at = at;
    return true;
  }

  /** Writes the live addresses of one family straight from the slot. Returns how many; -1 when they do not fit. */
  private live(image: ZoneImage, set: number, owner: number, ownerOffset: number): number {
    const pool = image.words[set + RRSET.data];
    if (pool >= this.zoneSlots.length) return 0;
    const { words } = this.slots;
    const base = this.slots.slotWord(this.zoneSlots[pool]);
    const v4 = (image.words[set + RRSET.type] & 0xffff) === TYPE.a;
    const countAt = base + (v4 ? SLOT.count4 : SLOT.count6);
    const addresses = base + (v4 ? SLOT.v4 : SLOT.v6);
    const rotation = v4 ? this.rotation4 : this.rotation6;
    if (v4) this.rotation4 = (rotation + 1) & 0x7fffffff;
    else this.rotation6 = (rotation + 1) & 0x7fffffff;
    const start = this.at;
    for (;;) {
      const before = Atomics.load(words, base);
      if ((before & 1) !== 0) continue;
      const count = words[countAt];
      const first = count === 0 ? 0 : rotation % count;
      const end = this.addresses(image, set, owner, ownerOffset, addresses, v4 ? 1 : 4, count, first);
      const whole = Atomics.load(words, base) === before;
      if (whole && end < FULL) {
        this.at = end;
        if (count > 0) this.liveBlock.note(start, count, ownerOffset > 0 ? (end - start) / count : 0);
        return count;
      }
      this.rollBack(image, start, owner);
      if (whole) return -1;
    }
  }

  /**
   * Writes `count` addresses of `size` words, beginning with number `first`. Returns the offset after them, or FULL.
   */
  private addresses(
    image: ZoneImage,
    set: number,
    owner: number,
    ownerOffset: number,
    start: number,
    size: number,
    count: number,
    first: number,
  ): number {
    const { view, limit } = this;
    const { words } = this.slots;
    const type = image.words[set + RRSET.type];
    const ttl = image.words[set + RRSET.ttl];
    let at = this.at;
    let from = start + first * size;
    const end = start + count * size;
    for (let left = count; left > 0; left--) {
      at = this.recordHead(image, at, type, ttl, owner, ownerOffset);
      if (at + 2 + 4 * size > limit) return FULL;
      view.setInt16(at, 4 * size);
      at += 2;
      for (const stop = from + size; from < stop; from++, at += 4) view.setInt32(at, words[from], LITTLE_ENDIAN);
      if (from === end) from = start;
    }
    return at;
  }

  /**
   * A zone's serial is the largest of its own and its live sets' (RFC 1982 §3.2); a slot never written has 0. Its own
   * is the image's, whatever the SOA record was compiled with.
   */
  private serial(image: ZoneImage): number {
    const { slots, zoneSlots } = this;
    let serial = image.words[HEAD.serial];
    for (let i = 0; i < zoneSlots.length; i++) {
      const live = slots.words[slots.slotWord(zoneSlots[i]) + SLOT.serial];
      if (live !== 0 && ((live - serial) | 0) > 0) serial = live;
    }
    return serial;
  }

  /**
   * Takes back what was written from `start` on; only the owner of an additional RRset may be pointed to afterwards.
   */
  private rollBack(image: ZoneImage, start: number, owner: number): void {
    this.at = start;
    for (let id = owner; id >= 0; id = image.words[image.parent + id]) {
      if (this.compression.of(id) >= start) this.compression.forget(id);
    }
  }
}
