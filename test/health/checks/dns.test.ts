import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nameKey } from '../../../src/dns/name.ts';
import type { DnsReason, DnsTest } from '../../../src/health/checks/dns.ts';
import type { Fetch } from '../../../src/health/checks/sample.ts';
import { freePort } from '../../support/ports.ts';
import { probeBy } from '../../support/probe-address.ts';

const QUERY = nameKey('a.test') ?? expect.fail();
const LOCALHOST = Uint8Array.of(127, 0, 0, 1);

async function probe(
  port: number,
  more: Partial<DnsTest> = {},
  { address = '127.0.0.1', signal = new AbortController().signal } = {},
): Promise<Fetch> {
  const check: DnsTest = {
    kind: 'dns',
    name: 'dns',
    timeout: 5,
    port,
    transport: 'udp',
    query: QUERY,
    type: 1,
    rcode: 0,
    data: null,
    match: 'all',
    ...more,
  };
  const plan = { checks: [check], combine: 'all', timeout: 10, retry: 2, workers: 1 } as const;
  return probeBy(plan, address, signal);
}

/** A name server over both transports; each answers with what its function sends. */
async function listen(
  udp: (query: Buffer, send: (octets: Uint8Array) => void, from: RemoteInfo, socket: UdpSocket) => void,
  tcp: ((query: Buffer, socket: Socket) => void) | null = null,
  address = '127.0.0.1',
): Promise<number> {
  const port = await freePort(address);
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (query, from) =>
    udp(query, (octets) => socket.send(octets, from.port, from.address), from, socket),
  );
  socket.bind(port, address);
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  if (tcp === null) return port;
  const server = createServer((client) => {
    client.on('error', () => {});
    client.once('data', (octets) => tcp(octets.subarray(2), client));
    onTestFinished(() => void client.destroy());
  });
  server.listen(port, address);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return port;
}

/** The answer to a query: its question with these flags and as many copies of an A record. */
function answer(query: Buffer, { flags = 0x8400, id = query.readUInt16BE(0), records = [LOCALHOST] } = {}): Buffer {
  const question = query.subarray(12, query.length - 11); // without OPT
  const head = Buffer.alloc(12);
  for (const [i, value] of [id, flags, 1, records.length, 0, 0].entries()) head.writeUInt16BE(value, 2 * i);
  const rows = records.map((rdata) => [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, rdata.length, ...rdata]);
  return Buffer.concat([head, question, Uint8Array.from(rows.flat())]);
}

function framed(octets: Uint8Array): Buffer {
  return Buffer.from([octets.length >> 8, octets.length & 255, ...octets]);
}

const addresses = (...last: readonly number[]) => last.map((octet) => Uint8Array.of(127, 0, 0, octet));

