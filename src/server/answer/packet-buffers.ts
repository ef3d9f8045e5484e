/** Largest query and largest answer; both are far above what a DNS client may send or an OPT of ours allows. */
export const PACKET_MAX = 4096;
/** Octets from one packet to the next: off the page size by a cache line, so that they do not all fall into the same lines. */
export const PACKET_STRIDE: number = PACKET_MAX + 64;

/**
 * The packets a front end reads into and answers into, in one memory: the i-th query, the k-th answer. Who touches many of
 * them goes by `words` and `view`, which are of the whole memory: one object for all packets instead of two for each.
 */
export class PacketBuffers {
  readonly words: Int32Array;
  /** Octets of each query; what is negative has no query. */
  readonly lengths: Int32Array;
  readonly view: DataView;
  readonly queries: readonly Uint8Array[];
  readonly answers: readonly Uint8Array[];
  readonly answerViews: readonly DataView[];
  private readonly queriesAt: number;
  private readonly answersAt: number;

  /** `count` queries from octet `start` of the memory on, a multiple of 4, and as many answers behind them. */
  constructor(memory: ArrayBuffer, start: number, count: number) {
    this.words = new Int32Array(memory);
    this.lengths = new Int32Array(count);
    this.view = new DataView(memory);
    this.queriesAt = start;
    this.answersAt = start + count * PACKET_STRIDE;
    const places = Array.from({ length: count }, (_, i) => i);
    this.queries = places.map((i) => new Uint8Array(memory, this.queryAt(i), PACKET_MAX));
    this.answers = places.map((k) => new Uint8Array(memory, this.answerAt(k), PACKET_MAX));
    this.answerViews = places.map((k) => new DataView(memory, this.answerAt(k), PACKET_MAX));
  }

  /** Octets that `count` queries and answers take. */
  static size(count: number): number {
    return 2 * count * PACKET_STRIDE;
  }

  /** Room for one query and its answer. */
  static single(): PacketBuffers {
    return new PacketBuffers(new ArrayBuffer(PacketBuffers.size(1)), 0, 1);
  }

  /** Octet of the memory where the i-th query begins, a multiple of 4. */
  queryAt(i: number): number {
    return this.queriesAt + i * PACKET_STRIDE;
  }

  /** Octet of the memory where the k-th answer begins, a multiple of 4. */
  answerAt(k: number): number {
    return this.answersAt + k * PACKET_STRIDE;
  }
}
