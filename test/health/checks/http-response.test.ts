import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HEAD_MAX, type ResponseEnd, ResponseReader } from '../../../src/health/checks/http-response.ts';
import { ODD_SERVERS } from '../../support/odd-servers.ts';

type Read = {
  readonly end: ResponseEnd | null;
  readonly status: number | null;
  readonly octets: number;
  readonly md5: string;
};

/** What becomes of the pieces, and whether the edge hangs up behind them. */
function read(pieces: readonly Buffer[], close = true, bodyMax = 100_000): Read {
  const hash = createHash('md5');
  const reader = new ResponseReader(bodyMax, (piece) => hash.update(piece));
  for (const piece of pieces) reader.push(piece);
  if (close) reader.close();
  return { end: reader.end, status: reader.head?.status ?? null, octets: reader.octets, md5: hash.digest('hex') };
}

function cut(whole: Buffer, at: readonly number[]): readonly Buffer[] {
  const places = [...new Set(at.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => whole.subarray(from, places[i] ?? whole.length));
}

test('however the octets are cut into pieces, the response is the same', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ODD_SERVERS), fc.array(fc.nat(), { maxLength: 30 }), ({ response }, places) => {
      const whole = Buffer.from(response, 'latin1');
      // What is wrong may be known earlier, and so be said of fewer octets.
      const { end, ...rest } = read(cut(whole, places));
      const { end: expected, ...others } = read([whole]);
      expect({ kind: end?.kind, ...rest }).toEqual({ kind: expected?.kind, ...others });
    }),
  );
});

test('octet by octet as well', () => {
  for (const { response } of ODD_SERVERS.filter((server) => server.response.length < 3000)) {
    const whole = Buffer.from(response, 'latin1');
    expect(read([...whole].map((octet) => Buffer.of(octet)))).toMatchObject({ octets: read([whole]).octets });
  }
});

test('any octets: an end or a wish for more, never more body than allowed, never an exception', () => {
  const wire = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: 'binary-ascii', maxLength: 200 }).map((text) => Buffer.from(`HTTP/1.1 200 OK\r\n${text}`)),
    fc
      .array(fc.constantFrom('\r\n', '\n', '0', '5', 'hello', ';', ' ', 'x', 'ffffffffffffffffff'), { maxLength: 40 })
      .map((parts) => Buffer.from(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${parts.join('')}`)),
  );
  fc.assert(
    fc.property(wire, fc.boolean(), (octets, close) => {
      const { end, octets: body } = read([Buffer.from(octets)], close, 20);
      if (close) expect(end).not.toBeNull();
      if (end?.kind === 'complete') expect(body).toBeLessThanOrEqual(20);
      if (end !== null && 'why' in end) expect(end.why).toMatch(/^[^\n\r]{1,300}$/);
    }),
  );
});

describe('bounds', () => {
  const OK = 'HTTP/1.1 200 OK\r\n';

  test.each<[string, string, ResponseEnd['kind'] | null]>([
    ['a head of the largest size', `${OK}X: ${'x'.repeat(HEAD_MAX - OK.length - 7)}\r\n\r\n`, null],
    ['an octet more', `${OK}X: ${'x'.repeat(HEAD_MAX - OK.length - 6)}\r\n\r\n`, 'head-too-large'],
    ['a status line of that size', `HTTP/1.1 200 ${'x'.repeat(HEAD_MAX)}`, 'head-too-large'],
    [
      'interim answers count',
      `HTTP/1.1 103 H\r\nX: ${'x'.repeat(HEAD_MAX - 100)}\r\n\r\n${OK}X: ${'x'.repeat(100)}`,
      'head-too-large',
    ],
    ['ten interim answers', `${'HTTP/1.1 102 W\r\n\r\n'.repeat(10)}${OK}\r\n`, null],
    ['eleven', 'HTTP/1.1 102 W\r\n\r\n'.repeat(11), 'broken'],
    ['a body of the largest size', `${OK}Content-Length: 100\r\n\r\n${'x'.repeat(100)}`, 'complete'],
    ['one that is said to be larger', `${OK}Content-Length: 101\r\n\r\n`, 'too-large'],
    ['one said to be 2^70', `${OK}Content-Length: ${2n ** 70n}\r\n\r\n`, 'too-large'],
    ['one that is larger until the end', `${OK}\r\n${'x'.repeat(101)}`, 'too-large'],
    ['a chunk that is larger', `${OK}Transfer-Encoding: chunked\r\n\r\n65\r\n${'x'.repeat(101)}`, 'too-large'],
    ['a chunk of 2^52', `${OK}Transfer-Encoding: chunked\r\n\r\n10000000000000\r\n`, 'broken'],
    ['a chunk of 2^52 - 1', `${OK}Transfer-Encoding: chunked\r\n\r\nfffffffffffff\r\n`, null],
    ['framing without end', `${OK}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(HEAD_MAX + 200)}`, 'too-large'],
    ['trailers without end', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n${'X: y\r\n'.repeat(60_000)}`, 'too-large'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n', 'broken'],
    ['the end inside a chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nabc`, null],
  ])('%s', (_name, text, kind) => {
    expect(read([Buffer.from(text, 'latin1')], false, 100).end?.kind ?? null).toBe(kind);
  });

  test('and the memory: nothing is kept of an extension but its beginning', () => {
    const reader = new ResponseReader(2 ** 40, () => {});
    reader.push(Buffer.from(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;`));
    for (let i = 0; i < 100; i++) reader.push(Buffer.alloc(65_536, 0x78));
    reader.push(Buffer.from('\r\nhello\r\n0\r\n\r\n'));
    expect(reader).toMatchObject({ end: { kind: 'complete' }, octets: 5 });
  });
});
