import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { ServerConfig } from '../../../../src/config/types.ts';
import { NO_TRANSFERS } from '../../../../src/server/transfer/handler-types.ts';
import { DnsThreads } from '../../../../src/server/transport/threads/dns-threads.ts';
import type { Endpoint } from '../../../../src/system/address.ts';
import { freePort } from '../../../support/ports.ts';
import {
  askTcp,
  lastAddress,
  liveSlots,
  query,
  type Running,
  SERVER,
  startThreads,
  TYPE,
  UdpClient,
  zoneUpdate,
} from '../listen-fixture.ts';

const cleanUp: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

function portableFrontEnd(portable: string): void {
  process.env['EDGEWISE_PORTABLE_UDP'] = portable;
  cleanUp.push(() => {
    delete process.env['EDGEWISE_PORTABLE_UDP'];
  });
}

async function running(server: Partial<ServerConfig> = {}): Promise<Running> {
  const started = await startThreads(server);
  cleanUp.push(() => started.threads.stop());
  return started;
}

/** What `start` says when it cannot listen there. */
async function faultOf(listen: readonly Endpoint[]): Promise<string> {
  const options = { transfer: NO_TRANSFERS, slots: liveSlots().shared, networks: 1, updates: [], log: () => {} };
  const result = await DnsThreads.start({ ...options, server: { ...SERVER, listen } });
  if (!(result instanceof DnsThreads)) return `${result.code}: ${result.message}`;
  await result.stop();
  return 'listens';
}

async function udpSquatter(address: string): Promise<number> {
  const port = await freePort(address);
  const socket = createSocket('udp4');
  socket.bind(port, address);
  await once(socket, 'listening');
  cleanUp.push(() => socket.close());
  return port;
}

describe.each([
  { frontEnd: 'recvmmsg', portable: '' },
  { frontEnd: 'node:dgram', portable: '1' },
])('an endpoint that cannot be had, $frontEnd', ({ portable }) => {
  test('another Edgewise has it', async () => {
    portableFrontEnd(portable);
    const { threads } = await running({ udpWorkers: 2 });
    const [{ port }] = threads.endpoints;
    expect(await faultOf(threads.endpoints)).toBe(
      `listen-in-use: cannot listen on TCP 127.0.0.1:${port}: another program has that port (EADDRINUSE)`,
    );
  });

  test('another program has its UDP port; nothing stays open', async () => {
    portableFrontEnd(portable);
    const port = await udpSquatter('127.0.0.1');
    const free = await freePort('127.0.0.2');
    const listen = [
      { address: '127.0.0.2', port: free },
      { address: '127.0.0.1', port },
    ];
    expect(await faultOf(listen)).toBe(
      `listen-in-use: cannot listen on UDP 127.0.0.1:${port}: another program has that port (EADDRINUSE)`,
    );
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    expect(await faultOf([listen[0]])).toBe('listens');
  });

  test('no interface has the address', async () => {
    portableFrontEnd(portable);
    expect(await faultOf([{ address: '192.0.2.1', port: 0 }])).toBe(
      'listen-address: cannot listen on TCP 192.0.2.1:0: no interface has that address (EADDRNOTAVAIL)',
    );
  });

  test('stopping frees the ports', async () => {
    portableFrontEnd(portable);
    const { threads } = await startThreads();
    await threads.stop();
    expect(await faultOf(threads.endpoints)).toBe('listens');
  });
});

test.each([
  { frontEnd: 'native', portable: '' },
  { frontEnd: 'portable', portable: '1' },
])('threads launched before `run` take zones over and answer nothing yet, $frontEnd', async ({ portable }) => {
  portableFrontEnd(portable);
  const address = '127.0.0.1';
  const port = await freePort(address);
  const options = { transfer: NO_TRANSFERS, slots: liveSlots().shared, networks: 2, updates: [], log: () => {} };
  const bound = await DnsThreads.bind({ ...options, server: { ...SERVER, listen: [{ address, port }] } });
  if (!(bound instanceof DnsThreads)) throw new Error('not bound');
  cleanUp.push(() => bound.stop());
  bound.launch();
  const client = await UdpClient.open();
  cleanUp.push(() => client.close());
  client.send(query('www.front.test', TYPE.a, 5), { address, port });
  const stream = askTcp(query('www.front.test', TYPE.a, 6), { address, port });
  // Both threads live and read their messages; the queries wait.
  await bound.settled();
  bound.send([zoneUpdate('front.test', 0, 83)]);
  expect(await bound.run()).toBeNull();
  expect(lastAddress((await client.next()).octets)).toBe('192.0.2.83');
  expect(lastAddress(await stream)).toBe('192.0.2.83');
});

test('threads that were launched stop without having answered', async () => {
  const options = { transfer: NO_TRANSFERS, slots: liveSlots().shared, networks: 2, updates: [], log: () => {} };
  const bound = await DnsThreads.bind({ ...options, server: SERVER });
  if (!(bound instanceof DnsThreads)) throw new Error('not bound');
  bound.launch();
  const [endpoint] = bound.endpoints;
  await bound.stop();
  expect(await faultOf([endpoint])).toBe('listens');
});

