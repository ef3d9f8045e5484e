/** What the front ends (UDP, TCP, TLS) and the responder have in common. */

import type { Kind } from './outcome.ts';

/** Returned instead of an answer's length: a transfer, NOTIFY or a signed message, for the `NonPlainHandler`. */
export const NOT_PLAIN_QUERY = -1;

/** Numbers for the statistics and for what an answer may do. */
export const TRANSPORT = { udp4: 0, udp6: 1, tcp: 2, tls: 3 } as const;
export type Transport = (typeof TRANSPORT)[keyof typeof TRANSPORT];

/** Who asked. One object a socket or batch, filled anew for each query: the query path allocates nothing. */
export type Client = {
  transport: Transport;
  /** 16 octets; an IPv4 client is written ::ffff:a.b.c.d. */
  readonly address: Uint8Array;
  port: number;
  /** Over TLS: whether the connection may carry transfers (RFC 9103 §7). */
  carriesTransfers?: boolean;
};

/**
 * What a front end needs of the responder. After an answer the `last…` fields say what kind it was; they are numbers
 * and flags, so that nothing is allocated.
 */
export type Answerer = {
  /** Length of the answer in `out`; 0: no reply; or NOT_PLAIN_QUERY. */
  respond(query: Uint8Array, length: number, out: Uint8Array, client: Client): number;
  /**
   * The same for query `i` of the batch that `packets` holds, into answer `k`. Responses to repeated queries are
   * cached.
   */
  respondIn(packets: PacketBuffers, i: number, k: number, client: Client): number;
  readonly lastKind: Kind;
  /** Hash of the name that answers of this kind share. */
  readonly lastHash: number;
  /** The query carried a server cookie of ours, so its source address is not forged. */
  readonly lastHadGoodCookie: boolean;
};

/** Largest query and largest answer; both are far above what a DNS client may send or an OPT of ours allows. */
export const PACKET_MAX = 4096;
/**
 * Octets from one packet to the next: off the page size by a cache line, so that packets do not all share the same
 * lines.
 */
const PACKET_STRIDE: number = PACKET_MAX + 64;

/**
 * The packets that a UDP front end reads into and answers into, in one memory: the i-th query, the k-th answer. What
 * touches many of them uses `words` and `view` of the whole memory: one object for all packets instead of two for each.
 */
export class PacketBuffers {
  readonly words: Int32Array;
  /** Octets of each query; negative: there is none. */
  readonly lengths: Int32Array;
  /** Queries of the present batch, and whether the cache has prefetched what it may need for them. */
  count = 0;
  isPrefetched = false;
  /** Hashes of the queries, which the cache computes. */
  readonly hashes: Int32Array;
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
    this.hashes = new Int32Array(count);
    this.view = new DataView(memory);
    this.queriesAt = start;
    this.answersAt = start + count * PACKET_STRIDE;
    const numbers = Array.from({ length: count }, (_, i) => i);
    this.queries = numbers.map((i) => new Uint8Array(memory, this.queryAt(i), PACKET_MAX));
    this.answers = numbers.map((k) => new Uint8Array(memory, this.answerAt(k), PACKET_MAX));
    this.answerViews = numbers.map((k) => new DataView(memory, this.answerAt(k), PACKET_MAX));
  }

  /** Octets that `count` queries and answers take. */
  static size(count: number): number {
    return 2 * count * PACKET_STRIDE;
  }

  /** Memory for one query and its answer. */
  static single(): PacketBuffers {
    return new PacketBuffers(new ArrayBuffer(PacketBuffers.size(1)), 0, 1);
  }

  /** A new batch: the first `count` queries and their lengths are in place. To be called before they are answered. */
  begin(count: number): void {
    this.count = count;
    this.isPrefetched = false;
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
