import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { askOverTcp } from '../../../src/server/secondaries/ask-tcp.ts';
import { UdpClient } from '../../../src/server/secondaries/ask-udp.ts';
import { throwingGuard } from '../../support/guard.ts';
import { freePort } from '../../support/ports.ts';

const cleanup: (() => void)[] = [];
afterEach(() => {
  for (const close of cleanup.splice(0)) close();
});

describe('over TCP', () => {
  const QUERY = Uint8Array.of(1, 2, 3);
  const ANSWER = Buffer.from(Array.from({ length: 300 }, (_, i) => i & 255));
  const framed = Buffer.concat([Buffer.of(ANSWER.length >> 8, ANSWER.length & 255), ANSWER]);

  async function server(serve: (socket: Socket) => void): Promise<{ address: string; port: number }> {
    const listening = createServer((socket) => {
      socket.on('error', () => undefined);
      cleanup.push(() => socket.destroy());
      serve(socket);
    });
    cleanup.push(() => listening.close());
    listening.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    return { address: '127.0.0.1', port: (listening.address() as AddressInfo).port };
  }
  const ask = (to: { address: string; port: number }, timeoutMs = 5000): Promise<Uint8Array> =>
    askOverTcp(to, QUERY, timeoutMs, throwingGuard());

  test.each<[string, (socket: Socket) => void]>([
    ['at once', (socket) => socket.write(framed)],
    ['with another message behind it', (socket) => socket.write(Buffer.concat([framed, framed]))],
    [
      'in pieces, the length in two',
      (socket) => {
        const cuts = [0, 1, 2, 14, 15, 200, framed.length];
        const write = (i: number): void => {
          if (i + 1 < cuts.length)
            socket.write(framed.subarray(cuts[i], cuts[i + 1]), () => setImmediate(write, i + 1));
        };
        write(0);
      },
    ],
  ])('a message that comes %s', async (_, serve) => {
    expect(Buffer.from(await ask(await server(serve)))).toEqual(ANSWER);
  });

  test('the query is framed', async () => {
    const received = new Promise<Buffer>((resolve) => {
      void server((socket) => socket.once('data', resolve)).then((to) => ask(to, 500).catch(() => undefined));
    });
    expect(await received).toEqual(Buffer.of(0, 3, 1, 2, 3));
  });

  test.each([0, 1, 11])('a message of %i octets is none', async (length) => {
    const to = await server((socket) => socket.write(Buffer.concat([Buffer.of(0, length), Buffer.alloc(length)])));
    await expect(ask(to)).rejects.toThrow('answered with a message that cannot be read over TCP');
  });

  test('octets that drip in for ever end with the time', async () => {
    const to = await server((socket) => {
      socket.write(Buffer.of(255, 255));
      const timer = setInterval(() => socket.write(Buffer.of(0)), 5);
      cleanup.push(() => clearInterval(timer));
    });
    await expect(ask(to, 300)).rejects.toThrow('no answer over TCP');
  });

  test('a stream without end is one message', async () => {
    const to = await server((socket) => {
      const block = Buffer.alloc(1 << 16, 0xff);
      const write = (): void => {
        if (!socket.destroyed) socket.write(block, write);
      };
      write();
    });
    expect((await ask(to)).length).toBe(65_535);
  });
});

describe('over UDP', () => {
  type Query = { readonly octets: Buffer; readonly from: RemoteInfo };

  async function server(address = '127.0.0.1'): Promise<{
    socket: UdpSocket;
    client: UdpClient;
    next: () => Promise<Query>;
  }> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    cleanup.push(() => socket.close());
    const queries: Query[] = [];
    const waiting: ((query: Query) => void)[] = [];
    socket.on('message', (octets, from) => {
      const take = waiting.shift();
      if (take === undefined) queries.push({ octets, from });
      else take({ octets, from });
    });
    socket.bind(0, address);
    await once(socket, 'listening');
    const client = new UdpClient({ address, port: socket.address().port }, throwingGuard());
    cleanup.push(() => client.stop());
    const next = async (): Promise<Query> =>
      queries.shift() ?? (await new Promise<Query>((resolve) => waiting.push(resolve)));
    return { socket, client, next };
  }
  const make = (id: number): Uint8Array => Uint8Array.of(id >> 8, id & 255, 0);
  const read = (octets: Uint8Array): number | null => (octets[2] === 0 ? null : octets[2]);

  test.each(['127.0.0.1', '::1'])('answers in another order reach their queries, at %s', async (address) => {
    const { socket, client, next } = await server(address);
    const asked = [1, 2, 3].map(() => client.ask(make, read, 5000));
    const queries = [await next(), await next(), await next()];
    expect(new Set(queries.map(({ octets }) => octets.readUInt16BE(0))).size).toBe(3);
    expect(new Set(queries.map(({ from }) => from.port)).size).toBe(1);
    for (const [i, { octets, from }] of [...queries.entries()].reverse()) {
      socket.send(Buffer.of(octets[0], octets[1], 7 + i), from.port, from.address);
    }
    expect(await Promise.all(asked)).toEqual([7, 8, 9]);
  });

  test('what is not the answer is passed over', async () => {
    const { socket, client, next } = await server();
    const asked = client.ask(make, read, 5000);
    const { octets, from } = await next();
    const stranger = createSocket('udp4');
    cleanup.push(() => stranger.close());
    const send = (sender: UdpSocket, message: Buffer): Promise<void> =>
      new Promise((resolve) => sender.send(message, from.port, from.address, () => resolve()));
    await send(stranger, Buffer.of(octets[0], octets[1], 66)); // from another port
    for (const wrong of [Buffer.alloc(0), Buffer.of(1), Buffer.of(octets[0], octets[1] ^ 1, 66), Buffer.from(octets)]) {
      await send(socket, wrong);
    }
    await send(socket, Buffer.of(octets[0], octets[1], 5));
    expect(await asked).toBe(5);
  });

  test('no answer, nobody there, and an end', async () => {
    const { client } = await server();
    await expect(client.ask(make, read, 20)).rejects.toThrow('no answer over UDP');
    const nobody = new UdpClient({ address: '127.0.0.1', port: await freePort() }, throwingGuard());
    cleanup.push(() => nobody.stop());
    await expect(nobody.ask(make, read, 5000)).rejects.toThrow('ECONNREFUSED');
    const asked = client.ask(make, read, 5000);
    client.stop();
    await expect(asked).rejects.toThrow('stopped');
  });

  test('after a failure the next query opens another socket', async () => {
    const port = await freePort();
    const client = new UdpClient({ address: '127.0.0.1', port }, throwingGuard());
    cleanup.push(() => client.stop());
    await expect(client.ask(make, read, 5000)).rejects.toThrow('ECONNREFUSED');
    const socket = createSocket('udp4');
    cleanup.push(() => socket.close());
    socket.on('message', (octets, from) => socket.send(Buffer.of(octets[0], octets[1], 4), from.port, from.address));
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    expect(await client.ask(make, read, 5000)).toBe(4);
  });
});
