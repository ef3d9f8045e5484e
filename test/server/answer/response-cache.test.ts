import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { lowerName, type WireName } from '../../../src/dns/name.ts';
import { LiveSlots } from '../../../src/live/slots.ts';
import { PacketBuffers, TRANSPORT, type Transport } from '../../../src/server/answer/front-end.ts';
import { LiveBlock } from '../../../src/server/answer/outcome.ts';
import { QueryContext } from '../../../src/server/answer/query-context.ts';
import { ResponseCache } from '../../../src/server/answer/response-cache.ts';
import { type ServedZone, ZoneTable } from '../../../src/server/answer/zone-table.ts';
import { sumStats } from '../../../src/server/stats.ts';
import type { Message } from '../../support/dns-message.ts';
import { encodeQuery, type QuerySpec, wireName } from '../../support/dns-query.ts';
import { address4, PLAIN_SERVER, TestResponder } from '../../support/dns-responder.ts';
import { zoneUpdate } from '../../support/zone-images.ts';

const LIVE = {
  origin: 'live.test',
  text: `@ 300 SOA ns1.example.net. host.example.net. 5 6 7 8 9
@ 300 NS ns1.example.net.
@ 300 MX 10 @
@ 300 MX 20 www
host 300 A 192.0.2.25
host 300 TXT "a text"
alias 300 CNAME host
out 300 CNAME host.static.test.
*.any 300 CNAME @
sub 300 NS ns.sub
ns.sub 300 A 192.0.2.53
`,
  live: ['live.test', 'www.live.test'],
  slot: 1,
};
const STATIC = {
  origin: 'static.test',
  text: '@ 300 SOA ns host 1 2 3 4 5\n@ 300 NS ns\nns 300 A 192.0.2.1\nhost 300 A 192.0.2.2\n',
};
const V4 = ['192.0.2.11', '192.0.2.12', '192.0.2.13'];
const V6 = [7, 8].map((last) => new Uint8Array(16).fill(last, 15).fill(0x20, 0, 1));

function served(): TestResponder {
  const responder = new TestResponder([LIVE, STATIC]);
  responder.slots.write(1, { serial: 1000, v4: V4.map(address4), v6: V6 });
  return responder;
}

const nameOf = (text: string): WireName => lowerName(wireName(text));

/** Asked often enough that the last answer is one that was kept. */
function again(responder: TestResponder, spec: QuerySpec, transport?: Transport): Message {
  for (let i = 0; i < 3; i++) responder.ask(spec, transport);
  return responder.ask(spec, transport);
}

/** All that is the same whichever of the live addresses comes first. */
function essence({ octets, answer, authority, additional, opt, aa, tc }: Message) {
  const sorted = (rows: Message['answer']) =>
    rows.map(({ owner, ttl, type, text }) => `${owner} ${ttl} ${type} ${text}`).sort();
  const sections = [answer, authority, additional].map(sorted);
  return { rcode: octets[3] & 15, length: octets.length, sections, opt, aa, tc };
}

const SPECS: readonly (readonly [string, QuerySpec])[] = [
  ['live addresses', { name: 'live.test' }],
  ['live IPv6 addresses', { name: 'www.live.test', type: 'AAAA', edns: {} }],
  ['a static record', { name: 'host.live.test', type: 'TXT' }],
  ['two live sets beside an MX', { name: 'live.test', type: 'MX' }],
  ['an alias', { name: 'alias.live.test' }],
  ['an alias into another zone', { name: 'out.live.test' }],
  ['a wildcard that leads to live addresses', { name: 'x.any.live.test', edns: { flags: 0x8000 } }],
  ['a referral', { name: 'host.sub.live.test' }],
  ['no such name', { name: 'nope.live.test', edns: {} }],
  ['no such type', { name: 'host.live.test', type: 'MX' }],
  ['a name that is not ours', { name: 'host.elsewhere' }],
  ['mixed case', { name: 'HoSt.LIVE.test', type: 'ANY' }],
];

