import { mkdir, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { serve } from '../../src/app/serve.ts';
import type { Running } from '../../src/app/server.ts';
import { throwingGuard } from '../support/guard.ts';
import { type Installation, program } from '../support/installation.ts';
import { openedLog } from '../support/log.ts';
import { makeCertificates } from '../support/mock-edge-certificates.ts';
import { makeReloadSite, type ReloadSite } from './reload-site.ts';

/**
 * Reloads for which a file, folder or port is not as it should be: either nothing of the new settings comes into force, or
 * all but the one thing, which stays as it was. `/healthz` says what it is, and goes back once it is mended.
 */

const EDGE = '127.91.2.1';
const STATIC = '@ 60 IN SOA ns. h. 1 1 1 1 1\n@ 60 IN NS ns.static.test.\nns 60 IN A 192.0.2.1\n';
const SECRET = 'key "x." { algorithm hmac-sha256; secret "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="; };\n';

let site: Installation;
let made: ReloadSite;
let running: Running;
let said = '';
let keys: Readonly<Record<string, unknown>>;

beforeEach(async () => {
  made = await makeReloadSite(EDGE, { version: 'old' });
  site = made.site;
  said = '';
  await site.write('statics/static.test.zone', STATIC);
  await site.write('transfer.key', SECRET);
  const { good } = makeCertificates('tls.test');
  await site.write('cert.pem', good.cert);
  await site.write('key.pem', good.key);
  const before = parse(await site.read('edgemanage.yaml')) as Record<string, unknown>;
  keys = {
    ...before,
    static_zone_dir: site.path('statics'),
    transfer: { key_files: [site.path('transfer.key')], watch: 0 },
    server: {
      ...(before['server'] as object),
      tls_listen: ['127.0.0.1:0'],
      tls_certificate: site.path('cert.pem'),
      tls_key: site.path('key.pem'),
    },
  };
  await site.write('edgemanage.yaml', stringify(keys));
  const started = await serve({
    file: site.path('edgemanage.yaml'),
    networks: [],
    dryRun: false,
    guard: throwingGuard(),
    log: () => openedLog((line) => (said += line)),
  });
  if (!started.ok) throw new Error(JSON.stringify(started.faults));
  running = started.running;
});
afterEach(async () => {
  await running.stop();
  await made.remove();
});

type Trouble = {
  readonly what: string;
  /** What is other in the new configuration, beside the version that shows whether it is in force. */
  readonly change?: () => Readonly<Record<string, unknown>>;
  /** What is amiss on the disk. */
  readonly cause?: () => Promise<unknown>;
  readonly mend?: () => Promise<unknown>;
  /** A part of the reason in `/healthz`. */
  readonly reason: string;
};

const aside = (file: string): Promise<void> => rename(site.path(file), site.path('aside'));
const back = (file: string): Promise<void> => rename(site.path('aside'), site.path(file));
const NOT_READY = 'the settings before the last reload are in force: not everything was ready for the new settings';
const ERRORS = 'the settings before the last reload are in force: the configuration has errors';

/** Nothing is changed. */
const REFUSED: readonly Trouble[] = [
  {
    what: 'zonetemplate_dir names a folder that is not there',
    change: () => ({ zonetemplate_dir: site.path('nowhere') }),
    reason: NOT_READY,
  },
  {
    what: 'static_zone_dir names a file',
    change: () => ({ static_zone_dir: site.path('transfer.key') }),
    reason: ERRORS,
  },
  {
    what: 'static_zone_dir names a folder that is not there',
    change: () => ({ static_zone_dir: site.path('nowhere') }),
    reason: NOT_READY,
  },
  { what: 'a key file is gone', cause: () => aside('transfer.key'), mend: () => back('transfer.key'), reason: ERRORS },
  { what: 'the folder of lists is gone', cause: () => aside('edges'), mend: () => back('edges'), reason: ERRORS },
  {
    what: 'the folder of health records is a file',
    cause: async () => [await aside('health'), await site.write('health', '')],
    mend: async () => [await rm(site.path('health')), await back('health')],
    reason: ERRORS,
  },
];

/** All is changed but the one thing. */
const KEPT: readonly Trouble[] = [
  {
    what: 'the key for TLS is gone',
    cause: () => aside('key.pem'),
    mend: () => back('key.pem'),
    reason: 'the certificate for TLS stays the one before the last reload: ',
  },
  {
    what: 'the certificate for TLS is half a file',
    cause: async () => {
      const half = (await site.read('cert.pem')).slice(0, 200);
      await aside('cert.pem');
      await site.write('cert.pem', half);
    },
    mend: () => back('cert.pem'),
    reason: 'the certificate for TLS stays the one before the last reload: ',
  },
  {
    what: 'the folder of zones is gone',
    cause: () => aside('zones'),
    mend: () => back('zones'),
    reason: 'it is gone; the zones that were in it stay served as they were',
  },
  {
    what: 'the folder of static zones is gone',
    cause: () => aside('statics'),
    mend: () => back('statics'),
    reason: 'it is gone; the zones that were in it stay served as they were',
  },
  {
    what: 'a list is half a line',
    cause: async () => [await aside('edges/mynet'), await site.write('edges/mynet', 'not a name\n')],
    mend: () => back('edges/mynet'),
    reason: 'network mynet: its lists do not load (those read before stay in force)',
  },
  {
    what: 'a new network has a folder where its state should be',
    cause: async () => {
      await site.write('edges/second', `${EDGE}\n`);
      await mkdir(site.path('second.state'));
      await site.write('second.state/x', '');
    },
    mend: () => rm(site.path('edges/second')),
    reason: 'network second',
  },
];

/** What clients see apart from the version. */
async function answers(): Promise<readonly string[]> {
  const ask = async (endpoint: string, ...question: readonly string[]): Promise<string> => {
    const args = [`@127.0.0.1`, '-p', endpoint.split(':')[1], '+short', '+time=10', ...question];
    return (await program('dig', args)).stdout.trim();
  };
  const [dns] = running.dns;
  const [tls] = running.tls;
  return [
    await ask(dns, 'good.test', 'A'),
    await ask(dns, 'mail.good.test', 'A'),
    await ask(dns, 'ns.static.test', 'A'),
    await ask(tls, '+tls', 'good.test', 'A'),
  ];
}

async function version(): Promise<string> {
  const args = ['@127.0.0.1', '-p', running.dns[0].split(':')[1], '+short', '+time=10', 'version.bind', 'TXT', 'CH'];
  return (await program('dig', args)).stdout.trim();
}

const healthz = async (): Promise<string> => (await fetch(`http://${running.http}/healthz`)).text();

async function reload(version: string, change: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const since = said.length;
  const server = { ...(keys['server'] as object), version };
  await site.replace('edgemanage.yaml', stringify({ ...keys, ...change, server }));
  await running.reload();
  return said.slice(since);
}

test('either nothing is changed, or all but what is amiss; it is said, and goes when it is mended', {
  timeout: 300_000,
}, async () => {
  const before = await answers();
  expect(before).toEqual([EDGE, '192.0.2.25', '192.0.2.1', EDGE]);
  let at = 'old';
  const troubles = [
    ...REFUSED.map((trouble) => ({ trouble, refused: true })),
    ...KEPT.map((trouble) => ({ trouble, refused: false })),
  ];
  for (const [i, { trouble, refused }] of troubles.entries()) {
    const { what, change, cause, mend, reason } = trouble;
    await cause?.();
    const news = await reload(`v${i}`, change?.());
    expect(await version(), what).toBe(`"${refused ? at : `v${i}`}"`);
    expect(await healthz(), what).toContain(reason);
    expect(news, what).toMatch(/"level":"error"/);
    expect(await answers(), what).toEqual(before);
    await mend?.();
    at = `mended${i}`;
    await reload(at);
    expect(await version(), what).toBe(`"${at}"`);
    expect(await healthz(), what).not.toContain(reason);
    expect(await answers(), what).toEqual(before);
  }
});

test('a port that another program has takes a restart: the old one goes on', async () => {
  const before = await answers();
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = taken.address() as { readonly port: number };
    const server = { ...(keys['server'] as object), version: 'new', listen: [`127.0.0.1:${port}`] };
    await site.replace('edgemanage.yaml', stringify({ ...keys, server, http: { listen: `127.0.0.1:${port}` } }));
    await running.reload();
    expect(said).toContain('server.listen, http.listen changed; that takes a restart');
    expect(await version()).toBe('"new"');
    expect(await answers()).toEqual(before);
  } finally {
    taken.close();
  }
});
