import { createHash } from 'node:crypto';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import type { Fetch } from '../../../src/health/checks/sample.ts';
import { MockEdge } from '../../support/mock-edge.ts';
import { OBJECT, ODD_SERVERS } from '../../support/odd-servers.ts';
import { probeBy } from '../../support/probe-address.ts';
import { type HttpProbe, httpPlan } from '../../support/probe-plan.ts';

const edges: MockEdge[] = [];
afterAll(() => Promise.all(edges.map((edge) => edge.close())));

async function fetchFrom(text: string, hold = false, more: Partial<HttpProbe> = {}): Promise<Fetch> {
  const behaviour = { kind: 'raw', text, hold } as const;
  const edge = await MockEdge.start({ address: '127.0.0.1', port: 0, body: OBJECT, behaviour });
  edges.push(edge);
  return fetchAt(edge, more);
}

async function fetchAt(edge: MockEdge, more: Partial<HttpProbe> = {}): Promise<Fetch> {
  const own = { port: edge.port, uri: '/object', timeout: 20, retry: 1, workers: 1, maxBytes: 10_000 };
  const md5 = createHash('md5').update(OBJECT).digest('hex');
  return probeBy(httpPlan({ ...own, md5, ...more }), edge.address);
}

describe('HTTP out of order', () => {
  test.each(ODD_SERVERS)('$name', async ({ response, holds, curl, requests, ours }) => {
    const { fail } = await fetchFrom(response, holds);
    const takes = ours ?? (curl || requests);
    expect(takes ? fail : typeof fail?.detail).toBe(takes ? null : 'string');
  });
});

describe('content codings are undone as edgemanage does it', () => {
  const coded = (coding: string, body: Buffer): string =>
    `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n${body.toString('latin1')}`;
  const object = Buffer.from(OBJECT);

  test.each<[string, string, Buffer]>([
    ['gzip', 'gzip', gzipSync(object)],
    ['gzip by its old name', 'X-GZIP', gzipSync(object)],
    ['deflate with its wrapper', 'deflate', deflateSync(object)],
    ['deflate without it', 'deflate', deflateRawSync(object)],
    ['two of them', 'deflate, gzip', gzipSync(deflateSync(object))],
    ['none by name', 'identity', object],
    ['gzip of two members', 'gzip', Buffer.concat([gzipSync(object.subarray(0, 4)), gzipSync(object.subarray(4))])],
  ])('%s', async (_name, coding, body) => {
    expect((await fetchFrom(coded(coding, body))).fail).toBeNull();
  });

  test.each<[string, string, Buffer, string, RegExp]>([
    ['gzip of another object', 'gzip', gzipSync('another'), 'checksum', /of 7 octets .*Content-Encoding "gzip"\)/],
    ['gzip cut short', 'gzip', gzipSync(object).subarray(0, 12), 'checksum', /"gzip", but the body is not gzip/],
    ['a coding we do not ask for', 'br', Buffer.from('xyz'), 'checksum', /"br"\)/],
    ['a bomb', 'gzip', gzipSync(Buffer.alloc(5_000_000)), 'too-large', /more than 10000 octets when gzip is undone/],
    ['a bomb in a bomb', 'gzip, gzip', gzipSync(gzipSync(Buffer.alloc(50_000_000))), 'too-large', /gzip/],
    [
      'more codings than anybody needs',
      'gzip,gzip,gzip,gzip,gzip',
      gzipSync(object),
      'checksum',
      /but the body is not gzip/,
    ],
  ])('%s fails', async (_name, coding, body, reason, detail) => {
    const { fail } = await fetchFrom(coded(coding, body));
    expect(fail?.reason).toBe(reason);
    expect(fail?.detail).toMatch(detail);
  });
});

describe('cookies', () => {
  /** Redirects until the cookie comes back, as a wall against robots does. */
  async function wall(setCookie: string): Promise<{ readonly fetch: Fetch; readonly edge: MockEdge }> {
    const edge = await MockEdge.start({ address: '127.0.0.1', port: 0, body: OBJECT, behaviour: { kind: 'ok' } });
    edges.push(edge);
    const text = `HTTP/1.1 302 Found\r\n${setCookie}Location: /object\r\nContent-Length: 0\r\n\r\n`;
    await edge.behave({ kind: 'ok' }, [{ kind: 'raw', text }]);
    return { edge, fetch: await fetchAt(edge) };
  }

  test.each<[string, string, string]>([
    ['one', 'Set-Cookie: seen=1\r\n', 'seen=1'],
    ['several', 'Set-Cookie: a=1; HttpOnly\r\nSet-Cookie: b=2; Path=/\r\n', 'a=1; b=2'],
    ['for the domain', 'Set-Cookie: a=1; Domain=.test; Path=/obj\r\nSet-Cookie: b=2; Domain=demo.test\r\n', 'b=2'],
    ['for a longer path', 'Set-Cookie: a=1; Path=/object/x\r\nSet-Cookie: b=2; Path=/object\r\n', 'b=2'],
    ['that is over', 'Set-Cookie: a=1; Max-Age=0\r\nSet-Cookie: b=2\r\n', 'b=2'],
    ['for TLS only', 'Set-Cookie: a=1; Secure\r\nSet-Cookie: b=2\r\n', 'b=2'],
    ['of another domain', 'Set-Cookie: a=1; Domain=other.test\r\nSet-Cookie: b=2\r\n', 'b=2'],
  ])('%s: kept from one redirect to the next', async (_name, setCookie, sent) => {
    const { edge, fetch } = await wall(setCookie);
    expect(fetch).toMatchObject({ fail: null, hops: 1 });
    expect(edge.requests[0]?.head).not.toMatch(/^cookie:/im);
    expect(edge.requests[1]?.head).toContain(`\r\nCookie: ${sent}\r\n`);
  });

  test('none: the same request again is a loop', async () => {
    const { fetch } = await wall('');
    expect(fetch.fail).toMatchObject({ reason: 'redirects', detail: expect.stringContaining('loop') });
  });
});
