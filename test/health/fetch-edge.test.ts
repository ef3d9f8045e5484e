import { createHash } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchEdge } from '../../src/health/fetch-edge.ts';
import type { FailReason, Fetch, ProbeTest } from '../../src/health/types.ts';
import { MockEdge } from '../support/mock-edge.ts';
import { type CertificateKinds, makeCertificates } from '../support/mock-edge-certificates.ts';
import type { MockBehaviour } from '../support/mock-edge-script.ts';

const BODY = `${'the object of the test\n'.repeat(20)}end`;
const HOST = 'demo.test';

const plain: ProbeTest = {
  host: HOST,
  port: 0,
  proto: 'http',
  uri: '/object.txt?v=1',
  md5: createHash('md5').update(BODY).digest('hex'),
  verify: true,
  hostIsEdge: false,
  timeout: 5,
  retry: 3,
  workers: 10,
  maxBytes: 100_000,
};
/** Behaviours that end only by the deadline. */
const impatient = { ...plain, timeout: 0.25 };

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

function fetchFrom(edge: MockEdge, probe: ProbeTest): Promise<Fetch> {
  const target = { edge: edge.address, address: edge.address, resolve: null };
  return fetchEdge(target, { ...probe, port: edge.port }, { userAgent: 'Edgewise/test', secureContext: trusting });
}

/** The fetch, once the edge has seen every connection closed: nothing may be left behind. */
async function fetchAndLeave(edge: MockEdge, probe: ProbeTest): Promise<Fetch> {
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
      { kind: 'raw', text: `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(16000)}\r\n\r\n${BODY}` },
    ],
  ])('%s', async (_name, behaviour) => {
    const fetch = await fetchAndLeave(await mock(behaviour), plain);
    expect(fetch).toMatchObject({ address: '127.0.0.1', fail: null, attempts: 1, hops: 0 });
  });
});

describe('every failure has its reason', () => {
  test.each<[string, MockBehaviour, Partial<ProbeTest>, FailReason, RegExp, attempts: number]>([
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
    ['never answers', { kind: 'silent' }, impatient, 'timeout', /0\.250 s passed without an answer/, 1],
    ['stalls in the header', { kind: 'stall-header' }, impatient, 'timeout', /inside the header/, 1],
    ['stalls in the body', { kind: 'stall-body' }, impatient, 'timeout', /inside the body after 461 of 463 octets/, 1],
    ['drips too slowly', { kind: 'drip', ms: 20_000 }, impatient, 'timeout', /inside the (header|body)/, 1],
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
    ['a header too large', { kind: 'huge-header', octets: 20_000 }, {}, 'headers-too-large', /16384/, 1],
    [
      'endless header lines',
      { kind: 'raw', text: `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(20_000)}`, hold: true },
      {},
      'headers-too-large',
      /16384/,
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
      '100 without being asked',
      { kind: 'raw', text: 'HTTP/1.1 100 Continue\r\n\r\n', hold: true },
      {},
      'protocol',
      /response/,
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
    ['six redirects', { kind: 'redirect-chain', hops: 6 }, {}, 'redirects', /more than 5/, 1],
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
      /refused/,
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
