import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { EdgewiseServer } from '../support/edgewise.ts';
import { Installation, OBJECT, program } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { freePort } from '../support/ports.ts';

/** Clients that take every descriptor they can get must not stop probing or the HTTP side. */

const EDGES = ['127.78.8.1', '127.78.8.2'];

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

test.each([
  { limit: 256, when: 'from the start', count: 300 },
  { limit: 64, when: 'set on the running server', count: 80 },
])('$count TCP clients at a limit of $limit descriptors, $when', async ({ limit, when, count }) => {
  const fleet = await MockFleet.start(EDGES, OBJECT);
  cleanUp.push(() => fleet.close());
  const site = await Installation.make({
    edges: EDGES,
    port: fleet.port,
    zones: { 'one.test': 'mail IN A 192.0.2.25\n' },
    keys: {
      run_frequency: 1,
      dns: {
        ns_records: ['ns1.nameservers.test.'],
        soa_nameserver: 'ns1.nameservers.test.',
        soa_mailbox: 'hostmaster.nameservers.test.',
      },
      logpath: null,
      server: { listen: [`127.0.0.1:${await freePort()}`], tcp_connections_per_client: 1000 },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
  cleanUp.push(() => site.remove());
  const early = when === 'from the start';
  const wrapper = early ? ['prlimit', `--nofile=${limit}:${limit}`] : [];
  const server = EdgewiseServer.spawn(site.path('edgemanage.yaml'), [], {}, [], wrapper);
  cleanUp.push(() => server.stop('SIGKILL'));
  await server.ready();
  if (early) await server.prints(/the limit of open files \(256\) is too low for server.tcp_connections 1000/);
  else {
    const { status } = await program('prlimit', [`--pid=${server.child.pid}`, `--nofile=${limit}:${limit}`]);
    expect(status).toBe(0);
  }

  const clients = Array.from({ length: count }, (): Socket => {
    const socket = connect(server.dnsPort, '127.0.0.1').on('error', () => {});
    socket.write(Buffer.of(0)); // half a length
    return socket;
  });
  cleanUp.push(() => clients.map((socket) => socket.destroy()));
  // A client that asks is answered all the same, and so is HTTP; rounds go on.
  expect(await server.dig('+tcp', 'mail.one.test', 'A')).toEqual(['192.0.2.25']);
  expect((await server.get('/healthz')).text).not.toBe('');
  for (let i = 0; i < 2; i++) await server.prints(/fetch from 127.78.8.2: \d/, server.output.length);
});
