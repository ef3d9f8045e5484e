import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Edges } from '../chaos/edges.ts';
import { EdgewiseServer, edgewise, eventually } from '../support/edgewise.ts';

/** docs/operations.md: what comes back with a backup, and what happens to serials. */

const EDGES = ['127.79.4.11', '127.79.4.12', '127.79.4.13'];
const ZONE = '@ 3600 IN MX 10 mail\nmail 3600 IN A 198.51.100.25\n';
let edges: Edges;
let folder: string;
let server: EdgewiseServer | null = null;

beforeAll(async () => {
  edges = await Edges.start(EDGES, 'all is well\n');
  folder = mkdtempSync(join(tmpdir(), 'edgewise-operations-'));
  for (const each of ['edges', 'zones/mynet']) mkdirSync(join(folder, each), { recursive: true });
  writeFileSync(join(folder, 'health.txt'), 'all is well\n');
  writeFileSync(join(folder, 'edges/mynet'), EDGES.map((edge) => `${edge}\n`).join(''));
  writeFileSync(join(folder, 'zones/mynet/example.com.zone'), ZONE);
  writeFileSync(
    join(folder, 'edgemanage.yaml'),
    `testobject: {host: www.example.com, port: ${edges.port}, proto: http, uri: /health.txt, local: health.txt}
dns: {ns_records: [ns1.example.net.], soa_nameserver: ns1.example.net., soa_mailbox: hostmaster.example.net.}
edge_count: 2
goodenough: 0.7
run_frequency: 5
edgelist_dir: edges
zonetemplate_dir: zones
healthdata_store: state/health
statefile: state/{dnet}.state
lockfile: state/lock
server: {listen: "127.0.0.1:0"}
http: {listen: "127.0.0.1:0"}
`,
  );
});
afterAll(async () => {
  await server?.stop();
  edges.close();
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string): string => join(folder, name);

async function start(): Promise<number> {
  server = await EdgewiseServer.start(path('edgemanage.yaml'));
  return serial();
}

async function serial(): Promise<number> {
  const [soa = ''] = (await server?.dig('example.com', 'SOA')) ?? [];
  return Number(soa.split(' ')[2]);
}

async function stop(): Promise<void> {
  await server?.stop();
  server = null;
}

test('a backup taken meanwhile is whole; without its serials a restored server is later than any it gave', async () => {
  const first = await start();
  expect(
    (
      await edgewise([
        'mode',
        '-c',
        path('edgemanage.yaml'),
        '-A',
        'mynet',
        '-m',
        'unavailable',
        '-C',
        'new disk',
        EDGES[0],
      ])
    ).status,
  ).toBe(0);
  cpSync(path('state'), path('backup'), { recursive: true });
  writeFileSync(path('zones/mynet/example.com.zone'), `${ZONE}x 60 IN A 198.51.100.9\n`);
  const last = await eventually(serial, (seen) => seen > first);
  await stop();

  rmSync(path('state'), { recursive: true });
  cpSync(path('backup'), path('state'), { recursive: true });
  writeFileSync(path('zones/mynet/example.com.zone'), ZONE);
  for (const name of ['edgewise-zones.json', 'journal', 'mynet.state'])
    rmSync(path(`state/${name}`), { recursive: true });
  expect((await edgewise(['check', '-c', path('edgemanage.yaml')])).status).toBe(0);
  expect(await start()).toBeGreaterThan(last);
  // What an operator had set holds.
  expect((await server?.dig('example.com', 'A'))?.toSorted()).toEqual(EDGES.slice(1));
});
