import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Fetch } from '../../../src/health/checks/sample.ts';
import type { TcpReason, TcpTest } from '../../../src/health/checks/tcp.ts';
import { listenOnLoopback } from '../../support/listen-on-loopback.ts';
import { type CertificateKinds, makeCertificates } from '../../support/mock-edge-certificates.ts';
import { probeBy } from '../../support/probe-address.ts';

const HOST = 'demo.test';
let certificates: CertificateKinds;
beforeAll(() => {
  certificates = makeCertificates(HOST);
});

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listen(server: Server): Promise<number> {
  const { port, close } = await listenOnLoopback(server);
  closers.push(close);
  return port;
}

const plain = (serve: (socket: Socket) => void): Promise<number> => listen(createServer(serve));
const secure = (kind: Exclude<keyof CertificateKinds, 'ca'>, serve: (socket: Socket) => void = () => {}) =>
  listen(createTlsServer(certificates[kind], serve).on('tlsClientError', () => {}));

async function probe(port: number, more: Partial<TcpTest> = {}, signal?: AbortSignal): Promise<Fetch> {
  const check: TcpTest = { kind: 'tcp', name: 'tcp', timeout: 5, port, tls: null, send: null, expect: null, ...more };
  const plan = { checks: [check], combine: 'all', timeout: 10, retry: 2, workers: 1 } as const;
  return probeBy(plan, '127.0.0.1', signal);
}

const TLS = { name: HOST, verify: true, ca: null };
const octets = (text: string): Uint8Array => Buffer.from(text);

describe('a connection', () => {
  test('is enough, and is closed', async () => {
    let ended: Promise<unknown> = new Promise(() => {});
    const port = await plain((socket) => {
      ended = once(socket.resume(), 'close');
    });
    const fetch = await probe(port);
    expect(fetch).toMatchObject({ fail: null, attempts: 1, check: 'tcp', checks: [{ kind: 'tcp' }] });
    expect(fetch.phases.connect).toBeGreaterThan(0);
    expect(fetch.phases).toMatchObject({ tls: null, firstByte: null });
    await ended;
  });

  test('that is refused is tried again', async () => {
    const server = createServer();
    const port = await listen(server);
    server.close();
    await once(server, 'close');
    expect(await probe(port)).toMatchObject({ fail: { reason: 'refused' }, attempts: 2, seconds: 10 });
  });

  test('what is sent arrives although nothing is expected', async () => {
    const server = createServer();
    const port = await listen(server);
    const got = once(server, 'connection').then(([socket]) => once(socket as Socket, 'data'));
    expect((await probe(port, { send: octets('PING\r\n') })).fail).toBeNull();
    expect(String(await got)).toBe('PING\r\n');
  });

  test('is given up when nobody wants the result any more', async () => {
    const controller = new AbortController();
    const port = await plain(() => controller.abort());
    const fetch = await probe(port, { expect: octets('x') }, controller.signal);
    expect(fetch).toMatchObject({ fail: { reason: 'other', detail: 'the check was cut short' }, attempts: 1 });
  });

  test('to a listener whose queue is full times out while connecting', async () => {
    // The kernel completes handshakes as long as the queue has room; a thread that sleeps accepts none.
    const full = new Worker(
      `const { createServer } = require('node:net'); const { parentPort } = require('node:worker_threads');
       const server = createServer();
       server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
         parentPort.postMessage(server.address().port);
         setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
       });`,
      { eval: true },
    );
    const [stuck] = (await once(full, 'message')) as [number];
    const fillers = Array.from({ length: 8 }, () => connect(stuck, '127.0.0.1').on('error', () => {}));
    onTestFinished(async () => {
      for (const filler of fillers) filler.destroy();
      await full.terminate();
    });
    await Promise.race(fillers.map((filler) => once(filler, 'connect')));
    for (let tries = 0; tries < 20; tries++) {
      const { fail } = await probe(stuck, { timeout: 0.3 });
      if (fail === null) continue; // there was room left for this one
      expect(fail).toEqual({ reason: 'timeout', detail: '0.300 s passed while connecting' });
      return;
    }
    throw new Error('the queue never filled');
  });
});

type Row = [
  name: string,
  serve: (socket: Socket) => void,
  more: Partial<TcpTest>,
  reason: TcpReason | null,
  detail: RegExp | null,
];