describe('over UDP', () => {
  test('an answer is enough', async () => {
    const fetch = await probe(await listen((query, send) => send(answer(query))));
    expect(fetch).toMatchObject({ fail: null, attempts: 1, check: 'dns', checks: [{ kind: 'dns' }] });
    expect(fetch.phases).toMatchObject({ connect: null, tls: null, firstByte: expect.any(Number) });
  });

  test('of IPv6 too', async () => {
    const port = await listen((query, send) => send(answer(query)), null, '::1');
    expect((await probe(port, {}, { address: '::1' })).fail).toBeNull();
  });

  test('a query that was lost is sent again', async () => {
    let queries = 0;
    const port = await listen((query, send) => {
      if (++queries === 2) send(answer(query));
    });
    expect(await probe(port)).toMatchObject({ fail: null, attempts: 1 });
    expect(queries).toBe(2);
  });

  test('what is forged, for another query or no message at all is skipped', async () => {
    const stranger = createSocket('udp4').bind(0, '127.0.0.1');
    await once(stranger, 'listening');
    onTestFinished(() => void stranger.close());
    const port = await listen((query, send, from) => {
      stranger.send(answer(query, { flags: 0x8405 }), from.port, from.address, () => {
        send(Buffer.alloc(0));
        send(Buffer.from('hello'));
        send(query);
        send(answer(query, { id: (query.readUInt16BE(0) + 1) & 0xffff, flags: 0x8405 }));
        const other = answer(query, { flags: 0x8405 });
        other[13] ^= 1; // first letter of the question
        send(other);
        send(answer(query));
      });
    });
    expect((await probe(port)).fail).toBeNull();
  });

  test.each<[string, Partial<DnsTest>, DnsReason | null, RegExp | null]>([
    ['all expected records', { data: addresses(1, 2) }, null, null],
    [
      'one of them is missing',
      { data: addresses(1, 4) },
      'data',
      /^answered 127\.0\.0\.1, 127\.0\.0\.2, 127\.0\.0\.3 instead of all of 127\.0\.0\.1, 127\.0\.0\.4$/,
    ],
    ['any', { data: addresses(9, 3), match: 'any' }, null, null],
    ['none of any', { data: addresses(8, 9), match: 'any' }, 'data', /instead of one of 127\.0\.0\.8, 127\.0\.0\.9$/],
    ['exactly, in another order', { data: addresses(3, 1, 2, 2), match: 'exact' }, null, null],
    ['exactly, one more', { data: addresses(1, 2), match: 'exact' }, 'data', /instead of 127\.0\.0\.1, 127\.0\.0\.2$/],
    ['exactly, one less', { data: addresses(1, 2, 3, 4), match: 'exact' }, 'data', /instead of/],
    ['many are shortened', { data: addresses(5, 6, 7, 8, 9, 10) }, 'data', /127\.0\.0\.8 and 2 more$/],
    ['another rcode', { rcode: 3 }, 'rcode', /^answered with NOERROR instead of NXDOMAIN$/],
  ])('%s', async (_, more, reason, detail) => {
    const port = await listen((query, send) => send(answer(query, { records: addresses(1, 2, 3) })));
    const { fail, attempts } = await probe(port, more);
    expect(fail?.reason ?? null).toBe(reason);
    if (detail !== null) expect(fail?.detail).toMatch(detail);
    expect(attempts).toBe(1);
  });

  test('no record, and one that strangers made for terminals', async () => {
    const port = await listen((query, send) => send(answer(query, { records: [] })));
    expect((await probe(port, { data: addresses(1) })).fail?.detail).toBe(
      'answered without such a record instead of 127.0.0.1',
    );
    const text = Uint8Array.from([4, 0x1b, 0x5b, 0x32, 0x4a]);
    const ugly = await listen((query, send) => {
      const reply = answer(query, { records: [text] });
      reply[reply.length - text.length - 9] = 16; // low octet of the type
      send(reply);
    });
    const { fail } = await probe(ugly, { type: 16, data: [Uint8Array.of(1, 0x61)] });
    expect(fail).toEqual({ reason: 'data', detail: String.raw`answered "\027[2J" instead of "a"` });
  });

  test.each<[string, (query: Buffer) => Uint8Array, DnsReason, RegExp]>([
    [
      'REFUSED',
      (query) => answer(query, { flags: 0x8405, records: [] }),
      'rcode',
      /^answered with REFUSED instead of NOERROR$/,
    ],
    [
      'a bare SERVFAIL',
      (query) => Buffer.from([query[0], query[1], 0x80, 2, 0, 0, 0, 0, 0, 0, 0, 0]),
      'rcode',
      /SERVFAIL/,
    ],
    ['half of it', (query) => answer(query).subarray(0, -1), 'malformed', /^the answer cannot be read: .*cut short/],
    ['a megabyte by its counts', (query) => answer(query).fill(0xff, 6, 12), 'malformed', /cut short/],
    ['64 KiB of octets', (query) => Buffer.concat([answer(query), Buffer.alloc(60_000)]), 'malformed', /longer/],
    [
      'a name that points to itself',
      (query) => {
        const octets = answer(query);
        octets[octets.length - 15] = octets.length - 16;
        return octets;
      },
      'malformed',
      /name/,
    ],
  ])('%s', async (_, make, reason, detail) => {
    const { fail, attempts } = await probe(await listen((query, send) => send(make(query))));
    expect(fail).toEqual({ reason, detail: expect.stringMatching(detail) });
    expect(attempts).toBe(1);
  });

  test('without an answer, the deadline', async () => {
    const silent = await listen(() => {});
    expect((await probe(silent, { timeout: 0.2 })).fail).toEqual({
      reason: 'timeout',
      detail: '0.200 s passed without an answer over UDP',
    });
    const stray = await listen((_query, send) => send(Buffer.from('hello')));
    const { fail } = await probe(stray, { timeout: 0.5 });
    expect(fail).toEqual({
      reason: 'timeout',
      detail: '0.500 s passed without an answer over UDP; messages that do not answer the query: 1',
    });
  });

  test.each(['udp', 'tcp'] as const)(
    'a port where nobody listens refuses, and is tried again: %s',
    async (transport) => {
      const fetch = await probe(await freePort(), { transport });
      expect(fetch).toMatchObject({
        fail: { reason: 'refused', detail: 'connection refused' },
        attempts: 2,
        seconds: 10,
      });
    },
  );

  test.each([
    ['udp', 'EACCES over UDP'],
    ['tcp', 'ENETUNREACH over TCP'],
  ] as const)('an address that the system sends nothing to: %s', async (transport, detail) => {
    // The broadcast address of the loopback network.
    const { fail, attempts } = await probe(53, { transport }, { address: '127.255.255.255' });
    expect(fail).toEqual({ reason: 'unreachable', detail });
    expect(attempts).toBe(2);
  });

  test('is given up when nobody wants the result any more', async () => {
    const controller = new AbortController();
    const port = await listen(() => controller.abort());
    const fetch = await probe(port, {}, { signal: controller.signal });
    expect(fetch).toMatchObject({ fail: { reason: 'other', detail: 'the check was cut short' }, attempts: 1 });
    expect((await probe(port, {}, { signal: controller.signal })).fail?.reason).toBe('other');
  });
});

