import { describe, expect, test } from 'vitest';
import { TRANSPORT } from '../../../src/server/answer/front-end.ts';
import { address4, TestResponder } from '../../support/dns-responder.ts';

const ZONE = `@ 300 SOA ns1.example.net. host.example.net. 500 43200 10800 1209600 250
@ 300 NS ns1.example.net.
@ 300 MX 10 @
@ 300 TXT "here"
mail 300 A 192.0.2.25
edge 300 MX 5 www
*.any 300 CNAME @
`;
const V6 = Uint8Array.from([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

function served(live: readonly string[] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'], serial = 1000, v6 = [V6]) {
  const responder = new TestResponder([
    { origin: 'example.test', text: ZONE, live: ['example.test', 'www.example.test'], slot: 1 },
  ]);
  responder.slots.write(1, { serial, v4: live.map(address4), v6 });
  return responder;
}

const addresses = (rows: readonly { readonly text: string }[]): string[] => rows.map(({ text }) => text);

describe('names answered from the live slot', () => {
  test('the apex and a rotate label have the live addresses at the live TTL', () => {
    for (const name of ['example.test', 'www.example.test', 'WWW.Example.TEST']) {
      const { answer, aa, authority } = served().ask({ name });
      expect(addresses(answer).sort()).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3']);
      expect(answer.map(({ ttl }) => ttl)).toEqual([60, 60, 60]);
      expect([aa, authority.length]).toEqual([true, 0]);
    }
    expect(addresses(served().ask({ name: 'www.example.test', type: 'AAAA' }).answer)).toEqual(['2001:db8::1']);
  });

  test('the order moves on by one from answer to answer, for each family by itself', () => {
    const responder = served();
    const first = (): string => {
      responder.ask({ name: 'example.test', type: 'AAAA' });
      return responder.ask({ name: 'example.test' }).answer[0].text;
    };
    const seen = [first(), first(), first(), first()];
    expect(new Set(seen.slice(0, 3)).size).toBe(3);
    expect(seen[3]).toBe(seen[0]);
  });

  test('a flip of the slot is in the next answer, and in the SOA serial', () => {
    const responder = served();
    expect(responder.ask({ name: 'example.test', type: 'SOA' }).answer[0].text).toContain(' 1000 ');
    responder.slots.write(1, { serial: 1001, v4: [address4('192.0.2.9')], v6: [] });
    expect(addresses(responder.ask({ name: 'example.test' }).answer)).toEqual(['192.0.2.9']);
    expect(responder.ask({ name: 'example.test', type: 'SOA' }).answer[0].text).toContain(' 1001 ');
    expect(responder.ask({ name: 'nope.example.test' }).authority[0].text).toContain(' 1001 ');
  });

  test.each([
    ['a live serial behind the own one', 400, ' 500 '],
    ['a live serial ahead', 501, ' 501 '],
    ['a live serial ahead beyond the wrap of 2^32: not ahead (RFC 1982)', 0x80000300, ' 500 '],
    ['a slot never written', 0, ' 500 '],
  ])('SOA serial with %s', (_, serial, expected) => {
    expect(served(['192.0.2.1'], serial).ask({ name: 'example.test', type: 'SOA' }).answer[0].text).toContain(expected);
  });

  test('a family without addresses is NODATA, not NXDOMAIN', () => {
    const { rcode, answer, authority } = served(undefined, 1000, []).ask({ name: 'example.test', type: 'AAAA' });
    expect([rcode, answer.length]).toEqual(['NOERROR', 0]);
    expect(authority.map(({ type, ttl }) => [type, ttl])).toEqual([['SOA', 250]]);
  });

  test('while no edge was ever live, live names are SERVFAIL with the reason and others are answered', () => {
    const responder = served([], 0, []);
    for (const spec of [
      { name: 'example.test' },
      { name: 'www.example.test', type: 'AAAA' },
      { name: 'x.any.example.test' },
      { name: 'www.example.test', type: 'ANY' },
    ]) {
      const { rcode, aa, answer, authority, opt } = responder.ask({ ...spec, edns: {} });
      expect([spec.name, rcode, aa, answer.length, authority.length]).toEqual([spec.name, 'SERVFAIL', false, 0, 0]);
      expect(opt?.options.get(15)?.slice(0, 2)).toEqual(Uint8Array.of(0, 14));
    }
    expect(responder.ask({ name: 'mail.example.test' }).answer).toHaveLength(1);
    expect(responder.ask({ name: 'example.test', type: 'TXT' }).answer).toHaveLength(1);
    expect(responder.ask({ name: 'example.test', type: 'ANY' }).answer.map(({ type }) => type)).toEqual(['NS']);
  });

  test('live addresses stand beside an MX that points to a live name', () => {
    const { additional } = served().ask({ name: 'edge.example.test', type: 'MX', edns: {} });
    expect(additional.map(({ owner, type, ttl }) => `${owner} ${type} ${ttl}`)).toEqual([
      ...Array.from({ length: 3 }, () => 'www.example.test. A 60'),
      'www.example.test. AAAA 60',
    ]);
  });

  test('beside an MX, a family without live addresses hides none of the other', () => {
    const beside = (responder: TestResponder): string[] =>
      addresses(responder.ask({ name: 'edge.example.test', type: 'MX', edns: {} }).additional);
    expect(beside(served([]))).toEqual(['2001:db8::1']);
    expect(beside(served(['192.0.2.1'], 1000, []))).toEqual(['192.0.2.1']);
  });

  test('an alias leads to the live apex', () => {
    const { answer } = served().ask({ name: 'a.any.example.test' });
    expect(answer.map(({ type, owner }) => `${owner} ${type}`)).toEqual([
      'a.any.example.test. CNAME',
      ...Array.from({ length: 3 }, () => 'example.test. A'),
    ]);
  });

  test('64 live addresses do not fit into 512 octets: truncated without EDNS, whole with it and over TCP', () => {
    const responder = served(Array.from({ length: 64 }, (_, i) => `192.0.2.${i}`));
    const plain = responder.ask({ name: 'example.test' });
    expect([plain.tc, plain.answer.length]).toEqual([true, 0]);
    expect(responder.ask({ name: 'example.test', edns: {} }).answer).toHaveLength(64);
    expect(responder.ask({ name: 'example.test' }, TRANSPORT.tcp).answer).toHaveLength(64);
  });

  test('live addresses come from the slot that an update names', () => {
    const responder = served();
    responder.slots.write(2, { serial: 7000, v4: [address4('192.0.2.99')], v6: [] });
    responder.responder.apply([{ kind: 'slot', zone: 0, slot: 2 }]);
    expect(addresses(responder.ask({ name: 'example.test' }).answer)).toEqual(['192.0.2.99']);
    expect(responder.ask({ name: 'example.test', type: 'SOA' }).answer[0].text).toContain(' 7000 ');
  });
});
