import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Reload } from '../../src/app/part.ts';
import { ProvidersPart } from '../../src/app/providers-part.ts';
import type { Config } from '../../src/config/types.ts';
import type { LiveUpdate } from '../../src/health/pools/round-types.ts';
import { LiveRRsets } from '../../src/live/live-rrsets.ts';
import { ProviderError } from '../../src/publish/providers/provider.ts';
import type { MadeProvider } from '../../src/publish/providers/registry.ts';
import { readTarget, targetFile } from '../../src/publish/providers/target-file.ts';
import { Sinks } from '../../src/publish/sinks.ts';
import { plainFault } from '../../src/system/fault.ts';
import { Guard } from '../../src/system/guard.ts';
import type { Log } from '../../src/system/log-events.ts';
import { Secret } from '../../src/system/secret.ts';
import { BASE, folderOf, parse } from '../config/config-fixture.ts';
import { MemoryProvider } from '../support/memory-provider.ts';

const KEY = 'transfer: {keys: [{name: upd.example.net., algorithm: hmac-sha256, secret: c2VjcmV0IG9mIGEgdGVzdA==}]}';
const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function target(keys: string): string {
  return `{provider: rfc2136, to: "127.0.0.1", key: upd.example.net., network: net, zone: example.net, ${keys}}`;
}

/** `Promise.withResolvers` is not in Node 20. */
function gateOf(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((go) => {
    resolve = go;
  });
  return { promise, resolve: () => resolve() };
}

/** Of which only what sinks look at is real. */
function update(liveChanged: boolean): LiveUpdate {
  return { liveChanged, canaryZones: [], isRun: true } as unknown as LiveUpdate;
}

class Site {
  readonly folder = mkdtempSync(join(tmpdir(), 'edgewise-providers-'));
  readonly live = new LiveRRsets();
  readonly said: string[] = [];
  readonly sinks = new Sinks([], { log: (level, _, text) => this.said.push(`${level} ${text}`) });
  /** By target. */
  readonly providers = new Map<string, MemoryProvider>();
  secret = 'one';
  refuses = false;
  config: Config;
  readonly part: ProvidersPart;

  constructor(targets: readonly string[], dryRun = false) {
    this.config = this.parse(targets);
    const log: Log = (_, text) => void this.said.push(text);
    this.part = new ProvidersPart({
      config: this.config,
      dryRun,
      live: this.live,
      sinks: this.sinks,
      log,
      guard: new Guard({ report: (_, text) => this.said.push(text), now: () => 0 }),
      make: ({ name }) => this.make(name),
    });
    this.live.register('net');
    ends.push(() => rmSync(this.folder, { recursive: true }));
    ends.push(() => this.part.part.stop());
  }

  parse(targets: readonly string[]): Config {
    const { config, faults } = parse(`${BASE}${KEY}\npublish: [${targets.join(', ')}]\n`);
    if (config === null) throw new Error(JSON.stringify(faults));
    return { ...config, stateDir: this.folder };
  }

  publish(serial: number, ...last: readonly number[]): void {
    const v4 = last.map((octet) => Uint8Array.of(192, 0, 2, octet));
    this.live.publish('net', { version: { serial, v4, v6: [] }, zones: new Map() });
  }

  /** A new live set, and that it was decided. */
  async change(serial: number, ...last: readonly number[]): Promise<void> {
    this.publish(serial, ...last);
    this.sinks.follow({
      network: 'net',
      config: this.config,
      update: update(true),
      zones: [],
      filesWritten: false,
    });
    await this.idle();
  }

  async idle(): Promise<void> {
    for (const { name } of this.part.statuses()) await this.sinks.idleOf(`publish ${name}`);
  }

  async start(): Promise<void> {
    expect(await this.part.part.start()).toBeNull();
    await this.idle();
  }

  async reload(targets: readonly string[]): Promise<readonly string[]> {
    const config = this.parse(targets);
    const prepared = await this.part.part.prepare({ was: this.config, config } as Reload);
    if (!prepared.ok) return prepared.faults.map(({ message }) => message);
    this.config = config;
    await prepared.commit();
    await this.idle();
    return [];
  }

  addresses(name: string): readonly string[] | null {
    return this.providers.get(name)?.sets.get('www.example.net A')?.addresses ?? null;
  }

