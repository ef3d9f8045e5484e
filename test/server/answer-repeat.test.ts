import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TRANSPORT } from '../../src/server/dns-thread.ts';
import { sumStats } from '../../src/server/stats.ts';
import type { Message } from '../support/dns-message.ts';
import { encodeQuery, type QuerySpec } from '../support/dns-query.ts';
import { address4, PLAIN_SERVER, TestResponder } from '../support/dns-responder.ts';
import { zoneUpdate } from '../support/zone-images.ts';

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

/** Asked often enough that the last answer is one that was kept. */
function again(responder: TestResponder, spec: QuerySpec, transport?: number): Message {
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
    const { lastKind, lastHash, lastZone, lastRcode } = fresh.responder;
    expect([kept.lastKind, kept.lastHash, kept.lastZone, kept.lastRcode]).toEqual([
      lastKind,
      lastHash,
      lastZone,
      lastRcode,
    ]);
  });

  test('whatever is asked and whatever changes in between, answers are those of a server that keeps none', () => {
    const responder = served();
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
            const fresh = new TestResponder([LIVE, STATIC]);
            fresh.slots.write(1, live);
            expect(essence(responder.ask(spec))).toEqual(essence(fresh.ask(spec)));
            expect(responder.raw(query).octets.subarray(0, 2)).toEqual(query.subarray(0, 2));
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
