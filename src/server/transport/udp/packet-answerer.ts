import { RCODE } from '../../../dns/message.ts';
import type { Answerer, Client, PacketBuffers } from '../../answer/front-end.ts';
import { NOT_PLAIN_QUERY } from '../../answer/front-end.ts';
import { KIND } from '../../answer/outcome.ts';
import { EVENT, type Stats } from '../../stats.ts';
import type { NonPlainHandler } from '../../transfer/handler-types.ts';
import type { DnsThreadData } from '../threads/protocol.ts';
import { type RateLimitConfig, RateLimiter, VERDICT } from './rate-limit.ts';
import { truncateAnswer } from './truncate.ts';

/**
 * What both UDP front ends do with one packet: ask the responder, or the handler of what is no plain query, then limit.
 */
export class PacketAnswerer {
  private readonly responder: Answerer;
  private readonly nonPlain: NonPlainHandler;
  private readonly stats: Stats;
  private readonly report: (error: unknown) => void;
  private limiter: RateLimiter | null;

  /**
   * `report` is called for bugs: a packet that makes the responder throw costs its sender an answer, and no other
   * client.
   */
  constructor(parts: {
    readonly responder: Answerer;
    readonly nonPlain: NonPlainHandler;
    readonly stats: Stats;
    readonly limiter: RateLimiter | null;
    readonly report: (error: unknown) => void;
  }) {
    this.responder = parts.responder;
    this.nonPlain = parts.nonPlain;
    this.stats = parts.stats;
    this.limiter = parts.limiter;
    this.report = parts.report;
  }

  setLimiter(limiter: RateLimiter | null): void {
    this.limiter = limiter;
  }

  /** Whether `answer` needs the time. */
  get limits(): boolean {
    return this.limiter !== null;
  }

  /** Answers query `i`. Returns the length of answer `k`; 0: none. `nowMs` of `threadClock`, read once a batch. */
  answer(packets: PacketBuffers, i: number, k: number, client: Client, nowMs: number): number {
    try {
      const size = this.responder.respondIn(packets, i, k, client);
      if (size === NOT_PLAIN_QUERY) return this.nonPlainAnswer(packets, i, k, client, nowMs);
      if (this.limiter === null || size <= 0 || this.responder.lastHadGoodCookie) return size;
      return this.limited(this.limiter, packets.answers[k], size, client, nowMs);
    } catch (error) {
      this.report(error);
      return 0;
    }
  }

  /**
   * What is refused counts with all other errors: a NOTIFY or a signature that means nothing must not get more answers
   * out of us than a question. It is dropped or sent, never slipped: TCP has nothing else to say. Who is answered is a
   * secondary of ours, and asks for many zones at once.
   */
  private nonPlainAnswer(packets: PacketBuffers, i: number, k: number, client: Client, nowMs: number): number {
    const out = packets.answers[k];
    const size = this.nonPlain.packet(packets.queries[i], packets.lengths[i], out, client);
    if (this.limiter === null || size <= 0 || (out[3] & 0xf) === RCODE.noError) return size;
    if (this.limiter.check(client, KIND.error, 0, nowMs) === VERDICT.send) return size;
    this.stats.counters[EVENT.rate_limited] += 1;
    return 0;
  }

  private limited(limiter: RateLimiter, out: Uint8Array, size: number, client: Client, nowMs: number): number {
    const { lastKind, lastHash } = this.responder;
    const verdict = limiter.check(client, lastKind, lastHash, nowMs);
    if (verdict === VERDICT.send) return size;
    const { counters } = this.stats;
    if (verdict === VERDICT.slip) {
      counters[EVENT.rate_slipped] += 1;
      return truncateAnswer(out, size);
    }
    counters[EVENT.rate_limited] += 1;
    return 0;
  }
}

/** The limiter that a thread's settings ask for; null: none. */
export function limiterOf(config: RateLimitConfig | null, shared: DnsThreadData['rateLimit']): RateLimiter | null {
  return config === null || shared === null || config.perSecond <= 0 ? null : new RateLimiter(config, shared);
}
