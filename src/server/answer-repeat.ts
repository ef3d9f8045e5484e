import * as hashing from '../zones/image-hash.ts';
import type { LiveSlots } from '../zones/live-slots.ts';
import * as liveSlots from '../zones/live-slots.ts';
import type { LiveBlock } from './answer-live-block.ts';
import * as message from './message.ts';
import * as messageView from './message-view.ts';

// Imported names are looked up at each use, constants of this module are folded into the code: a tenth of the time.
const { hashWord, ROOT_HASH, spread } = hashing;
const { SLOT } = liveSlots;
const { HEADER_LENGTH } = message;
const { copyOctets } = messageView;

const ENTRIES = 8192;
const ENTRY = 384; // octets
const ENTRY_WORDS = ENTRY / 4;
/** Words of an entry. The query without its identifier and the answer follow them. */
const WORD = {
  /** Hash of the last query that was looked for here in vain: only one that comes again is kept. */
  door: 0,
  /** Hash of the query kept here, … */
  hash: 1,
  /** … in which generation it was kept, and how long it is. */
  generation: 2,
  queryLength: 3,
  answerLength: 4,
  /** Word of the live slot that the answer may rest on (-1: none), and its sequence number then. */
  slot: 5,
  sequence: 6,
  /** Live records of one size that take turns: where they begin, how many, octets of each. */
  liveAt: 7,
  liveCount: 8,
  liveSize: 9,
  /** Which of them began the last answer, counted from the one that did when it was kept. */
  turn: 10,
  /** What the statistics and the rate limit are told. */
  type: 11,
  network: 12,
  zone: 13,
  kind: 14,
  nameHash: 15,
  /** Rcode, REPEAT_FLAG above. */
  rcode: 16,
} as const;
const QUERY_AT = 4 * 17;
/** The identifier is left out of what is compared. */
const ID = 2;
const QUERY_MIN = HEADER_LENGTH + 5;

export const REPEAT_FLAG = { edns: 1 << 16, truncated: 2 << 16 } as const;

/**
 * Answers given before, by the query's octets: most queries that come are repeated, and comparing and copying cost a
 * third of finding and writing. Only for UDP and for answers that depend on nothing but the query, one zone and that
 * zone's live slot; `clear` with every change of zones or settings, while a flip shows in the slot's sequence number.
 *
 * A table of fixed size with one place for a hash. A query that comes once only leaves its hash, so a flood of random
 * names costs a look and pushes nothing out.
 */
export class RepeatedAnswers {
  /** Of the answer that `find` gave, or that is to be kept. `rcode` with REPEAT_FLAG. */
  type = 0;
  network = 0;
  zone = 0;
  kind = 0;
  nameHash = 0;
  rcode = 0;
  /** After `find` returned 0: the query was here before, so its answer is worth keeping. */
  wanted = false;

  private readonly slots: LiveSlots;
  private readonly words: Int32Array;
  private readonly view: DataView;
  private generation = 1;
  /** First word of the entry that `find` looked at, and the hash it looked for. */
  private entry = 0;
  private hash = 0;

  constructor(slots: LiveSlots) {
    this.slots = slots;
    const memory = new ArrayBuffer(ENTRIES * ENTRY);
    this.words = new Int32Array(memory);
    this.view = new DataView(memory);
  }

  /** Nothing that was answered so far holds any more. */
  clear(): void {
    this.generation = (this.generation + 1) & 0x7fffffff;
  }

  /** Copies the answer to the first `length` octets of `query` to `out`. Returns its length; 0: it is not known. */
  find(query: DataView, length: number, out: DataView): number {
    this.wanted = false;
    if (length < QUERY_MIN || length > ENTRY - QUERY_AT) return 0;
    const { words } = this;
    const hash = queryHash(query, length);
    const entry = (spread(hash) & (ENTRIES - 1)) * ENTRY_WORDS;
    this.entry = entry;
    this.hash = hash;
    if (words[entry + WORD.hash] !== hash || !this.holds(entry, query, length)) {
      this.wanted = words[entry + WORD.door] === hash;
      words[entry + WORD.door] = hash;
      return 0;
    }
    this.type = words[entry + WORD.type];
    this.network = words[entry + WORD.network];
    this.zone = words[entry + WORD.zone];
    this.kind = words[entry + WORD.kind];
    this.nameHash = words[entry + WORD.nameHash];
    this.rcode = words[entry + WORD.rcode];
    return this.copy(entry, query, length, out);
  }

