import { createHash } from 'node:crypto';
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HttpTest } from '../../../src/health/checks/http-fail.ts';
import type { Fetch } from '../../../src/health/checks/sample.ts';
import { listenOnLoopback } from '../../support/listen-on-loopback.ts';
import { type CertificateKinds, makeCertificates } from '../../support/mock-edge-certificates.ts';
import { httpTestAt, planOf, probeBy } from '../../support/probe-address.ts';

const HOST = 'demo.test';
let certificates: CertificateKinds;
beforeAll(() => {
  certificates = makeCertificates(HOST);
});

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

type Serve = (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void;
type Options = { readonly kind?: Exclude<keyof CertificateKinds, 'ca'>; readonly allowHTTP1?: boolean };

async function listen(server: Http2SecureServer | Http2Server | ReturnType<typeof createTlsServer>): Promise<number> {
  server.on('tlsClientError', () => {});
  const { port, close } = await listenOnLoopback(server);
  closers.push(close);
  return port;
}

/** An edge that speaks nothing but HTTP/2, and how many connections came to it. */
async function serve(answer: Serve, { kind = 'good', allowHTTP1 = false }: Options = {}) {
  const server = createSecureServer({ ...certificates[kind], allowHTTP1 });
  const seen = { connections: 0, versions: [] as string[] };
  server.on('connection', () => {
    seen.connections += 1;
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    answer(stream, headers);
  });
  server.on('sessionError', () => {});
  server.on('session', (session: ServerHttp2Session) => session.on('error', () => {}));
  server.on('request', (request, response) => {
    seen.versions.push(request.httpVersion);
    if (request.httpVersionMajor === 1) response.end('one');
  });
  return { port: await listen(server), seen };
}

function probe(port: number, more: Partial<HttpTest> = {}): Promise<Fetch> {
  const usual = { host: HOST, proto: 'https', uri: '/health?x=1', ca: certificates.ca } as const;
  return probeBy(planOf(httpTestAt(port, { ...usual, ...more })));
}

const md5 = (body: Buffer) => ({ kind: 'md5', digest: createHash('md5').update(body).digest('hex') }) as const;
const ok: Serve = (stream) => {
  stream.respond({ ':status': 200 });
  stream.end('ok');
};

describe('an edge that speaks nothing but HTTP/2', () => {
  test('is asked in it, with the fields that belong there', async () => {
    let got: Record<string, unknown> = {};
    const { port, seen } = await serve((stream, headers) => {
      got = headers;
      ok(stream, headers);
    });
    const headers = [
      ['X-Health', 'yes'],
      ['Keep-Alive', '5'],
    ] as const;
    const fetch = await probe(port, { headers, body: md5(Buffer.from('ok')) });
    expect(fetch).toMatchObject({ fail: null, hops: 0, attempts: 1 });
    expect(fetch.phases.tls).toBeGreaterThan(0);
    expect(fetch.phases.firstByte).toBeGreaterThan(0);
    expect(seen).toEqual({ connections: 2, versions: ['2.0'] });
    expect(got).toMatchObject({
      ':method': 'GET',
      ':path': '/health?x=1',
      ':authority': `${HOST}:${port}`,
      'user-agent': 'Edgewise/test',
      'x-health': 'yes',
    });
    expect(Object.keys(got)).not.toContain('keep-alive');
  });

  test('an edge that speaks both is asked in HTTP/1.1, as ever', async () => {
    const { port, seen } = await serve(ok, { allowHTTP1: true });
    expect((await probe(port, { body: md5(Buffer.from('one')) })).fail).toBeNull();
    expect(seen).toEqual({ connections: 1, versions: ['1.1'] });
  });

  test.each<[Exclude<keyof CertificateKinds, 'ca'>, RegExp]>([
    ['expired', /the certificate has expired/],
    ['otherName', /not in the cert's altnames|does not match/],
    ['selfSigned', /the certificate is self-signed/],
  ])('with a certificate that is %s fails', async (kind, detail) => {
    const { port } = await serve(ok, { kind });
    expect((await probe(port)).fail).toEqual({ reason: 'tls', detail: expect.stringMatching(detail) });
    expect((await probe(port, { verify: false })).fail).toBeNull();
  });

  test('status, redirects with cookies, codings and large bodies are as in HTTP/1.1', async () => {
    const large = Buffer.alloc(3_000_000, 'abc');
    const { port } = await serve((stream, headers) => {
      switch (headers[':path']) {
        case '/start':
          stream.additionalHeaders({ ':status': 103 });
          stream.respond({ ':status': 302, location: '/next', 'set-cookie': ['a=1', 'b=2'] });
          stream.end();
          return;
        case '/next':
          stream.respond({ ':status': headers['cookie'] === 'a=1; b=2' ? 200 : 403, 'content-encoding': 'gzip' });
          stream.end(gzipSync('packed'));
          return;
        case '/large':
          stream.respond({ ':status': 200, 'content-length': large.length });
          stream.end(large);
          return;
        case '/empty':
          stream.respond({ ':status': 204 }, { endStream: true });
          return;
        default:
          stream.respond({ ':status': 503 });
          stream.end('no');
      }
    });
    expect(await probe(port, { uri: '/start', body: md5(Buffer.from('packed')) })).toMatchObject({
      fail: null,
      hops: 1,
    });
    expect((await probe(port, { uri: '/large', maxBytes: 4_000_000, body: md5(large) })).fail).toBeNull();
    expect((await probe(port, { uri: '/large', body: md5(large) })).fail?.reason).toBe('too-large');
    expect((await probe(port, { uri: '/empty', status: [[204, 204]] })).fail).toBeNull();
    expect((await probe(port)).fail).toEqual({ reason: 'status', detail: 'status 503' });
    expect((await probe(port, { status: [[503, 503]], body: md5(Buffer.from('yes')) })).fail?.reason).toBe('checksum');
  });

  test.each<[string, Serve, string[]]>([
    ['says nothing', () => {}, ['timeout']],
    [
      'stops in the body',
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.write('o');
      },
      ['timeout'],
    ],
    [
      'ends the connection in the body',
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.write('o', () => stream.session?.destroy());
      },
      ['reset', 'truncated'],
    ],
    ['ends the connection before any answer', (stream) => void stream.session?.destroy(), ['reset']],
    ['resets the stream', (stream) => stream.close(2), ['reset']],
    [
      'sends no body where one is said to come',
      (stream) => {
        stream.respond({ ':status': 200, 'content-length': 5 });
        stream.end();
      },
      ['reset', 'truncated'],
    ],
    ['goes away', (stream) => stream.session?.goaway(11), ['reset']],
    [
      'sends a header without end',
      (stream) => {
        stream.respond(Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`x-${i}`, 'y'.repeat(400)])));
        stream.end();
      },
      ['headers-too-large', 'reset', 'protocol'],
    ],
    [
      'sends one interim answer after another',
      (stream) => {
        for (let i = 0; i < 20; i++) stream.additionalHeaders({ ':status': 103 });
      },
      ['protocol'],
    ],
  ])('that %s fails', async (_, answer, reasons) => {
    const { port } = await serve(answer);
    const { fail } = await probe(port, { timeout: 1, body: md5(Buffer.from('ok')) });
    expect(reasons).toContain(fail?.reason);
  });
});

