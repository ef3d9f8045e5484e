import * as message from '../../dns/message.ts';
import * as names from '../../dns/name.ts';
import { ParsedName } from '../../dns/parsed-name.ts';

// Imported names are looked up at each use, constants of this module are folded into the code.
const { LOWER } = names;
const { HEADER_LENGTH, POINTER_MAX } = message;

/** Aliases followed in one answer. Longer chains do not occur; the resolver goes on from where we stop. */
const CHAIN_MAX = 16;
const STRIDE = 256;

/** The names of an answer: the question, and what aliases made of it, each once. One object a thread. */
export class CnameChain {
  /** The current name: `name` takes apart `source[start]`; it stands at `place` of the message (0: unknown). */
  source: Uint8Array = new Uint8Array(0);
  start = 0;
  name: ParsedName;
  place = 0;
  /** The names after the question. The next one is to be put at `room`. */
  readonly octets: Uint8Array = new Uint8Array(CHAIN_MAX * STRIDE);
  private readonly hashes = new Int32Array(CHAIN_MAX);
  private readonly target = new ParsedName();
  private length = 0;
  private question: Uint8Array = this.source;
  private questionHash = 0;

  constructor() {
    this.name = this.target;
  }

  /** The question at octet 12 of `query` is the current name; it stands there in the message too. */
  begin(query: Uint8Array, name: ParsedName): void {
    this.question = query;
    this.questionHash = name.hash[0];
    this.source = query;
    this.start = HEADER_LENGTH;
    this.name = name;
    this.place = HEADER_LENGTH;
    this.length = 0;
  }

  /** Whether the current name is the question still. */
  get atQuestion(): boolean {
    return this.length === 0;
  }

  get isFull(): boolean {
    return this.length === CHAIN_MAX;
  }

  get room(): number {
    return this.length * STRIDE;
  }

  /**
   * Makes the name of `length` octets that was put at `room`, and stands at `place` of the message, the current one. False
   * when it was current before: a loop.
   */
  follow(length: number, place: number): boolean {
    const { octets, room } = this;
    this.target.read(octets, room, room + length);
    const hash = this.target.hash[0];
    if (hash === this.questionHash && sameName(this.question, HEADER_LENGTH, octets, room, length)) return false;
    for (let i = 0; i < this.length; i++) {
      if (hash === this.hashes[i] && sameName(octets, i * STRIDE, octets, room, length)) return false;
    }
    this.hashes[this.length++] = hash;
    this.source = octets;
    this.start = room;
    this.name = this.target;
    this.place = place < POINTER_MAX ? place : 0;
    return true;
  }
}

/** Whether two names are equal but for case; they cannot end before the first difference. */
function sameName(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    if (LOWER[a[aStart + i]] !== LOWER[b[bStart + i]]) return false;
  }
  return true;
}
