import { describe, expect, test } from 'vitest';
import { nameKey } from '../../../src/dns/name.ts';
import { type Client, TRANSPORT } from '../../../src/server/answer/front-end.ts';
import { RingReader } from '../../../src/server/dnstap/ring.ts';
import { DnstapSampler, NONE, WallClock } from '../../../src/server/dnstap/sampler.ts';
import {
  createMemory,
  type DnstapMemory,
  OPEN,
  type SamplerSettings,
  sumCounts,
} from '../../../src/server/dnstap/shared.ts';
import { encodeQuery } from '../../support/dns-query.ts';
import { type DecodedDnstap, decodeDnstap, framesOf } from '../../support/dnstap.ts';

const four = (a: number, b: number, c: number, d: number): Uint8Array => {
  const address = new Uint8Array(16);
  address.set([0xff, 0xff, a, b, c, d], 10);
  return address;
};
const client = (transport: Client['transport'] = TRANSPORT.udp4): Client => ({
  transport,
  address: four(127, 0, 0, 9),
  port: 5300,
});
const origin = nameKey('example.com');
const zones = { answering: (name: { readonly labels: number }) => (name.labels < 2 ? null : ({ origin } as never)) };
const RESPONSE = Uint8Array.from([1, 2, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

function sampler(settings: Partial<SamplerSettings> = {}, random?: () => number) {
  const memory = settings.memory ?? createMemory(1);
  new Int32Array(memory.state)[OPEN] = 1;
  const made = new DnstapSampler({
    settings: {
      sampleRate: 1,
      queries: true,
      responses: true,
      maxPerSecond: 1_000_000,
      identity: 'ns1',
      version: '',
      memory,
      ...settings,
    },
    row: 0,
    zones,
    ...(random === undefined ? {} : { random }),
  });
  return { memory, sampler: made };
}

/** Sends batches of these sizes through; returns which queries were sampled, by number. */
function sampled(tap: DnstapSampler, batches: readonly number[], spoilt = (_: number): boolean => false): number[] {
  const query = encodeQuery({ name: 'www.example.com', type: 'A' });
  const found: number[] = [];
  let first = 0;
  for (const count of batches) {
    let next = tap.begin(count);
    for (let i = 0; i < count; i++) {
      if (spoilt(first + i)) continue;
      if (i >= next) {
        tap.report(tap.cameMs, query, query.length, RESPONSE, RESPONSE.length, client(), null);
        next = tap.next(i);
        found.push(first + i);
      }
    }
    first += count;
  }
  return found;
}

function queued(memory: DnstapMemory): DecodedDnstap[] {
  const frames = new RingReader(memory.rings[0]).take(1 << 30);
  return frames === null ? [] : framesOf(frames.octets).map((frame) => decodeDnstap(frame as Buffer));
}

describe('which queries are sampled', () => {
  test('every one at a rate of 1, in batches of any size', () => {
    expect(sampled(sampler().sampler, [3, 1, 64, 2])).toEqual(Array.from({ length: 70 }, (_, i) => i));
  });

  test('one in N on average, at no fixed distance', () => {
    let seed = 1;
    const random = (): number => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const { sampler: tap } = sampler({ sampleRate: 100 }, random);
    const sizes = Array.from({ length: 20_000 }, (_, i) => 1 + (i % 64));
    const found = sampled(tap, sizes);
    const total = sizes.reduce((a, b) => a + b, 0);
    expect(found.length / (total / 100)).toBeGreaterThan(0.95);
    expect(found.length / (total / 100)).toBeLessThan(1.05);
    const gaps = found.slice(1).map((at, i) => at - found[i]);
    expect(Math.min(...gaps)).toBe(1);
    expect(Math.max(...gaps)).toBe(199);
  });

  test('what is no query passes its turn on to the next', () => {
    const isOdd = (i: number): boolean => i % 2 === 1;
    expect(sampled(sampler().sampler, [4, 1, 1, 3], isOdd)).toEqual([0, 2, 4, 6, 8]);
    const { sampler: tap } = sampler({ sampleRate: 3 }, () => 0.5); // every third: 2, 5, 8, …
    expect(sampled(tap, [3, 3, 3], (i) => i === 2)).toEqual([3, 6]);
  });

  test('none of a batch: an index beyond any', () => {
    expect(sampler({ sampleRate: 1000 }, () => 0.9).sampler.begin(64)).toBe(NONE);
  });
});

describe('what is reported', () => {
  const query = encodeQuery({ name: 'www.example.com', type: 'A' });
  const record = (tap: DnstapSampler, from: Client, octets = query, size = RESPONSE.length): void => {
    tap.begin(1);
    tap.report(tap.cameMs, octets, octets.length, RESPONSE, size, from, { address: four(127, 0, 0, 1), port: 53 });
    tap.next(0);
  };

  test('query and response, with both addresses, both times, the zone and the identity', () => {
    const { sampler: tap, memory } = sampler();
    const before = Math.floor(Date.now() / 1000);
    record(tap, client(TRANSPORT.tls));
    const [asked, answered] = queued(memory);
    expect(asked).toMatchObject({
      identity: 'ns1',
      version: null,
      message: {
        type: 1,
        family: 1,
        protocol: 3,
        queryAddress: Buffer.from([127, 0, 0, 9]),
        queryPort: 5300,
        responseAddress: Buffer.from([127, 0, 0, 1]),
        responsePort: 53,
        query: Buffer.from(query),
        zone: Buffer.from(origin ?? '', 'latin1'),
      },
    });
    expect(asked.message).not.toHaveProperty('response');
    expect(answered.message).toMatchObject({ type: 2, response: Buffer.from(RESPONSE) });
    expect(answered.message).not.toHaveProperty('query');
    const time = (which: 'query' | 'response'): number =>
      Number(answered.message[`${which}Seconds`]) + Number(answered.message[`${which}Nanoseconds`]) / 1e9;
    expect(time('query')).toBeGreaterThan(before - 1);
    expect(time('response')).toBeGreaterThanOrEqual(time('query'));
    expect(asked.message['querySeconds']).toEqual(answered.message['querySeconds']);
  });

  test('the transports as dnstap names them, with the family', () => {
    const { sampler: tap, memory } = sampler({ responses: false });
    for (const transport of Object.values(TRANSPORT)) {
      const address = transport === TRANSPORT.udp6 ? Uint8Array.from([...new Array<number>(15).fill(0), 1]) : undefined;
      record(tap, { ...client(transport), ...(address === undefined ? {} : { address }) });
    }
    expect(queued(memory).map(({ message }) => [message['protocol'], message['family']])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
      [3, 1],
    ]);
  });

  test('queries or responses alone; a query without an answer; nothing of what has no header', () => {
    const types = (settings: Partial<SamplerSettings>, size = RESPONSE.length, octets = query) => {
      const { sampler: tap, memory } = sampler(settings);
      record(tap, client(), octets, size);
      return queued(memory).map(({ message }) => message['type']);
    };
    expect(types({ responses: false })).toEqual([1]);
    expect(types({ queries: false })).toEqual([2]);
    expect(types({}, 0)).toEqual([1]);
    expect(types({ queries: false }, 0)).toEqual([]);
    expect(types({}, RESPONSE.length, query.subarray(0, 11))).toEqual([]);
  });

  test('garbage is reported as it came, without a zone', () => {
    const { sampler: tap, memory } = sampler({ responses: false });
    const garbage = [Uint8Array.from({ length: 40 }, () => 0xff), query.subarray(0, 20)];
    for (const octets of garbage) record(tap, client(), octets, 0);
    const messages = queued(memory).map(({ message }) => message);
    expect(messages.map((message) => message['query'])).toEqual(garbage.map((octets) => Buffer.from(octets)));
    for (const message of messages) expect(message).not.toHaveProperty('zone');
  });
});

describe('what is dropped is counted', () => {
  test('while nobody takes messages', () => {
    const { sampler: tap, memory } = sampler();
    new Int32Array(memory.state)[OPEN] = 0;
    sampled(tap, [64]);
    expect(sumCounts(memory)).toEqual({ sent: 0, dropped: { rate_limit: 0, queue_full: 0, disconnected: 128 } });
    expect(queued(memory)).toEqual([]);
  });

  test('over the limit', () => {
    const { sampler: tap, memory } = sampler({ maxPerSecond: 20 });
    sampled(tap, [64]);
    expect(sumCounts(memory).dropped).toEqual({ rate_limit: 126, queue_full: 0, disconnected: 0 });
    expect(queued(memory).length).toBe(2);
  });

  test('when the writer does not keep up, and no more than the queue holds is kept', () => {
    const { sampler: tap, memory } = sampler();
    const batches = new Array<number>(400).fill(64);
    sampled(tap, batches);
    const kept = queued(memory).length;
    const { dropped } = sumCounts(memory);
    expect(dropped.queue_full).toBeGreaterThan(0);
    expect(kept + dropped.queue_full + dropped.rate_limit).toBe(2 * 64 * 400);
    sampled(tap, [1]);
    expect(queued(memory).length + sumCounts(memory).dropped.rate_limit - dropped.rate_limit).toBe(2);
  });
});

test('the clock of messages follows the system’s', () => {
  const clock = new WallClock();
  for (let i = 0; i < 1000; i++) {
    const before = Date.now();
    const now = clock.now();
    expect(now).toBeGreaterThan(before - 3);
    expect(now).toBeLessThan(Date.now() + 3);
  }
});
