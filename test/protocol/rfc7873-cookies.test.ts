import { describe, expect, test } from 'vitest';
import { expectAnswer } from '../support/dns-expect.ts';
import type { EdnsSpec } from '../support/dns-query.ts';
import { protocolServer } from './protocol-server.ts';

const served = protocolServer([], { cookieSecrets: [new Uint8Array(16).fill(7)] });

const COOKIE = 10; // the option
const NOT_OURS = Uint8Array.of(1, 0, 0, 0, 0x67, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8); // a server's part, not ours
const CLIENT = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const WWW = ['www.example.test. 300 A 192.0.2.80'];

const withCookie = (octets: Uint8Array): EdnsSpec => ({ options: [[COOKIE, octets]] });

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  const cookieFor = async (octets: Uint8Array): Promise<Uint8Array> => {
    const { opt } = await expectAnswer(served.server, {
      name: '',
      query: { name: 'www.example.test', edns: withCookie(octets) },
      transport,
      expected: { answer: WWW },
    });
    return opt?.options.get(COOKIE) ?? new Uint8Array(0);
  };

  // RFC 7873 §5.2.3, RFC 9018 §4: the client's eight octets, then sixteen of ours.
  test('a client without a server cookie gets one, beside its answer', async () => {
    const cookie = await cookieFor(CLIENT);
    expect(cookie).toHaveLength(24);
    expect(cookie.slice(0, 8)).toEqual(CLIENT);
  });

  // RFC 7873 §5.2.5
  test('the cookie that it got is taken', async () => {
    const cookie = await cookieFor(CLIENT);
    expect(await cookieFor(cookie)).toEqual(cookie);
  });

  // RFC 7873 §5.2.4: answered as without it, with a cookie of ours.
  test('a cookie that is not ours is answered with a right one', async () => {
    const cookie = await cookieFor(Uint8Array.from([...CLIENT, ...NOT_OURS]));
    expect(cookie).toHaveLength(24);
    expect(cookie.slice(8)).not.toEqual(NOT_OURS);
  });

  // RFC 7873 §5.2.2: eight octets, or sixteen to forty.
  test.each([0, 4, 7, 9, 15, 41])('a cookie of %i octets is FORMERR', async (length) => {
    const query = { name: 'www.example.test', edns: withCookie(new Uint8Array(length)) };
    const { rcode, answer } = await served.server.ask(query, transport);
    expect([rcode, answer.length]).toEqual(['FORMERR', 0]);
  });
});

test('who shows no cookie gets none (RFC 7873 §5.2.1)', async () => {
  const { opt } = await served.server.ask({ name: 'www.example.test', edns: {} });
  expect(opt?.options.size).toBe(0);
});
