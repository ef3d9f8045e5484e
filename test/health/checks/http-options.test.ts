import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import type { ExpectedBody } from '../../../src/health/checks/http-body.ts';
import type { HttpTest } from '../../../src/health/checks/http-fail.ts';
import type { FailReason, Fetch } from '../../../src/health/checks/sample.ts';
import { httpTestAt, planOf, probeBy } from '../../support/probe-address.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

type Serve = (request: IncomingMessage, response: ServerResponse) => void;

async function probe(serve: Serve, more: Partial<HttpTest> = {}): Promise<Fetch> {
  const server = createServer(serve);
  closers.push(() => server.close().closeAllConnections());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return probeBy(planOf(httpTestAt(port, more)));
}

const answers =
  (status: number, body = 'ok', fields: Record<string, string> = {}): Serve =>
  (_, response) =>
    response.writeHead(status, fields).end(body);

describe('status', () => {
  const some = [
    [200, 299],
    [301, 301],
  ] as const;
  test.each<[string, number, HttpTest['status'], string | null]>([
    ['nothing said, below 400', 204, null, null],
    ['nothing said, 400', 400, null, 'status 400'],
    ['the first of a range', 200, some, null],
    ['the last of a range', 299, some, null],
    ['one alone', 301, some, null],
    ['between them', 300, some, 'status 300 instead of 200-299, 301'],
    ['beyond', 404, some, 'status 404 instead of 200-299, 301'],
    ['an error that is wanted', 404, [[404, 404]], null],
    ['a good one where an error is wanted', 200, [[401, 403]], 'status 200 instead of 401-403'],
  ])('%s', async (_, status, ranges, detail) => {
    const fetch = await probe(answers(status), { status: ranges });
    expect(fetch.fail).toEqual(detail === null ? null : { reason: 'status', detail });
  });

  test('a redirect that is accepted is not followed, another is', async () => {
    const serve: Serve = ({ url }, response) => {
      if (url === '/health') response.writeHead(302, { Location: '/login' }).end();
      else response.end('login');
    };
    expect(await probe(serve, { status: [[302, 302]] })).toMatchObject({ fail: null, hops: 0 });
    expect(await probe(serve, { status: [[200, 299]] })).toMatchObject({ fail: null, hops: 1 });
  });
});

describe('body', () => {
  const digest = (kind: 'md5' | 'sha256', text: string): ExpectedBody => ({
    kind,
    digest: createHash(kind).update(text).digest('hex'),
  });
  const text = (of: string): ExpectedBody => ({ kind: 'text', text: Buffer.from(of) });
  const pieces =
    (...parts: string[]): Serve =>
    (_, response) => {
      response.writeHead(200);
      const [last] = parts.splice(-1);
      const next = (): void => {
        const part = parts.shift();
        if (part === undefined) response.end(last);
        else response.write(part, () => setImmediate(next));
      };
      next();
    };
  const gzipped: Serve = (_, response) =>
    response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync('all is well'));

  test.each<[string, Serve, ExpectedBody, FailReason | null, RegExp | null]>([
    ['MD5', answers(200, 'ok'), digest('md5', 'ok'), null, null],
    ['SHA-256', answers(200, 'ok'), digest('sha256', 'ok'), null, null],
    [
      'SHA-256 of something else',
      answers(200, 'no'),
      digest('sha256', 'ok'),
      'checksum',
      /^SHA-256 [0-9a-f]{64} of 2 octets \(status 200\) instead of /,
    ],
    ['SHA-256 of nothing', answers(200, ''), digest('sha256', 'ok'), 'checksum', /of 0 octets/],
    ['a text', answers(200, 'all is well'), text('is'), null, null],
    ['a text across pieces', pieces('all i', 's', ' well'), text('is well'), null, null],
    ['a text of one octet', answers(200, 'x'), text('x'), null, null],
    ['a text that begins twice', pieces('aa', 'ab'), text('aaab'), null, null],
    ['a text, compressed', gzipped, text('is well'), null, null],
    [
      'a text that is not there',
      answers(200, 'all is lost'),
      text('well'),
      'content',
      /^the text that is expected is not in the 11 octets of the body \(status 200\)$/,
    ],
    ['a text in an empty body', answers(200, ''), text('well'), 'content', /0 octets/],
    ['a text that is longer than the body', answers(200, 'we'), text('well'), 'content', /2 octets/],
  ])('%s', async (_, serve, body, reason, detail) => {
    const { fail } = await probe(serve, { body });
    expect(fail?.reason ?? null).toBe(reason);
    if (detail !== null) expect(fail?.detail).toMatch(detail);
  });

  test('is read although the status says an error, where that is accepted', async () => {
    const fetch = await probe(answers(503, 'draining'), { status: [[503, 503]], body: text('drain') });
    expect(fetch.fail).toBeNull();
    expect((await probe(answers(503, 'broken'), { status: [[503, 503]], body: text('drain') })).fail?.reason).toBe(
      'content',
    );
  });

  test('without end is cut off', async () => {
    const endless: Serve = (_, response) => {
      // Node 24 calls back at once, without an error, when the connection is gone.
      const more = (): void => {
        if (response.socket?.writable) response.write('x'.repeat(10_000), more);
      };
      more();
    };
    expect((await probe(endless, { body: text('y') })).fail?.reason).toBe('too-large');
  });
});

test('header fields of the check go out beside the usual ones, or instead of them', async () => {
  let got: IncomingMessage['rawHeaders'] = [];
  const fetch = await probe(
    ({ rawHeaders }, response) => {
      got = rawHeaders;
      response.end('ok');
    },
    {
      headers: [
        ['X-Health', 'yes'],
        ['user-agent', 'mine'],
      ],
    },
  );
  expect(fetch.fail).toBeNull();
  const fields = got.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${got[i + 1]}`] : []));
  expect(fields[0]).toMatch(/^Host: demo\.test:\d+$/);
  expect(fields.slice(1)).toEqual([
    'Accept: */*',
    'Accept-Encoding: gzip, deflate',
    'Connection: close',
    'X-Health: yes',
    'user-agent: mine',
  ]);
});