  /** Whether the entry, whose hash is right, has the answer to this query as things are now. */
  private holds(entry: number, query: DataView, length: number): boolean {
    const { words, view } = this;
    if (words[entry + WORD.generation] !== this.generation || words[entry + WORD.queryLength] !== length) return false;
    const slot = words[entry + WORD.slot];
    if (slot >= 0 && this.slots.words[slot] !== words[entry + WORD.sequence]) return false;
    const shift = 4 * entry + QUERY_AT - ID;
    let at = ID;
    for (const last = length - 4; at < last; at += 4) {
      if (view.getInt32(shift + at, true) !== query.getInt32(at, true)) return false;
    }
    return view.getInt32(shift + length - 4, true) === query.getInt32(length - 4, true);
  }

  /** Live records begin with the one whose turn it is. */
  private copy(entry: number, query: DataView, length: number, out: DataView): number {
    const { words, view } = this;
    const answer = 4 * entry + QUERY_AT + length - ID;
    const answerLength = words[entry + WORD.answerLength];
    const count = words[entry + WORD.liveCount];
    if (count < 2) copyOctets(out, 0, view, answer, answerLength);
    else {
      const start = words[entry + WORD.liveAt];
      const size = words[entry + WORD.liveSize];
      const next = words[entry + WORD.turn] + 1;
      const first = next === count ? 0 : next;
      words[entry + WORD.turn] = first;
      const tail = start + count * size;
      copyOctets(out, 0, view, answer, start);
      copyOctets(out, start, view, answer + start + first * size, (count - first) * size);
      copyOctets(out, start + (count - first) * size, view, answer + start, first * size);
      copyOctets(out, tail, view, answer + tail, answerLength - tail);
    }
    out.setInt16(0, query.getInt16(0));
    return answerLength;
  }

  /**
   * Keeps the answer `out[0..answerLength)` to the query that `find` has just looked for in vain, and the fields as they
   * are. `sequence` is that of
   * `slot` (-1: none) before anything of it was read; if it is another by now, or odd, nothing is kept.
   */
  keep(
    query: DataView,
    length: number,
    out: DataView,
    answerLength: number,
    slot: number,
    sequence: number,
    live: LiveBlock,
  ): void {
    const { words, view, entry } = this;
    if (QUERY_AT + length - ID + answerLength > ENTRY || live.sets > 1 || (live.count > 1 && live.size === 0)) return;
    const slotWord = slot < 0 ? -1 : this.slots.slotWord(slot) + SLOT.sequence;
    if (slotWord >= 0 && ((sequence & 1) !== 0 || Atomics.load(this.slots.words, slotWord) !== sequence)) return;
    words[entry + WORD.hash] = this.hash;
    words[entry + WORD.generation] = this.generation;
    words[entry + WORD.queryLength] = length;
    words[entry + WORD.answerLength] = answerLength;
    words[entry + WORD.slot] = slotWord;
    words[entry + WORD.sequence] = sequence;
    words[entry + WORD.liveAt] = live.at;
    words[entry + WORD.liveCount] = live.count;
    words[entry + WORD.liveSize] = live.size;
    words[entry + WORD.turn] = 0;
    words[entry + WORD.type] = this.type;
    words[entry + WORD.network] = this.network;
    words[entry + WORD.zone] = this.zone;
    words[entry + WORD.kind] = this.kind;
    words[entry + WORD.nameHash] = this.nameHash;
    words[entry + WORD.rcode] = this.rcode;
    const to = 4 * entry + QUERY_AT;
    copyOctets(view, to, query, ID, length - ID);
    copyOctets(view, to + length - ID, out, 0, answerLength);
  }
}

/** Of all octets but the identifier; the last four are taken whole, whatever was taken of them before. */
function queryHash(query: DataView, length: number): number {
  let hash = hashWord(ROOT_HASH, length);
  for (let at = ID, last = length - 4; at < last; at += 4) hash = hashWord(hash, query.getInt32(at, true));
  return hashWord(hash, query.getInt32(length - 4, true));
}