  private make(name: string): MadeProvider {
    if (this.refuses) return { provider: null, secrets: [], faults: [plainFault('unreadable-file', 'no token')] };
    const provider = this.providers.get(name) ?? new MemoryProvider();
    this.providers.set(name, provider);
    return { provider, secrets: [new Secret(this.secret)], faults: [] };
  }
}

test('the set of the start, every change, and none that changes nothing', async () => {
  const site = new Site([target('names: www, name: a')]);
  site.publish(5, 1);
  await site.start();
  expect(site.addresses('a')).toEqual(['192.0.2.1']);
  await site.change(6, 1, 2);
  expect(site.addresses('a')).toEqual(['192.0.2.1', '192.0.2.2']);
  const { reads } = site.providers.get('a') ?? { reads: 0 };
  site.sinks.follow({
    network: 'net',
    config: site.config,
    update: update(false),
    zones: [],
    filesWritten: false,
  });
  await site.idle();
  expect(site.providers.get('a')?.reads).toBe(reads);
  expect(site.part.statuses()).toMatchObject([{ name: 'a', state: 'right', corrections: 2, failures: 0 }]);
});

test('nothing is written before there is a live set', async () => {
  const site = new Site([target('names: www, name: a')]);
  await site.start();
  expect(site.providers.get('a')?.reads).toBe(0);
  expect(site.part.statuses()).toMatchObject([{ state: 'unknown' }]);
});

test('one that hangs delays no other, gets the newest state, and keeps no stop', async () => {
  const quick = target('names: www, name: quick').replace('127.0.0.1', '127.0.0.2');
  const site = new Site([target('names: www, name: slow'), quick]);
  site.publish(1, 1);
  await site.start();
  const gate = gateOf();
  site.providers.get('slow')?.beforeRead.push(() => gate.promise);
  for (let serial = 2; serial <= 1001; serial += 1) {
    site.publish(serial, (serial % 250) + 1);
    site.sinks.follow({
      network: 'net',
      config: site.config,
      update: update(true),
      zones: [],
      filesWritten: false,
    });
  }
  await site.sinks.idleOf('publish quick');
  const newest = [`192.0.2.${(1001 % 250) + 1}`];
  expect(site.addresses('quick')).toEqual(newest);
  expect(site.addresses('slow')).toEqual(['192.0.2.1']);
  gate.resolve();
  await site.idle();
  expect(site.addresses('slow')).toEqual(newest);
  expect(site.providers.get('slow')?.applied.length).toBeLessThan(5);
  site.providers.get('slow')?.beforeRead.push(() => new Promise(() => undefined));
  site.publish(2000, 9);
  site.sinks.follow(
    { network: 'net', config: site.config, update: null, zones: [], filesWritten: false, look: true },
    'publish slow',
  );
  await site.part.part.stop();
});

test('a stop ends the pauses of all, and writes what was published', async () => {
  const site = new Site([target('names: www, name: a'), target('names: b, name: b')]);
  site.publish(1, 1);
  await site.start();
  for (const provider of site.providers.values()) {
    provider.beforeRead.push(() => {
      throw new ProviderError('limit', 'asked too often', 3_600_000);
    });
  }
  await site.change(2, 2);
  expect(site.sinks.faults()).toHaveLength(2);
  await site.part.part.stop();
  expect(readdirSync(join(site.folder, 'published'))).toEqual(['a.json', 'b.json']);
});

test('a failure is in the faults, tried again, and over when it works', async () => {
  const site = new Site([target('names: www, name: a')]);
  site.publish(1, 1);
  const provider = new MemoryProvider();
  site.providers.set('a', provider);
  provider.beforeRead.push(() => {
    throw new ProviderError('credentials', 'the token is refused');
  });
  await site.start();
  expect(site.sinks.faults()).toEqual(['network net: publish a: error: provider-credentials: the token is refused']);
  expect(site.part.statuses()).toMatchObject([
    { state: 'failing', problem: { kind: 'credentials', text: 'the token is refused' } },
  ]);
  // A round that changes nothing does not make it well.
  provider.beforeRead.push(() => {
    throw new ProviderError('credentials', 'the token is refused');
  });
  site.sinks.follow({ network: 'net', config: site.config, update: update(false), zones: [], filesWritten: false });
  await site.idle();
  expect(site.sinks.faults()).toHaveLength(1);
  provider.beforeRead.splice(0);
  await site.change(2, 2);
  expect(site.sinks.faults()).toEqual([]);
  expect(site.said).toContain('info publish a: all well again');
});

