import * as message from '../../dns/message.ts';
import * as hashing from '../../dns/name-hash.ts';
import type { LiveSlots } from '../../live/slots.ts';
import * as liveSlots from '../../live/slots.ts';
import type { LiveBlock } from './live-block.ts';
import type { PacketBuffers } from './packet-buffers.ts';

// Imported names are looked up at each use, constants of this module are folded into the code: a tenth of the time.
const { hashWord, ROOT_HASH, spread } = hashing;
const { SLOT } = liveSlots;
const { HEADER_LENGTH } = message;

/** Queries in one `PacketRoom`, at most. */
const PACKETS_MAX = 256;
const ENTRIES = 16_384;
const WAYS = 4; // the tags of a set lie in one cache line
const ENTRY_WORDS = 96; // six cache lines; most entries need two or three
const LINE_WORDS = 16;
/**
 * The system hands out large memory 16 octets into a page. The first entry begins so much further on that all begin with a
 * cache line; elsewhere they take one line more.
 */
const START_WORDS = 12;

/** Words of an entry. The query and the answer follow them, each from a word's beginning, identifiers included. */
const WORD = {
  /** Octets of query and answer, and what the statistics and the rate limit are told; see `LENGTHS` … `FLAGS`. */
  about: 0,
  /** Word of the live slot that the answer may rest on (-1: none), and its sequence number then. */
  slot: 1,
  sequence: 2,
  /** Live records that take turns, packed as `liveWord` does; 0: none. */
  live: 3,
  /** Which of them began the last answer, counted from the one that did when it was kept. */
  turn: 4,
  /** Query type, network above. */
  type: 5,
  zone: 6,
  nameHash: 7,
} as const;
const QUERY = 8;

// Word `about`, from the lowest bit: 9 bits answer, 9 bits query, 3 bits kind, 4 bits rcode, then REPEAT_FLAG.
const LENGTH_BITS = 9;
const LENGTH_MASK = (1 << LENGTH_BITS) - 1;
const KIND_SHIFT = 2 * LENGTH_BITS;
const RCODE_SHIFT = KIND_SHIFT + 3;
export const REPEAT_FLAG = { edns: 1 << (RCODE_SHIFT + 4), truncated: 2 << (RCODE_SHIFT + 4) } as const;

const QUERY_MIN = HEADER_LENGTH + 5;
const QUERY_MAX = 4 * (ENTRY_WORDS - QUERY) - HEADER_LENGTH;
/** A record of live addresses: what stands before the address when its owner is a pointer. */
const RECORD_HEAD = 12;

/** The identifier is left out of what is compared, and so is what follows a query in its last word. */
const ID_MASK = maskOf(0xff, 0xff, 0, 0);
const FLAGS_MASK = maskOf(0, 0, 0xff, 0xff);
const LAST_MASKS = Int32Array.of(-1, maskOf(0xff, 0, 0, 0), maskOf(0xff, 0xff, 0, 0), maskOf(0xff, 0xff, 0xff, 0));

/** What is kept beside the octets of an answer, and told when it is given again. */
export type RepeatNote = {
  type: number;
  network: number;
  zone: number;
  kind: number;
  nameHash: number;
  /** 0 to 15. */
  rcode: number;
  /** Of REPEAT_FLAG. */
  flags: number;
};

/**
 * Answers given before, by the query's octets: most queries that come are repeated, and comparing and copying cost a
 * third of finding and writing. Only for UDP and for answers that depend on nothing but the query, one zone and that
 * zone's live slot; `clear` with every change of zones or settings, while a flip shows in the slot's sequence number.
 *
 * A table of fixed size, in sets of four: 64 KiB of tags, which stay in the processor's cache, and the entries they lead
 * to. A query that comes once only leaves its hash, so a flood of random names costs a look and pushes nothing out.
 */
export class ResponseCache implements RepeatNote {
  /** Of the answer that `find` gave, or that is to be kept. */
  type = 0;
  network = 0;
  zone = 0;
  kind = 0;
  nameHash = 0;
  rcode = 0;
  flags = 0;
  /** After `find` returned 0: the query was here before, so its answer is worth keeping. */
  wanted = false;

  private readonly slots: LiveSlots;
  /** Hashes of the queries whose answers are kept; 0: free. */
  private readonly tags = new Int32Array(ENTRIES);
  /** Hashes of queries that were looked for in vain: only one that comes again is kept. */
  private readonly door = new Int32Array(ENTRIES);
  private readonly words: Int32Array;
  private readonly view: DataView;
  /** Of the query that `find` looked for, and the entry that may take its answer; -1: none of the set in particular. */
  private hash = 0;
  private place = -1;
  private nextWay = 0;
  /** Hash of each query that `look` saw. */
  private readonly hashes = new Int32Array(PACKETS_MAX);
  /** Means nothing: made of what `look` read, so that the engine does not leave the reading out. */
  seen = 0;

