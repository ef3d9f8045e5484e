import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MockCloudflare } from '../support/mock-cloudflare.ts';
import { freePort } from '../support/ports.ts';

/**
 * Nodes of goavail's cluster as processes, at one provider. Each sees the same address through a port of its own, so that
 * it dies for one of them at a time.
 */

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'goavail.js');
const STAYS = '127.87.9.1';
const DIES = '127.87.9.2';
const KEY = 'sixteen octets!!';
const WAIT = { timeout: 60_000 };
let folder: string;
let ending: (() => Promise<unknown>)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'goavail-peers-'));
  ending = [() => rm(folder, { recursive: true, force: true })];
});
afterEach(async () => {
  for (const end of ending.reverse()) await end();
});

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

type Provider = {
  readonly env: NodeJS.ProcessEnv;
  readonly held: () => readonly string[];
  readonly writes: () => number;
};

async function provider(): Promise<Provider> {
  const mock = await MockCloudflare.start();
  ending.push(() => mock.stop());
  mock.keys.set('ops@example.test', 'global-key');
  const zone = mock.addZone('example.test');
  for (const content of [STAYS, DIES]) {
    mock.addRecord(zone, { name: 'cloud.example.test', type: 'A', content, ttl: 300 });
  }
  return {
    env: { EDGEWISE_CLOUDFLARE_API: mock.api, CF_API_KEY: 'global-key', CF_API_EMAIL: 'ops@example.test' },
    held: () => zone.records.map(({ content }) => content).sort(),
    writes: () => mock.requests.filter(({ method }) => method !== 'GET').length,
  };
}

/** A node: what it sees of DIES is in the test's hands. */
class Node {
  readonly lines: string[] = [];
  private target: Server | null = null;
  private port = 0;
  private kill: (signal: NodeJS.Signals) => Promise<void> = () => Promise.resolve();

