import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { NotifyTarget } from '../../../src/config/types.ts';
import { lowerName } from '../../../src/dns/name.ts';
import type { SecondaryView } from '../../../src/server/control/views/views.ts';
import { askOverTcp } from '../../../src/server/secondaries/ask-tcp.ts';
import { SoaPoller } from '../../../src/server/secondaries/soa-poller.ts';
import { wireName } from '../../support/dns-query.ts';
import { eventually } from '../../support/edgewise.ts';
import { throwingGuard } from '../../support/guard.ts';
import { freePort } from '../../support/ports.ts';

const ZONE = lowerName(wireName('a.test'));
const SERIAL = 4_000_000_000;
const cleanup: (() => void)[] = [];
afterEach(() => {
  for (const close of cleanup.splice(0)) close();
});

/** An answer to an SOA query: its header and question, and a record unless `soa` is false. */
function answerTo(query: Uint8Array, { flags = 0x8400, soa = true, id = 0 } = {}): Buffer {
  const head = Buffer.from(query.subarray(0, 12 + 8 + 4)); // the question is a.test SOA
  head.writeUInt16BE((head.readUInt16BE(0) + id) & 0xffff, 0);
  head.writeUInt16BE(flags, 2);
  head.writeUInt16BE(soa ? 1 : 0, 6);
  if (!soa) return head;
  const record = Buffer.alloc(12 + 2 + 20);
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(6, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt16BE(22, 10);
  record.writeUInt32BE(SERIAL, 14);
  return Buffer.concat([head, record]);
}

/** A secondary that answers over TCP as `serve` says, and over UDP with SERVFAIL unless told. */
async function secondary(
  address: string,
  serve: (query: Buffer, socket: Socket) => void,
  udp: (query: Buffer) => Buffer = (query) => answerTo(query, { flags: 0x8002, soa: false }),
): Promise<number> {
  const port = await freePort(address);
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (chunk) => serve(chunk.subarray(2), socket));
    cleanup.push(() => socket.destroy());
  });
  server.listen(port, address);
  await once(server, 'listening');
  cleanup.push(() => server.close());
  const socket: UdpSocket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (query, from) => socket.send(udp(query), from.port, from.address));
  socket.bind(port, address);
  await once(socket, 'listening');
  cleanup.push(() => socket.close());
  return port;
}

const framed = (message: Buffer): Buffer =>
  Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message]);

/** A poller of these targets, that asks each second, and what it logs. */
function pollerOf(targets: readonly NotifyTarget[]): { readonly poller: SoaPoller; readonly log: string[] } {
  const log: string[] = [];
  const poller = new SoaPoller({
    targets,
    intervalSeconds: 1,
    onBehind: () => undefined,
    log: (level, message) => void log.push(`${level} ${message}`),
    guard: throwingGuard(),
  });
  cleanup.push(() => poller.stop());
  return { poller, log };
}

/** Resolves once the watch sees what is wanted, at the first look or, on a slow machine, at a later one. */
async function sees(address: string, port: number, wanted: Partial<SecondaryView>): Promise<void> {
  const target: NotifyTarget = { to: { address, port }, from: null, key: null, networks: null, zones: null };
  const { poller: watch } = pollerOf([target]);
  watch.apply([{ origin: ZONE, network: 'net', serial: SERIAL }]);
  const seen = await eventually(
    async () => watch.views()[0],
    ({ serial, error }) => serial === wanted.serial && error === wanted.error,
  );
  expect(seen).toMatchObject(wanted);
}

describe.each(['127.0.0.1', '::1'])('a secondary at %s', (address) => {
  test('that answers over UDP', async () => {
    const port = await secondary(
      address,
      (_, socket) => socket.destroy(),
      (query) => answerTo(query),
    );
    await sees(address, port, { serial: SERIAL, error: null, lagSeconds: 0 });
  });

  test('that answers over TCP only, octet by octet', async () => {
    const port = await secondary(address, (query, socket) => {
      for (const octet of framed(answerTo(query))) socket.write(Buffer.of(octet));
    });
    await sees(address, port, { serial: SERIAL, error: null, lagSeconds: 0 });
  });

  test.each<[string, (query: Buffer, socket: Socket) => void, string]>([
    [
      'refuses',
      (query, socket) => socket.write(framed(answerTo(query, { flags: 0x8005, soa: false }))),
      'answered with REFUSED',
    ],
    ['has no SOA', (query, socket) => socket.write(framed(answerTo(query, { soa: false }))), 'answered without an SOA'],
    [
      'has no authority',
      (query, socket) => socket.write(framed(answerTo(query, { flags: 0x8000 }))),
      'answered without authority',
    ],
    [
      'answers to another query',
      (query, socket) => socket.write(framed(answerTo(query, { id: 1 }))),
      'answered to something else over TCP',
    ],
    [
      'hangs up in the middle',
      (query, socket) => socket.end(framed(answerTo(query)).subarray(0, 20)),
      'the TCP connection ended without an answer',
    ],
  ])('that %s', async (_, serve, error) => {
    const port = await secondary(address, serve);
    await sees(address, port, { serial: null, error, lagSeconds: null });
  });

  test('where nobody listens', async () => {
    const port = await freePort(address);
    const error = `TCP: connect ECONNREFUSED ${address}:${port}`;
    await sees(address, port, { serial: null, error, lagSeconds: null });
  });
});

