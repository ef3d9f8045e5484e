import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createSecureContext } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probeAddress } from '../../../src/health/checks/attempts.ts';
import type { ProbeTools } from '../../../src/health/checks/check.ts';
import type { FailReason, Fetch } from '../../../src/health/checks/sample.ts';
import { isDoubtful, LoopWatch, type StallClock } from '../../../src/health/checks/stall.ts';
import { MockEdge } from '../../support/mock-edge.ts';
import { type CertificateKinds, makeCertificates } from '../../support/mock-edge-certificates.ts';
import type { MockBehaviour } from '../../support/mock-edge-script.ts';
import { type HttpProbe, httpPlan } from '../../support/probe-plan.ts';

const BODY = `${'the object of the test\n'.repeat(20)}end`;
const HOST = 'demo.test';

const plain: HttpProbe = {
  kind: 'http',
  host: HOST,
  port: 0,
  proto: 'http',
  uri: '/object.txt?v=1',
  md5: createHash('md5').update(BODY).digest('hex'),
  verify: true,
  ca: null,
  hostIsEdge: false,
  timeout: 5,
  retry: 3,
  workers: 10,
  maxBytes: 100_000,
};
/** For behaviours that end only by the deadline: long enough for a machine that stands still for two seconds. */
const impatient = { ...plain, timeout: 2.5 };

let certificates: CertificateKinds;
let trusting: ReturnType<typeof createSecureContext>;
const edges: MockEdge[] = [];

beforeAll(() => {
  certificates = makeCertificates(HOST);
  trusting = createSecureContext({ ca: certificates.ca });
});
afterAll(() => Promise.all(edges.map((edge) => edge.close())));

async function mock(
  behaviour: MockBehaviour,
  more: Partial<Parameters<typeof MockEdge.start>[0]> = {},
): Promise<MockEdge> {
  const edge = await MockEdge.start({ address: '127.0.0.1', port: 0, body: BODY, behaviour, ...more });
  edges.push(edge);
  return edge;
}

async function fetchFrom(edge: MockEdge, probe: HttpProbe): Promise<Fetch> {
  const target = { edge: edge.address, address: edge.address, resolve: null };
  return (await probeAddress(target, httpPlan({ ...probe, port: edge.port }), tools())).fetch;
}

function tools(stalls: StallClock = { late: () => 0, total: () => 0 }): ProbeTools {
  return {
    userAgent: 'Edgewise/test',
    trust: () => trusting,
    stalls,
    signal: new AbortController().signal,
    pause: async () => {},
  };
}

/** The fetch, once the edge has seen every connection closed: nothing may be left behind. */
async function fetchAndLeave(edge: MockEdge, probe: HttpProbe): Promise<Fetch> {
  const fetch = await fetchFrom(edge, probe);
  await edge.idle();
  return fetch;
}

describe('an edge that serves the object', () => {
  test.each<[string, MockBehaviour]>([
    ['with Content-Length', { kind: 'ok' }],
    ['in chunks', { kind: 'chunked' }],
    ['until the connection ends', { kind: 'until-close' }],
    ['after interim answers', { kind: 'raw', text: `HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n${BODY}` }],
    ['with status 203', { kind: 'raw', text: `HTTP/1.1 203 Other\r\n\r\n${BODY}` }],
    [
      'although it says keep-alive',
      {
        kind: 'raw',
        text: `HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
        hold: true,
      },
    ],
    [
      'with a header just within bounds',
      { kind: 'raw', text: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(262_000)}\r\n\r\n${BODY}` },
    ],
  ])('%s', async (_name, behaviour) => {
    const fetch = await fetchAndLeave(await mock(behaviour), plain);
    expect(fetch).toMatchObject({ address: '127.0.0.1', fail: null, attempts: 1, hops: 0 });
  });
});