  /** `members`: the nodes' addresses, this one's first. */
  async start(
    members: readonly string[],
    { env }: Provider,
    { key = KEY, args = ['--no-dry-run'] } = {},
  ): Promise<void> {
    if (this.port === 0) {
      const stays = await listen(STAYS);
      this.port = (stays.address() as AddressInfo).port;
      await this.set(true);
    }
    const [own = '', ...peers] = members;
    const file = join(folder, `${own}.toml`);
    await writeFile(
      file,
      `failure_threshold = 2\ninterval = 1\nport = ${this.port}
[Members]\npeers = ${JSON.stringify(peers)}\nlocal_addr = "${own}"\nmin_peers_agree = 1\ncrypto_key = "${key}"
[Cloudflare]\ndns_domain = "example.test"\nhostnames = ["cloud"]\nip_addresses = ["${STAYS}", "${DIES}"]\n`,
    );
    const { PATH, HOME } = process.env;
    const child = spawn(process.execPath, [BIN, 'monitor', '-t', 'tcp', '-f', file, ...args], {
      cwd: folder,
      env: { PATH, HOME, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    createInterface(child.stderr).on('line', (line) => this.lines.push(line));
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    this.kill = (signal) => {
      child.kill(signal);
      return ended;
    };
    ending.push(() => this.kill('SIGKILL'));
  }

  end(signal: NodeJS.Signals): Promise<void> {
    return this.kill(signal);
  }

  /** Whether this node sees DIES up. */
  async set(up: boolean): Promise<void> {
    if (up) this.target = await listen(DIES, this.port);
    else if (this.target !== null) await closed(this.target);
  }

  /** Whether it has found nobody listening at `peer` since its line `from`. */
  refused(peer: string, from: number): boolean {
    return this.lines.slice(from).some((line) => line.includes('ECONNREFUSED') && line.includes(peer));
  }

  said(text: string, from = 0): number {
    return this.lines.slice(from).filter((line) => line.includes(text)).length;
  }

  /** Until it says so in a line after those that it has printed before `change`. */
  async says(text: string, change: () => Promise<void>): Promise<void> {
    const from = this.lines.length;
    await change();
    await expect.poll(() => this.said(text, from), WAIT).toBeGreaterThan(0);
  }
}

const all = [STAYS, DIES].sort();

test('three nodes, M=1: one that sees it dead does nothing, two do; so back; alone, nothing is done', async () => {
  const records = await provider();
  const [a, b, c] = [new Node(), new Node(), new Node()];
  const addresses: string[] = [];
  for (let i = 0; i < 3; i += 1) addresses.push(`127.0.0.1:${await freePort('127.0.0.1')}`);
  const [x = '', y = '', z = ''] = addresses;
  await a.start([x, y, z], records);
  await b.start([y, x, z], records);
  await c.start([z, x, y], records);
  // Each has had the others' views, in which the address is up.
  for (const node of [a, b, c]) await expect.poll(() => node.said('listening on'), WAIT).toBe(1);

  const alone = `${DIES} is down here, and what is published stays until peers agree: 0 of 2`;
  await a.says(alone, () => a.set(false));
  expect(records.held()).toEqual(all);
  expect(records.writes()).toBe(0);

  await b.set(false);
  await expect.poll(records.held, WAIT).toEqual([STAYS]);
  const removed = records.writes();

  // C sees it up all the time, and does not put it back; nor does A alone.
  await a.says(`${DIES} is up`, () => a.set(true));
  await expect.poll(records.held, WAIT).toEqual(all); // C sees it up, too: two are enough
  expect(c.said('is down')).toBe(0);
  expect(records.writes()).toBeGreaterThan(removed);
  await b.says(`${DIES} is up`, () => b.set(true));

  // Both peers see it up, and A has heard so, when it does nothing alone.
  await a.says(alone, () => a.set(false));
  await a.says(`${DIES} is up`, () => a.set(true));

  // G10
  const sofar = a.lines.length; // a peer that was not there yet when A began was refused, too
  await Promise.all([b.end('SIGKILL'), c.end('SIGTERM')]);
  for (const peer of [y, z]) await expect.poll(() => a.refused(peer, sofar), WAIT).toBe(true);
  const before = records.writes();
  await a.says(alone, () => a.set(false));
  expect(records.held()).toEqual(all);
  expect(records.writes()).toBe(before);

  // B is back, as a new process that sees it dead.
  await b.set(false);
  await b.start([y, x, z], records);
  await expect.poll(records.held, WAIT).toEqual([STAYS]);
  expect([a, b, c].flatMap(({ lines }) => lines).join('\n')).not.toContain(KEY);
});

test('G6 between two, of which one is a dry run; and one with another key is no peer', async () => {
  const records = await provider();
  const [a, b, d] = [new Node(), new Node(), new Node()];
  const [x, y] = [`127.0.0.1:${await freePort('127.0.0.1')}`, `127.0.0.1:${await freePort('127.0.0.1')}`];
  await a.start([x, y], records, { args: [] });
  await d.start([y, x], records, { key: 'another sixteen!' });
  await expect.poll(() => a.said('its key is another one'), WAIT).toBe(1);
  await expect.poll(() => a.said('was sealed with another key'), WAIT).toBe(1);
  await d.set(false);
  await a.set(false);
  await expect.poll(() => a.said('until peers agree: 0 of 1 peer agree, 1 says nothing'), WAIT).toBe(1);
  await d.end('SIGTERM');
  await b.start([y, x], records, { args: [] });
  await expect.poll(() => b.said(`${DIES} is up`) + b.said('checking'), WAIT).toBeGreaterThan(0);
  expect(a.said('would remove')).toBe(0);
  await b.set(false);
  for (const node of [a, b]) {
    await expect.poll(() => node.said(`would remove cloud.example.test A ${DIES} at cloudflare`), WAIT).toBe(1);
  }
  await a.set(true);
  await expect.poll(() => a.said(`${DIES} is up here, and what is published stays until peers agree`), WAIT).toBe(1);
  await b.set(true);
  await expect.poll(() => b.said(`would add cloud.example.test A ${DIES} at cloudflare`), WAIT).toBe(1);
  expect(records.held()).toEqual(all);
  expect(records.writes()).toBe(0);
});
