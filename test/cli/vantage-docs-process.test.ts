import { spawn } from 'node:child_process';
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse as parseYaml, stringify } from 'yaml';
import { Edges } from '../chaos/edges.ts';
import { block as blockOf, blocksOf } from '../support/documents.ts';
import { EDGEWISE, EdgewiseServer, eventually } from '../support/edgewise.ts';
import { ETCD_ROOT, EtcdCluster } from '../support/etcd.ts';
import { type Ended, ended, Installation, OBJECT } from '../support/installation.ts';
import { freePort } from '../support/ports.ts';

/** The commands of docs/vantage.md as its reader runs them: a shell, openssl, etcdctl, an etcd with users, and servers. */

const PAGE = 'docs/vantage.md';
const ADDRESSES = [1, 2].map((i) => `127.74.0.${i}`);
const NAMES = ['fra1', 'ams1'];
let edges: Edges;
let etcd: EtcdCluster;
let sites: readonly Installation[] = [];
const servers: EdgewiseServer[] = [];

/** The text of the page's block with these words behind its opening fence. */
const block = (words: string): string => blockOf(PAGE, words).text;

/** The page's section `vantage` for this engine. */
function example(engine: 'peers' | 'etcd'): object {
  const found = blocksOf(PAGE).find(
    ({ language, text }) => language === 'yaml' && text.includes(`engine: ${engine}\n`),
  );
  return (parseYaml(found?.text ?? '') as { vantage: object }).vantage;
}

async function configure(site: Installation, vantage: object): Promise<void> {
  const keys = parseYaml(await site.read('edgemanage.yaml')) as object;
  await site.write('edgemanage.yaml', stringify({ ...keys, vantage }));
}

/** Runs lines in the site's folder; `edgewise` is ours, and reads the site's file where an installed one reads /etc. */
async function sh(site: Installation, lines: string, env = {}): Promise<Ended> {
  const config = site.path('edgemanage.yaml');
  await site.write(
    'bin/edgewise',
    `#!/bin/sh\ncase " $* " in *" -c "*) ;; *) set -- "$@" -c "${config}" ;; esac\nexec "${process.execPath}" "${EDGEWISE}" "$@"\n`,
  );
  await chmod(site.path('bin/edgewise'), 0o755);
  const path = `${site.path('bin')}:${process.env['PATH'] ?? ''}`;
  return ended(spawn('sh', ['-euc', lines], { cwd: site.folder, env: { ...process.env, PATH: path, ...env } }));
}

beforeAll(async () => {
  [edges, etcd] = await Promise.all([Edges.start(ADDRESSES, OBJECT), EtcdCluster.start()]);
  sites = await Promise.all(
    NAMES.map(async () =>
      Installation.make({
        edges: ADDRESSES,
        port: edges.port,
        zones: { 'z.test': '' },
        keys: {
          edge_count: 1,
          run_frequency: 1,
          logpath: null,
          named_dir: null,
          server: { listen: [`127.0.0.1:${await freePort()}`], udp_workers: 1 },
          http: { listen: `127.0.0.1:${await freePort()}` },
        },
      }),
    ),
  );
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await etcd.stop();
  edges.close();
  await Promise.all(sites.map((site) => site.remove()));
});

test('peers: the key is for nobody else, and check takes it', async () => {
  const [site] = sites;
  await configure(site, example('peers'));
  expect(await sh(site, block('sh peers'))).toMatchObject({ status: 0 });
  expect((await stat(site.path('peers.key'))).mode & 0o777).toBe(0o600);
  expect(await sh(site, block('sh check'))).toMatchObject({
    status: 0,
    stdout: expect.stringContaining(
      '\nvantage a with peers b (http://198.51.100.2:8061), c (http://203.0.113.3:8061): ',
    ),
  });
});

test("etcd: the page's user suffices, and is needed; status and override", async () => {
  const [site] = sites;
  const password = `s3cret $"'% ${process.pid}`;
  for (const each of sites) {
    await each.write('etcd.password', `${password}\n`);
    const { tls: _, ...vantage } = example('etcd') as Record<string, unknown>;
    await configure(each, { ...vantage, name: NAMES[sites.indexOf(each)], endpoints: etcd.endpoints });
  }
  const root = `${ETCD_ROOT.user}:${ETCD_ROOT.password}`;
  const asRoot = { ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: etcd.endpoints.join(), ETCDCTL_USER: root };
  for (const args of [
    ['user', 'add', root],
    ['user', 'grant-role', 'root', 'root'],
    ['auth', 'enable'],
  ]) {
    expect(await etcd.etcdctl(...args)).toMatchObject({ status: 0 });
  }
  expect(await sh(site, block('sh etcd'), asRoot)).toMatchObject({ status: 0 });

  // Nothing but the keys below the prefix.
  const asUser = { ...asRoot, ETCDCTL_USER: `edgewise:${password}` };
  expect(await sh(site, 'etcdctl put edgewise/prod/x 1', asUser)).toMatchObject({ status: 0, stdout: 'OK\n' });
  expect(await sh(site, 'etcdctl del edgewise/prod/x', asUser)).toMatchObject({ status: 0 });
  for (const key of ['edgewise/production', 'other']) {
    expect((await sh(site, `etcdctl get ${key}`, asUser)).stderr).toContain('permission denied');
  }

  const [restart, ...status] = block('sh status').trim().split('\n');
  expect(restart).toBe('systemctl restart edgewise');
  servers.push(...sites.map((each) => EdgewiseServer.spawn(join(each.folder, 'edgemanage.yaml'))));
  await Promise.all(servers.map((server) => server.ready()));
  // Two of three decide, and store it as that user.
  const { stdout } = await eventually(
    () => sh(site, status.join('\n')),
    (seen) => /network mynet: serial \d+, decided by \w+ .* ago; 2 of 3 views count\n/.test(seen.stdout),
  );
  expect(stdout).toMatch(/^vantage fra1, by etcd\n(fra1|ams1) decides/);
  expect((await sh(site, 'etcdctl get edgewise/prod/sets/mynet', asRoot)).stdout).toContain('"serial"');

  const [begin, end] = block('sh override').trim().split('\n');
  expect(await sh(site, begin)).toMatchObject({ status: 0 });
  const overridden = await eventually(
    () => sh(site, status.join('\n')),
    (seen) => seen.stdout.includes('OVERRIDE'),
  );
  expect(overridden.stdout).toMatch(/OVERRIDE: .*"etcd is gone, ticket 4711", by .*left\n/);
  expect(await sh(site, end)).toMatchObject({ status: 0, stdout: 'The override has ended.\n' });
  await eventually(
    () => sh(site, status.join('\n')),
    (seen) => !seen.stdout.includes('OVERRIDE'),
  );

  // Without the grant, nothing is read or stored any more: the page's role is what they live by.
  const revoke = 'etcdctl role revoke-permission edgewise --prefix=true edgewise/prod/';
  expect(await sh(site, revoke, asRoot)).toMatchObject({ status: 0 });
  await Promise.all(servers.map((server) => server.prints(/permission denied/)));
});
