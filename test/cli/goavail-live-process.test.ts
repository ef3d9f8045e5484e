import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AWS_ENVIRONMENT } from '../support/aws-environment.ts';
import { MockCloudflare } from '../support/mock-cloudflare.ts';
import { MockRoute53 } from '../support/mock-route53.ts';

/** `goavail monitor` from end to end: real listeners that die and return, and providers that are mocks over real HTTP. */

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'goavail.js');
const STAYS = '127.87.6.1';
const DIES = '127.87.6.2';
const FOREIGN = '192.0.2.77';
const WAIT = { timeout: 60_000 };
let folder: string;
let ending: (() => Promise<unknown>)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'goavail-live-'));
  ending = [() => rm(folder, { recursive: true, force: true })];
});
afterEach(async () => {
  for (const end of ending.reverse()) await end();
});

/** A provider as the test sees it, past goavail. `writes`: requests that changed something. */
type Mock = {
  readonly kind: 'cloudflare' | 'route53';
  readonly env: NodeJS.ProcessEnv;
  readonly table: string;
  readonly held: () => readonly string[];
  readonly reads: () => number;
  readonly writes: () => number;
  readonly breakDown: () => Promise<() => Promise<unknown>>;
};

async function cloudflare(): Promise<Mock> {
  const mock = await MockCloudflare.start();
  ending.push(() => mock.stop());
  mock.keys.set('ops@example.test', 'global-key');
  const zone = mock.addZone('example.test');
  for (const content of [STAYS, DIES, FOREIGN]) {
    mock.addRecord(zone, { name: 'cloud.example.test', type: 'A', content, ttl: 300 });
  }
  return {
    kind: 'cloudflare',
    env: { EDGEWISE_CLOUDFLARE_API: mock.api, CF_API_KEY: 'global-key', CF_API_EMAIL: 'ops@example.test' },
    table: '[Cloudflare]\ndns_domain = "example.test"\ndns_proxied = false\nhostnames = ["cloud"]',
    held: () => zone.records.map(({ content }) => content).sort(),
    reads: () => mock.requests.filter(({ method }) => method === 'GET').length,
    writes: () => mock.requests.filter(({ method }) => method !== 'GET').length,
    breakDown: () => mock.refuse(),
  };
}

async function route53(): Promise<Mock> {
  const mock = await new MockRoute53().start();
  ending.push(() => mock.stop());
  const name = 'cloud.example.test';
  mock.put({ name, type: 'A', values: [STAYS, DIES, FOREIGN], identifier: 'cloud', weight: 0 });
  mock.put({ name, type: 'A', values: ['192.0.2.66'], identifier: 'another', weight: 5 });
  return {
    kind: 'route53',
    env: { EDGEWISE_ROUTE53_API: mock.url, ...AWS_ENVIRONMENT },
    table:
      '[Route53]\naws_domain = "example.test"\naws_zoneid = "Z0EXAMPLE"\naws_region = "us-east-1"\nttl = 60\nhostnames = ["cloud"]',
    held: () => [...(mock.get(name, 'A', 'cloud')?.values ?? [])].sort(),
    reads: () => mock.requests.filter((line) => line.startsWith('GET ') && line.includes('/rrset')).length,
    writes: () => mock.requests.filter((line) => !line.startsWith('GET ')).length,
    breakDown: async () => {
      await mock.stop();
      return () => mock.start();
    },
  };
}

