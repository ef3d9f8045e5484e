import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { lowerName, nameText } from '../../src/dns/name.ts';
import { Primary } from './primary.ts';

const SERVER = '127.90.53.1';
let socket: Socket | null = null;
let primary: Primary | null = null;

afterEach(async () => {
  socket?.close();
  await primary?.stop();
});

/** On port 53, where name servers are; null: this user or machine cannot have it. */
async function listen(): Promise<Socket | null> {
  const opened = createSocket('udp4');
  opened.bind(53, SERVER);
  try {
    await once(opened, 'listening');
    return opened;
  } catch {
    return null;
  }
}

test('a server in the NS records of a zone hears of each flip, without being configured', async ({ skip }) => {
  socket = await listen();
  if (socket === null) return skip('nothing may listen on port 53 here');
  const heard: string[] = [];
  let told = (): void => {};
  socket.on('message', (message, { address, port }) => {
    message[2] |= 0x80;
    socket?.send(message, port, address);
    heard.push(`opcode ${(message[2] >> 3) & 15} ${nameText(lowerName(message, 12))}`);
    told();
  });
  const next = (): Promise<void> =>
    new Promise((resolve) => {
      told = resolve;
    });

  const first = next();
  primary = await Primary.start(90, {
    zones: { 'example.com': `ns1 A ${SERVER}\n` },
    transfer: { notify_ns: true, watch: 0 },
    keys: {
      dns: {
        ns_records: ['ns1.example.com.'],
        soa_nameserver: 'ns0.nameservers.test.',
        soa_mailbox: 'hostmaster.example.com.',
      },
    },
  });
  await first;
  const second = next();
  await primary.flip(0);
  await second;
  expect(new Set(heard)).toEqual(new Set(['opcode 4 example.com.']));
});
