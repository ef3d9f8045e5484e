import { createServer } from 'node:net';
import { probeAddress } from './attempts.ts';
import type { ProbeTools } from './check.ts';
import type { HttpTest } from './http-fail.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/**
 * Fetches a few times from a server of its own on loopback, so that the parser is loaded and the code compiled before a
 * real fetch is measured: without it the first ones take 20 to 30 ms too long. Does nothing where it may not listen.
 */
export async function warmUp(tools: ProbeTools): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(ANSWER));
  });
  const port = await new Promise<number | null>((resolve) => {
    server.once('error', () => resolve(null));
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      resolve(bound !== null && typeof bound === 'object' ? bound.port : null);
    });
  });
  if (port === null) return;
  const target = { edge: '127.0.0.1', address: '127.0.0.1', resolve: null };
  const plan = { checks: [{ ...TEST, port }], combine: 'all', timeout: 1, retry: 1, workers: 1 } as const;
  for (let i = 0; i < 20; i++) await probeAddress(target, plan, tools);
  await new Promise((resolve) => server.close(resolve));
}

const TEST: HttpTest = {
  name: 'http',
  kind: 'http',
  host: 'localhost',
  port: 0,
  proto: 'http',
  uri: '/',
  status: null,
  body: null,
  headers: [],
  verify: false,
  ca: null,
  hostIsEdge: false,
  timeout: 1,
  maxBytes: 1000,
};
