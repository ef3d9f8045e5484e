import { describe, expect, test } from 'vitest';
import { COOKIE, ServerCookies } from '../../../src/server/answer/cookie.ts';
import { sipHash } from '../../../src/server/answer/cookie-siphash.ts';
import { address4, TestResponder } from '../../support/dns-responder.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const text = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
const ipv4 = (address: string): Uint8Array => Uint8Array.from([...Array(10).fill(0), 255, 255, ...address4(address)]);
const IPV6 = hex('20010db80220000159ded0f4876982b8');

// The hash of the octets 0, 1, 2, … with the key 0, 1, 2, …, 15, from the paper that defines SipHash and its tables.
test.each([
  [0, '310e0edd47db6f72'],
  [1, 'fd67dc93c539f874'],
  [7, '37d1018bf50002ab'],
  [8, '6224939a79f5f593'],
  [15, 'e545be4961ca29a1'],
])('SipHash-2-4 of %i octets', (length, expected) => {
  const key = Int32Array.of(0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c);
  const out = new Uint8Array(8);
  sipHash(
    key,
    Uint8Array.from({ length: 32 }, (_, i) => i),
    length,
    out,
    0,
  );
  expect(text(out)).toBe(expected);
});

const SECRET = 'e5e973e5a6b2a43f48e7dc849e37bfcf';
const ROLLED = '445536bcd2513298075a5d379663c962';
const OLD = 'dd3bdf9344b678b185a6f5cb60fca715';

describe('the examples of RFC 9018 appendix A', () => {
  test.each([
    [
      'A.1, a new cookie',
      [SECRET],
      ipv4('198.51.100.100'),
      '2464c4abcf10c957',
      1559731985,
      COOKIE.first,
      '010000005cf79f111f8130c3eee29480',
    ],
    [
      'A.2, renewed after 40 minutes',
      [SECRET],
      ipv4('198.51.100.100'),
      '2464c4abcf10c957010000005cf79f111f8130c3eee29480',
      1559734385,
      COOKIE.good,
      '010000005cf7a871d4a564a1442aca77',
    ],
    [
      'A.3, another client, reserved octets set',
      [SECRET],
      ipv4('203.0.113.203'),
      'fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5',
      1559728085,
      COOKIE.good,
      null,
    ],
    [
      'A.4, IPv6, the secret rolled over',
      [ROLLED, OLD],
      IPV6,
      '22681ab97d52c298010000005cf7c57926556bd0934c72f8',
      1559741961,
      COOKIE.good,
      '010000005cf7c609a6bb79d16625507a',
    ],
  ] as const)('%s', (_, secrets, address, cookie, now, verdict, server) => {
    const cookies = new ServerCookies(secrets.map(hex));
    expect(cookies.check(hex(cookie), 0, cookie.length / 2, address, now)).toBe(verdict);
    expect(text(cookies.option)).toBe(cookie.slice(0, 16) + (server ?? cookie.slice(16)));
  });
});

describe('a cookie made at one time and shown at another', () => {
  const made = 1_700_000_000;
  const cookies = new ServerCookies([hex(SECRET)]);
  const address = ipv4('192.0.2.1');
  cookies.check(hex('0102030405060708'), 0, 8, address, made);
  const whole = cookies.option.slice();

  test.each([
    ['at once', made, COOKIE.good, true],
    ['after half an hour', made + 1800, COOKIE.good, true],
    ['after more: good, but replaced (RFC 9018 §4.3)', made + 1801, COOKIE.good, false],
    ['after an hour', made + 3600, COOKIE.good, false],
    ['after more', made + 3601, COOKIE.bad, false],
    ['five minutes before', made - 300, COOKIE.good, true],
    ['earlier', made - 301, COOKIE.bad, false],
  ])('%s', (_, now, verdict, kept) => {
    expect(cookies.check(whole, 0, 24, address, now)).toBe(verdict);
    expect(text(cookies.option) === text(whole)).toBe(kept);
  });

  test('by another client it is bad', () => {
    expect(cookies.check(whole, 0, 24, ipv4('192.0.2.2'), made)).toBe(COOKIE.bad);
  });

  test('with any bit changed it is bad', () => {
    for (let bit = 0; bit < 24 * 8; bit++) {
      const changed = whole.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      expect(cookies.check(changed, 0, 24, address, made), `bit ${bit}`).toBe(COOKIE.bad);
    }
  });

  test('over the wrap of 2^32 seconds', () => {
    const late = 2 ** 32 - 60;
    cookies.check(hex('0102030405060708'), 0, 8, address, late);
    expect(cookies.check(cookies.option.slice(), 0, 24, address, 60)).toBe(COOKIE.good);
  });
});

describe('in queries', () => {
  const client = hex('0102030405060708');
  const responder = new TestResponder([{ origin: 'example.test', text: '@ SOA a b 1 2 3 4 5\n@ NS a\n' }], {
    cookieSecrets: [hex(SECRET)],
  });
  const ask = (cookie: Uint8Array, more: object = {}) =>
    responder.ask({ name: 'example.test', type: 'SOA', edns: { options: [[10, cookie]] }, ...more });

  test('a first cookie is answered with a whole one, which is then good', () => {
    const whole = ask(client).opt?.options.get(10) ?? new Uint8Array(0);
    expect([whole.length, text(whole.slice(0, 8))]).toEqual([24, text(client)]);
    expect(responder.responder.lastHadGoodCookie).toBe(false);
    expect(text(ask(whole).opt?.options.get(10) ?? new Uint8Array(0))).toBe(text(whole));
    expect(responder.responder.lastHadGoodCookie).toBe(true);
  });

  test('a bad server part is answered, with a fresh cookie (RFC 7873 §5.2.4)', () => {
    const { rcode, answer, opt } = ask(Uint8Array.from([...client, ...new Uint8Array(16)]));
    expect([rcode, answer.length, opt?.options.get(10)?.length]).toEqual(['NOERROR', 1, 24]);
    expect(responder.responder.lastHadGoodCookie).toBe(false);
  });

  test.each([0, 4, 7, 9, 15, 41])('a cookie of %i octets is FORMERR (RFC 7873 §5.2.2)', (length) => {
    expect(ask(new Uint8Array(length)).rcode).toBe('FORMERR');
  });

  test('a query with nothing but a cookie gets one (RFC 7873 §5.4)', () => {
    const opt = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, ...client];
    const message = Uint8Array.from([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, ...opt]);
    const { octets } = responder.raw(message);
    expect([octets[3] & 15, octets[5], octets.length]).toEqual([0, 0, 12 + 11 + 4 + 24]);
  });
});