describe('the deadline has its reasons', () => {
  test.concurrent.each<[string, MockBehaviour, RegExp]>([
    ['never answers', { kind: 'silent' }, /2\.500 s passed without an answer/],
    ['stalls in the header', { kind: 'stall-header' }, /inside the header/],
    ['stalls in the body', { kind: 'stall-body' }, /inside the body after 461 of 463 octets/],
    ['drips too slowly', { kind: 'drip', ms: 20_000 }, /inside the (header|body)/],
  ])('%s', async (_name, behaviour, detail) => {
    const fetch = await fetchAndLeave(await mock(behaviour), impatient);
    expect(fetch).toMatchObject({ fail: { reason: 'timeout' }, attempts: 1 });
    expect(fetch.fail?.detail).toMatch(detail);
  });

  test.concurrent('over TLS, too', async () => {
    const edge = await mock({ kind: 'stall-body' }, { tls: certificates.good });
    const stalled = await fetchAndLeave(edge, { ...impatient, proto: 'https' });
    expect(stalled.fail).toMatchObject({ reason: 'timeout', detail: expect.stringContaining('inside the body') });
  });

  test.concurrent('all tries are under one', async () => {
    const edge = await mock({ kind: 'ok' });
    await edge.behave({ kind: 'silent' }, [{ kind: 'hang-up' }]);
    const fetch = await fetchAndLeave(edge, impatient);
    expect(fetch).toMatchObject({ fail: { reason: 'timeout' }, attempts: 2, seconds: 2.5 });
  });

  test.concurrent('the look-up takes its part', async () => {
    const edge = await mock({ kind: 'silent' });
    const target = { edge: 'named.test', address: '127.0.0.1', resolve: 2.5 };
    const { fetch } = await probeAddress(target, httpPlan({ ...plain, port: edge.port }), tools());
    expect(fetch.fail?.detail).toBe('5.000 s passed without an answer to the request');
    expect(fetch.phases.resolve).toBe(2.5);
    expect(fetch.phases.total).toBeGreaterThan(2.5);
  });

  test.concurrent('phases add up', async () => {
    const edge = await mock({ kind: 'drip', ms: 3000 });
    const { phases, seconds } = await fetchFrom(edge, { ...plain, timeout: 20 });
    expect(phases).toMatchObject({ resolve: null, tls: null, total: seconds });
    expect(phases.connect).toBeGreaterThan(0);
    expect(phases.firstByte).toBeGreaterThan(0);
    expect(seconds).toBeGreaterThan((phases.connect ?? 0) + (phases.firstByte ?? 0)); // the body
  });
});

