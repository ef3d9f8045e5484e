import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type HttpServer, startHttp } from '../../../../src/server/control/http/http-server.ts';
import { OPERATIONS } from '../../../../src/server/control/operations.ts';
import { pageOperations } from '../../../../src/server/control/page/page-operations.ts';
import type { StatusView } from '../../../../src/server/control/views/views.ts';
import { throwingGuard } from '../../../support/guard.ts';
import { freePort } from '../../../support/ports.ts';
import { network, statusView } from '../api/api-fixture.ts';

const running: HttpServer[] = [];
afterEach(async () => {
  for (const http of running.splice(0)) await http.close(0);
});

async function start(over: Partial<StatusView> = {}, address = '127.0.0.1') {
  const logged: string[] = [];
  const view = statusView(over);
  const started = await startHttp({
    guard: throwingGuard(),
    endpoint: { address, port: 0 },
    hosts: ['edge1.example.net'],
    view,
    operations: [...OPERATIONS, ...pageOperations(view, throwingGuard())],
    log: (level, message) => logged.push(`${level} ${message}`),
  });
  if (!started.ok) throw new Error(started.fault.message);
  running.push(started.http);
  const { port } = started.http.endpoint;
  const host = address.includes(':') ? `[${address}]` : address;
  return { logged, port, get: (path: string, init?: RequestInit) => fetch(`http://${host}:${port}${path}`, init) };
}

/** Everything the server sends on a connection that sends `request`, until it closes. */
async function raw(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('latin1');
  let received = '';
  socket.on('data', (chunk: string) => {
    received += chunk;
  });
  // The server may close before all of a large request is sent.
  socket.on('error', () => undefined);
  socket.write(request);
  await once(socket, 'close');
  return received;
}

test.each([
  ['/', 200, 'text/plain; charset=utf-8', 'Edgewise\n'],
  ['/index.txt', 200, 'text/plain; charset=utf-8', 'Edgewise\n'],
  ['/healthz', 200, 'application/json; charset=utf-8', '{"status":"ok","ready":true,"reasons":[]'],
  ['/livez', 200, 'application/json; charset=utf-8', '{"status":"ok"'],
  ['/readyz', 200, 'application/json; charset=utf-8', '{"status":"ok","ready":true}'],
  ['/healthz?x=1', 200, 'application/json; charset=utf-8', '{"status":"ok"'],
  ['/metrics', 200, 'text/plain; version=0.0.4; charset=utf-8', '# HELP edgewise_'],
  ['/metrics?exclude[]=zones', 200, 'text/plain; version=0.0.4; charset=utf-8', 'edgewise_ready 1\n'],
  ['/api/v1/status', 200, 'application/json; charset=utf-8', '{"status":"ok"'],
  ['/api/v1/networks', 200, 'application/json; charset=utf-8', '{"networks":[{"network":"net-a"'],
  ['/api/v1/networks/net-a', 200, 'application/json; charset=utf-8', '{"network":"net-a"'],
  ['/api/v1/networks/net%2Da', 200, 'application/json; charset=utf-8', '{"network":"net-a"'],
  ['/api/v1/zones', 200, 'application/json; charset=utf-8', '{"zones":[{"zone":"example.test"'],
  ['/api/v1/secondaries', 200, 'application/json; charset=utf-8', '{"secondaries":[{"secondary":"192.0.2.53:53"'],
  [
    '/nothing',
    404,
    'application/problem+json; charset=utf-8',
    '{"error":"not found","detail":"see / for what there is","type":"about:blank","title":"Not Found","status":404}',
  ],
  ['/healthz/', 404, 'application/problem+json; charset=utf-8', '{"error":"not found"'],
  ['/HEALTHZ', 404, 'application/problem+json; charset=utf-8', '{"error":"not found"'],
  [
    '/api/v1/networks/none',
    404,
    'application/problem+json; charset=utf-8',
    '{"error":"not found","detail":"no network \\"none\\""',
  ],
  ['/api/v1/networks/', 404, 'application/problem+json; charset=utf-8', '{"error":"not found"'],
  ['/api/v1/networks/%', 404, 'application/problem+json; charset=utf-8', '{"error":"not found"'],
  ['/api/v1/networks/a/b', 404, 'application/problem+json; charset=utf-8', '{"error":"not found"'],
  ['/api/v1/networks/__proto__', 404, 'application/problem+json; charset=utf-8', '{"error":"not found"'],
])('GET %s answers %i', async (path, status, type, body) => {
  const { get } = await start();
  const response = await get(path);
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe(type);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(await response.text()).toContain(body);
});

