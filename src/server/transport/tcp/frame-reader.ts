const LENGTH_OCTETS = 2;
const FIRST_OCTETS = 512; // of a partial message's first buffer
const EMPTY = new Uint8Array(0);

/**
 * Cuts a stream into messages by their length prefixes (RFC 1035 §4.2.2), in any segmentation. Memory grows with what
 * has come, not with what is promised: a thousand peers may promise 64 KB each and send nothing.
 */
export class FrameReader {
  /** After `take`: where the next message begins in the chunk. */
  next = 0;
  /** The part of a message that has come, length prefix included. */
  private part: Uint8Array = EMPTY;
  private used = 0;
  private since = 0;

  /** Whether a message has begun and not ended. */
  get isPartial(): boolean {
    return this.used > 0;
  }

  /** When the partial message began, on the clock given to `take`. */
  get partialSince(): number {
    return this.since;
  }

  /** Octets missing from the partial message, as far as they are known; 0: none has begun. */
  get missing(): number {
    return this.used < LENGTH_OCTETS ? 0 : this.wanted - this.used;
  }

  /**
   * The message that begins or goes on at `at`, without its prefix: part of the chunk or a buffer of its own, either
   * good until the next call. Null: the chunk ends (at `end`) before the message does, and its part was kept.
   */
  take(chunk: Uint8Array, at: number, end: number, nowMs: number): Uint8Array | null {
    if (this.used === 0 && end - at >= LENGTH_OCTETS) {
      const next = at + LENGTH_OCTETS + ((chunk[at] << 8) | chunk[at + 1]);
      if (next <= end) {
        this.next = next;
        return chunk.subarray(at + LENGTH_OCTETS, next);
      }
    }
    return this.keep(chunk, at, end, nowMs);
  }

  /** Forgets the partial message and returns what had come of it. */
  takePart(): Uint8Array {
    const part = this.part.subarray(0, this.used);
    this.part = EMPTY;
    this.used = 0;
    return part;
  }

  private get wanted(): number {
    return this.used < LENGTH_OCTETS ? LENGTH_OCTETS : LENGTH_OCTETS + ((this.part[0] << 8) | this.part[1]);
  }

  private keep(chunk: Uint8Array, start: number, end: number, nowMs: number): Uint8Array | null {
    if (this.used === 0) this.since = nowMs;
    let at = start;
    // First the length prefix, which may itself come in two pieces, then what it promises.
    do {
      const count = Math.min(this.wanted - this.used, end - at);
      this.append(chunk, at, count);
      at += count;
      this.next = at;
      if (at === end && this.used < this.wanted) return null;
    } while (this.used < this.wanted);
    return this.takePart().subarray(LENGTH_OCTETS);
  }

  private append(chunk: Uint8Array, at: number, count: number): void {
    const used = this.used + count;
    if (used > this.part.length) {
      const grown = new Uint8Array(Math.max(used, Math.min(Math.max(FIRST_OCTETS, 2 * used), this.wanted)));
      grown.set(this.part.subarray(0, this.used));
      this.part = grown;
    }
    this.part.set(chunk.subarray(at, at + count), this.used);
    this.used = used;
  }
}