test('a reload keeps what is the same, and changes what is not', async () => {
  const a = target('names: www, name: a');
  const b = target('names: www, name: b').replace('127.0.0.1', '127.0.0.2');
  const site = new Site([a, b]);
  site.publish(1, 1);
  await site.start();
  const reads = (name: string): number => site.providers.get(name)?.reads ?? 0;
  const before = reads('a');
  expect(await site.reload([a, b.replace('names: www', 'names: [www, "@"]')])).toEqual([]);
  expect(reads('a')).toBe(before);
  expect([...(site.providers.get('b')?.sets.keys() ?? [])]).toEqual(['www.example.net A', 'example.net A']);
  // A new secret in the same file.
  site.secret = 'two';
  expect(await site.reload([a])).toEqual([]);
  expect(reads('a')).toBeGreaterThan(before);
  expect(site.part.statuses().map(({ name }) => name)).toEqual(['a']);
  site.refuses = true;
  expect(await site.reload([a])).toEqual(['no token']);
  await site.change(2, 2);
  expect([site.addresses('a'), site.addresses('b')]).toEqual([['192.0.2.2'], ['192.0.2.1']]);
  await site.part.part.stop();
  expect(readdirSync(join(site.folder, 'published'))).toEqual(['a.json']);
});

test('a target that moves finds nothing changed by somebody else at its new place', async () => {
  const here = target('names: www, name: a, owner: no');
  const site = new Site([here]);
  site.publish(1, 1);
  await site.start();
  const there = new MemoryProvider();
  there.put('www.example.net', 'A', ['192.0.2.66']);
  site.providers.set('a', there);
  expect(await site.reload([here.replace('127.0.0.1', '127.0.0.2')])).toEqual([]);
  expect(site.addresses('a')).toEqual(['192.0.2.1']);
  expect(site.part.statuses()).toMatchObject([{ state: 'right', foreignChanges: 0 }]);
  // With other keys at the same place it knows what it left.
  there.put('www.example.net', 'A', ['192.0.2.66']);
  expect(await site.reload([here.replace('127.0.0.1', '127.0.0.2').replace('names', 'every: 60, names')])).toEqual([]);
  expect(site.addresses('a')).toEqual(['192.0.2.66']);
  expect(site.part.statuses()).toMatchObject([{ state: 'foreign', foreignChanges: 1 }]);
});

test('a start whose secret cannot be read is refused in words', async () => {
  const site = new Site([target('names: www')]);
  site.refuses = true;
  expect(await site.part.part.start()).toMatchObject({ message: 'no token' });
});

test('a dry run writes nothing, on disk neither', async () => {
  const site = new Site([target('names: www, name: a')], true);
  site.publish(1, 1);
  await site.start();
  expect(site.addresses('a')).toBeNull();
  expect(site.said).toContain('a: would do: www.example.net A: is new, 192.0.2.1 with TTL 60');
  expect(readdirSync(site.folder)).toEqual([]);
});

test('what was left, and how it went, is on disk; what is there and cannot be used is said', async () => {
  const site = new Site([target('names: www, name: a/b')]);
  site.publish(1, 1);
  await site.start();
  await site.part.part.stop();
  const file = targetFile(site.config, 'a/b');
  const problems: string[] = [];
  expect(await readTarget(file, (text) => problems.push(text))).toMatchObject({
    status: { name: 'a/b', state: 'right', held: [{ name: 'www.example.net', addresses: ['192.0.2.1'] }] },
    left: new Map([['www.example.net A', { ttl: 60, addresses: ['192.0.2.1'], extra: [] }]]),
  });
  expect(readFileSync(file, 'utf8')).not.toContain(site.secret + site.secret);
  const bad = folderOf({ 'x.json': '{"version":1}', 'y.json': 'no' });
  expect(await readTarget(join(bad, 'x.json'), (text) => problems.push(text))).toBeNull();
  expect(await readTarget(join(bad, 'y.json'), (text) => problems.push(text))).toBeNull();
  expect(await readTarget(join(bad, 'none.json'), (text) => problems.push(text))).toBeNull();
  expect(problems).toHaveLength(2);
});
