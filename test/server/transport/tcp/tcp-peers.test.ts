import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { program } from '../../../support/installation.ts';
import { query, type Running, rcode, startThreads, TYPE } from '../listen-fixture.ts';

/** Real clients, and what leaves the front end of system calls for a socket of Node in the middle of a connection. */

const cleanUp: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function running(portable: string): Promise<Running> {
  process.env['EDGEWISE_PORTABLE_UDP'] = portable;
  cleanUp.push(() => {
    delete process.env['EDGEWISE_PORTABLE_UDP'];
  });
  const started = await startThreads();
  cleanUp.push(() => started.threads.stop());
  return started;
}

describe.each([
  { frontEnd: 'native', portable: '' },
  { frontEnd: 'portable', portable: '1' },
])('$frontEnd', ({ portable }) => {
  test.each([
    ['dig', '+tcp', '+keepopen', '+tries=1', '+time=20'],
    ['kdig', '+tcp', '+keepopen', '+retry=0', '+time=20'],
  ])('%s, two questions over one connection, one of them with a large answer', async (command, ...flags) => {
    const { threads } = await running(portable);
    const [{ port }] = threads.endpoints;
    const questions = ['www.front.test', 'A', 'big.front.test', 'TXT'];
    const { stdout } = await program(command, ['@127.0.0.1', '-p', String(port), ...flags, '+short', ...questions]);
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toBe('192.0.2.80');
    expect(lines).toHaveLength(11);
    expect(threads.sums().events.tcp_connections).toBe(1);
  });

  test('a transfer that nobody may have is refused by its rcode, and the connection goes on', async () => {
    const { threads } = await running(portable);
    const [{ address, port }] = threads.endpoints;
    const AXFR = 252;
    const messages = [
      query('www.front.test', TYPE.a, 1),
      query('front.test', AXFR, 2, 1232),
      query('www.front.test', TYPE.a, 3, 1232),
      query('none.front.test', TYPE.a, 4),
    ];
    const socket = connect(port, address);
    cleanUp.push(() => socket.destroy());
    socket.write(Buffer.concat(messages.flatMap((octets) => [Buffer.of(0, octets.length), octets])));
    const rcodes = new Map<number, number>();
    let received = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const octets = received.subarray(2, 2 + received.readUInt16BE(0));
        rcodes.set(octets.readUInt16BE(0), rcode(octets));
        received = received.subarray(2 + octets.length);
      }
      if (rcodes.size === messages.length) break;
    }
    expect([...rcodes].sort()).toEqual([
      [1, 0],
      [2, 5],
      [3, 0],
      [4, 3],
    ]);
    // Each is counted once, whichever front end looked at it first.
    const { events, answers } = threads.sums();
    expect(events.edns).toBe(2);
    expect(answers.reduce((sum, { count }) => sum + count, 0)).toBe(4);
  });
});