/** What Slack's webhook was sent. */
async function slack(): Promise<{ readonly api: string; readonly texts: string[] }> {
  const texts: string[] = [];
  const server = createHttpServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const payload = new URLSearchParams(body).get('payload') ?? '{}';
      if (request.url === '/services/T0/B0/hidden') texts.push((JSON.parse(payload) as { text: string }).text);
      response.end('ok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ending.push(() => new Promise((resolve) => server.close(resolve)));
  return { api: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services`, texts };
}

async function listen(address: string, port = 0): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  ending.push(() => closed(server));
  return server;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): {
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly lines: string[];
  readonly ended: Promise<number | null>;
} {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [BIN, 'monitor', '-t', 'tcp', ...args], {
    cwd: folder,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  createInterface(child.stderr).on('line', (line) => lines.push(line));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  ending.push(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { kill: (signal) => void child.kill(signal), lines, ended };
}

async function configure({ table }: Mock, port: number, more = ''): Promise<void> {
  const text = `failure_threshold = 2\ninterval = 1\nport = ${port}\nslack_addr = "T0/B0/hidden"\n${more}\n${table}\nip_addresses = ["${STAYS}", "${DIES}"]\n`;
  await writeFile(join(folder, 'goavail.toml'), text);
}

/** Both addresses answer, and goavail is configured for them. */
async function twoListeners(makeMock: () => Promise<Mock>) {
  const mock = await makeMock();
  const messages = await slack();
  const stays = await listen(STAYS);
  const { port } = stays.address() as AddressInfo;
  const dies = await listen(DIES, port);
  await configure(mock, port);
  return { mock, messages, port, dies };
}

const all = [STAYS, DIES, FOREIGN].sort();
const left = [STAYS, FOREIGN].sort();

describe.each([
  ['cloudflare', cloudflare],
  ['route53', route53],
] as const)('%s', (kind, makeMock) => {
  test('an edge dies and its record goes; it returns, over a reload and while the provider is down', async () => {
    const { mock, messages, port, dies } = await twoListeners(makeMock);
    const run = start(['--no-dry-run', '-p', kind], { ...mock.env, EDGEWISE_SLACK_API: messages.api });
    await expect.poll(mock.reads, WAIT).toBeGreaterThan(0);
    expect(mock.writes()).toBe(0);

    await closed(dies);
    await expect.poll(mock.held, WAIT).toEqual(left);
    run.kill('SIGHUP');
    await expect.poll(() => run.lines.join('\n'), WAIT).toContain('read again');

    const repair = await mock.breakDown();
    await listen(DIES, port);
    await expect.poll(() => run.lines.join('\n'), WAIT).toContain(`the records at ${kind} cannot be kept right`);
    expect(mock.held()).toEqual(left);
    await repair();
    await expect.poll(mock.held, WAIT).toEqual(all);
    await expect
      .poll(() => messages.texts, WAIT)
      .toEqual([
        'Dry Run set to False. Agent Removed IP and configured entries from/to domain example.test ',
        'Dry Run set to False. Agent Added IP and configured entries from/to domain example.test ',
      ]);
    run.kill('SIGTERM');
    expect(await run.ended).toBe(0);
    const log = run.lines.join('\n');
    expect(log).toContain('Dry Run set to False. Agent Removed IP and configured entries from/to domain example.test ');
    expect(log).toContain(`added cloud.example.test A ${DIES} at ${kind}`);
    expect(log).not.toContain('Warning:');
    for (const secret of ['hidden', 'global-key', AWS_ENVIRONMENT['AWS_SECRET_ACCESS_KEY'] ?? '']) {
      expect(log).not.toContain(secret);
    }
  });

  test('in a dry run it is read and said, and nothing is written', async () => {
    const { mock, messages, port, dies } = await twoListeners(makeMock);
    const run = start(['-p', kind], { ...mock.env, EDGEWISE_SLACK_API: messages.api });
    await expect.poll(mock.reads, WAIT).toBeGreaterThan(0);
    await closed(dies);
    await expect.poll(() => run.lines.join('\n'), WAIT).toContain(`would remove cloud.example.test A ${DIES}`);
    await listen(DIES, port);
    await expect.poll(() => run.lines.join('\n'), WAIT).toContain(`would add cloud.example.test A ${DIES}`);
    await expect
      .poll(() => messages.texts, WAIT)
      .toEqual([
        'Dry Run set to True.  Agent would have Removed IP and configured entries from/to domain example.test ',
        'Dry Run set to True.  Agent would have Added IP and configured entries from/to domain example.test ',
      ]);
    run.kill('SIGTERM');
    expect(await run.ended).toBe(0);
    expect(mock.writes()).toBe(0);
    expect(mock.held()).toEqual(all);
  });

  test('the last address stays, and peers that would have to agree are not passed over', async () => {
    const mock = await makeMock();
    const stays = await listen(STAYS);
    const { port } = stays.address() as AddressInfo;
    await closed(stays);
    await configure(mock, port);
    const alone = start(['--no-dry-run', '-p', kind], mock.env);
    await expect.poll(() => alone.lines.join('\n'), WAIT).toContain('but stays published: it is the last address');
    await expect.poll(() => mock.held().length, WAIT).toBe(2);
    alone.kill('SIGINT');
    expect(await alone.ended).toBe(0);
    const before = [mock.reads(), mock.writes()];

    await configure(mock, port, '[Members]\npeers = ["127.0.0.1:9"]\nlocal_addr = "127.0.0.1:8"\nmin_peers_agree = 1');
    const clustered = start(['--no-dry-run', '-p', kind], mock.env);
    await expect
      .poll(() => clustered.lines.join('\n'), WAIT)
      .toContain('until peers agree: 0 of 1 peer agree, 1 says nothing');
    expect(clustered.lines.join('\n')).toContain('1 of 1 peer (127.0.0.1:9) must agree, so nothing is changed at all');
    clustered.kill('SIGTERM');
    expect(await clustered.ended).toBe(0);
    expect([mock.reads(), mock.writes()]).toEqual(before);
  });
});
