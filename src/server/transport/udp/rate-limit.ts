import { randomFillSync } from 'node:crypto';
import type { ServerConfig } from '../../../config/types.ts';
import type { Prefix } from '../../../system/address.ts';
import { prefixHolds } from '../../../system/prefix.ts';
import { type Client, TRANSPORT } from '../../answer/front-end.ts';
import { KIND, type Kind } from '../../answer/outcome.ts';
import { halfSipHash } from './half-siphash.ts';

export type RateLimitConfig = NonNullable<ServerConfig['rateLimit']>;

/** What is to become of an answer. `slip`: send it truncated and empty, so that a real client comes back over TCP. */
export const VERDICT = { send: 0, drop: 1, slip: 2 } as const;
export type Verdict = (typeof VERDICT)[keyof typeof VERDICT];

/**
 * Words of a bucket: a tag (0: free), thousandths of a token, when they were counted, and drops since the last slip.
 */
const TAG = 0;
const TOKENS = 1;
const AT = 2;
const DROPS = 3;
const BUCKET = 4;
const WAYS = 4; // a set of four buckets is one cache line of 64 octets
const SET = BUCKET * WAYS;
const HEAD = SET; // words 0 and 1 hold the hash key

/** Milliseconds on the steady clock that all threads share, whichever moment a thread's own clock counts from. */
export function threadClock(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * Memory for `size` buckets (rounded up to a power of two) and a random hash key; zeroed memory is a table of free
 * buckets.
 */
export function createRateTable({ size }: { readonly size: number }): SharedArrayBuffer {
  let sets = 1;
  while (sets * WAYS < size) sets *= 2;
  const shared = new SharedArrayBuffer(4 * (HEAD + sets * SET));
  new Uint32Array(shared).set(randomFillSync(new Uint32Array(2)));
  return shared;
}

/**
 * Response rate limiting: a forged source address must not be able to turn this server on its victim. Answers are
 * counted per client prefix, kind and the name that such answers have in common (the responder's `lastHash`): what an
 * attacker can ask without end shares a bucket, as a zone's non-existing names or a wildcard's, and so do all errors.
 *
 * A bucket holds at most one second's tokens. The table never grows: a set of four buckets takes the place of the one
 * that has been idle longest in terms of tokens, so a prefix under limit keeps its bucket. The table is shared by all
 * threads without a lock; a race loses a token now and then. Threads must pass the same clock, `threadClock`.
 */
export class RateLimiter {
  private readonly table: Int32Array;
  private readonly setMask: number;
  private readonly key0: number;
  private readonly key1: number;
  private readonly perSecond: number;
  private readonly full: number;
  private readonly slip: number;
  private readonly mask4: number;
  private readonly mask6: readonly [number, number, number, number];
  private readonly whitelist: readonly Prefix[];

  constructor(config: RateLimitConfig, shared: SharedArrayBuffer) {
    this.table = new Int32Array(shared);
    this.setMask = (this.table.length - HEAD) / SET - 1;
    this.key0 = this.table[0];
    this.key1 = this.table[1];
    this.perSecond = config.perSecond;
    this.full = config.perSecond * 1000;
    this.slip = config.slip;
    this.mask4 = maskWord(config.ipv4Prefix);
    this.mask6 = [
      maskWord(config.ipv6Prefix),
      maskWord(config.ipv6Prefix - 32),
      maskWord(config.ipv6Prefix - 64),
      maskWord(config.ipv6Prefix - 96),
    ];
    this.whitelist = config.whitelist;
  }

  /**
   * For an answer about to go out over UDP. `kind` of KIND and `hash` as the responder says, `nowMs` any steady
   * millisecond clock (it may wrap at 2^32).
   */
  check(client: Client, kind: Kind, hash: number, nowMs: number): Verdict {
    if (this.perSecond <= 0) return VERDICT.send;
    const at = this.find(client, kind, kind === KIND.error ? 0 : hash, nowMs | 0);
    const { table } = this;
    const tokens = this.tokensNow(at, nowMs | 0);
    table[at + AT] = nowMs | 0;
    if (tokens >= 1000) {
      table[at + TOKENS] = tokens - 1000;
      return VERDICT.send;
    }
    table[at + TOKENS] = tokens;
    if (this.isWhitelisted(client.address)) return VERDICT.send;
    if (this.slip === 0) return VERDICT.drop;
    const drops = table[at + DROPS] + 1;
    table[at + DROPS] = drops >= this.slip ? 0 : drops;
    return drops >= this.slip ? VERDICT.slip : VERDICT.drop;
  }

  /** Word where the bucket begins; a new one is full of tokens. */
  private find(client: Client, kind: Kind, subject: number, now: number): number {
    const { table } = this;
    const tag = this.hash(client, kind, subject);
    const start = HEAD + (this.index & this.setMask) * SET;
    let best = start;
    let most = -1;
    for (let at = start; at < start + SET; at += BUCKET) {
      if (table[at + TAG] === tag) return at;
      const tokens = table[at + TAG] === 0 ? this.full + 1 : this.tokensNow(at, now);
      if (tokens > most) {
        most = tokens;
        best = at;
      }
    }
    table[best + TAG] = tag;
    table[best + TOKENS] = this.full;
    table[best + AT] = now;
    table[best + DROPS] = 0;
    return best;
  }

  private tokensNow(at: number, now: number): number {
    const elapsedMs = (now - this.table[at + AT]) >>> 0;
    // Another thread may have counted with a clock read a moment later: that is no time at all, not 49 days.
    const gained = elapsedMs > 0x8000_0000 ? 0 : elapsedMs * this.perSecond;
    return Math.min(this.full, this.table[at + TOKENS] + gained);
  }

  /**
   * What is hashed: the client's prefix (one word for IPv4, four for IPv6), kind and subject; and the two halves of it.
   */
  private readonly message = new Int32Array(6);
  private readonly hashed = new Int32Array(2);

  /**
   * A hash with a secret key, so that nobody can aim at another's bucket: the tag, never 0. `index` is its other half.
   */
  private hash({ address, transport }: Client, kind: Kind, subject: number): number {
    const { message, hashed } = this;
    const v4 = transport === TRANSPORT.udp4;
    const prefixWords = v4 ? 1 : 4;
    for (let i = 0; i < prefixWords; i++) {
      const at = v4 ? 12 : 4 * i;
      const word = (address[at] << 24) | (address[at + 1] << 16) | (address[at + 2] << 8) | address[at + 3];
      message[i] = word & (v4 ? this.mask4 : this.mask6[i]);
    }
    message[prefixWords] = kind;
    message[prefixWords + 1] = subject;
    halfSipHash(this.key0, this.key1, message, prefixWords + 2, hashed);
    return hashed[1] === 0 ? 1 : hashed[1];
  }

  private get index(): number {
    return this.hashed[0];
  }

  private isWhitelisted(address: Uint8Array): boolean {
    for (let i = 0; i < this.whitelist.length; i++) {
      if (prefixHolds(this.whitelist[i], address)) return true;
    }
    return false;
  }
}

/** The first `bits` bits of a word set; none below 0, all above 31. */
function maskWord(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : -1 << (32 - bits);
}
