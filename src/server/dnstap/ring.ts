/**
 * A queue of frames in shared memory, from one thread that answers to the thread that writes dnstap: one writer and one
 * reader, no lock, no allocation by the writer. What does not fit is the writer's to drop.
 *
 * Positions count octets since the start, modulo 2^32. A frame (four octets of length, big-endian, and as many octets, as
 * Frame Streams sends it) is never split: where it does not fit before the end of the memory, a length of 0 (or less than
 * four octets) marks the rest as unused, and the frame goes to the beginning.
 */
const HEAD = 0; // word: where the next frame goes
const TAIL = 1; // word: where the oldest unread frame begins
const DATA_AT = 64; // the positions have a cache line of their own

/** Octets of each queue: at 10,000 messages of 200 octets in a second, half a second's. */
export const RING_OCTETS = 1 << 20;

/** `octets`: a power of two. */
export function createRing(octets = RING_OCTETS): SharedArrayBuffer {
  return new SharedArrayBuffer(DATA_AT + octets);
}

export class RingWriter {
  /** The queue's memory, for the frame that `reserve` made room for. */
  readonly data: Uint8Array;
  private readonly words: Int32Array;
  private readonly size: number;
  private next = 0;

  /** Goes on where the last writer stopped. */
  constructor(shared: SharedArrayBuffer) {
    this.words = new Int32Array(shared, 0, 2);
    this.data = new Uint8Array(shared, DATA_AT);
    this.size = this.data.length;
  }

  /** Where in `data` a message of `length` octets is to be written before `commit`; -1: there is no room. */
  reserve(length: number): number {
    const { words, data, size } = this;
    const head = words[HEAD];
    const free = size - ((head - Atomics.load(words, TAIL)) >>> 0);
    const total = length + 4;
    let at = head & (size - 1);
    const toEnd = size - at;
    const skipped = total > toEnd ? toEnd : 0;
    if (total + skipped > free) return -1;
    if (skipped > 0) {
      if (skipped >= 4) data[at] = data[at + 1] = data[at + 2] = data[at + 3] = 0;
      at = 0;
    }
    data[at] = length >>> 24;
    data[at + 1] = (length >>> 16) & 255;
    data[at + 2] = (length >>> 8) & 255;
    data[at + 3] = length & 255;
    this.next = (head + skipped + total) | 0;
    return at + 4;
  }

  /** Hands the message that was last reserved, and is written, to the reader. */
  commit(): void {
    Atomics.store(this.words, HEAD, this.next);
  }
}

/** Frames as they are to be sent, one after the other. */
export type Frames = { readonly octets: Buffer; readonly count: number };

export class RingReader {
  private readonly words: Int32Array;
  private readonly data: Buffer;
  private readonly size: number;

  constructor(shared: SharedArrayBuffer) {
    this.words = new Int32Array(shared, 0, 2);
    this.data = Buffer.from(shared, DATA_AT);
    this.size = this.data.length;
  }

  /** Takes the oldest frames out, copied, up to some `most` octets (at least one frame); null: there are none. */
  take(most: number): Frames | null {
    const { words, data, size } = this;
    const head = Atomics.load(words, HEAD);
    let tail = words[TAIL];
    let start = tail & (size - 1);
    const unread = (head - tail) >>> 0;
    if (unread === 0) return null;
    if (size - start < 4 || data.readUInt32BE(start) === 0) {
      tail = (tail + size - start) | 0;
      start = 0;
    }
    const end = Math.min(size, start + ((head - tail) >>> 0));
    let to = start;
    let count = 0;
    while (end - to >= 4 && to - start < most) {
      const length = data.readUInt32BE(to);
      if (length === 0) break;
      to += 4 + length;
      count++;
    }
    const octets = Buffer.from(data.subarray(start, to));
    Atomics.store(words, TAIL, (tail + to - start) | 0);
    return { octets, count };
  }
}
