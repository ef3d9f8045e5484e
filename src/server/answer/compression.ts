import * as message from '../../dns/message.ts';
import * as names from '../../dns/name.ts';
import { ParsedName } from '../../dns/parsed-name.ts';
import type { ZoneImage } from '../../zones/image/image.ts';
import type { Lookup } from '../../zones/image/lookup.ts';
import * as lookups from '../../zones/image/lookup.ts';

// Bindings of another module are looked up at each use in V8, constants of this module are not: a tenth of an answer's
// time.
const { HEADER_LENGTH, POINTER_MAX } = message;
const { LOWER } = names;
const { FOUND, findChild } = lookups;

const POINTER_BITS = 14;
const GENERATIONS = 1 << (31 - POINTER_BITS);

/**
 * Offsets in the message of the names of a zone's image that were written already: what compression points to (RFC 1035
 * §4.1.4). Nothing is cleared from message to message; each entry carries the generation that it belongs to.
 */
export class CompressionTable {
  /** By name id: generation and offset. An entry of an older generation is of another message. */
  private entries = new Int32Array(1024);
  private generation = 0;

  /** The message has no name of this image yet. */
  begin(image: ZoneImage): void {
    if (this.entries.length < image.names) this.entries = new Int32Array(1 << (32 - Math.clz32(image.names)));
    this.generation++;
    if (this.generation === GENERATIONS) {
      this.entries.fill(0);
      this.generation = 1;
    }
  }

  /** Name `id` is at `offset` of the message. */
  note(id: number, offset: number): void {
    if (offset < POINTER_MAX) this.entries[id] = (this.generation << POINTER_BITS) | offset;
  }

  /** Offset of name `id`; 0: it is not in the message (the header is there). */
  of(id: number): number {
    const entry = this.entries[id];
    return entry >>> POINTER_BITS === this.generation ? entry & (POINTER_MAX - 1) : 0;
  }

  forget(id: number): void {
    this.entries[id] = 0;
  }
}

/** Aliases followed in one answer. Longer chains do not occur; a resolver continues where we stop. */
const CHAIN_MAX = 16;
const STRIDE = 256;

/** The names of an answer: the question and the targets of its aliases, each once. One object a thread. */
export class CnameChain {
  /** The current name: `name` is that at `source[start]`; its offset in the message is `offset` (0: unknown). */
  source: Uint8Array = new Uint8Array(0);
  start = 0;
  name: ParsedName;
  offset = 0;
  /** The names after the question. The next one is to be put at `nextAt`. */
  readonly octets: Uint8Array = new Uint8Array(CHAIN_MAX * STRIDE);
  private readonly hashes = new Int32Array(CHAIN_MAX);
  private readonly target = new ParsedName();
  private length = 0;
  private question: Uint8Array = this.source;
  private questionHash = 0;

  constructor() {
    this.name = this.target;
  }

  /** The question at octet 12 of `query`, and of the message, is the current name. */
  begin(query: Uint8Array, name: ParsedName): void {
    this.question = query;
    this.questionHash = name.hash[0];
    this.source = query;
    this.start = HEADER_LENGTH;
    this.name = name;
    this.offset = HEADER_LENGTH;
    this.length = 0;
  }

  /** Whether the current name is still the question. */
  get atQuestion(): boolean {
    return this.length === 0;
  }

  get isFull(): boolean {
    return this.length === CHAIN_MAX;
  }

  get nextAt(): number {
    return this.length * STRIDE;
  }

  /**
   * Makes the name of `length` octets that was put at `nextAt`, and is at `offset` of the message, the current one.
   * False when it was current before: a loop.
   */
  follow(length: number, offset: number): boolean {
    const { octets, nextAt } = this;
    this.target.read(octets, nextAt, nextAt + length);
    const hash = this.target.hash[0];
    if (hash === this.questionHash && sameName(this.question, HEADER_LENGTH, octets, nextAt, length)) return false;
    for (let i = 0; i < this.length; i++) {
      if (hash === this.hashes[i] && sameName(octets, i * STRIDE, octets, nextAt, length)) return false;
    }
    this.hashes[this.length++] = hash;
    this.source = octets;
    this.start = nextAt;
    this.name = this.target;
    this.offset = offset < POINTER_MAX ? offset : 0;
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

/** Later names may point to the current one and its ancestors, as far as the zone has nodes there. */
export function noteName(image: ZoneImage, lookup: Lookup, chain: CnameChain, table: CompressionTable): void {
  const { name } = chain;
  if (!chain.atQuestion) {
    // A name of the chain may be compressed, so only the offset of its first label is known.
    if (lookup.kind === FOUND.exact && chain.offset > 0) table.note(lookup.node, chain.offset);
    return;
  }
  const apex = name.labels - image.originLabels;
  for (let label = lookup.label; label <= apex; label++) {
    if (label < name.labels) table.note(lookup.path[label], HEADER_LENGTH + name.at[label]);
  }
  let above = image.words[image.parent];
  for (let label = apex + 1; label < name.labels; label++) {
    table.note(above, HEADER_LENGTH + name.at[label]);
    above = image.words[image.parent + above];
  }
}

/** Names below a cut are not looked up, but glue may have them: its owners may point to the question. */
export function noteBelow(image: ZoneImage, lookup: Lookup, name: ParsedName, table: CompressionTable): void {
  let { node } = lookup;
  for (let label = lookup.label - 1; label >= 0; label--) {
    node = findChild(image, node, name.hash[label], name.lower, name.at[label]);
    if (node < 0) return;
    table.note(node, HEADER_LENGTH + name.at[label]);
  }
}