describe('what is expected', () => {
  const greets = octets('220 ');
  test.each<Row>([
    ['a greeting', (s) => s.write('220 mail.test ESMTP\r\n'), { expect: greets }, null, null],
    [
      'in pieces',
      (s) => {
        s.write('2');
        setImmediate(() => s.write('20 '));
      },
      { expect: greets },
      null,
      null,
    ],
    [
      'an answer',
      (s) => s.once('data', () => s.write('+PONG\r\n')),
      { send: octets('PING\r\n'), expect: octets('+PONG') },
      null,
      null,
    ],
    ['an answer and the end', (s) => s.end('220 bye'), { expect: greets }, null, null],
    [
      'nothing',
      () => {},
      { expect: greets, timeout: 0.3 },
      'timeout',
      /^0\.300 s passed while waiting for what is expected$/,
    ],
    [
      'something else',
      (s) => s.write('554 no\u001b'),
      { expect: greets, timeout: 0.3 },
      'timeout',
      /only "554 no\\u001b" came/,
    ],
    ['something else and the end', (s) => s.end('554 no'), { expect: greets }, 'unexpected', /^only "554 no" came$/],
    ['the end', (s) => s.end(), { expect: greets }, 'closed', /^connection closed while waiting/],
    ['a reset', (s) => s.resetAndDestroy(), { expect: greets }, 'closed', /^connection reset/],
    [
      'no end',
      (s) => {
        const more = () => s.writable && s.write('x'.repeat(4096), more);
        more();
      },
      { expect: greets },
      'unexpected',
      /^not in the first 16384 octets, which begin with "x{60}"$/,
    ],
    ['half of it and half an end', (s) => s.end('22'), { expect: greets }, 'unexpected', /^only "22" came$/],
  ])('%s', async (_, serve, more, reason, detail) => {
    const fetch = await probe(await plain(serve), more);
    expect(fetch.fail?.reason ?? null).toBe(reason);
    if (detail !== null) expect(fetch.fail?.detail).toMatch(detail);
    if (reason === null) expect(fetch.phases.firstByte).toBeGreaterThan(0);
  });
});

describe('over TLS', () => {
  const trusting = () => ({ ...TLS, ca: certificates.ca });

  test('a handshake is enough', async () => {
    const fetch = await probe(await secure('good'), { tls: trusting() });
    expect(fetch).toMatchObject({ fail: null, attempts: 1 });
    expect(fetch.phases.tls).toBeGreaterThan(0);
  });

  test('something is sent and expected', async () => {
    const port = await secure('good', (socket) => socket.once('data', (piece) => socket.write(`you said ${piece}`)));
    expect((await probe(port, { tls: trusting(), send: octets('hi'), expect: octets('said hi') })).fail).toBeNull();
  });

  test.each<[Exclude<keyof CertificateKinds, 'ca'>, RegExp]>([
    ['expired', /has expired/],
    ['otherName', /demo\.test.* is not in the cert/],
    ['selfSigned', /self-signed/],
    ['unknownIssuer', /UNABLE_TO_(GET_ISSUER|VERIFY)/],
  ])('a certificate that is %s fails, once, unless it is not checked', async (kind, detail) => {
    const port = await secure(kind);
    const fetch = await probe(port, { tls: trusting() });
    expect(fetch).toMatchObject({
      fail: { reason: 'certificate', detail: expect.stringMatching(detail) },
      attempts: 1,
    });
    expect((await probe(port, { tls: { ...trusting(), verify: false } })).fail).toBeNull();
  });

  test('the authorities of one check are not those of another', async () => {
    const fetch = await probe(await secure('good'), { tls: TLS });
    expect(fetch.fail?.reason).toBe('certificate');
  });

  test.each<[string, (socket: Socket) => void, TcpReason, RegExp]>([
    ['a listener in the clear', (s) => s.write('220 mail.test ESMTP\r\n'), 'tls', /during the TLS handshake/],
    ['one that says nothing', () => {}, 'timeout', /during the TLS handshake/],
    ['one that hangs up', (s) => s.end(), 'closed', /during the TLS handshake/],
  ])('%s', async (_, serve, reason, detail) => {
    const fetch = await probe(await plain(serve), { tls: trusting(), timeout: reason === 'timeout' ? 0.5 : 5 });
    expect(fetch.fail).toMatchObject({ reason, detail: expect.stringMatching(detail) });
  });
});