describe('over TCP', () => {
  const never = (): never => expect.fail('asked over UDP');

  test('an answer in single octets', async () => {
    const port = await listen(never, (query, socket) => {
      for (const octet of framed(answer(query))) socket.write(Uint8Array.of(octet));
    });
    const fetch = await probe(port, { transport: 'tcp', data: addresses(1) });
    expect(fetch.fail).toBeNull();
    expect(fetch.phases.connect).toBeGreaterThan(0);
    expect(fetch.phases.firstByte).toBeGreaterThan(0);
  });

  test('after an answer over UDP that is truncated', async () => {
    const port = await listen(
      (query, send) => send(answer(query, { flags: 0x8600, records: [] })),
      (query, socket) => void socket.write(framed(answer(query, { records: addresses(1, 2) }))),
    );
    expect((await probe(port, { data: addresses(1, 2), match: 'exact' })).fail).toBeNull();
  });

  test.each<[string, (query: Buffer, socket: Socket) => void, DnsReason, RegExp]>([
    [
      'another one than asked',
      (query, socket) => void socket.write(framed(answer(query, { id: query.readUInt16BE(0) ^ 1 }))),
      'malformed',
      /^what came over TCP does not answer/,
    ],
    [
      'truncated even so',
      (query, socket) => void socket.write(framed(answer(query, { flags: 0x8600 }))),
      'malformed',
      /^the answer is truncated over TCP$/,
    ],
    ['a frame of no octets', (_, socket) => void socket.write(Uint8Array.of(0, 0)), 'malformed', /does not answer/],
    [
      'more than the frame',
      (query, socket) => void socket.write(Buffer.concat([framed(answer(query).subarray(0, -1)), Buffer.alloc(9)])),
      'malformed',
      /cut short/,
    ],
    [
      '64 KiB of nothing',
      (query, socket) => void socket.write(framed(Buffer.concat([answer(query), Buffer.alloc(65_000)]))),
      'malformed',
      /longer/,
    ],
    [
      'HTTP',
      (_, socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      'closed',
      /^the TCP connection was closed before the answer$/,
    ],
    ['nothing, closed', (_, socket) => void socket.end(), 'closed', /closed/],
    ['half, closed', (query, socket) => void socket.end(framed(answer(query)).subarray(0, 20)), 'closed', /closed/],
    ['reset', (_, socket) => void socket.resetAndDestroy(), 'closed', /reset/],
    [
      'half, then nothing',
      (query, socket) => void socket.write(framed(answer(query)).subarray(0, 20)),
      'timeout',
      /^0\.500 s passed without an answer over TCP$/,
    ],
  ])('%s', async (_, serve, reason, detail) => {
    const { fail } = await probe(await listen(never, serve), { transport: 'tcp', timeout: 0.5 });
    expect(fail).toEqual({ reason, detail: expect.stringMatching(detail) });
  });
});
