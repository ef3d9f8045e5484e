import { describe, expect, test } from 'vitest';
import {
  type Answerer,
  type Client,
  NOT_PLAIN_QUERY,
  PacketBuffers,
  TRANSPORT,
} from '../../../../src/server/answer/front-end.ts';
import { KIND, type Kind } from '../../../../src/server/answer/outcome.ts';
import { EVENT, Stats } from '../../../../src/server/stats.ts';
import type { NonPlainHandler } from '../../../../src/server/transfer/handler-types.ts';
import { limiterOf, PacketAnswerer } from '../../../../src/server/transport/udp/packet-answerer.ts';
import { createRateTable, RateLimiter } from '../../../../src/server/transport/udp/rate-limit.ts';
import { clientAddress } from '../../../../src/system/client-address.ts';

const RATE = { perSecond: 2, slip: 2, ipv4Prefix: 24, ipv6Prefix: 56, whitelist: [], size: 64 };
const ANSWER = Uint8Array.of(
  0,
  1,
  0x84,
  0,
  0,
  1,
  0,
  1,
  0,
  0,
  0,
  0,
  0,
  0,
  1,
  0,
  1,
  0xc0,
  12,
  0,
  1,
  0,
  1,
  0,
  0,
  0,
  9,
  0,
  4,
  1,
  2,
  3,
  4,
);
const TRUNCATED_LENGTH = 17; // header and the root's question

type Shape = { size?: number; cookie?: boolean; kind?: Kind; nonPlainRcode?: number };

function answererOf({ size = ANSWER.length, cookie = false, kind = KIND.positive, nonPlainRcode = 0 }: Shape): {
  ask: (times: number) => number[];
  stats: Stats;
} {
  const responder: Answerer = {
    respond: () => 0,
    respondIn: ({ answers }, _i, k) => {
      answers[k].set(ANSWER);
      return size;
    },
    lastKind: kind,
    lastHash: 7,
    lastHadGoodCookie: cookie,
  };
  const packet: NonPlainHandler['packet'] = (_query, _length, out) => {
    out[3] = nonPlainRcode;
    return 99;
  };
  const nonPlain: NonPlainHandler = { packet, stream: () => Promise.resolve(), configure() {} };
  const stats = Stats.attach(Stats.create(1, 1), 1, 0);
  const limiter = new RateLimiter(RATE, createRateTable(RATE));
  const answerer = new PacketAnswerer({ responder, nonPlain, stats, limiter, report: () => {} });
  const client: Client = { transport: TRANSPORT.udp4, address: clientAddress('192.0.2.1'), port: 5353 };
  const packets = PacketBuffers.single();
  packets.lengths[0] = 12;
  return {
    ask: (times) => Array.from({ length: times }, () => answerer.answer(packets, 0, 0, client, 1000)),
    stats,
  };
}

describe('what the rate limit is asked about', () => {
  test.each<{ name: string; shape: Shape; lengths: number[] }>([
    { name: 'an answer', shape: {}, lengths: [33, 33, 0, TRUNCATED_LENGTH, 0] },
    { name: 'an error', shape: { kind: KIND.error }, lengths: [33, 33, 0, TRUNCATED_LENGTH, 0] },
    { name: 'not a client that has shown a cookie of ours', shape: { cookie: true }, lengths: [33, 33, 33, 33, 33] },
    { name: 'not a special message', shape: { size: NOT_PLAIN_QUERY }, lengths: [99, 99, 99, 99, 99] },
    {
      name: 'a special message that is refused, which is never slipped',
      shape: { size: NOT_PLAIN_QUERY, nonPlainRcode: 5 },
      lengths: [99, 99, 0, 0, 0],
    },
    { name: 'not what has no answer', shape: { size: 0 }, lengths: [0, 0, 0, 0, 0] },
  ])('$name', ({ shape, lengths }) => {
    expect(answererOf(shape).ask(5)).toEqual(lengths);
  });

  test('drops and slips are counted', () => {
    const { ask, stats } = answererOf({});
    ask(6);
    expect([stats.counters[EVENT.rate_limited], stats.counters[EVENT.rate_slipped]]).toEqual([2, 2]);
  });
});

test.each([
  { name: 'no limit configured', config: null, table: createRateTable(RATE), limits: false },
  { name: 'no table', config: RATE, table: null, limits: false },
  { name: 'a rate of 0', config: { ...RATE, perSecond: 0 }, table: createRateTable(RATE), limits: false },
  { name: 'a limit', config: RATE, table: createRateTable(RATE), limits: true },
])('$name', ({ config, table, limits }) => {
  expect(limiterOf(config, table) !== null).toBe(limits);
});
