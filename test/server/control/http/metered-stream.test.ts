import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { meter } from '../../../../src/server/control/http/http-server.ts';
import type { MeteredStream } from '../../../../src/server/control/http/metered-stream.ts';
import { throwingGuard } from '../../../support/guard.ts';

const FLOOD = 'GET /flood HTTP/1.1\r\nhost: x\r\n\r\n';
/** Requests that fit in what is handed on in one turn. */
const IN_A_TURN = Math.ceil(512 / FLOOD.length);

const cleanUp: (() => unknown)[] = [];
afterEach(() => {
  for (const step of cleanUp.splice(0).reverse()) step();
});

/** A server that counts the requests it parsed by connection, and answers those that are no flood. */
async function start(onRequest: (stream: MeteredStream) => void = () => undefined) {
  const parsed = new Map<unknown, number>();
  const streams: MeteredStream[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const stream = request.socket as unknown as MeteredStream;
    parsed.set(stream, (parsed.get(stream) ?? 0) + 1);
    if (request.url === '/flood') onRequest(stream);
    else request.pipe(response);
  });
  meter(server, throwingGuard(), (stream) => streams.push(stream));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const client = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    cleanUp.push(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  return { port, parsed, streams, client };
}

test('two hundred clients that send thousands of requests ahead: each is parsed for one turn after it is held', async () => {
  const { port, parsed, streams, client } = await start((stream) => stream.hold());
  for (let i = 0; i < 200; i++) (await client()).write(FLOOD.repeat(5000));
  // Every connection has been read at least once, and others are answered meanwhile.
  while (parsed.size < 200) await fetch(`http://127.0.0.1:${port}/`);
  for (let i = 0; i < 20; i++) await fetch(`http://127.0.0.1:${port}/`);
  const floods = streams.map((stream) => parsed.get(stream) ?? 0).filter((count) => count > 0);
  expect(Math.max(...floods)).toBeLessThanOrEqual(IN_A_TURN);
});

test('a body of many turns arrives whole, in its order', async () => {
  const { port } = await start();
  const body = Array.from({ length: 20_000 }, (_, i) => `line ${i}`).join('\n');
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body });
  expect(await response.text()).toBe(body);
});

test.each(['reset', 'half-closed', 'closed'])('a client that is %s leaves no stream behind', async (how) => {
  const { streams, client } = await start();
  const socket = await client();
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(socket, 'data');
  if (how === 'reset') socket.resetAndDestroy();
  else if (how === 'closed') socket.destroy();
  else socket.resume().end();
  const [stream] = streams;
  // `once` would reject with the error of a reset.
  if (!stream.closed) await new Promise<void>((resolve) => stream.once('close', resolve));
  expect(stream.destroyed).toBe(true);
});
