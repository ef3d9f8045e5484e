import * as message from '../../dns/message.ts';
import * as hashing from '../../dns/name-hash.ts';
import type { LiveSlots } from '../../live/slots.ts';
import * as liveSlots from '../../live/slots.ts';
import type { PacketBuffers } from './front-end.ts';
import type { Kind, LiveBlock } from './outcome.ts';
import type { QueryContext } from './query-context.ts';
import type { ServedZone } from './zone-table.ts';

// Bindings of another module are looked up at each use in V8, constants of this module are not: a tenth of an answer's
// time.
const { hashWord, ROOT_HASH, spread } = hashing;
const { SLOT } = liveSlots;
const { HEADER_LENGTH } = message;

const ENTRIES = 16_384;
const WAYS = 4; // the tags of a set share one cache line
const ENTRY_WORDS = 96; // six cache lines; most entries need two or three
const LINE_WORDS = 16;
/**
 * The system hands out large memory 16 octets into a page. The first entry begins so much further on that all begin
 * with a cache line; elsewhere they take one line more.
 */
const START_WORDS = 12;

/** Words of an entry. The query and the answer follow them, each from a word's beginning, identifiers included. */
const WORD = {
  /** Octets of query and answer, and what the statistics and the rate limit need; see `LENGTH_BITS` … `FLAG`. */
  about: 0,
  /** The zone's number, and its generation when the answer was made. */
  zone: 1,
  generation: 2,
  /**
   * Word of the zone's live slot (NO_SLOT: it has none, MANY_SLOTS: several), and the sequence of its slots, summed.
   */
  slot: 3,
  sequence: 4,
  /** Live records that rotate, packed as `liveWord` does; 0: none. */
  live: 5,
  /** Which of them began the last answer, counted from the one that did when it was cached. */
  turn: 6,
  /** Query type, network above. */
  type: 7,
  nameHash: 8,
} as const;
const QUERY = 9;

const NO_SLOT = -1;
const MANY_SLOTS = -2;

// Word `about`, from the lowest bit: 9 bits answer, 9 bits query, 3 bits kind, 4 bits rcode, then FLAG.
const LENGTH_BITS = 9;
const LENGTH_MASK = (1 << LENGTH_BITS) - 1;
const KIND_SHIFT = 2 * LENGTH_BITS;
const RCODE_SHIFT = KIND_SHIFT + 3;
const FLAG = { edns: 1 << (RCODE_SHIFT + 4), truncated: 2 << (RCODE_SHIFT + 4) } as const;

const QUERY_MIN = HEADER_LENGTH + 5;
const QUERY_MAX = 4 * (ENTRY_WORDS - QUERY) - HEADER_LENGTH;
/** A record of live addresses: octets before the address when its owner is a pointer. */
const RECORD_HEAD = 12;

/** The identifier is left out of what is compared, and so is what follows a query in its last word. */
const ID_MASK = maskOf(0xff, 0xff, 0, 0);
const FLAGS_MASK = maskOf(0, 0, 0xff, 0xff);
const LAST_MASKS = Int32Array.of(-1, maskOf(0xff, 0, 0, 0), maskOf(0xff, 0xff, 0, 0), maskOf(0xff, 0xff, 0xff, 0));

/**
 * Responses given before, by the query's octets: most queries are repeated, and comparing and copying costs a third of
 * finding and writing. Only for UDP and for answers that depend on nothing but the query, one zone and that zone's live
 * slots: a flip shows in the slots' sequence numbers, a change of the zone in its generation, settings `clear` all.
 *
 * A table of fixed size, in sets of four: 64 KiB of tags, which stay in the processor's cache, and the entries they
 * lead to. A query that comes only once leaves nothing but its hash, so a flood of random names costs a lookup and
 * evicts nothing.
 */
export class ResponseCache {
  private readonly slots: LiveSlots;
  private readonly zoneOf: (zone: number) => ServedZone | null;
  /** Hashes of the queries whose responses are cached; 0: free. */
  private readonly tags = new Int32Array(ENTRIES);
  /** Hashes of queries that missed: a response is cached on the second miss of its query. */
  private readonly admission = new Int32Array(ENTRIES);
  /** By zone number: one more with every change of the zone, so that what was cached of it before is stale. */
  private generations = new Int32Array(64);
  private readonly words: Int32Array;
  private readonly view: DataView;
  private nextWay = 0;
  /** Keeps V8 from eliminating the loads in `prefetch`; never read. */
  protected prefetched = 0;