test('a connection that brings nothing is given up', async () => {
  const port = await secondary('127.0.0.1', () => undefined);
  const asked = askOverTcp({ address: '127.0.0.1', port }, Uint8Array.of(1, 2), 50, throwingGuard());
  await expect(asked).rejects.toThrow('no answer over TCP');
});

test('an answer that is truncated is asked for again over TCP', async () => {
  const port = await secondary(
    '127.0.0.1',
    (query, socket) => socket.write(framed(answerTo(query))),
    (query) => answerTo(query, { flags: 0x8600, soa: false }),
  );
  await sees('127.0.0.1', port, { serial: SERIAL, error: null, state: 'current', lagSeconds: 0 });
});

test('an answer for another zone over UDP is none', async () => {
  const port = await secondary(
    '127.0.0.1',
    (_, socket) => socket.destroy(),
    (query) => {
      const other = answerTo(query);
      other[13] = 0x62; // b.test
      return other;
    },
  );
  await sees('127.0.0.1', port, { serial: null, error: 'the TCP connection ended without an answer' });
});

test('octets that would cost another reader seconds are nothing but a failure', async () => {
  const counts = Buffer.alloc(6, 0xff);
  const hostile = (query: Buffer): Buffer =>
    Buffer.concat([answerTo(query, { soa: false }).subarray(0, 6), counts, Buffer.alloc(500, 0xc0)]);
  const port = await secondary('127.0.0.1', (query, socket) => socket.write(framed(hostile(query))), hostile);
  await sees('127.0.0.1', port, { serial: null, error: 'answered to something else over TCP' });
});

describe('a secondary whose serial is ahead of ours', () => {
  const ahead = async (): Promise<{ readonly port: number; readonly target: NotifyTarget }> => {
    const port = await secondary(
      '127.0.0.1',
      (_, socket) => socket.destroy(),
      (query) => answerTo(query),
    );
    const to = { address: '127.0.0.1', port };
    return { port, target: { to, from: null, key: null, networks: null, zones: null } };
  };

  test('is ahead in the view, has a lag, and a line says what to do; when ours is that one, all is well', async () => {
    const { port, target } = await ahead();
    const { poller, log } = pollerOf([target]);
    poller.apply([{ origin: ZONE, network: null, serial: SERIAL - 1 }]);
    const view = await eventually(
      async () => poller.views()[0],
      ({ state }) => state === 'ahead',
    );
    expect(view).toMatchObject({ serial: SERIAL, ourSerial: SERIAL - 1, error: null });
    expect(view.lagSeconds).toBeGreaterThan(0);
    expect(log).toEqual([
      `warn zone a.test at secondary 127.0.0.1:${port} is ahead of us and takes no change: let it fetch the zone anew ` +
        `there (rndc retransfer, nsd-control force_transfer, knotc zone-retransfer) (it has ${SERIAL}, we have ${SERIAL - 1})`,
    ]);
    poller.apply([{ origin: ZONE, network: null, serial: SERIAL }]);
    await eventually(
      async () => log.at(-1),
      (line) => line === `info zone a.test at secondary 127.0.0.1:${port} has our serial again`,
    );
    expect(poller.views()).toMatchObject([{ state: 'current', lagSeconds: 0 }]);
  });

  test('is asked and shown once, where it is configured twice', async () => {
    const { target } = await ahead();
    const { poller } = pollerOf([target, { ...target, zones: [ZONE] }, { ...target, networks: ['other'] }]);
    poller.apply([{ origin: ZONE, network: null, serial: SERIAL }]);
    await eventually(
      async () => poller.views(),
      (views) => views[0].state === 'current',
    );
    expect(poller.views()).toHaveLength(1);
  });
});

test('a zone that moves to another network leaves the secondaries of the old one', async () => {
  const port = await freePort('127.0.0.1');
  const to = { address: '127.0.0.1', port };
  const target = { to, from: null, key: null, networks: ['old'], zones: null };
  const { poller } = pollerOf([target]);
  poller.apply([{ origin: ZONE, network: 'old', serial: 1 }]);
  expect(poller.views()).toHaveLength(1);
  poller.apply([{ origin: ZONE, network: 'new', serial: 2 }]);
  expect(poller.views()).toEqual([]);
});
