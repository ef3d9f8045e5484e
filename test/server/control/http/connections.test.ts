import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import {
  CONNECTIONS_MAX,
  Connections,
  httpConnections,
  PIPELINED_MAX,
} from '../../../../src/server/control/http/connections.ts';
import { type HttpServer, startHttp } from '../../../../src/server/control/http/http-server.ts';
import type { MeteredStream } from '../../../../src/server/control/http/metered-stream.ts';
import { OPERATIONS } from '../../../../src/server/control/operations.ts';
import type { StatusView } from '../../../../src/server/control/views/views.ts';
import { throwingGuard } from '../../../support/guard.ts';
import { statusView } from '../api/api-fixture.ts';

const CONNECTIONS_PER_CLIENT = CONNECTIONS_MAX / 2;

const running: HttpServer[] = [];
const clients = new Set<Socket>();
afterEach(async () => {
  for (const client of clients) client.destroy();
  clients.clear();
  for (const http of running.splice(0)) await http.close(0);
});

async function start(over: Partial<StatusView> = {}, connections = CONNECTIONS_MAX): Promise<number> {
  const started = await startHttp({
    guard: throwingGuard(),
    connections,
    endpoint: { address: '0.0.0.0', port: 0 },
    hosts: [],
    operations: OPERATIONS,
    view: statusView(over),
    log: () => undefined,
  });
  if (!started.ok) throw new Error(started.fault.message);
  running.push(started.http);
  return started.http.endpoint.port;
}

/** A connection from an address of its own within 127/8. */
async function client(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  clients.add(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const health = async (port: number): Promise<number> => (await fetch(`http://127.0.0.1:${port}/healthz`)).status;

test.each([
  ['that never say anything', ''],
  ['with half a request', 'GET /healthz HTTP/1.1\r\nhost: x\r\n'],
])(
  'more connections than there is room for, %s: /healthz answers at once, from the same client too',
  async (_, half) => {
    const port = await start();
    const idle: Socket[] = [];
    for (let i = 0; i < CONNECTIONS_MAX + 30; i++) {
      const socket = await client(port);
      if (half !== '') socket.write(half);
      idle.push(socket);
    }
    expect(await health(port)).toBe(200);
    // The oldest gave way; the newest are still there.
    await Promise.all(idle.slice(0, 20).map((socket) => socket.closed || once(socket, 'close')));
    expect(idle.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(CONNECTIONS_PER_CLIENT);
    expect(idle.at(-1)?.closed).toBe(false);
  },
);

test('a client with a single connection keeps it while others fill the server', async () => {
  const port = await start();
  const single = await client(port, '127.0.0.9');
  for (const from of ['127.0.0.2', '127.0.0.3', '127.0.0.4']) {
    for (let i = 0; i < CONNECTIONS_PER_CLIENT; i++) await client(port, from);
  }
  single.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
  const [octets] = (await once(single, 'data')) as [Buffer];
  expect(octets.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
});

test('requests sent ahead are answered one at a time and not without end', async () => {
  let renderings = 0;
  let atOnce = 0;
  const port = await start({
    secondaries: () => {
      renderings++;
      atOnce++;
      expect(atOnce).toBe(1);
      atOnce--;
      return [];
    },
  });
  const flood = 'GET /api/v1/secondaries HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1000);
  const floods = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const socket = await client(port);
      let received = '';
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        received += chunk;
      });
      socket.write(flood);
      return { socket, text: () => received };
    }),
  );
  expect(await health(port)).toBe(200);
  await Promise.all(floods.map(({ socket }) => socket.closed || once(socket, 'close')));
  for (const { text } of floods) {
    const answers = text().match(/HTTP\/1\.1 200 OK/g)?.length ?? 0;
    expect(answers).toBeGreaterThan(0);
    expect(answers).toBeLessThanOrEqual(PIPELINED_MAX);
  }
  // Ten thousand requests: those that waited together shared a rendering.
  expect(renderings).toBeLessThanOrEqual(10 * PIPELINED_MAX);
});

test('a few requests sent ahead are all answered, in their order', async () => {
  const port = await start();
  const socket = await client(port);
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk;
  });
  const paths = ['/livez', '/nothing', '/readyz', '/api/v1/networks'];
  const last = 'GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).join('') + last);
  await once(socket, 'close');
  expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual([200, 404, 200, 200, 200].map((status) => `HTTP/1.1 ${status}`));
  expect(received).toMatch(/"networks":\[.*"reasons":\[\]/s);
});

test('a client that does not take its answers gives way', async () => {
  const row = { ...statusView().zones()[0], file: 'x'.repeat(4_000_000) };
  const port = await start({ zones: () => [row] });
  const stuck = await client(port);
  stuck.pause();
  stuck.write('GET /api/v1/zones HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(5));
  expect(await health(port)).toBe(200);
});

test('readiness is not health', async () => {
  const port = await start({ ready: () => false });
  const status = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  expect(await Promise.all(['/livez', '/readyz', '/healthz'].map(status))).toEqual([200, 503, 503]);
});

test.each([
  [10, 4],
  [64, 8],
  [256, 32],
  [1024, 128],
  [65_536, 200],
])('of %d descriptors %d connections', (descriptors, connections) => {
  expect(httpConnections(descriptors)).toBe(connections);
});

test('with few descriptors there are few connections, and /healthz is answered all the same', async () => {
  const port = await start({}, 8);
  const idle: Socket[] = [];
  for (let i = 0; i < 60; i++) idle.push(await client(port, `127.0.3.${i + 1}`));
  expect(await health(port)).toBe(200);
  await Promise.all(idle.slice(0, 50).map((socket) => socket.closed || once(socket, 'close')));
  expect(idle.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(8);
});

test('bodies that never end are not waited for', async () => {
  const port = await start();
  const ends: Promise<unknown>[] = [];
  for (let i = 0; i < CONNECTIONS_MAX; i++) {
    const socket = await client(port, `127.0.4.${i + 1}`);
    ends.push(once(socket.resume(), 'close'));
    socket.write('POST /healthz HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9999999\r\n\r\n{');
  }
  expect(await health(port)).toBe(200);
  await Promise.all(ends);
});

test('a lower limit ends idle connections that are above it, and holds for those that come', () => {
  const connections = new Connections(async () => undefined, throwingGuard(), 100);
  const closed: number[] = [];
  const add = (i: number): void => {
    const socket = Object.assign(new EventEmitter(), {
      remoteAddress: `127.0.1.${i}`,
      destroy: () => closed.push(i),
    });
    connections.add(socket as unknown as MeteredStream);
  };
  for (let i = 0; i < 30; i++) add(i);
  connections.limit(100);
  expect([connections.size, closed.length]).toEqual([30, 0]);
  connections.limit(8);
  expect([connections.size, closed.length]).toEqual([8, 22]);
  for (let i = 30; i < 40; i++) add(i);
  expect(connections.size).toBe(8);
  connections.limit(20);
  for (let i = 40; i < 60; i++) add(i);
  expect(connections.size).toBe(20);
});