  /** `zoneOf`: a zone by its number. */
  constructor(slots: LiveSlots, zoneOf: (zone: number) => ServedZone | null) {
    this.slots = slots;
    this.zoneOf = zoneOf;
    const memory = new ArrayBuffer(4 * (START_WORDS + ENTRIES * ENTRY_WORDS));
    this.words = new Int32Array(memory);
    this.view = new DataView(memory);
  }

  /** Every response is stale. */
  clear(): void {
    this.tags.fill(0);
  }

  /** The responses that depend on this zone are stale. */
  expire(zone: number): void {
    if (zone >= this.generations.length) {
      const grown = new Int32Array(2 ** (32 - Math.clz32(zone)));
      grown.set(this.generations);
      this.generations = grown;
    }
    this.generations[zone]++;
  }

  /**
   * Copies the response to query `i` to answer `k` and notes in `context` what kind it is. Returns its length; 0: it is
   * not cached, and `context` says whether to `keep` the answer.
   */
  find(context: QueryContext, packets: PacketBuffers, i: number, k: number): number {
    if (!packets.isPrefetched) this.prefetch(packets);
    context.isWanted = false;
    const length = packets.lengths[i];
    if (length < QUERY_MIN || length > QUERY_MAX) return 0;
    const query = packets.queryAt(i) >> 2;
    const hash = packets.hashes[i];
    context.hash = hash;
    context.entry = -1;
    const { tags } = this;
    const set = setOf(hash);
    for (let entry = set; entry < set + WAYS; entry++) {
      if (tags[entry] !== hash) continue;
      const at = START_WORDS + entry * ENTRY_WORDS;
      if (!this.matches(at, packets.words, query, length)) continue;
      if (!this.isStale(at)) return this.copy(context, at, packets, query, length, packets.answerAt(k));
      context.entry = entry;
      context.isWanted = true;
      return 0;
    }
    const at = spread(hash) & (ENTRIES - 1);
    context.isWanted = this.admission[at] === hash;
    this.admission[at] = hash;
    return 0;
  }

  /**
   * Sum of the sequence numbers of a zone's live slots. They only grow, so an equal sum means that none has changed.
   */
  sequenceOf({ slots }: ServedZone): number {
    let sum = 0;
    for (let i = 0; i < slots.length; i++) sum = (sum + this.slots.sequence(slots[i])) | 0;
    return sum;
  }

  /**
   * Caches answer `k`, of `answerLength` octets, to query `i`, which `find` has just missed, for the next time. Not if
   * a live slot of its zone was written meanwhile or is being written.
   */
  keep(
    context: QueryContext,
    packets: PacketBuffers,
    i: number,
    k: number,
    answerLength: number,
    zone: ServedZone,
    live: LiveBlock,
  ): void {
    const { words } = this;
    const { hash, length, query } = context;
    const queryWords = (length + 3) >> 2;
    const answerWords = (answerLength + 3) >> 2;
    if (QUERY + queryWords + answerWords > ENTRY_WORDS || live.sets > 1 || (live.count > 1 && live.size === 0)) return;
    if (this.isWritten(zone) || this.sequenceOf(zone) !== context.sequence) return;
    const entry = context.entry >= 0 ? context.entry : this.freeEntry(setOf(hash));
    this.tags[entry] = hash;
    const at = START_WORDS + entry * ENTRY_WORDS;
    const flags = (query.edns.present ? FLAG.edns : 0) | (context.isTruncated ? FLAG.truncated : 0);
    words[at + WORD.about] =
      answerLength | (length << LENGTH_BITS) | (context.kind << KIND_SHIFT) | (context.rcode << RCODE_SHIFT) | flags;
    if (zone.zone >= this.generations.length) this.expire(zone.zone);
    words[at + WORD.zone] = zone.zone;
    words[at + WORD.generation] = this.generations[zone.zone];
    words[at + WORD.slot] = this.slotWordOf(zone);
    words[at + WORD.sequence] = context.sequence;
    words[at + WORD.live] = live.count > 1 ? liveWord(live) : 0;
    words[at + WORD.turn] = 0;
    words[at + WORD.type] = query.type | (context.network << 16);
    words[at + WORD.nameHash] = context.nameHash;
    const from = packets.queryAt(i) >> 2;
    for (let word = 0; word < queryWords; word++) words[at + QUERY + word] = packets.words[from + word];
    const answer = packets.answerAt(k) >> 2;
    const to = at + QUERY + queryWords;
    for (let word = 0; word < answerWords; word++) words[to + word] = packets.words[answer + word];
  }

