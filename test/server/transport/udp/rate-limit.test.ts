import { describe, expect, test } from 'vitest';
import { type Client, TRANSPORT } from '../../../../src/server/answer/front-end.ts';
import { KIND } from '../../../../src/server/answer/outcome.ts';
import {
  createRateTable,
  type RateLimitConfig,
  RateLimiter,
  VERDICT,
} from '../../../../src/server/transport/udp/rate-limit.ts';
import type { Prefix } from '../../../../src/system/address.ts';
import { parsePrefix } from '../../../../src/system/address.ts';
import { clientAddress } from '../../../../src/system/client-address.ts';
import { prefixHolds } from '../../../../src/system/prefix.ts';

const CONFIG: RateLimitConfig = {
  perSecond: 5,
  slip: 2,
  ipv4Prefix: 24,
  ipv6Prefix: 56,
  whitelist: [],
  size: 1024,
};
const { send, drop, slip } = VERDICT;

function client(text: string): Client {
  return { transport: text.includes(':') ? TRANSPORT.udp6 : TRANSPORT.udp4, address: clientAddress(text), port: 5353 };
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(text);
  return parsed;
}

function limiter(changes: Partial<RateLimitConfig> = {}): RateLimiter {
  const config = { ...CONFIG, ...changes };
  return new RateLimiter(config, createRateTable(config));
}

type Ask = { from?: string; kind?: keyof typeof KIND; hash?: number; at?: number };

function ask(limits: RateLimiter, { from = '192.0.2.1', kind = 'positive', hash = 7, at = 0 }: Ask = {}): number {
  return limits.check(client(from), KIND[kind], hash, at);
}

/** Verdicts of `count` answers alike. */
function askMany(limits: RateLimiter, count: number, what: Ask = {}): number[] {
  return Array.from({ length: count }, () => ask(limits, what));
}

describe('tokens', () => {
  test('the first second’s worth goes out, then every second drop slips', () => {
    expect(askMany(limiter(), 9)).toEqual([send, send, send, send, send, drop, slip, drop, slip]);
  });

  test.each([
    { slip: 0, verdicts: [drop, drop, drop, drop] },
    { slip: 1, verdicts: [slip, slip, slip, slip] },
    { slip: 3, verdicts: [drop, drop, slip, drop] },
  ])('slip $slip', ({ slip, verdicts }) => {
    const limits = limiter({ slip });
    askMany(limits, 5);
    expect(askMany(limits, 4)).toEqual(verdicts);
  });

  test('a token comes back every fifth of a second', () => {
    const limits = limiter({ slip: 0 });
    askMany(limits, 5);
    expect(ask(limits, { at: 199 })).toBe(drop);
    expect(ask(limits, { at: 200 })).toBe(send);
    expect(ask(limits, { at: 201 })).toBe(drop);
  });

  test('being asked while empty does not keep a bucket empty', () => {
    const limits = limiter({ slip: 0 });
    askMany(limits, 5);
    const sent = Array.from({ length: 1000 }, (_, i) => ask(limits, { at: i + 1 })).filter((v) => v === send);
    expect(sent).toHaveLength(5);
  });

  test('silence saves up no more than one second', () => {
    const limits = limiter({ slip: 0 });
    askMany(limits, 5);
    expect(askMany(limits, 7, { at: 3_600_000 })).toEqual([send, send, send, send, send, drop, drop]);
  });

  test('the clock may wrap at 2^32 milliseconds', () => {
    const limits = limiter({ slip: 0 });
    askMany(limits, 6, { at: 2 ** 32 - 100 });
    expect(ask(limits, { at: 2 ** 32 + 99 })).toBe(drop);
    expect(ask(limits, { at: 2 ** 32 + 100 })).toBe(send);
  });

  test('a thread whose clock was read a moment earlier gets nothing for it', () => {
    const limits = limiter({ slip: 0 });
    askMany(limits, 6, { at: 1000 });
    expect(ask(limits, { at: 999 })).toBe(drop);
  });

  test('a rate of 0 is no limit', () => {
    expect(askMany(limiter({ perSecond: 0 }), 100).every((v) => v === send)).toBe(true);
  });
});