describe('a thread that dies', () => {
  /** Ends one thread as a fatal error would. */
  async function kill(threads: DnsThreads, name: string): Promise<void> {
    const worker = threads['threads'].find((thread) => thread.name === name)?.worker ?? null;
    if (worker === null) throw new Error(`no thread ${name}`);
    const ended = once(worker, 'exit');
    await worker.terminate();
    await ended;
  }

  test('UDP: what came meanwhile is answered, from the zones as they are now', async () => {
    const { threads, logs } = await running();
    threads.send([zoneUpdate('front.test', 0, 81), zoneUpdate('gone.test', 1)]);
    threads.send([
      { kind: 'gone', zone: 1 },
      { kind: 'slot', zone: 0, slot: 2 },
    ]);
    await kill(threads, 'udp-0');
    const client = await UdpClient.open();
    cleanUp.push(() => client.close());
    const octets = await client.ask(query('www.front.test', TYPE.a, 5), threads.endpoints[0]);
    expect(lastAddress(octets)).toBe('192.0.2.81');
    const gone = await client.ask(query('gone.test', TYPE.a, 6), threads.endpoints[0]);
    expect(gone[3] & 15).toBe(5);
    // Slot 2 was never written, so the live apex has no answer.
    const apex = await client.ask(query('front.test', TYPE.a, 7), threads.endpoints[0]);
    expect(apex[3] & 15).toBe(2);
    expect(logs).toEqual(['error: udp-0: starting the thread again: the udp-0 thread died: exit code 1']);
  });

  test('TCP: connects that come meanwhile are answered', async () => {
    const { threads, logs } = await running();
    await kill(threads, 'tcp');
    expect(lastAddress(await askTcp(query('www.front.test', TYPE.a, 5), threads.endpoints[0]))).toBe('192.0.2.80');
    expect(logs).toEqual(['error: tcp: starting the thread again: the tcp thread died: exit code 1']);
  });

  test('TCP: connections that it had are closed with it, and leave no descriptor behind', async () => {
    const { threads } = await running();
    const [{ address, port }] = threads.endpoints;
    const octets = query('www.front.test', TYPE.a, 1);
    const clients = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = connect(port, address).on('error', () => {});
        socket.write(Buffer.concat([Buffer.of(octets.length >> 8, octets.length & 0xff), octets]));
        await once(socket, 'data'); // it was accepted
        return socket;
      }),
    );
    const open = readdirSync('/proc/self/fd').length;
    const closed = clients.map((socket) => once(socket, 'close'));
    await kill(threads, 'tcp');
    await Promise.all(closed);
    expect(lastAddress(await askTcp(octets, threads.endpoints[0]))).toBe('192.0.2.80');
    // Both ends of twenty connections are gone; the thread that took over has opened what the dead one had.
    await expect.poll(() => readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(open - 40 + 4);
  });

  test('`settled` waits for the one that takes over', async () => {
    const { threads } = await running();
    const died = kill(threads, 'udp-0');
    threads.send([zoneUpdate('front.test', 0, 82)]);
    const settled = threads.settled();
    await died;
    await settled;
    const client = await UdpClient.open();
    cleanUp.push(() => client.close());
    const octets = await client.ask(query('www.front.test', TYPE.a, 5), threads.endpoints[0]);
    expect(lastAddress(octets)).toBe('192.0.2.82');
  });

  test('an update that cannot be taken over costs a log line, not the thread', async () => {
    const { threads, logs } = await running();
    const update = zoneUpdate('broken.test', 7);
    if (update.kind !== 'zone') throw new Error('a zone');
    threads.send([{ ...update, image: new SharedArrayBuffer(8) }]);
    await threads.settled();
    expect(lastAddress(await askTcp(query('www.front.test', TYPE.a, 5), threads.endpoints[0]))).toBe('192.0.2.80');
    expect(logs.filter((line) => line.includes('zones were not taken over'))).toHaveLength(2);
  });
});

describe('stopping', () => {
  test('an idle connection gets its end, and `stop` does not wait for it', async () => {
    const { threads } = await startThreads();
    const [{ address, port }] = threads.endpoints;
    const socket = connect(port, address);
    // Answered once, so it is surely the server's and not still in the system's queue, where the end is a reset.
    const octets = query('www.front.test', TYPE.a, 1);
    socket.write(Buffer.concat([Buffer.of(octets.length >> 8, octets.length & 0xff), octets]));
    await once(socket, 'data');
    const ended = once(socket.resume(), 'end');
    await threads.stop();
    await ended;
    socket.destroy();
  });

  test('`settled` does not hang over it', async () => {
    const { threads } = await startThreads();
    const settled = threads.settled();
    await threads.stop();
    await settled;
  });
});

test('two endpoints with port 0 get a port each, the same for UDP and TCP', async () => {
  const { threads } = await running({
    listen: [
      { address: '127.0.0.1', port: 0 },
      { address: '127.0.0.2', port: 0 },
    ],
    udpWorkers: 2,
  });
  const client = await UdpClient.open();
  cleanUp.push(() => client.close());
  for (const endpoint of threads.endpoints) {
    expect(endpoint.port).toBeGreaterThan(0);
    const octets = query('www.front.test', TYPE.a, endpoint.port & 0xff);
    expect(await client.ask(octets, endpoint)).toEqual(await askTcp(octets, endpoint));
  }
});