  /**
   * Hashes the queries of a batch and touches what `find` will need for each. The table is larger than the processor's
   * caches, so most of `find` would be waiting for memory: a tag, then an entry. Here nothing depends on what is read,
   * so the processor fetches for all queries at once.
   */
  private prefetch(packets: PacketBuffers): void {
    const { lengths, words: queries, hashes, count } = packets;
    const { tags, words } = this;
    packets.isPrefetched = true;
    let touched = 0;
    for (let i = 0; i < count; i++) {
      const length = lengths[i];
      if (length < QUERY_MIN || length > QUERY_MAX) continue;
      const hash = queryHash(queries, packets.queryAt(i) >> 2, length);
      hashes[i] = hash;
      touched ^= tags[setOf(hash)];
    }
    for (let i = 0; i < count; i++) {
      const hash = hashes[i];
      const set = setOf(hash);
      for (let entry = set; entry < set + WAYS; entry++) {
        if (tags[entry] !== hash) continue;
        const at = START_WORDS + entry * ENTRY_WORDS;
        touched ^= words[at] ^ words[at + LINE_WORDS] ^ words[at + 2 * LINE_WORDS];
        break;
      }
    }
    this.prefetched = touched;
  }

  /** Whether the entry, whose hash is right, is that of this query. */
  private matches(entry: number, query: Int32Array, at: number, length: number): boolean {
    const { words } = this;
    if (((words[entry + WORD.about] >>> LENGTH_BITS) & LENGTH_MASK) !== length) return false;
    const kept = entry + QUERY;
    if (((words[kept] ^ query[at]) & FLAGS_MASK) !== 0) return false;
    const last = (length - 1) >> 2;
    for (let word = 1; word < last; word++) if (words[kept + word] !== query[at + word]) return false;
    return ((words[kept + last] ^ query[at + last]) & LAST_MASKS[length & 3]) === 0;
  }

  /** Whether the zone or one of its live sets has changed since. */
  private isStale(entry: number): boolean {
    const { words } = this;
    if (this.generations[words[entry + WORD.zone]] !== words[entry + WORD.generation]) return true;
    const slot = words[entry + WORD.slot];
    if (slot === NO_SLOT) return false;
    // Not by `Atomics.load`, which is a call: the next query finds what this one may overlook.
    if (slot !== MANY_SLOTS) return this.slots.words[slot] !== words[entry + WORD.sequence];
    const zone = this.zoneOf(words[entry + WORD.zone]);
    return zone === null || this.sequenceOf(zone) !== words[entry + WORD.sequence];
  }

  /** Whether one of the zone's live slots is being written. */
  private isWritten({ slots }: ServedZone): boolean {
    for (let i = 0; i < slots.length; i++) if ((this.slots.sequence(slots[i]) & 1) !== 0) return true;
    return false;
  }

  private slotWordOf({ slots }: ServedZone): number {
    if (slots.length === 1) return this.slots.slotWord(slots[0]) + SLOT.sequence;
    return slots.length === 0 ? NO_SLOT : MANY_SLOTS;
  }

  /** Live records begin with the one whose turn it is. */
  private copy(
    context: QueryContext,
    entry: number,
    packets: PacketBuffers,
    query: number,
    length: number,
    answerAt: number,
  ): number {
    const { words } = this;
    const { words: out } = packets;
    const about = words[entry + WORD.about];
    const answerLength = about & LENGTH_MASK;
    const from = entry + QUERY + ((length + 3) >> 2);
    const to = answerAt >> 2;
    out[to] = (words[from] & FLAGS_MASK) | (out[query] & ID_MASK);
    for (let word = 1, end = (answerLength + 3) >> 2; word < end; word++) out[to + word] = words[from + word];
    const live = words[entry + WORD.live];
    if (live !== 0) this.rotate(entry, live, 4 * from, packets.view, answerAt);
    const type = words[entry + WORD.type];
    context.query.type = type & 0xffff;
    context.query.edns.present = (about & FLAG.edns) !== 0;
    context.network = type >>> 16;
    context.nameHash = words[entry + WORD.nameHash];
    context.kind = ((about >>> KIND_SHIFT) & 7) as Kind;
    context.rcode = (about >>> RCODE_SHIFT) & 15;
    context.isTruncated = (about & FLAG.truncated) !== 0;
    context.hadGoodCookie = false;
    return answerLength;
  }

  /** The records differ in nothing but their addresses: these rotate. `from` and `to`: where the answers begin. */
  private rotate(entry: number, live: number, from: number, out: DataView, to: number): void {
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

  /** An entry of the set that is free, or else the next one to be evicted. */
  private freeEntry(set: number): number {
    for (let entry = set; entry < set + WAYS; entry++) if (this.tags[entry] === 0) return entry;
    this.nextWay = (this.nextWay + 1) & (WAYS - 1);
    return set + this.nextWay;
  }
}

/** First entry of the set that a hash belongs to. */
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
