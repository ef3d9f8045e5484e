import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { expectAnswer } from '../support/dns-expect.ts';
import { decodeMessage } from '../support/dns-message.ts';
import { encodeQuery } from '../support/dns-query.ts';
import { framed, TcpClient } from '../support/dns-server.ts';
import { protocolServer } from './protocol-server.ts';

const served = protocolServer();

const www = (id: number): Uint8Array => encodeQuery({ name: 'www.example.test', id });

async function withStream(use: (stream: TcpClient) => Promise<void>): Promise<void> {
  const stream = await TcpClient.open(served.server.endpoint);
  try {
    await use(stream);
  } finally {
    stream.close();
  }
}

async function nextId(stream: TcpClient): Promise<number | null> {
  const octets = await stream.next();
  return octets === null ? null : decodeMessage(octets).id;
}

test('the same answer as over UDP (RFC 7766 §5)', async () => {
  await expectAnswer(served.server, {
    name: '',
    query: { name: 'www.example.test' },
    transport: 'tcp',
    expected: { answer: ['www.example.test. 300 A 192.0.2.80'] },
  });
});

test('what does not fit into UDP is whole over TCP (RFC 2181 §5)', async () => {
  const { tc, answer } = await served.server.ask({ name: 'big.example.test', type: 'TXT' }, 'tcp');
  expect([tc, answer.length]).toEqual([false, 7]);
});

describe('one connection', () => {
  test('three queries in one segment (RFC 7766 §6.2.1.1)', () =>
    withStream(async (stream) => {
      stream.socket.write(Buffer.concat([framed(www(1)), framed(www(2)), framed(www(3))]));
      expect(new Set([await nextId(stream), await nextId(stream), await nextId(stream)])).toEqual(new Set([1, 2, 3]));
    }));

  test('a second query after the first answer (RFC 7766 §6.2.1)', () =>
    withStream(async (stream) => {
      stream.send(www(1));
      expect(await nextId(stream)).toBe(1);
      stream.send(www(2));
      expect(await nextId(stream)).toBe(2);
    }));

  test('a query octet by octet (RFC 7766 §8)', () =>
    withStream(async (stream) => {
      for (const octet of framed(www(9))) {
        stream.socket.write(Buffer.of(octet));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await nextId(stream)).toBe(9);
    }));

  test('a query and then the end of what the client sends (RFC 7766 §6.2.4)', () =>
    withStream(async (stream) => {
      stream.socket.end(framed(www(4)));
      expect(await nextId(stream)).toBe(4);
    }));

  test.each([
    ['a length of zero', Buffer.of(0, 0)],
    ['a length that is not reached', Buffer.concat([Buffer.of(255, 255), Buffer.alloc(10)])],
  ])('%s harms nobody (RFC 1035 §4.2.2)', async (_, octets) => {
    await withStream(async (stream) => {
      stream.socket.end(octets);
      stream.socket.resume();
      await once(stream.socket, 'close');
    });
    expect((await served.server.ask({ name: 'www.example.test' }, 'tcp')).rcode).toBe('NOERROR');
  });
});

test('twenty idle connections leave room for a query (RFC 7766 §6.2.3)', async () => {
  const idle = await Promise.all(Array.from({ length: 20 }, () => TcpClient.open(served.server.endpoint)));
  expect((await served.server.ask({ name: 'www.example.test' }, 'tcp')).rcode).toBe('NOERROR');
  for (const stream of idle) stream.close();
});