test.each([
  ['http://edge1.example.net/healthz', '200 OK'],
  ['HTTP://127.0.0.1:8053/healthz?x=1', '200 OK'],
  ['http://edge1.example.net.', '200 OK'],
  ['http://EDGE1.example.net:8053?x', '200 OK'],
  ['http://edge1.example.net/nothing', '404 Not Found'],
  ['http://elsewhere.test/healthz', '421 Misdirected Request'],
  ['http://elsewhere.test', '421 Misdirected Request'],
  ['http://elsewhere.test/nothing', '421 Misdirected Request'],
])('GET %s, the form for proxies, answers %s', async (target, status) => {
  const { port } = await start();
  const answer = await raw(port, `GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  expect(answer.split('\r\n')[0]).toBe(`HTTP/1.1 ${status}`);
});

test.each(['/healthz', '/metrics', '/nothing'])('HEAD %s is GET without the body', async (path) => {
  const { get } = await start();
  const [head, whole] = [await get(path, { method: 'HEAD' }), await get(path)];
  expect(head.status).toBe(whole.status);
  expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0);
  expect(await head.text()).toBe('');
});

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s is refused', async (method) => {
  const { get } = await start();
  const response = await get('/healthz', { method, ...(method === 'OPTIONS' ? {} : { body: 'x' }) });
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('GET, HEAD');
  expect(response.headers.get('connection')).toBe(method === 'OPTIONS' ? 'keep-alive' : 'close');
  expect(await response.json()).toEqual({
    error: 'method not allowed',
    detail: 'only GET and HEAD',
    type: 'about:blank',
    title: 'Method Not Allowed',
    status: 405,
  });
});

test('an unhealthy server answers 503 and says why', async () => {
  const { get } = await start({ networks: () => [{ ...network, live: [] }] });
  const response = await get('/healthz');
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ status: 'failing', reasons: ['network net-a: no live edge'] });
});

test('a fault of our own is a 500 that shows nothing, and the server goes on', async () => {
  const { get, logged } = await start({
    zones: () => {
      throw new Error('zones are upside down');
    },
  });
  const response = await get('/api/v1/zones');
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({ error: 'internal error', detail: 'the log says more', status: 500 });
  expect(logged).toEqual([expect.stringContaining('zones are upside down')]);
  expect((await get('/api/v1/networks')).status).toBe(200);
});

test('listens on IPv6', async () => {
  const { get } = await start({}, '::1');
  expect((await get('/healthz')).status).toBe(200);
});

test('an address in use is one fault that names it', async () => {
  const port = await freePort();
  const other = createServer().listen(port, '127.0.0.1');
  await once(other, 'listening');
  try {
    expect(
      await startHttp({
        guard: throwingGuard(),
        endpoint: { address: '127.0.0.1', port },
        hosts: [],
        view: statusView(),
        operations: OPERATIONS,
        log: () => undefined,
      }),
    ).toEqual({
      ok: false,
      fault: {
        severity: 'error',
        code: 'address-in-use',
        at: null,
        message: `http.listen 127.0.0.1:${port}: the address is already in use`,
      },
    });
  } finally {
    other.close();
  }
});

test('an address of another machine is one fault', async () => {
  const started = await startHttp({
    guard: throwingGuard(),
    endpoint: { address: '192.0.2.1', port: 0 },
    hosts: [],
    view: statusView(),
    operations: OPERATIONS,
    log: () => undefined,
  });
  expect(started).toMatchObject({ ok: false, fault: { code: 'listen-failed' } });
});

test.each([
  ['no HTTP at all', 'hello\r\n\r\n', 'HTTP/1.1 400 Bad Request\r\n'],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'HTTP/1.1 400 Bad Request\r\n'],
  ['a header that is too large', `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 'HTTP/1.1 431 '],
  ['two lengths', 'GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', 'HTTP/1.1 400 '],
  ['no host', 'GET /healthz HTTP/1.1\r\n\r\n', 'HTTP/1.1 400 Bad Request\r\n'],
  ['an absolute URL', 'GET http://x/healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 'HTTP/1.1 200 OK\r\n'],
  [
    'a tunnel',
    'CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n',
    'HTTP/1.1 405 Method Not Allowed\r\nallow: GET, HEAD\r\n',
  ],
  [
    'a body that never comes',
    'GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n',
    'HTTP/1.1 200 OK\r\n',
  ],
  ['HTTP/1.0', 'GET /healthz HTTP/1.0\r\n\r\n', 'HTTP/1.1 200 OK\r\n'],
])('%s', async (_, request, begins) => {
  const { port, get } = await start();
  const received = await raw(port, request);
  expect(received.startsWith(begins)).toBe(true);
  expect(received).not.toMatch(/ at |Error|node:/);
  expect((await get('/healthz')).status).toBe(200);
});

test('a header that trickles in is cut off, and others are answered meanwhile', async () => {
  const { port, get } = await start();
  const slow = raw(port, 'GET /healthz HTTP/1.1\r\nhost: x\r\n');
  expect((await get('/healthz')).status).toBe(200);
  expect(await slow).toContain('HTTP/1.1 408 Request Timeout\r\n');
});

test('closing ends idle connections at once and lets none in', async () => {
  const { port, get } = await start();
  await (await get('/healthz')).text(); // its connection stays open
  const [http] = running.splice(0);
  await http.close(60_000);
  const late = connect(port, '127.0.0.1');
  const [error] = await once(late, 'error');
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
});