  constructor(slots: LiveSlots) {
    this.slots = slots;
    const memory = new ArrayBuffer(4 * (START_WORDS + ENTRIES * ENTRY_WORDS));
    this.words = new Int32Array(memory);
    this.view = new DataView(memory);
  }

  /** Nothing that was answered so far holds any more. */
  clear(): void {
    this.tags.fill(0);
  }

  /**
   * A first look at the first `count` queries: to be called before `find` is asked for each of them. The table is larger
   * than the processor's caches, so most of `find` would be waiting for memory: a tag, then an entry. Here nothing depends
   * on what is read, so the processor fetches for all queries at once.
   */
  look(room: PacketBuffers, count: number): void {
    const { lengths, words: query } = room;
    const { hashes, tags, words } = this;
    let seen = 0;
    for (let i = 0; i < count; i++) {
      const length = lengths[i];
      if (length < QUERY_MIN || length > QUERY_MAX) continue;
      const hash = queryHash(query, room.queryAt(i) >> 2, length);
      hashes[i] = hash;
      seen ^= tags[setOf(hash)];
    }
    for (let i = 0; i < count; i++) {
      const hash = hashes[i];
      const set = setOf(hash);
      for (let place = set; place < set + WAYS; place++) {
        if (tags[place] !== hash) continue;
        const entry = START_WORDS + place * ENTRY_WORDS;
        seen ^= words[entry] ^ words[entry + LINE_WORDS] ^ words[entry + 2 * LINE_WORDS];
        break;
      }
    }
    this.seen = seen;
  }

  /** Copies the answer to query `i` of `length` octets to answer `k`. Returns its length; 0: it is not known. */
  find(room: PacketBuffers, i: number, length: number, k: number): number {
    this.wanted = false;
    if (length < QUERY_MIN || length > QUERY_MAX) return 0;
    const query = room.queryAt(i) >> 2;
    const hash = this.hashes[i];
    const set = setOf(hash);
    const { tags } = this;
    for (let place = set; place < set + WAYS; place++) {
      if (tags[place] !== hash) continue;
      const entry = START_WORDS + place * ENTRY_WORDS;
      if (!this.isOf(entry, room.words, query, length)) continue;
      if (this.isOver(entry)) {
        this.miss(hash, place, true);
        return 0;
      }
      return this.give(entry, room, query, length, room.answerAt(k));
    }
    const at = spread(hash) & (ENTRIES - 1);
    this.miss(hash, -1, this.door[at] === hash);
    this.door[at] = hash;
    return 0;
  }

  private miss(hash: number, place: number, wanted: boolean): void {
    this.hash = hash;
    this.place = place;
    this.wanted = wanted;
  }

  /** Whether the entry, whose hash is right, is that of this query. */
  private isOf(entry: number, query: Int32Array, at: number, length: number): boolean {
    const { words } = this;
    if (((words[entry + WORD.about] >>> LENGTH_BITS) & LENGTH_MASK) !== length) return false;
    const kept = entry + QUERY;
    if (((words[kept] ^ query[at]) & FLAGS_MASK) !== 0) return false;
    const last = (length - 1) >> 2;
    for (let word = 1; word < last; word++) if (words[kept + word] !== query[at + word]) return false;
    return ((words[kept + last] ^ query[at + last]) & LAST_MASKS[length & 3]) === 0;
  }

  /** Whether the live set has changed since. */
  private isOver(entry: number): boolean {
    const slot = this.words[entry + WORD.slot];
    return slot >= 0 && this.slots.words[slot] !== this.words[entry + WORD.sequence];
  }

  /** Live records begin with the one whose turn it is. */
  private give(entry: number, room: PacketBuffers, query: number, length: number, answerAt: number): number {
    const { words } = this;
    const { words: out } = room;
    const about = words[entry + WORD.about];
    const answerLength = about & LENGTH_MASK;
    const from = entry + QUERY + ((length + 3) >> 2);
    const to = answerAt >> 2;
    out[to] = (words[from] & FLAGS_MASK) | (out[query] & ID_MASK);
    for (let word = 1, end = (answerLength + 3) >> 2; word < end; word++) out[to + word] = words[from + word];
    const live = words[entry + WORD.live];
    if (live !== 0) this.turn(entry, live, 4 * from, room.view, answerAt);
    const type = words[entry + WORD.type];
    this.type = type & 0xffff;
    this.network = type >>> 16;
    this.zone = words[entry + WORD.zone];
    this.nameHash = words[entry + WORD.nameHash];
    this.kind = (about >>> KIND_SHIFT) & 7;
    this.rcode = (about >>> RCODE_SHIFT) & 15;
    this.flags = about & (REPEAT_FLAG.edns | REPEAT_FLAG.truncated);
    return answerLength;
  }

