import { afterAll, beforeAll, expect, test } from 'vitest';
import { EdgewiseServer, eventually } from '../support/edgewise.ts';
import { EtcdCluster } from '../support/etcd.ts';
import { Installation, NETWORK, OBJECT } from '../support/installation.ts';
import { MockFleet } from '../support/mock-fleet.ts';
import { freePort } from '../support/ports.ts';

/** Two servers that agree through a real etcd: what an operator sets on one holds on the other. */

const EDGES = ['127.93.7.1', '127.93.7.2', '127.93.7.3'];
const [FIRST, SECOND] = EDGES;
let fleet: MockFleet;
let etcd: EtcdCluster;
const sites: Installation[] = [];
const servers: EdgewiseServer[] = [];

beforeAll(async () => {
  [fleet, etcd] = await Promise.all([MockFleet.start(EDGES, OBJECT), EtcdCluster.start()]);
  for (const name of ['a', 'b']) {
    const site = await Installation.make({
      edges: EDGES,
      port: fleet.port,
      zones: { 'm.test': '' },
      keys: {
        run_frequency: 2,
        edge_count: 3,
        settle: 0,
        server: { listen: ['127.0.0.1:0'], udp_workers: 1 },
        http: { listen: `127.0.0.1:${await freePort()}` },
        vantage: {
          name,
          engine: 'etcd',
          endpoints: etcd.endpoints,
          prefix: 'edgewise/modes',
          members: ['a', 'b'],
          lease: 10,
        },
      },
    });
    sites.push(site);
    servers.push(EdgewiseServer.spawn(site.path('edgemanage.yaml')));
  }
  await Promise.all(servers.map((server) => server.ready()));
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await etcd?.stop();
  await fleet?.close();
  for (const site of sites) await site.remove();
});

async function set(site: Installation, edge: string, ...args: readonly string[]): Promise<void> {
  const { status, stderr } = await site.run('edge_conf', ['--no-syslog', ...args, edge]);
  if (status !== 0) throw new Error(stderr);
}

type Edge = {
  readonly edge: string;
  readonly mode: string;
  readonly comment: string;
  readonly mode_until: number | null;
};

async function edgeOf(server: EdgewiseServer, edge: string): Promise<Edge | undefined> {
  const { text } = await server.get(`/api/v1/networks/${NETWORK}`);
  return (JSON.parse(text) as { readonly edges: readonly Edge[] }).edges.find((one) => one.edge === edge);
}

const answers = (server: EdgewiseServer): Promise<string> => server.dig('m.test', 'A').then((lines) => lines.join(' '));
const without = (edge: string): string => EDGES.filter((one) => one !== edge).join(' ');

test('a mode with its comment and end, set on either; etcd away; a server that was down', {
  timeout: 120_000,
}, async () => {
  const [a, b] = sites;
  const [atA, atB] = servers;
  for (const server of servers)
    await eventually(
      () => answers(server),
      (seen) => seen === EDGES.join(' '),
    );

  await set(b, FIRST, '-m', 'unavailable', '-C', 'new disk', '--for', '2h');
  for (const server of servers)
    await eventually(
      () => answers(server),
      (seen) => seen === without(FIRST),
    );
  const seenAtA = await eventually(
    () => edgeOf(atA, FIRST),
    (edge) => edge?.mode === 'unavailable',
  );
  const seenAtB = await edgeOf(atB, FIRST);
  expect(seenAtA?.comment).toMatch(/\] new disk$/);
  expect([seenAtA?.comment, seenAtA?.mode_until]).toEqual([seenAtB?.comment, seenAtB?.mode_until]);

  await set(a, FIRST, '-m', 'available');
  for (const server of servers)
    await eventually(
      () => answers(server),
      (seen) => seen === EDGES.join(' '),
    );

  await etcd.kill(0);
  await set(b, SECOND, '-m', 'unavailable', '-C', 'etcd is away');
  await eventually(
    () => atB.get('/healthz'),
    ({ text }) => text.includes('etcd') || text.includes('no decision'),
  );
  expect(await answers(atA)).toBe(EDGES.join(' '));
  await etcd.restart(0);
  for (const server of servers)
    await eventually(
      () => answers(server),
      (seen) => seen === without(SECOND),
    );

  await atB.stop();
  await set(a, SECOND, '-m', 'blindforce', '-C', 'while b is down');
  await eventually(
    () => edgeOf(atA, SECOND),
    (edge) => edge?.mode === 'blindforce',
  );
  servers[1] = await EdgewiseServer.start(b.path('edgemanage.yaml'));
  const back = await eventually(
    () => edgeOf(servers[1], SECOND),
    (edge) => edge?.mode === 'blindforce',
  );
  expect(back?.comment).toMatch(/\] while b is down$/);
  for (const server of servers)
    await eventually(
      () => answers(server),
      (seen) => seen === EDGES.join(' '),
    );
});
