import { once } from 'node:events';
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

/** A site of two edges and one zone. */
async function siteOf(server: Readonly<Record<string, unknown>>): Promise<Installation> {
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
      server: { listen: [`127.0.0.1:${await freePort()}`], tcp_connections_per_client: 1000, ...server },
      http: { listen: `127.0.0.1:${await freePort()}` },
    },
  });
  cleanUp.push(() => site.remove());
  return site;
}

test.each([
  { limit: 256, when: 'from the start', count: 300 },
  { limit: 64, when: 'from the start', count: 80 },
  { limit: 64, when: 'set on the running server', count: 80 },
])('$count TCP clients at a limit of $limit descriptors, $when', async ({ limit, when, count }) => {
  const site = await siteOf({ udp_workers: 1 });
  const early = when === 'from the start';
  const wrapper = early ? ['prlimit', `--nofile=${limit}:${limit}`] : [];
  const server = EdgewiseServer.spawn(site.path('edgemanage.yaml'), [], {}, [], wrapper);
  cleanUp.push(() => server.stop('SIGKILL'));
  await server.ready();
  if (early) await server.prints(/the limit of open files \(\d+\) is too low for server.tcp_connections 1000/);
  else {
    const { status } = await program('prlimit', [`--pid=${server.child.pid}`, `--nofile=${limit}:${limit}`]);
    expect(status).toBe(0);
  }

  const httpPort = Number(new URL(server.http).port);
  const clients = Array.from({ length: count }, (): Socket => {
    const socket = connect(server.dnsPort, '127.0.0.1').on('error', () => {});
    socket.write(Buffer.of(0)); // half a length
    return socket;
  });
  const idle = Array.from({ length: count }, (): Socket => connect(httpPort, '127.0.0.1').on('error', () => {}));
  cleanUp.push(() => [...clients, ...idle].map((socket) => socket.destroy()));
  await Promise.all([...clients, ...idle].map((socket) => !socket.connecting || once(socket, 'connect')));
  // A client that asks is answered all the same, and so is HTTP; rounds go on.
  expect(await server.dig('+tcp', 'mail.one.test', 'A')).toEqual(['192.0.2.25']);
  expect((await server.get('/healthz')).text).not.toBe('');
  for (let i = 0; i < 2; i++) await server.prints(/fetch from 127.78.8.2: \d/, server.output.length);
});

test.each([
  { limit: 64, workers: 8, needed: 102 },
  { limit: 40, workers: 1, needed: 53 },
])(
  'a limit of $limit for $workers UDP threads: one sentence with what to raise',
  async ({ limit, workers, needed }) => {
    const site = await siteOf({ udp_workers: workers });
    const wrapper = ['prlimit', `--nofile=${limit}:${limit}`];
    const server = EdgewiseServer.spawn(site.path('edgemanage.yaml'), [], {}, [], wrapper);
    cleanUp.push(() => server.stop('SIGKILL'));
    const [status] = await once(server.child, 'close');
    expect(status).toBe(1);
    expect(server.output).toContain(
      `the limit of open files (${limit}) is too low: these settings need ${needed} at least; ` +
        'raise the limit (LimitNOFILE of systemd, ulimit -n) to 4096',
    );
    expect(server.output).not.toContain('    at ');
  },
);

test.each([24, 28, 32])('a limit of %d, which is too low to load the program: no stack', async (limit) => {
  const site = await siteOf({});
  const wrapper = ['prlimit', `--nofile=${limit}:${limit}`];
  const server = EdgewiseServer.spawn(site.path('edgemanage.yaml'), [], {}, [], wrapper);
  cleanUp.push(() => server.stop('SIGKILL'));
  const [status] = await once(server.child, 'close');
  expect(status).toBe(1);
  expect(server.output).toMatch(/the limit of open files .*too low.*; raise the limit \(LimitNOFILE/);
  expect(server.output).not.toContain('    at ');
});
