import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/config/types.ts';
import { SerialQuestions } from '../../src/server/ask-serials.ts';
import { lowerName } from '../../src/zones/name.ts';
import { decodeMessage } from '../support/dns-message.ts';
import { wireName } from '../support/dns-query.ts';

const zone = (name: string) => lowerName(wireName(name));
const SERIAL = 4_000_000_000;
const cleanup: (() => void)[] = [];
afterEach(() => {
  for (const close of cleanup.splice(0)) close();
});

type Heard = { readonly query: Buffer; readonly from: RemoteInfo };
type Peer = { readonly socket: Socket; readonly endpoint: Endpoint; readonly heard: Heard[] };

async function peer(onQuery: (heard: Heard, peer: Peer) => void, address = '127.0.0.1'): Promise<Peer> {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
  cleanup.push(() => socket.close());
  socket.bind(0, address);
  await once(socket, 'listening');
  const made: Peer = { socket, endpoint: { address, port: socket.address().port }, heard: [] };
  socket.on('message', (query, from) => {
    made.heard.push({ query, from });
    onQuery({ query, from }, made);
  });
  return made;
}

function questions(timeoutMs = 20_000): SerialQuestions {
  const made = new SerialQuestions(timeoutMs);
  cleanup.push(() => made.stop());
  return made;
}

/** The query back as an answer with an SOA, changed by `change`. */
function answerTo(query: Buffer, change: (answer: Buffer) => Buffer | undefined = () => undefined): Buffer {
  const record = Buffer.alloc(12 + 2 + 20);
  record.writeUInt16BE(0xc00c, 0);
  record.writeUInt16BE(6, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt16BE(22, 10);
  record.writeUInt32BE(SERIAL, 14);
  const answer = Buffer.concat([query, record]);
  answer.writeUInt16BE(0x8400, 2);
  answer.writeUInt16BE(1, 6);
  return change(answer) ?? answer;
}

test.each(['127.0.0.1', '::1'])('many zones at once, each told its own: %s', async (address) => {
  const asking = questions();
  const { endpoint, heard } = await peer(({ query, from }, { socket }) => {
    const serial = Number(/^z(\d+)/.exec(decodeMessage(query).question?.name ?? '')?.[1]);
    const answer = answerTo(query, (whole) => void whole.writeUInt32BE(serial, query.length + 14));
    socket.send(answer, from.port, from.address);
  }, address);
  const zones = Array.from({ length: 100 }, (_, i) => zone(`Z${i}.test`));
  const serials = await Promise.all(zones.map((name) => asking.ask(endpoint, name)));
  expect(serials).toEqual(zones.map((_, i) => i));
  const { question, ...rest } = decodeMessage(heard[0].query);
  expect(question).toMatchObject({ name: 'z0.test.', type: 'SOA' });
  expect(rest).toMatchObject({ answer: [], authority: [], additional: [] });
});

describe('an answer that is none', () => {
  test.each<[string, (answer: Buffer) => Buffer | undefined]>([
    ['another identifier', (answer) => void answer.writeUInt16BE(answer.readUInt16BE(0) ^ 1, 0)],
    ['another question', (answer) => void answer.write('b', 13)],
    ['no question', (answer) => void answer.writeUInt16BE(0, 4)],
    [
      'a question that points to itself',
      (answer) => Buffer.concat([answer.subarray(0, 12), Buffer.of(0xc0, 12, 0, 6, 0, 1)]),
    ],
    ['two octets', (answer) => answer.subarray(0, 2)],
    ['nothing', () => Buffer.alloc(0)],
  ])('is passed over: %s', async (_, change) => {
    const asking = questions();
    const { endpoint } = await peer(({ query, from }, { socket }) => {
      socket.send(answerTo(query, change), from.port, from.address, () =>
        socket.send(answerTo(query), from.port, from.address),
      );
    });
    expect(await asking.ask(endpoint, zone('a.test'))).toBe(SERIAL);
  });

  test('is passed over: from another port', async () => {
    const asking = questions();
    const forger = await peer(() => undefined);
    const { endpoint } = await peer(({ query, from }, { socket }) => {
      const forged = answerTo(query, (answer) => void answer.writeUInt32BE(1, query.length + 14));
      forger.socket.send(forged, from.port, from.address, () => socket.send(answerTo(query), from.port, from.address));
    });
    expect(await asking.ask(endpoint, zone('a.test'))).toBe(SERIAL);
  });
});

test.each<[string, (answer: Buffer) => Buffer | undefined, string]>([
  ['a refusal', (answer) => void answer.writeUInt16BE(0x8005, 2), 'answered with rcode 5'],
  ['no authority', (answer) => void answer.writeUInt16BE(0x8000, 2), 'answered without authority'],
  ['another opcode', (answer) => void answer.writeUInt16BE(0xa400, 2), 'answered with something that is no answer'],
  ['no records', (answer) => void answer.writeUInt16BE(0, 6), 'answered without an SOA'],
  ['another type', (answer) => void answer.writeUInt16BE(16, answer.length - 32), 'answered without an SOA'],
  ['cut off', (answer) => answer.subarray(0, -1), 'answered with something that cannot be read'],
  [
    'numbers missing',
    (answer) => void answer.writeUInt8(5, answer.length - 21),
    'answered with something that cannot be read',
  ],
])('%s is said', async (_, change, message) => {
  const asking = questions();
  const { endpoint } = await peer(({ query, from }, { socket }) =>
    socket.send(answerTo(query, change), from.port, from.address),
  );
  await expect(asking.ask(endpoint, zone('a.test'))).rejects.toThrow(message);
});

test('silence is said, and so is the end', async () => {
  const { endpoint } = await peer(() => undefined);
  await expect(questions(20).ask(endpoint, zone('a.test'))).rejects.toThrow('no answer over UDP');
  const asking = questions();
  const asked = asking.ask(endpoint, zone('a.test'));
  asking.stop();
  await expect(asked).rejects.toThrow('stopped');
});
