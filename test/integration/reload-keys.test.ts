import { mkdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { untilRestart } from '../../src/app/need-restart.ts';
import { serve } from '../../src/app/serve.ts';
import type { Running } from '../../src/app/server.ts';
import { configSchema, loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/types.ts';
import { throwingGuard } from '../support/guard.ts';
import { type Installation, NETWORK } from '../support/installation.ts';
import { openedLog } from '../support/log.ts';
import { makeCertificates } from '../support/mock-edge-certificates.ts';
import { makeReloadSite, type ReloadSite } from './reload-site.ts';

/** A reload in which one key is another: it comes into force, or the log says that it takes a restart. */

const EDGE = '127.91.0.1';
let site: Installation;
let made: ReloadSite;
let running: Running | null = null;
let said = '';
const write = (line: string): void => {
  said += line;
};

beforeEach(async () => {
  made = await makeReloadSite(EDGE);
  site = made.site;
  said = '';
});
afterEach(async () => {
  await running?.stop();
  running = null;
  await made.remove();
});

function load(): Config {
  const { config, faults } = loadConfig(site.path('edgemanage.yaml'));
  if (config === null) throw new Error(JSON.stringify(faults));
  return config;
}

/** Another value for each key of the file, but those in which nothing can be changed alone. */
const CHANGES: Readonly<Record<string, (site: Installation) => unknown>> = {
  testobject: () => ({ host: 'other.test', port: 1, proto: 'http', uri: '/other', local: site.path('object') }),
  checks: () => ({ [NETWORK]: [{ kind: 'http', timeout: 1 }] }),
  judges: () => ({ [NETWORK]: { rise_fall: { rise: 2, fall: 2 } } }),
  goodenough: () => 2,
  timeout: () => 9,
  testing: () => true,
  workers: () => 3,
  retry: () => 1,
  probe: () => ({ max_object_bytes: 1_000_000 }),
  run_frequency: () => 1800,
  settle: () => 2,
  safety: () => ({ [NETWORK]: { min_up: 1 } }),
  publish: () => [
    { provider: 'rfc2136', network: NETWORK, zone: 'x.test', names: 'www', to: '127.0.0.1:1', unsigned: true },
  ],
  notices: () => [{ to: 'webhook', url: 'http://127.0.0.1:1/' }],
  edge_count: () => 2,
  dnet_edge_count: () => ({ [NETWORK]: 1 }),
  dnschange_maxfreq: () => 5,
  canary_killer: () => 3,
  edgelist_dir: () => site.path('edges', '.'),
  extra_edgelist_dir: () => site.path('extra'),
  healthdata_store: () => site.path('health2'),
  zonetemplate_dir: () => site.path('zones2'),
  named_dir: () => site.path('named2'),
  logpath: () => site.path('new.log'),
  log_level: () => 'ERROR',
  lockfile: () => site.path('other.lock'),
  statefile: () => site.path('{dnet}.other'),
  state_dir: () => site.path('elsewhere'),
  live_list: () => site.path('{dnet}.list'),
  canary_files: () => site.path('canaries2', '{dnet}'),
  prometheus_logs: () => site.path('metrics'),
  commands: () => ({ run_after: ['true'] }),
  dns: () => ({ ns_records: ['ns9.test.'], soa_nameserver: 'ns9.test.', soa_mailbox: 'a.b.test.', ttl: 77 }),
  static_zones: () => [{ name: 'static.test', file: site.path('static.zone') }],
  static_zone_dir: () => site.path('statics'),
  include_dirs: () => [site.path('includes')],
  zone_limits: () => ({ records: 1000 }),
  vantage: () => ({
    name: 'a',
    engine: 'peers',
    listen: '127.0.0.1:0',
    key_file: site.path('edgemanage.yaml'),
    peers: [{ name: 'b', url: 'http://127.0.0.1:9' }],
  }),
  transfer: () => ({ allow: [{ from: '127.0.0.1' }], notify: [{ to: '127.0.0.1:1' }], watch: 0 }),
};
/** Changed key by key below, or kept for configurations of edgemanage without effect. */
const OTHERS = ['server', 'http', 'command_reap_timeout', 'rotationhistory_store', 'soa_template'];

const SERVER: Readonly<Record<string, unknown>> = {
  listen: ['127.0.0.1:0'],
  udp_workers: 3,
  edns_size: 1400,
  tcp_idle_timeout: 3,
  tcp_message_timeout: 4,
  tcp_connections: 5,
  tcp_connections_per_client: 2,
  nsid: 'here',
  version: 'v',
  id: 'i',
  minimal_responses: true,
  user: 'nobody',
  startup_timeout: 1,
  rate_limit: { per_second: 5 },
  cookie_secret: '8d1f60b7c2a94e53b6f0a1d2c3e4f507',
  dnstap: { file: 'queries.fstrm' },
};

test('every key of the file is changed below', () => {
  expect([...Object.keys(CHANGES), ...OTHERS].sort()).toEqual(Object.keys(configSchema.shape).sort());
});

/** A hundred reloads. */
const MANY_MS = 300_000;

test('every single key: the reload is made, nothing is thrown, and the server goes on', {
  timeout: MANY_MS,
}, async () => {
  for (const folder of ['statics', 'zones2']) await mkdir(site.path(folder)); // to which zones may move
  await site.write('static.zone', '@ 60 IN SOA ns. h. 1 1 1 1 1\n@ 60 IN NS ns.static.test.\nns 60 IN A 192.0.2.1\n');
  await site.write('http.tokens', 'anna 0123456789abcdef0123456789abcdef\n');
  const { good } = makeCertificates('ns.test');
  await site.write('http.pem', good.cert);
  await site.write('http.key', good.key);
  const files = { tls: { cert: site.path('http.pem'), key: site.path('http.key') }, tokens: site.path('http.tokens') };
  const before = parse(await site.read('edgemanage.yaml')) as Record<string, unknown>;
  const started = await serve({
    file: site.path('edgemanage.yaml'),
    networks: [],
    dryRun: false,
    guard: throwingGuard(),
    log: () => openedLog(write),
  });
  if (!started.ok) throw new Error(JSON.stringify(started.faults));
  running = started.running;
  const changes = [
    ...Object.entries(CHANGES).map(([key, value]) => [key, { ...before, [key]: value(site) }] as const),
    ...Object.entries(SERVER).map(
      ([key, value]) =>
        [`server.${key}`, { ...before, server: { ...(before['server'] as object), [key]: value } }] as const,
    ),
    ['http.listen', { ...before, http: { listen: '127.0.0.1:0' } }] as const,
    ['http.hosts', { ...before, http: { ...(before['http'] as object), hosts: ['name.test'] } }] as const,
    ['http.tls', { ...before, http: { ...(before['http'] as object), tls: files.tls } }] as const,
    ['http.admin', { ...before, http: { ...(before['http'] as object), admin: { tokens: files.tokens } } }] as const,
    ['http.read', { ...before, http: { ...(before['http'] as object), read: { tokens: files.tokens } } }] as const,
    ['http', { ...before, http: false }] as const,
  ];
  for (const [key, keys] of changes) {
    for (const text of [stringify(keys), stringify(before)]) {
      await site.replace('edgemanage.yaml', text);
      const since = said.length;
      await running.reload();
      const news = said.slice(since);
      expect(news, `${key}:\n${news}`).toContain('"msg":"reloaded"');
      expect(news, key).not.toMatch(/"level":"error".*(contained|nothing was changed)/);
    }
    if (RESTART.includes(key)) expect(said, key).toContain(`${key} changed; that takes a restart`);
    expect(await fetchStatus(running.http), key).toMatch(/^(200|503)$/);
  }
});

/** What a running server keeps until it is started again. */
const RESTART = [
  ...[
    'server.listen',
    'server.udp_workers',
    'server.user',
    'http.listen',
    'http.hosts',
    'http.tls',
    'lockfile',
    'statefile',
  ],
  ...['state_dir', 'healthdata_store', 'logpath', 'log_level', 'named_dir'],
];

async function fetchStatus(http: string | null): Promise<string> {
  return String((await fetch(`http://${http}/healthz`)).status);
}

describe('what a running server takes over', () => {
  test('no part goes by a file or folder that the others do not use', async () => {
    const before = load();
    const keys = parse(await site.read('edgemanage.yaml')) as Record<string, unknown>;
    for (const key of ['healthdata_store', 'named_dir', 'logpath', 'log_level', 'lockfile', 'statefile', 'state_dir']) {
      await site.write('edgemanage.yaml', stringify({ ...keys, [key]: CHANGES[key](site) }));
      const wanted = load();
      const { config, restart } = untilRestart(before, wanted);
      expect(restart).toContain(key);
      expect(config).toEqual(before);
      // Asked again, it is still so: a second reload does not take over what the first one kept.
      expect(untilRestart(config, wanted).restart).toEqual(restart);
    }
  });
});