describe('what is no HTTP/2 after all', () => {
  test('an edge that speaks neither', async () => {
    const port = await listen(createTlsServer({ ...certificates.good, ALPNProtocols: ['imap'] }, () => {}));
    expect((await probe(port)).fail).toMatchObject({
      reason: 'tls',
      detail: expect.stringContaining('NO_APPLICATION_PROTOCOL'),
    });
  });

  test('an edge that agrees and then writes something else', async () => {
    const greet = (socket: TLSSocket): void => void socket.end('220 hello, this is mail\r\n'.repeat(10));
    const port = await listen(createTlsServer({ ...certificates.good, ALPNProtocols: ['h2'] }, greet));
    expect(['protocol', 'reset']).toContain((await probe(port)).fail?.reason);
  });

  const SETTINGS = frame(4, 0, 0, []);
  /** HEADERS with END_HEADERS: `:status: 200`, by HPACK's static table. */
  const OK = frame(1, 4, 1, [0x88]);

  test('an edge that knows no ALPN and answers HTTP/1.1 with SETTINGS is asked again in HTTP/2', async () => {
    const { port, seen } = await raw({}, frame(1, 5, 1, [0x89])); // 204, END_STREAM
    expect((await probe(port)).fail).toBeNull();
    expect(seen.connections).toBe(2);
  });

  const DATA = frame(0, 0, 1, [0x6f]);
  // Node ends the session after a frame that is none without a word, and waits for the edge to close.
  test.each<[string, Buffer[], string, string]>([
    ['a stream that is cancelled', [OK, DATA, frame(3, 0, 1, [0, 0, 0, 8])], 'reset', 'error code 8'],
    ['a stream that is refused', [frame(3, 0, 1, [0, 0, 0, 7])], 'reset', 'REFUSED_STREAM'],
    ['a frame that nobody may send', [OK, frame(5, 4, 1, [0, 0, 0, 2, 0x88])], 'timeout', 'inside the body'],
  ])('%s', async (_, frames, reason, detail) => {
    const { port } = await raw({ ALPNProtocols: ['h2'] }, ...frames);
    expect((await probe(port, { timeout: 1 })).fail).toEqual({ reason, detail: expect.stringContaining(detail) });
  });

  test('a header that is none', async () => {
    const { port } = await raw({ ALPNProtocols: ['h2'] }, frame(1, 4, 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
    const reason = (await probe(port, { timeout: 1 })).fail?.reason;
    // Node 20 waits for the edge to close, as above; 22 and 24 say what it is.
    expect(reason).toBe(Number.parseInt(process.versions.node, 10) >= 22 ? 'protocol' : 'timeout');
  });

  /** RFC 9113 section 4.1. */
  function frame(type: number, flags: number, stream: number, payload: readonly number[]): Buffer {
    return Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, stream, ...payload]);
  }

  /** Writes SETTINGS at once, and the frames when something comes after the client's preface. */
  async function raw(more: { ALPNProtocols?: string[] }, ...frames: readonly Buffer[]) {
    const seen = { connections: 0 };
    const port = await listen(
      createTlsServer({ ...certificates.good, ...more }, (socket) => {
        seen.connections += 1;
        socket.on('error', () => {});
        socket.write(SETTINGS);
        let got = Buffer.alloc(0);
        let isAnswered = false;
        socket.on('data', (piece: Buffer) => {
          got = Buffer.concat([got, piece]);
          if (isAnswered || ![0x25, 5].some((flags) => got.includes(Buffer.from([1, flags, 0, 0, 0, 1])))) return;
          isAnswered = true;
          socket.write(Buffer.concat(frames));
        });
      }),
    );
    return { port, seen };
  }
});
