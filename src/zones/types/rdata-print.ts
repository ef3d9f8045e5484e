import { LABEL_MAX, NAME_MAX, textFromWire } from '../../dns/name.ts';

/** The cursor that a type's codec prints rdata with: octets `at..end` of `wire` in, words out. */
export class RdataPrint {
  readonly wire: Uint8Array;
  readonly end: number;
  at: number;
  /** What was printed so far; words are joined by one space. */
  readonly words: string[] = [];

  constructor(wire: Uint8Array, start: number, end: number) {
    this.wire = wire;
    this.at = start;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  put(word: string): true {
    this.words.push(word);
    return true;
  }

  /** A big-endian number of 1, 2 or 4 octets; -1: too few are left. */
  take(size: 1 | 2 | 4): number {
    if (this.left < size) return -1;
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this.wire[this.at++];
    return value;
  }

  /** The next octets, not copied; null: fewer are left. */
  octets(count: number): Uint8Array | null {
    if (this.left < count) return null;
    this.at += count;
    return this.wire.subarray(this.at - count, this.at);
  }

  /** All octets that are left, not copied. */
  rest(): Uint8Array {
    const rest = this.wire.subarray(this.at, this.end);
    this.at = this.end;
    return rest;
  }

  /** Puts an uncompressed name as absolute text. */
  name(): boolean {
    const start = this.at;
    for (let at = start; ; at += 1 + this.wire[at]) {
      if (at >= this.end || this.wire[at] > LABEL_MAX || at - start >= NAME_MAX) return false;
      if (this.wire[at] === 0) {
        this.at = at + 1;
        return this.put(textFromWire(this.wire, start));
      }
    }
  }
}
