import { randomFillSync } from 'node:crypto';
import type { ServerConfig } from '../../../config/types.ts';
import type { Prefix } from '../../../system/address.ts';
import { type Client, TRANSPORT } from '../../answer/front-end.ts';
import { KIND } from '../../answer/outcome.ts';

export type RateLimitConfig = NonNullable<ServerConfig['rateLimit']>;

/** What is to become of an answer. `slip`: send it truncated and empty, so that a real client comes back over TCP. */
export const VERDICT = { send: 0, drop: 1, slip: 2 } as const;

/** Words of a bucket: a tag (0: free), thousandths of a token, when they were counted, and drops since the last slip. */
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

/** Memory for `size` buckets (rounded up to a power of two) and a random hash key; zeroed memory is a table of free buckets. */
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
   * One of VERDICT for an answer about to go out over UDP. `kind` of KIND and `hash` as the responder says, `nowMs` any
   * steady millisecond clock (it may wrap at 2^32).
   */
  check(client: Client, kind: number, hash: number, nowMs: number): number {
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
  private find(client: Client, kind: number, subject: number, now: number): number {
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

  /** Second half of the last hash, beside the tag that `hash` returns. A field, because a pair would be an allocation. */
  private index = 0;

  /** SipHash's structure on 32-bit words with a secret key, so that nobody can aim at another's bucket. Never 0. */
  private hash(client: Client, kind: number, subject: number): number {
    let v0 = this.key0;
    let v1 = this.key1;
    let v2 = 0x6c796765 ^ this.key0;
    let v3 = 0x74656462 ^ this.key1;
    const { address } = client;
    const v4 = client.transport === TRANSPORT.udp4;
    // Words: the prefix (one for IPv4, four for IPv6), then kind and subject; two closing rounds more.
    const prefixWords = v4 ? 1 : 4;
    for (let i = 0; i < prefixWords + 5; i++) {
      let word = 0;
      if (i < prefixWords) {
        const octet = v4 ? 12 : 4 * i;
        const mask = v4 ? this.mask4 : this.mask6[i];
        word =
          mask & ((address[octet] << 24) | (address[octet + 1] << 16) | (address[octet + 2] << 8) | address[octet + 3]);
      } else if (i === prefixWords) word = kind | (prefixWords << 8);
      else if (i === prefixWords + 1) word = subject;
      else v2 ^= 0xff;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    this.index = v0 ^ v2;
    const tag = v1 ^ v3;
    return tag === 0 ? 1 : tag;
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

/** Whether the prefix holds an address of 16 octets (IPv4 as ::ffff:a.b.c.d). */
export function prefixHolds({ octets, bits }: Prefix, address: Uint8Array): boolean {
  const start = octets.length === 4 ? 12 : 0;
  // An IPv4 prefix holds IPv4 addresses only.
  if (start === 12) {
    for (let i = 0; i < 10; i++) if (address[i] !== 0) return false;
    if (address[10] !== 0xff || address[11] !== 0xff) return false;
  }
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (address[start + i] !== octets[i]) return false;
  const rest = bits & 7;
  return rest === 0 || ((address[start + whole] ^ octets[whole]) & (0xff << (8 - rest)) & 0xff) === 0;
}