describe('an answer given before', () => {
  test.each(SPECS)('%s: is what a new answer would be, with its own identifier', (_, spec) => {
    const expected = essence(served().ask(spec));
    const responder = served();
    for (let id = 0; id < 8; id++) {
      const answer = responder.ask({ ...spec, id });
      expect(answer.id).toBe(id);
      expect(essence(answer)).toEqual(expected);
    }
  });

  test('live addresses take turns, each family and each question by itself', () => {
    const responder = served();
    const firsts = (type: string): string[] => {
      const seen: string[] = [];
      for (let i = 0; i < 12; i++) {
        seen.push(responder.ask({ name: 'live.test', type }).answer[0].text);
        responder.ask({ name: 'live.test', type: type === 'A' ? 'AAAA' : 'A' });
        responder.ask({ name: 'www.live.test', type });
      }
      return seen;
    };
    const v4 = firsts('A').slice(4); // kept from here on at the latest
    for (let i = 0; i + 3 <= v4.length; i++) expect(new Set(v4.slice(i, i + 3)).size).toBe(3);
    const v6 = firsts('AAAA').slice(4);
    for (let i = 0; i + 2 <= v6.length; i++) expect(new Set(v6.slice(i, i + 2)).size).toBe(2);
  });

  test('does not outlive a flip, neither in its addresses nor in its serial', () => {
    const responder = served();
    again(responder, { name: 'live.test' });
    again(responder, { name: 'nope.live.test' });
    responder.slots.write(1, { serial: 1001, v4: [address4('192.0.2.99')], v6: [] });
    expect(responder.ask({ name: 'live.test' }).answer.map(({ text }) => text)).toEqual(['192.0.2.99']);
    expect(responder.ask({ name: 'nope.live.test' }).authority[0].text).toContain(' 1001 ');
  });

  test.each([
    [
      'a new image of the zone',
      (it: TestResponder) => it.responder.apply([zoneUpdate({ ...LIVE, text: '@ SOA a b 1 1 1 1 1\n@ NS a\n' }, 0)]),
    ],
    ['the zone is gone', (it: TestResponder) => it.responder.apply([{ kind: 'gone', zone: 0 }])],
    ['the zone has a slot of its own', (it: TestResponder) => it.responder.apply([{ kind: 'slot', zone: 0, slot: 2 }])],
    ['minimal answers are asked for', (it: TestResponder) => it.configure({ minimal: true })],
  ] as const)('does not outlive a change: %s', (_, change) => {
    const responder = served();
    const fresh = served();
    for (const [, spec] of SPECS) again(responder, spec);
    change(responder);
    change(fresh);
    const results = (from: TestResponder) =>
      SPECS.filter(([, { name }]) => name !== 'live.test').map(([, spec]) => essence(from.ask(spec)));
    expect(results(responder)).toEqual(results(fresh));
  });

  test('is for UDP: TCP is not given what was cut for UDP, nor the other way round', () => {
    const text = `@ SOA a b 1 1 1 1 1\n@ NS a\nbig ${Array.from({ length: 9 }, (_, i) => `TXT "${i}${'x'.repeat(200)}"`).join('\nbig ')}\n`;
    const responder = new TestResponder([{ origin: 'big.test', text }]);
    const spec = { name: 'big.big.test', type: 'TXT' };
    expect(again(responder, spec).tc).toBe(true);
    expect(again(responder, spec, TRANSPORT.tcp).answer).toHaveLength(9);
    expect(again(responder, spec).tc).toBe(true);
  });

  test('is never given to another client with a cookie', () => {
    const responder = served();
    responder.configure({ ...PLAIN_SERVER, cookieSecrets: [new Uint8Array(16).fill(3)] });
    const spec = { name: 'host.live.test', edns: { options: [[10, new Uint8Array(8).fill(5)]] } } as const;
    const one = again(responder, spec).octets;
    responder.client.address.fill(9);
    expect(responder.ask(spec).octets).not.toEqual(one);
  });

  test('counts as a new one does', () => {
    const responder = served();
    for (let i = 0; i < 10; i++) responder.ask({ name: 'nope.live.test', edns: {} });
    const sum = sumStats(responder.statsBuffer, 4);
    expect(sum.queries).toEqual([{ transport: 'udp4', type: 1, count: 10 }]);
    expect(sum.answers).toEqual([{ transport: 'udp4', rcode: 3, count: 10 }]);
    expect([sum.networks[1], sum.events.edns, sum.noZone]).toEqual([10, 10, 0]);
    const kept = responder.responder;
    const fresh = served();
    fresh.ask({ name: 'nope.live.test', edns: {} });
    const { lastKind, lastHash } = fresh.responder;
    expect([kept.lastKind, kept.lastHash]).toEqual([lastKind, lastHash]);
  });

  test('whatever is asked and whatever changes in between, answers are those of a server that keeps none', () => {
    const responder = served();
    const fresh = served();
    const ask = fc.record({ ask: fc.nat(SPECS.length - 1), id: fc.nat(0xffff), flags: fc.constantFrom(0, 0x0100) });
    const flip = fc.record({ flip: fc.nat(3) });
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 6, arbitrary: ask }, flip), { minLength: 20, maxLength: 60 }),
        (steps) => {
          let serial = 2000;
          let live = { serial, v4: V4.map(address4), v6: V6 };
          responder.slots.write(1, live);
          for (const step of steps) {
            if ('flip' in step) {
              serial++;
              live = { serial, v4: V4.slice(0, step.flip).map(address4), v6: V6.slice(0, step.flip) };
              responder.slots.write(1, live);
              continue;
            }
            const spec = { ...SPECS[step.ask][1], id: step.id, flags: step.flags };
            const query = encodeQuery(spec);
            fresh.slots.write(1, live);
            fresh.configure(PLAIN_SERVER); // keeps nothing over that
            expect(essence(responder.ask(spec))).toEqual(essence(fresh.ask(spec)));
            expect(responder.raw(query).octets.subarray(0, 2)).toEqual(query.subarray(0, 2));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  describe('batches', () => {
    const COUNT = 64;
    const ZONE = {
      origin: 'b.test',
      text: `@ SOA a b 1 2 3 4 5\n@ NS a\n*.w TXT ${'y'.repeat(90)}\n*.w A 192.0.2.1\nbig TXT ${'z'.repeat(250)}\n`,
    };

    /** Each query in batches of 64, some times over, against an answer that was never kept. */
    function compare(queries: readonly Uint8Array[], rounds: number): void {
      const kept = new TestResponder([ZONE]);
      const fresh = new TestResponder([ZONE]);
      const packets = new PacketBuffers(new ArrayBuffer(PacketBuffers.size(COUNT)), 0, COUNT);
      const out = new Uint8Array(4096);
      for (let round = 0; round < rounds; round++) {
        for (let start = 0; start < queries.length; start += COUNT) {
          const batch = queries.slice(start, start + COUNT);
          for (const [i, query] of batch.entries()) {
            packets.queries[i].set(query);
            packets.queries[i][0] = round;
            packets.queries[i][query.length] = round; // what lies behind a query is no part of it
            packets.lengths[i] = query.length;
          }
          packets.begin(batch.length);
          for (const [i, query] of batch.entries()) {
            const k = batch.length - 1 - i;
            const size = kept.responder.respondIn(packets, i, k, kept.client);
            const expected = fresh.responder.respond(packets.queries[i], query.length, out, fresh.client);
            if (
              size !== expected ||
              Buffer.compare(packets.answers[k].subarray(0, size), out.subarray(0, size)) !== 0
            ) {
              expect(packets.answers[k].slice(0, size)).toEqual(out.slice(0, expected));
            }
          }
        }
      }
    }

    test('queries of every length, with and without EDNS', () => {
      const queries: Uint8Array[] = [];
      for (let length = 1; length <= 240; length++) {
        const labels: string[] = [];
        for (let left = length; left > 0; left -= 61) labels.push('q'.repeat(Math.min(left, 60)));
        const name = `${labels.join('.')}.w.b.test`;
        for (const type of ['A', 'TXT', 'MX'])
          queries.push(encodeQuery({ name, type }), encodeQuery({ name, type, edns: {} }));
        queries.push(encodeQuery({ name, edns: { options: [[12, new Uint8Array(length)]] } }));
      }
      queries.push(
        encodeQuery({ name: 'big.b.test', type: 'TXT' }),
        encodeQuery({ name: '.' }),
        Uint8Array.of(1, 2, 3),
      );
      compare(queries, 4);
    });

    test('many more queries than there are places', () => {
      compare(
        Array.from({ length: 50_000 }, (_, i) => encodeQuery({ name: `n${i}.${i % 3 === 0 ? 'w' : 'no'}.b.test` })),
        3,
      );
    });

    test('a query that comes twice in one batch, and zones that change in its midst', () => {
      const { responder, client } = new TestResponder([ZONE]);
      const packets = new PacketBuffers(new ArrayBuffer(PacketBuffers.size(COUNT)), 0, COUNT);
      const query = encodeQuery({ name: 'x.w.b.test' });
      for (let i = 0; i < COUNT; i++) {
        packets.queries[i].set(query);
        packets.lengths[i] = query.length;
      }
      const rcode = (i: number): number => {
        responder.respondIn(packets, i, i, client);
        return packets.answers[i][3] & 15;
      };
      for (let round = 0; round < 2; round++) {
        packets.begin(COUNT);
        expect(packets.lengths.map((_, i) => rcode(i))).toEqual(new Int32Array(COUNT));
      }
      packets.begin(COUNT);
      expect(rcode(0)).toBe(0);
      responder.apply([{ kind: 'gone', zone: 0 }]);
      expect(rcode(1)).toBe(5);
    });
  });
});

/** A zone whose TXT record says which version of it answers. */
const saying = (origin: string, text: string, more = '') => ({
  origin,
  text: `@ SOA a b 1 2 3 4 5\n@ NS a\n@ TXT ${text}\nwww TXT ${text}\n${more}`,
});

describe('a change of one zone', () => {
  /** Asks until the answer is cached; then whether the next one came from the cache, and what its TXT record says. */
  const ask = (it: TestResponder, name: string, type = 'TXT') => {
    const answering = vi.spyOn(it.responder.zones, 'answering');
    const message = it.ask({ name, type });
    const cached = answering.mock.calls.length === 0;
    answering.mockRestore();
    return { cached, text: message.answer.map(({ text }) => text).join() };
  };
  const warm = (it: TestResponder, names: readonly string[]): void => {
    for (const name of names)
      expect([ask(it, name), ask(it, name), ask(it, name)].map(({ cached }) => cached)).toEqual([false, false, true]);
  };
  const ZONES = [saying('a.test', 'a1'), saying('b.test', 'b1'), { ...LIVE, slot: 3 }];
  const NAMES = ['a.test', 'www.a.test', 'b.test', 'host.live.test'];

  test('expires what was cached of it, and of no other zone', () => {
    const it = new TestResponder(ZONES);
    warm(it, NAMES);
    it.responder.apply([zoneUpdate(saying('a.test', 'a2'), 0)]);
    expect(NAMES.map((name) => ask(it, name))).toEqual([
      { cached: false, text: '"a2"' },
      { cached: false, text: '"a2"' },
      { cached: true, text: '"b1"' },
      { cached: true, text: '"a text"' },
    ]);
    // What was stale is replaced at once, and expires again.
    expect(ask(it, 'a.test')).toEqual({ cached: true, text: '"a2"' });
    it.responder.apply([zoneUpdate(saying('a.test', 'a3'), 0)]);
    expect(ask(it, 'a.test')).toEqual({ cached: false, text: '"a3"' });
  });

  test.each([
    [
      'changes',
      zoneUpdate({ ...STATIC, text: STATIC.text.replace('192.0.2.2', '192.0.2.9') }, 1),
      ['host.static.test.', '192.0.2.9'],
    ],
    ['goes', { kind: 'gone', zone: 1 } as const, ['host.static.test.']],
    [
      'gets one below it that has the name',
      zoneUpdate({ origin: 'host.static.test', text: '@ 60 SOA ns h 1 1 1 1 1\n@ 60 NS ns\n@ 60 A 192.0.2.7\n' }, 2),
      ['host.static.test.', '192.0.2.7'],
    ],
  ])('an alias into another zone is followed when that one %s', (_, update, expected) => {
    const it = new TestResponder([{ ...LIVE, slot: 3 }, STATIC]);
    again(it, { name: 'out.live.test' });
    it.responder.apply([update]);
    expect(it.ask({ name: 'out.live.test' }).answer.map(({ text }) => text)).toEqual(expected);
  });

  test('an alias into a zone that nobody holds is followed once it is here', () => {
    const it = new TestResponder([{ ...LIVE, slot: 3 }]);
    expect(again(it, { name: 'out.live.test' }).answer).toHaveLength(1);
    it.responder.apply([zoneUpdate(STATIC, 1)]);
    expect(it.ask({ name: 'out.live.test' }).answer.map(({ text }) => text)).toEqual([
      'host.static.test.',
      '192.0.2.2',
    ]);
  });

  test.each([
    ['its slot', (it: TestResponder) => it.responder.apply([{ kind: 'slot', zone: 2, slot: 4 }]), [2]],
    [
      'two at once',
      (it: TestResponder) => it.responder.apply([0, 1].map((zone) => zoneUpdate(ZONES[zone], zone))),
      [0, 1],
    ],
    ['one that goes', (it: TestResponder) => it.responder.apply([{ kind: 'gone', zone: 1 }]), [1]],
    [
      'one that breaks',
      (it: TestResponder) => it.responder.apply([{ kind: 'broken', zone: 1, origin: nameOf('b.test'), network: 1 }]),
      [1],
    ],
    [
      'one that is not known',
      (it: TestResponder) =>
        it.responder.apply([
          { kind: 'gone', zone: 9 },
          { kind: 'slot', zone: 70_000, slot: 1 },
        ]),
      [],
    ],
    ['a new one beside them', (it: TestResponder) => it.responder.apply([zoneUpdate(saying('c.test', 'c1'), 5)]), []],
    ['a new one below', (it: TestResponder) => it.responder.apply([zoneUpdate(saying('www.a.test', 'x1'), 5)]), [0]],
    ['a new one above', (it: TestResponder) => it.responder.apply([zoneUpdate(saying('test', 't1'), 5)]), []],
    ['settings', (it: TestResponder) => it.configure({}), [0, 1, 2]],
  ] as const)('%s', (_, change, expired) => {
    const it = new TestResponder(ZONES);
    const names = ['www.a.test', 'b.test', 'host.live.test'];
    warm(it, names);
    change(it);
    const fresh = names.map((name, i) => (ask(it, name).cached ? -1 : i)).filter((i) => i >= 0);
    expect(fresh).toEqual(expired);
  });

  test('a zone that comes below another one answers at once what that one answered', () => {
    const it = new TestResponder([saying('a.test', 'a1'), saying('test', 't1')]);
    warm(it, ['www.a.test']);
    it.responder.apply([zoneUpdate(saying('www.a.test', 'x1'), 7)]);
    expect(ask(it, 'www.a.test').text).toBe('"x1"');
    warm(it, ['b.www.a.test']);
    it.responder.apply([{ kind: 'gone', zone: 7 }]);
    expect(ask(it, 'www.a.test').text).toBe('"a1"');
    expect(it.ask({ name: 'b.www.a.test', type: 'TXT' }).rcode).toBe('NXDOMAIN');
  });

  test('a zone that comes above another one answers DS for it at once', () => {
    const it = new TestResponder([saying('b.a.test', 'b1')]);
    for (let i = 0; i < 3; i++) expect(ask(it, 'b.a.test', 'DS').text).toBe('');
    const ds = `DS 1 8 2 ${'AB'.repeat(32)}`;
    it.responder.apply([zoneUpdate(saying('a.test', 'a1', `b NS ns.b\nns.b A 192.0.2.1\nb ${ds}\n`), 1)]);
    expect(ask(it, 'b.a.test', 'DS').text).toContain('1 8 2 ABAB');
  });

  test('another zone under a number that was used before', () => {
    const it = new TestResponder([saying('a.test', 'a1')]);
    warm(it, ['a.test']);
    it.responder.apply([zoneUpdate(saying('z.test', 'z1'), 0)]);
    expect(it.ask({ name: 'a.test', type: 'TXT' }).rcode).toBe('REFUSED');
    it.responder.apply([zoneUpdate(saying('a.test', 'a2'), 0)]);
    expect(ask(it, 'a.test').text).toBe('"a2"');
  });

  test('an update that throws half-way leaves nothing stale', () => {
    const it = new TestResponder(ZONES);
    warm(it, NAMES);
    const broken = { ...zoneUpdate(saying('b.test', 'b2'), 1), image: new SharedArrayBuffer(64) };
    expect(() => it.responder.apply([zoneUpdate(saying('a.test', 'a2'), 0), broken])).toThrow();
    expect(NAMES.map((name) => ask(it, name).text)).toEqual(['"a2"', '"a2"', '"b1"', '"a text"']);
  });

  test('whatever zones come, go and change, answers are those of a server that caches none', () => {
    const origins = ['a.test', 'x.a.test', 'y.x.a.test', 'test', 'b.test'];
    const names = [...origins, 'www.a.test', 'z.y.x.a.test', 'www.b.test', 'www.x.a.test'];
    const ask = fc.record({ name: fc.constantFrom(...names), type: fc.constantFrom('TXT', 'DS', 'SOA', 'NS') });
    const change = fc.record({
      zone: fc.nat(origins.length - 1),
      origin: fc.nat(origins.length - 1),
      gone: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 8, arbitrary: ask }, change), { minLength: 20, maxLength: 80 }),
        (steps) => {
          const it = new TestResponder([]);
          const plain = new TestResponder([]);
          for (const [i, step] of steps.entries()) {
            if ('name' in step) {
              plain.configure({}); // empties the cache
              const expected = plain.ask(step).octets;
              for (let times = 0; times < 3; times++) expect(it.ask(step).octets).toEqual(expected);
              continue;
            }
            const { zone } = step;
            // A number keeps its name, mostly: only the first two may swap.
            const origin = origins[zone < 2 ? step.origin % 2 : zone];
            const update = step.gone ? { kind: 'gone' as const, zone } : zoneUpdate(saying(origin, `v${i}`), zone);
            it.responder.apply([update]);
            plain.responder.apply([update]);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

test('an answer of a zone with several live slots is stale when any of them changes', () => {
  const slots = LiveSlots.create(4);
  const table = new ZoneTable();
  table.apply([zoneUpdate({ ...LIVE, slot: 1 }, 3)]);
  const one = table.byNumber(3);
  if (one === null) throw new Error('not served');
  const several: ServedZone = { ...one, slots: Int32Array.of(1, 3) };
  const cache = new ResponseCache(slots, (zone) => (zone === 3 ? several : null));
  const context = new QueryContext();
  const packets = PacketBuffers.single();
  const query = encodeQuery({ name: 'live.test' });
  packets.queries[0].set(query);
  packets.lengths[0] = query.length;
  const find = (): number => {
    packets.begin(1);
    return cache.find(context, packets, 0, 0);
  };
  const keep = (): void => {
    context.begin(packets.queries[0], query.length, packets.answers[0], packets.answerViews[0], context.client);
    context.query.decode(packets.queries[0], query.length);
    cache.keep(context, packets, 0, 0, 40, several, new LiveBlock());
  };
  expect([find(), context.isWanted, find(), context.isWanted]).toEqual([0, false, 0, true]);
  for (const slot of [1, 3]) {
    context.sequence = cache.sequenceOf(several);
    keep();
    expect(find()).toBe(40);
    slots.write(slot, { serial: 5, v4: [], v6: [] });
    expect([find(), context.isWanted]).toEqual([0, true]);
  }
  // A slot of another zone does not matter, and what was read before a change is not cached after it.
  context.sequence = cache.sequenceOf(several);
  slots.write(2, { serial: 5, v4: [], v6: [] });
  keep();
  expect(find()).toBe(40);
  slots.write(3, { serial: 6, v4: [], v6: [] });
  keep();
  expect(find()).toBe(0);
});