/** Whether two askers share a bucket: the first empties its own, then the second asks. */
describe('what shares a bucket', () => {
  test.each<{ name: string; first: Ask; second: Ask; shared: boolean }>([
    { name: 'one /24', first: { from: '192.0.2.1' }, second: { from: '192.0.2.255' }, shared: true },
    { name: 'two /24', first: { from: '192.0.2.1' }, second: { from: '192.0.3.1' }, shared: false },
    { name: 'one /56', first: { from: '2001:db8:0:ff::1' }, second: { from: '2001:db8:0:1:9::2' }, shared: true },
    { name: 'two /56', first: { from: '2001:db8:0:ff::1' }, second: { from: '2001:db8:0:100::1' }, shared: false },
    {
      name: 'an IPv4 client and its mapped twin',
      first: { from: '0.0.2.1' },
      second: { from: '::2:1' },
      shared: false,
    },
    { name: 'two names', first: { hash: 1 }, second: { hash: 2 }, shared: false },
    { name: 'kinds apart', first: { kind: 'positive' }, second: { kind: 'noData' }, shared: false },
    { name: 'two zones’ NXDOMAIN', first: { kind: 'nxDomain' }, second: { kind: 'nxDomain', hash: 8 }, shared: false },
    { name: 'all errors', first: { kind: 'error', hash: 1 }, second: { kind: 'error', hash: 2 }, shared: true },
  ])('$name: $shared', ({ first, second, shared }) => {
    const limits = limiter({ slip: 0 });
    askMany(limits, 6, first);
    expect(ask(limits, second)).toBe(shared ? drop : send);
  });

  test.each([
    { bits: 32, a: '192.0.2.1', b: '192.0.2.2', shared: false },
    { bits: 8, a: '10.1.1.1', b: '10.2.2.2', shared: true },
    { bits: 0, a: '10.1.1.1', b: '192.0.2.1', shared: true },
    { bits: 128, a: '2001:db8::1', b: '2001:db8::2', shared: false },
    { bits: 33, a: '2001:db8::1', b: '2001:db8:8000::1', shared: false },
    { bits: 33, a: '2001:db8::1', b: '2001:db8:7fff::1', shared: true },
  ])('prefix of $bits bits: $a and $b', ({ bits, a, b, shared }) => {
    const limits = limiter({ slip: 0, ipv4Prefix: bits, ipv6Prefix: bits });
    askMany(limits, 6, { from: a });
    expect(ask(limits, { from: b })).toBe(shared ? drop : send);
  });
});

describe('whitelist', () => {
  test.each([
    { list: '192.0.2.0/24', from: '192.0.2.77', verdict: send },
    { list: '192.0.2.0/24', from: '192.0.3.77', verdict: drop },
    { list: '192.0.2.128/25', from: '192.0.2.1', verdict: drop },
    { list: '2001:db8::/32', from: '2001:db8:5::1', verdict: send },
    { list: '2001:db8::/32', from: '2001:db9::1', verdict: drop },
    { list: '0.0.0.0/0', from: '2001:db8::1', verdict: drop },
    { list: '::/0', from: '2001:db8::1', verdict: send },
    { list: '::/0', from: '192.0.2.1', verdict: drop },
    { list: '::/64', from: '192.0.2.1', verdict: drop },
    { list: '0.0.0.0/0', from: '192.0.2.1', verdict: send },
    { list: '0.0.0.0/0', from: '2001:db8::1', verdict: drop },
    { list: '::ffff:192.0.2.0/120', from: '192.0.2.1', verdict: send },
    { list: '192.0.2.1/32', from: '192.0.2.1', verdict: send },
  ])('$list and $from', ({ list, from, verdict }) => {
    const limits = limiter({ slip: 0, whitelist: [prefix(list)] });
    askMany(limits, 5, { from });
    expect(ask(limits, { from })).toBe(verdict);
  });

  test('a prefix of IPv4 does not hold an IPv6 address that ends alike', () => {
    expect(prefixHolds(prefix('192.0.2.0/24'), clientAddress('2001:db8::c000:201'))).toBe(false);
    expect(prefixHolds(prefix('192.0.2.0/24'), clientAddress('192.0.2.1'))).toBe(true);
  });
});

describe('memory', () => {
  test('a table of any size keeps its size, and limits who asks on under a flood of others', () => {
    const config = { ...CONFIG, slip: 0, size: 64 };
    const shared = createRateTable(config);
    const limits = new RateLimiter(config, shared);
    const before = shared.byteLength;
    let sent = 0;
    for (let i = 0; i < 20_000; i++) {
      const at = Math.floor(i / 20); // one second in all
      limits.check(client(`10.${i & 255}.${(i >> 8) & 255}.1`), KIND.positive, 1, at);
      if (i % 4 === 0 && ask(limits, { at }) === send) sent++;
    }
    expect(shared.byteLength).toBe(before);
    // 5 at first and 5 in the second; a few more each time the flood took its bucket, out of 5000.
    expect(sent).toBeLessThan(50);
  });

  test('threads with one table share its buckets', () => {
    const config = { ...CONFIG, slip: 0 };
    const shared = createRateTable(config);
    const [one, two] = [new RateLimiter(config, shared), new RateLimiter(config, shared)];
    askMany(one, 5);
    expect(ask(two)).toBe(drop);
  });

  test('the hash is keyed: two tables do not put the same clients together', () => {
    const spots = (table: SharedArrayBuffer): string => {
      const limits = new RateLimiter(CONFIG, table);
      ask(limits);
      const words = new Int32Array(table);
      return String(words.findIndex((word, i) => i >= 16 && word !== 0));
    };
    const places = new Set(Array.from({ length: 20 }, () => spots(createRateTable(CONFIG))));
    expect(places.size).toBeGreaterThan(5);
  });

  test('buckets spread evenly over the table', () => {
    const config = { ...CONFIG, size: 4096 };
    const shared = createRateTable(config);
    const limits = new RateLimiter(config, shared);
    for (let i = 0; i < 2048; i++) ask(limits, { from: `10.${i >> 8}.${i & 255}.9` });
    const words = new Int32Array(shared);
    let used = 0;
    for (let at = 16; at < words.length; at += 4) if (words[at] !== 0) used++;
    expect(used).toBeGreaterThan(1900); // half full in sets of four: few meet a full set
  });
});