  /** The records are alike but for their addresses: these go round. `from` and `to`: where the answers begin. */
  private turn(entry: number, live: number, from: number, out: DataView, to: number): void {
    const { words, view } = this;
    const count = (live >>> LENGTH_BITS) & 0x7f;
    const size = live >>> 16;
    const next = words[entry + WORD.turn] + 1;
    let first = next === count ? 0 : next;
    words[entry + WORD.turn] = first;
    const at = live & LENGTH_MASK;
    for (let end = at + count * size, record = at; record < end; record += size) {
      const source = from + at + first * size;
      for (let octet = RECORD_HEAD; octet < size; octet += 4) {
        out.setInt32(to + record + octet, view.getInt32(source + octet, true), true);
      }
      first = first + 1 === count ? 0 : first + 1;
    }
  }

  /**
   * Keeps answer `k`, of `answerLength` octets, to query `i`, which `find` has just looked for in vain, and the fields as
   * they are. `sequence` is that of `slot` (-1: none) before anything of it was read; if it is another by now, or odd,
   * nothing is kept.
   */
  keep(
    room: PacketBuffers,
    i: number,
    length: number,
    k: number,
    answerLength: number,
    slot: number,
    sequence: number,
    live: LiveBlock,
  ): void {
    const { words, hash } = this;
    const queryWords = (length + 3) >> 2;
    const answerWords = (answerLength + 3) >> 2;
    if (QUERY + queryWords + answerWords > ENTRY_WORDS || live.sets > 1 || (live.count > 1 && live.size === 0)) return;
    const slotWord = slot < 0 ? -1 : this.slots.slotWord(slot) + SLOT.sequence;
    if (slotWord >= 0 && ((sequence & 1) !== 0 || Atomics.load(this.slots.words, slotWord) !== sequence)) return;
    const place = this.place >= 0 ? this.place : this.freePlace(setOf(hash));
    this.tags[place] = hash;
    const entry = START_WORDS + place * ENTRY_WORDS;
    words[entry + WORD.about] =
      answerLength | (length << LENGTH_BITS) | (this.kind << KIND_SHIFT) | (this.rcode << RCODE_SHIFT) | this.flags;
    words[entry + WORD.slot] = slotWord;
    words[entry + WORD.sequence] = sequence;
    words[entry + WORD.live] = live.count > 1 ? liveWord(live) : 0;
    words[entry + WORD.turn] = 0;
    words[entry + WORD.type] = this.type | (this.network << 16);
    words[entry + WORD.zone] = this.zone;
    words[entry + WORD.nameHash] = this.nameHash;
    const query = room.queryAt(i) >> 2;
    const answer = room.answerAt(k) >> 2;
    for (let word = 0; word < queryWords; word++) words[entry + QUERY + word] = room.words[query + word];
    const to = entry + QUERY + queryWords;
    for (let word = 0; word < answerWords; word++) words[to + word] = room.words[answer + word];
  }

  /** A place of the set that is free, or whose turn it is to go. */
  private freePlace(set: number): number {
    for (let place = set; place < set + WAYS; place++) if (this.tags[place] === 0) return place;
    this.nextWay = (this.nextWay + 1) & (WAYS - 1);
    return set + this.nextWay;
  }
}

/** First place of the set that a hash belongs to. */
function setOf(hash: number): number {
  return (spread(hash) >>> 8) & (ENTRIES - WAYS);
}

function liveWord({ at, count, size }: LiveBlock): number {
  return at | (count << LENGTH_BITS) | (size << 16);
}

/** Of all octets but the identifier, and never 0. */
function queryHash(words: Int32Array, at: number, length: number): number {
  let hash = hashWord(ROOT_HASH ^ length, words[at] & FLAGS_MASK);
  const last = at + ((length - 1) >> 2);
  for (let word = at + 1; word < last; word++) hash = hashWord(hash, words[word]);
  hash = hashWord(hash, words[last] & LAST_MASKS[length & 3]);
  return hash === 0 ? 1 : hash;
}

/** Four octets as a word of this machine. */
function maskOf(...octets: readonly [number, number, number, number]): number {
  return new Int32Array(Uint8Array.from(octets).buffer)[0];
}
