import { existsSync, readFileSync, statSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Part, Prepared } from '../../src/app/part.ts';
import { Parts } from '../../src/app/parts.ts';
import { serve } from '../../src/app/serve.ts';
import type { Running } from '../../src/app/server.ts';
import { plainFault } from '../../src/system/fault.ts';
import { throwingGuard } from '../support/guard.ts';
import { type Installation, NETWORK, program } from '../support/installation.ts';
import { openedLog } from '../support/log.ts';
import { makeReloadSite, type ReloadSite } from './reload-site.ts';

/** A reload for which one of the parts of a whole server is not ready: everything goes on by the old settings. */

const EDGE = '127.91.1.1';
/** How long a part may take here until it is given up, milliseconds. */
const PREPARE_MS = 250;

let site: Installation;
let made: ReloadSite;
let running: Running;
let parts: Parts;
let said = '';

beforeEach(async () => {
  made = await makeReloadSite(EDGE, { version: 'old', edns_size: 1232 });
  site = made.site;
  said = '';
  const start = vi.spyOn(Parts.prototype, 'start');
  const started = await serve({
    file: site.path('edgemanage.yaml'),
    networks: [],
    dryRun: false,
    guard: throwingGuard(),
    log: () =>
      openedLog((line) => {
        said += line;
      }),
  });
  [parts] = start.mock.contexts as Parts[];
  start.mockRestore();
  if (!started.ok) throw new Error(JSON.stringify(started.faults));
  running = started.running;
});
afterEach(async () => {
  await running.stop();
  await made.remove();
});

/** Every setting is another: zones, access, networks, edges, how they are judged, secondaries, answers. */
async function writeNewSettings(): Promise<void> {
  await site.write('static.zone', '@ 60 IN SOA ns. h. 1 1 1 1 1\n@ 60 IN NS ns.static.test.\nns 60 IN A 192.0.2.1\n');
  await site.write('edges/second', `${EDGE}\n`);
  await site.write('zones/second/two.test.zone', 'mail IN A 192.0.2.26\n');
  const before = parse(await site.read('edgemanage.yaml')) as Record<string, unknown>;
  const keys = {
    ...before,
    dns: { ns_records: ['ns9.test.'], soa_nameserver: 'ns9.test.', soa_mailbox: 'a.b.test.' },
    edge_count: 1,
    goodenough: 2,
    server: { ...(before['server'] as object), version: 'new', dnstap: { file: 'queries.fstrm' } },
    static_zones: [{ name: 'static.test', file: site.path('static.zone') }],
    transfer: { allow: [{ from: '127.0.0.1' }], watch: 0 },
  };
  await site.replace('edgemanage.yaml', stringify(keys));
}

/** What clients, secondaries, operators and other processes see of the settings. */
async function seen(): Promise<Readonly<Record<string, unknown>>> {
  const port = running.dns[0].split(':')[1];
  const dig = async (...question: readonly string[]): Promise<string> =>
    (await program('dig', ['@127.0.0.1', '-p', port, '+time=10', '+tries=2', '+short', ...question])).stdout.trim();
  const get = async (path: string): Promise<unknown> => (await fetch(`http://${running.http}${path}`)).json();
  const { networks } = (await get('/api/v1/networks')) as {
    networks: readonly { readonly last_run: number; readonly overdue: boolean }[];
  };
  const { zones } = (await get('/api/v1/zones')) as { zones: readonly unknown[] };
  return {
    nameservers: await dig('good.test', 'NS'),
    soa: await dig('good.test', 'SOA'),
    apex: await dig('good.test', 'A'),
    version: await dig('version.bind', 'TXT', 'CH'),
    staticZone: await dig('static.test', 'NS'),
    secondNetwork: await dig('mail.two.test', 'A'),
    transfer: (await program('dig', ['@127.0.0.1', '-p', port, 'good.test', 'AXFR'])).stdout.includes('failed'),
    // A turn may end at any time, and late.
    networks: networks.map(({ last_run: _, overdue: __, ...network }) => network),
    zones,
    dnstap: existsSync(site.path('queries.fstrm')),
  };
}

/** How many parts of the lock file are held, by whomever: two by a server at rest, more while it writes its records. */
function locks(): number {
  const { ino } = statSync(site.path('edgemanage.lock'));
  return readFileSync('/proc/locks', 'utf8').split(`:${ino} `).length - 1;
}

/** The ways in which a part is not ready. `hang`: for good, and longer than it may. */
const FAILURES: Readonly<Record<string, () => Promise<Prepared>>> = {
  throws: () => {
    throw new Error('planted');
  },
  rejects: () => Promise.reject(new Error('planted')),
  refuses: async () => ({ ok: false, faults: [plainFault('planted', 'planted')] }),
  hangs: () => new Promise<never>(() => undefined),
};

test('each part in each way: nothing of the new settings is in force, and it says so; then all of it is', async () => {
  Object.assign(parts['options'], { prepareMs: PREPARE_MS });
  const started: readonly Part[] = parts['started'];
  expect(started.map(({ name }) => name)).toEqual([
    ...[
      'dnstap output',
      'dns',
      'http',
      'privileges',
      'dnstap',
      'dns threads',
      'locks',
      'live history',
      'vantage',
      'networks',
      'dns settings',
      'zones',
      'publish',
      'providers',
      'notice queues',
    ],
    ...['rounds', 'secondaries', 'answers', 'prober', 'watches', 'notices', 'vantage role'],
  ]);
  await expect.poll(async () => (await seen())['apex']).toBe(EDGE); // a busy machine starts without it
  const before = await seen();
  expect(before).toMatchObject({ version: '"old"', staticZone: '', secondNetwork: '', transfer: true });
  await vi.waitFor(() => expect(locks()).toBe(2), 10_000);
  await writeNewSettings();
  for (const part of started) {
    const { prepare } = part;
    for (const [how, planted] of Object.entries(FAILURES)) {
      const since = said.length;
      Object.assign(part, { prepare: planted });
      await running.reload();
      const what = `${part.name} ${how}`;
      expect(said.slice(since), what).toContain('not everything is ready for the new settings; nothing was changed');
      expect(said.slice(since), what).toMatch(how === 'hangs' ? `${part.name}: not ready` : 'planted');
      expect(await seen(), what).toEqual(before);
      await vi.waitFor(() => expect(locks(), what).toBe(2), 10_000);
      const health = await fetch(`http://${running.http}/healthz`);
      expect(await health.text(), what).toContain('not everything was ready for the new settings');
    }
    Object.assign(part, { prepare });
  }
  Object.assign(parts['options'], { prepareMs: undefined });
  await running.reload();
  expect(await seen()).toMatchObject({
    nameservers: 'ns9.test.',
    version: '"new"',
    staticZone: 'ns.static.test.',
    secondNetwork: '192.0.2.26',
    transfer: false,
    networks: [{ network: NETWORK }, { network: 'second' }],
  });
  await vi.waitFor(() => expect(existsSync(site.path('queries.fstrm'))).toBe(true), 10_000);
  expect(await (await fetch(`http://${running.http}/healthz`)).text()).not.toContain('new settings');
}, 300_000);