describe('every failure has its reason', () => {
  test.each<[string, MockBehaviour, Partial<HttpProbe>, FailReason, RegExp, attempts: number]>([
    ['nobody listens', { kind: 'refuse' }, {}, 'refused', /refused/, 3],
    [
      'reset when taken',
      { kind: 'reset', when: 'accept' },
      {},
      'reset',
      /reset (while connecting|before any answer)/,
      3,
    ],
    ['reset at the request', { kind: 'reset', when: 'request' }, {}, 'reset', /reset before any answer/, 3],
    ['reset inside the header', { kind: 'reset', when: 'header' }, {}, 'reset', /inside the header/, 3],
    [
      'reset inside the body',
      { kind: 'reset', when: 'body' },
      {},
      'reset',
      /inside the body after 461 of 463 octets/,
      3,
    ],
    ['closed without a word', { kind: 'hang-up' }, {}, 'reset', /closed before any answer/, 3],
    ['closed inside the header', { kind: 'truncate', when: 'header' }, {}, 'truncated', /inside the header/, 1],
    ['closed inside the body', { kind: 'truncate', when: 'body' }, {}, 'truncated', /461 of 463 octets/, 1],
    [
      'closed inside a chunk',
      { kind: 'raw', text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc' },
      {},
      'truncated',
      /after 3 octets/,
      1,
    ],
    ['a body without end', { kind: 'endless' }, {}, 'too-large', /over 100000/, 1],
    [
      'a body without end and no limit',
      { kind: 'endless' },
      { ...impatient, maxBytes: 2 ** 50 },
      'timeout',
      /inside the body after \d+ octets/,
      1,
    ],
    [
      'a body that is said to be too large',
      { kind: 'raw', text: 'HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n', hold: true },
      {},
      'too-large',
      /100001 octets/,
      1,
    ],
    [
      'octets without end around a body of none: framing is no body',
      { kind: 'flood', head: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=', piece: 'x'.repeat(65_536) },
      {},
      'too-large',
      /octets on the wire/,
      1,
    ],
    [
      'a status line without end',
      { kind: 'flood', head: 'HTTP/1.1 200 ', piece: 'x'.repeat(65_536) },
      {},
      'headers-too-large',
      /262144/,
      1,
    ],
    ['a status that none may be', { kind: 'raw', text: 'HTTP/1.1 099 X\r\n\r\n' }, {}, 'protocol', /status/, 1],
    ['a header too large', { kind: 'huge-header', octets: 263_000 }, {}, 'headers-too-large', /262144/, 1],
    [
      'endless header lines',
      { kind: 'raw', text: `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(50_000)}`, hold: true },
      {},
      'headers-too-large',
      /262144/,
      1,
    ],
    ['404', { kind: 'status', status: 404 }, {}, 'status', /404/, 1],
    ['503', { kind: 'status', status: 503 }, {}, 'status', /503/, 1],
    ['status 999', { kind: 'status', status: 999 }, {}, 'status', /999/, 1],
    ['another body', { kind: 'tampered' }, {}, 'checksum', /MD5 [0-9a-f]{32} of 463 octets .* instead of/, 1],
    [
      'no body at all',
      { kind: 'raw', text: 'HTTP/1.1 204 Nothing\r\n\r\n' },
      {},
      'checksum',
      /of 0 octets \(status 204\)/,
      1,
    ],
    ['304', { kind: 'raw', text: 'HTTP/1.1 304 Same\r\n\r\n' }, {}, 'checksum', /status 304/, 1],
    [
      'a coding nobody asked for',
      { kind: 'raw', text: 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nxyz' },
      {},
      'checksum',
      /Content-Encoding "gzip"/,
      1,
    ],
    ['not HTTP', { kind: 'raw', text: 'SSH-2.0-OpenSSH_9.2p1\r\n' }, {}, 'protocol', /HTTP/, 1],
    ['binary noise', { kind: 'raw', text: '\x00\xff\x16\x03\x01\x80' }, {}, 'protocol', /HTTP/, 1],
    [
      'closed inside a chunk with Connection: close',
      { kind: 'raw', text: 'HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc' },
      {},
      'truncated',
      /after 3 octets/,
      1,
    ],
    [
      'broken chunking',
      { kind: 'raw', text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc' },
      {},
      'protocol',
      /chunk/,
      1,
    ],
    [
      'two lengths',
      { kind: 'raw', text: 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc' },
      {},
      'protocol',
      /contradicting/,
      1,
    ],
    [
      'upgrade',
      { kind: 'raw', text: 'HTTP/1.1 101 Switch\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', hold: true },
      {},
      'protocol',
      /upgrade/,
      1,
    ],
    [
      '100 without being asked, and nothing behind it',
      { kind: 'raw', text: 'HTTP/1.1 100 Continue\r\n\r\n', hold: true },
      impatient,
      'timeout',
      /inside the header/,
      1,
    ],
    [
      'interim answers without end',
      { kind: 'raw', text: 'HTTP/1.1 102 Wait\r\n\r\n'.repeat(50), hold: true },
      {},
      'protocol',
      /interim/,
      1,
    ],
    ['31 redirects', { kind: 'redirect-chain', hops: 31 }, {}, 'redirects', /more than 30/, 1],
    ['a redirect loop', { kind: 'redirect-loop' }, {}, 'redirects', /loop/, 1],
    [
      'a redirect to itself',
      { kind: 'raw', text: 'HTTP/1.1 301 M\r\nLocation: ?v=1\r\n\r\n' },
      {},
      'redirects',
      /loop/,
      1,
    ],
    [
      'a redirect without Location',
      { kind: 'raw', text: 'HTTP/1.1 301 M\r\n\r\n' },
      {},
      'redirects',
      /without a Location/,
      1,
    ],
    [
      'a redirect to no URL',
      { kind: 'raw', text: 'HTTP/1.1 301 M\r\nLocation: http://[/\r\n\r\n' },
      {},
      'redirects',
      /no URL/,
      1,
    ],
    [
      'a redirect to another scheme',
      { kind: 'raw', text: 'HTTP/1.1 301 M\r\nLocation: ftp://x/\r\n\r\n' },
      {},
      'redirects',
      /neither/,
      1,
    ],
    [
      'a redirect to a closed port',
      { kind: 'redirect', location: 'http://demo.test:1/x' },
      {},
      'refused',
      /refused, redirected to "http:\/\/demo.test:1\/x"/,
      3,
    ],
    ['a test that is no URL', { kind: 'ok' }, { host: 'no host' }, 'other', /could not be made/, 1],
  ])('%s', async (_name, behaviour, more, reason, detail, attempts) => {
    const edge = await mock(behaviour);
    const fetch = await fetchAndLeave(edge, { ...plain, ...more });
    expect(fetch.fail?.reason).toBe(reason);
    expect(fetch.fail?.detail).toMatch(detail);
    expect(fetch.attempts).toBe(attempts);
    expect(fetch.seconds).toBe(more.timeout ?? plain.timeout);
  });
});

describe('the request', () => {
  test('goes to the address and names the host', async () => {
    const edge = await mock({ kind: 'ok' });
    await fetchFrom(edge, plain);
    const head = edge.requests[0]?.head.split('\r\n');
    expect(head).toEqual([
      'GET /object.txt?v=1 HTTP/1.1',
      `Host: demo.test:${edge.port}`,
      'User-Agent: Edgewise/test',
      'Accept: */*',
      'Accept-Encoding: gzip, deflate',
      'Connection: close',
      '',
      '',
    ]);
  });

  test.each([
    ['as testing wants it', '127.0.0.1', '127.0.0.1'],
    ['in brackets over IPv6', '::1', '[::1]'],
  ])('names the edge itself %s', async (_name, address, host) => {
    const edge = await mock({ kind: 'ok' }, { address });
    const fetch = await fetchFrom(edge, { ...plain, hostIsEdge: true });
    expect(fetch.fail).toBeNull();
    expect(edge.requests[0]?.host).toBe(`${host}:${edge.port}`);
  });

  test('uses a fresh connection each time', async () => {
    const edge = await mock({ kind: 'ok' });
    for (let i = 0; i < 3; i++) await fetchFrom(edge, plain);
    expect(edge.connections).toBe(3);
  });

  test.each([
    ['object.txt', '/object.txt'],
    ['/a b/ü', '/a%20b/%C3%BC'],
    ['', '/'],
    ['//obj', '//obj'],
    ['//127.0.0.1:1/obj', '//127.0.0.1:1/obj'],
  ])('asks for %j as %j', async (uri, path) => {
    const edge = await mock({ kind: 'ok' });
    await fetchFrom(edge, { ...plain, uri });
    expect(edge.requests[0]?.path).toBe(path);
  });
});

describe('tries', () => {
  test('again after connection errors, and counts only the last', async () => {
    const edge = await mock({ kind: 'ok' });
    await edge.behave({ kind: 'ok' }, [{ kind: 'reset', when: 'body' }, { kind: 'hang-up' }]);
    expect(await fetchFrom(edge, plain)).toMatchObject({ fail: null, attempts: 3 });
  });

  test.each<[string, Partial<HttpProbe>, number[], number]>([
    ['three', { retry: 3 }, [100, 200], 3],
    ['more, by a second at most', { retry: 7, timeout: 20 }, [100, 200, 400, 800, 1000, 1000], 7],
    ['one, without', { retry: 1 }, [], 1],
    ['none that would end after the deadline', { retry: 9, timeout: 0.09 }, [], 1],
  ])('with pauses between: %s', async (_name, more, pauses, attempts) => {
    const edge = await mock({ kind: 'refuse' });
    const waited: number[] = [];
    const target = { edge: edge.address, address: edge.address, resolve: null };
    const pause = async (ms: number): Promise<void> => void waited.push(ms);
    const { fetch } = await probeAddress(target, httpPlan({ ...plain, port: edge.port, ...more }), {
      ...tools(),
      pause,
    });
    expect(fetch).toMatchObject({ fail: { reason: 'refused' }, attempts });
    expect(waited).toEqual(pauses);
  });

  test('none once the round is cut short', async () => {
    const edge = await mock({ kind: 'silent' });
    const controller = new AbortController();
    const target = { edge: edge.address, address: edge.address, resolve: null };
    const cut = { ...tools(), signal: controller.signal };
    const fetching = probeAddress(target, httpPlan({ ...plain, port: edge.port, timeout: 600 }), cut);
    await edge.asked();
    controller.abort();
    expect((await fetching).fetch).toMatchObject({ fail: { detail: 'the fetch was cut short' }, attempts: 1 });
    await edge.idle();
    const again = await probeAddress(target, httpPlan({ ...plain, port: edge.port, timeout: 600 }), cut);
    expect(again.fetch).toMatchObject({ fail: { detail: 'the fetch was cut short' }, attempts: 1 });
  });

  test('no more often than `retry` says', async () => {
    const edge = await mock({ kind: 'hang-up' });
    expect(await fetchFrom(edge, { ...plain, retry: 2 })).toMatchObject({ fail: { reason: 'reset' }, attempts: 2 });
    expect(edge.connections).toBe(2);
  });
});

describe('redirects', () => {
  test('thirty are followed, each part of the sample', async () => {
    const edge = await mock({ kind: 'redirect-chain', hops: 30 });
    const fetch = await fetchAndLeave(edge, plain);
    expect(fetch).toMatchObject({ fail: null, hops: 30 });
    const { connect, firstByte } = fetch.phases;
    expect(fetch.seconds).toBeGreaterThanOrEqual((connect ?? 0) + (firstByte ?? 0));
    expect(edge.connections).toBe(31);
  });

  test.each([
    ['to another path', '/elsewhere', '/elsewhere', 'demo.test:{port}'],
    ['to the same host, its port not said', 'http://demo.test/elsewhere', '/elsewhere', 'demo.test:{port}'],
    ['to another host: still the same edge', 'http://www.other.test:{port}/x', '/x', 'www.other.test:{port}'],
  ])('%s', async (_name, location, path, host) => {
    const edge = await mock({ kind: 'redirect', location });
    expect(await fetchFrom(edge, plain)).toMatchObject({ fail: null, hops: 1 });
    expect(edge.requests[1]).toMatchObject({ path, host: host.replace('{port}', String(edge.port)) });
  });

  test('from http to https: SNI and certificate by the name in the redirect', async () => {
    const secure = await mock({ kind: 'ok' }, { tls: certificates.otherName });
    const edge = await mock({ kind: 'redirect', location: `https://other.demo.test:${secure.port}/object.txt` });
    const fetch = await fetchFrom(edge, plain);
    expect(fetch).toMatchObject({ fail: null, hops: 1 });
    expect(fetch.phases.tls).not.toBeNull();
    expect(secure.requests[0]?.servername).toBe('other.demo.test');
  });
});

describe('over TLS', () => {
  const secure: HttpProbe = { ...plain, proto: 'https' };
  type Kind = Exclude<keyof CertificateKinds, 'ca'>;

  test('SNI and certificate by the name of the host', async () => {
    const edge = await mock({ kind: 'ok' }, { tls: certificates.good });
    const fetch = await fetchAndLeave(edge, secure);
    expect(fetch.fail).toBeNull();
    expect(fetch.phases.tls).toBeGreaterThan(0);
    expect(edge.requests[0]).toMatchObject({ servername: HOST, host: `${HOST}:${edge.port}` });
  });

  test('a final dot of the host is no part of SNI and certificate', async () => {
    const edge = await mock({ kind: 'ok' }, { tls: certificates.good });
    expect((await fetchFrom(edge, { ...secure, host: `${HOST}.` })).fail).toBeNull();
    expect(edge.requests[0]).toMatchObject({ servername: HOST, host: `${HOST}.:${edge.port}` });
  });

  test.each<[Kind, RegExp]>([
    ['expired', /has expired \(CERT_HAS_EXPIRED\)/],
    ['otherName', /demo\.test.* is not in the cert/],
    ['selfSigned', /self-signed/],
    ['unknownIssuer', /UNABLE_TO_(GET_ISSUER|VERIFY)/],
  ])('a certificate that is %s fails, once, unless certificates are not checked', async (kind, detail) => {
    const edge = await mock({ kind: 'ok' }, { tls: certificates[kind] });
    const fetch = await fetchAndLeave(edge, secure);
    expect(fetch).toMatchObject({ fail: { reason: 'tls' }, attempts: 1 });
    expect(fetch.fail?.detail).toMatch(detail);
    expect((await fetchFrom(edge, { ...secure, verify: false })).fail).toBeNull();
  });

  test('an address as host is checked as an address, without SNI', async () => {
    const edge = await mock({ kind: 'ok' }, { tls: certificates.good });
    const fetch = await fetchFrom(edge, { ...secure, host: '127.0.0.1' });
    expect(fetch.fail).toMatchObject({ reason: 'tls', detail: expect.stringContaining('127.0.0.1') });
    await fetchFrom(edge, { ...secure, host: '127.0.0.1', verify: false });
    expect(edge.requests[0]?.servername).toBeNull();
  });

  test.each<[string, MockBehaviour, FailReason, RegExp, number, number?]>([
    [
      'an edge that does not speak it',
      { kind: 'raw', text: 'no TLS here\r\n\r\n' },
      'tls',
      /during the TLS handshake/,
      3,
    ],
    ['a handshake that is never answered', { kind: 'silent' }, 'timeout', /during the TLS handshake/, 1, 2.5],
    ['a handshake cut by a FIN', { kind: 'hang-up' }, 'reset', /connection (closed|reset) during the TLS handshake/, 3],
    ['a handshake cut by a reset', { kind: 'reset', when: 'accept' }, 'reset', /handshake|connecting/, 3],
  ])('%s', async (_name, behaviour, reason, detail, attempts, timeout = 5) => {
    const edge = await mock(behaviour);
    const fetch = await fetchAndLeave(edge, { ...secure, timeout });
    expect(fetch).toMatchObject({ fail: { reason }, attempts });
    expect(fetch.fail?.detail).toMatch(detail);
  });

  test('a truncated body is told as without', async () => {
    const edge = await mock({ kind: 'truncate', when: 'body' }, { tls: certificates.good });
    expect((await fetchFrom(edge, secure)).fail?.reason).toBe('truncated');
  });
});

describe('when our own loop stands still', () => {
  /** Says `late` in turn whenever it is asked, and of all stalls one ms more each time. */
  function clock(...late: readonly number[]): StallClock {
    const left = [...late];
    let total = 100;
    return { late: () => left.shift() ?? 1000, total: () => total++ };
  }

  test.each<[string, MockBehaviour, Partial<HttpProbe>, StallClock, number]>([
    ['what matters is the connection and the end', { kind: 'drip', ms: 30 }, {}, clock(3, 40), 43],
    ['of each hop', { kind: 'redirect-chain', hops: 1 }, {}, clock(3, 40, 5, 6), 54],
    ['or the deadline', { kind: 'stall-body' }, { timeout: 2.5 }, clock(3, 40), 43],
  ])('%s', async (_name, behaviour, more, stalls, stalledMs) => {
    const edge = await mock(behaviour);
    const target = { edge: edge.address, address: edge.address, resolve: null };
    const fetched = await probeAddress(target, httpPlan({ ...plain, port: edge.port, ...more }), tools(stalls));
    expect(fetched.stalledMs).toBe(stalledMs);
  });

  test('every part of a handshake matters', async () => {
    const edge = await mock({ kind: 'ok' }, { tls: certificates.good });
    const target = { edge: edge.address, address: edge.address, resolve: null };
    const fetched = await probeAddress(
      target,
      httpPlan({ ...plain, proto: 'https', port: edge.port }),
      tools(clock(40)),
    );
    expect(fetched).toMatchObject({ fetch: { fail: null }, stalledMs: 41 });
  });

  test('an answer that came in time but was read too late is a timeout in doubt', async () => {
    const { port, close, served } = await edgeInAnotherThread();
    const watch = new LoopWatch();
    const meter = watch.open();
    const target = { edge: '127.0.0.1', address: '127.0.0.1', resolve: null };
    const started = performance.now();
    const fetching = probeAddress(target, httpPlan({ ...plain, md5: null, timeout: 2.5, port }), tools(watch));
    await served.asked;
    served.block(started + 2600);
    const { fetch, stalledMs } = await fetching;
    watch.close(meter);
    await close();
    expect(fetch.fail?.reason).toBe('timeout');
    expect(isDoubtful(stalledMs, fetch.seconds)).toBe(true);
  });
});

/** Answers one request at the moment when `block` has begun, which ends after `until` (`performance.now()`). */
async function edgeInAnotherThread() {
  const flags = new Int32Array(new SharedArrayBuffer(8));
  const code = `
    const { parentPort, workerData: flags } = require('node:worker_threads');
    const server = require('node:net').createServer((socket) => {
      socket.on('error', () => {}).once('data', () => {
        parentPort.postMessage('asked');
        Atomics.wait(flags, 0, 0);
        socket.end('HTTP/1.1 200 OK\\r\\n\\r\\nanswer', () => {
          Atomics.store(flags, 1, 1);
          Atomics.notify(flags, 1);
        });
      });
    });
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
  const worker = new Worker(code, { eval: true, workerData: flags });
  const [port] = (await once(worker, 'message')) as [number];
  return {
    port,
    served: {
      asked: once(worker, 'message'),
      block: (until: number): void => {
        Atomics.store(flags, 0, 1);
        Atomics.notify(flags, 0);
        Atomics.wait(flags, 1, 0);
        while (performance.now() < until);
      },
    },
    close: () => worker.terminate(),
  };
}

test('an address that does not answer at all times out while connecting', async () => {
  const { port, close } = await deafListener();
  const target = { edge: '127.0.0.1', address: '127.0.0.1', resolve: null };
  const { fetch } = await probeAddress(target, httpPlan({ ...impatient, port }), tools());
  await close();
  expect(fetch.fail).toEqual({ reason: 'timeout', detail: '2.500 s passed while connecting' });
  expect(fetch.phases.connect).toBeNull();
});

/** A listening socket whose queue is full and whose thread sleeps, so that the system drops every further SYN. */
async function deafListener(): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const code = `
    const { parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer();
    server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const worker = new Worker(code, { eval: true });
  const [port] = (await once(worker, 'message')) as [number];
  const fillers = Array.from({ length: 4 }, () => connect({ host: '127.0.0.1', port }).on('error', () => {}));
  // The queue takes one more than it was told; the rest hang.
  await Promise.all(fillers.slice(0, 2).map((socket) => once(socket, 'connect')));
  return {
    port,
    close: async () => {
      for (const socket of fillers) socket.destroy();
      await worker.terminate();
    },
  };
}
