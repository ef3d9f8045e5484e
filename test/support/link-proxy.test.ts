import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LinkProxy } from './link-proxy.ts';
import { listenOnLoopback } from './listen-on-loopback.ts';

/** What the server got; it answers each message with the same in capitals. */
let got: string[];
let server: Server;
let close: () => void;
let proxy: LinkProxy;
const clients: Socket[] = [];

beforeEach(async () => {
  got = [];
  server = createServer((socket) => {
    socket.setEncoding('utf8').on('data', (text: string) => {
      got.push(text);
      socket.write(text.toUpperCase());
    });
  });
  const listening = await listenOnLoopback(server);
  ({ close } = listening);
  proxy = await LinkProxy.start({ address: '127.0.0.1', port: listening.port });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.stop();
  close();
});

/** A connection through the proxy: what it got, and how it ended. */
async function open(): Promise<{
  readonly socket: Socket;
  readonly seen: string[];
  readonly next: () => Promise<unknown>;
  readonly closed: Promise<string>;
}> {
  const socket = dial(proxy.port, '127.0.0.1');
  clients.push(socket);
  const seen: string[] = [];
  let code = 'closed';
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? error.message;
  });
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(code)));
  socket.setEncoding('utf8').on('data', (text: string) => seen.push(text));
  await Promise.race([once(socket, 'connect').catch(() => undefined), closed]);
  return { socket, seen, next: () => once(socket, 'data'), closed };
}

test('passes both ways, and both ends of a connection', async () => {
  const { socket, seen, next, closed } = await open();
  const answer = next();
  socket.write('one');
  await answer;
  expect(seen).toEqual(['ONE']);
  socket.end();
  expect(await closed).toBe('closed');
});

test('drop resets what is there and refuses what is new; healed, it passes', async () => {
  const old = await open();
  await proxy.set('drop');
  expect(await old.closed).toBe('ECONNRESET');
  const refused = await open();
  expect(await refused.closed).toBe('ECONNREFUSED');
  await proxy.heal();
  const { socket, next } = await open();
  const answer = next();
  socket.write('two');
  expect(await answer).toEqual(['TWO']);
});

test('half-open swallows on old and new connections, and resets them when it is over', async () => {
  const old = await open();
  const first = old.next();
  old.socket.write('first');
  await first;
  await proxy.set('half-open');
  const fresh = await open();
  old.socket.write('lost');
  fresh.socket.write('lost');
  await proxy.set('pass');
  expect([await old.closed, await fresh.closed]).toEqual(['ECONNRESET', 'ECONNRESET']);
  expect(got).toEqual(['first']);
});

test.each([
  { state: 'no-requests', arrivesMeanwhile: false },
  { state: 'no-answers', arrivesMeanwhile: true },
] as const)('$state holds one way back on old and new connections, and lets it through later', async (row) => {
  const old = await open();
  await proxy.set(row.state);
  const fresh = await open();
  for (const { socket } of [old, fresh]) {
    const arrived = new Promise((resolve) => socket.write('late', resolve));
    await arrived;
  }
  if (row.arrivesMeanwhile) {
    while (got.length < 2) await new Promise(setImmediate);
  } else {
    // A connection beside it: what it sends has gone the same way, so what comes before it would have arrived.
    expect(got).toEqual([]);
  }
  expect([...old.seen, ...fresh.seen]).toEqual([]);
  const answers = [old.next(), fresh.next()];
  await proxy.heal();
  expect(await Promise.all(answers)).toEqual([['LATE'], ['LATE']]);
  expect(got).toEqual(['late', 'late']);
});

test('delay keeps the order', async () => {
  proxy.delay(20);
  const { socket, seen } = await open();
  const began = performance.now();
  socket.write('a');
  while (got.length < 1) await new Promise(setImmediate);
  socket.write('b');
  proxy.delay(20);
  while (seen.join('').length < 2) await once(socket, 'data');
  expect(seen.join('')).toBe('AB');
  expect(performance.now() - began).toBeGreaterThanOrEqual(39);
});

test('a client that ends its side still gets the answer', async () => {
  server.removeAllListeners('connection');
  const late = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('end', () => socket.end('answered'));
    socket.resume();
  });
  const listening = await listenOnLoopback(late);
  const other = await LinkProxy.start({ address: '127.0.0.1', port: listening.port });
  try {
    const socket = dial({ port: other.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end('question');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toBe('answered');
  } finally {
    await other.stop();
    listening.close();
  }
});
