import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Mode } from '../../../src/health/judge/edge.ts';
import { withMode } from '../../../src/health/modes/modes.ts';
import { EdgeStores } from '../../../src/health/state/edge-store-files.ts';
import { type ModeEntry, type ModeStore, modeKey } from '../../../src/vantage/etcd/mode-store.ts';
import { SharedModes } from '../../../src/vantage/etcd/modes.ts';
import { throwingGuard } from '../../support/guard.ts';

/** Two vantages with health records of their own, and a store in memory. */

const PREFIX = 'edgewise/test';
const EDGE = '2001:db8::1';
const OTHER = 'edge.example.net';

class MemoryStore implements ModeStore {
  clusterId = '1';
  revision = 1n;
  readonly entries = new Map<string, ModeEntry>();
  fault: string | null = null;

  async read(prefix: string): ReturnType<ModeStore['read']> {
    if (this.fault !== null) return { ok: false, why: this.fault };
    const entries = [...this.entries.values()].filter(({ key }) => key.startsWith(prefix));
    return { ok: true, clusterId: this.clusterId, entries };
  }

  async put(key: string, value: string, expected: bigint): ReturnType<ModeStore['put']> {
    if (this.fault !== null) return { kind: 'failed', why: this.fault };
    if ((this.entries.get(key)?.revision ?? 0n) !== expected) return { kind: 'refused' };
    this.revision += 1n;
    this.entries.set(key, { key, value: Buffer.from(value), revision: this.revision });
    return { kind: 'stored', revision: this.revision };
  }
}

let folder: string;
let store: MemoryStore;
let now: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgewise-modes-'));
  store = new MemoryStore();
  now = 1_000_000;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

class Node {
  readonly name: string;
  readonly health: string;
  readonly file: string;
  readonly said: string[] = [];
  stores: EdgeStores;
  modes: SharedModes;

  constructor(name: string) {
    this.name = name;
    this.health = join(folder, name);
    this.file = join(folder, `${name}.json`);
    mkdirSync(this.health);
    this.stores = new EdgeStores(this.health, null);
    this.modes = this.make();
  }

  private make(): SharedModes {
    return new SharedModes({
      store,
      prefix: PREFIX,
      vantage: this.name,
      edges: () =>
        new Map([
          [EDGE, 'net-a'],
          [OTHER, 'net-a'],
        ]),
      stores: () => this.stores,
      file: this.file,
      everyMs: 0,
      now: () => now,
      log: (_, text) => void this.said.push(text),
      guard: throwingGuard(),
    });
  }

  /** As `edge_conf` does, in a process of its own. */
  async set(mode: Mode, comment: string | null, until: number | null = null, edge = EDGE): Promise<void> {
    await new EdgeStores(this.health, null).update(edge, now, (record) =>
      withMode(record, { mode, comment, until, by: comment === null ? null : 'me' }, now),
    );
  }

  async sync(): Promise<void> {
    this.modes.changed();
    await this.modes.idle();
  }

  async restart(): Promise<void> {
    await this.modes.stop();
    this.stores = new EdgeStores(this.health, null);
    this.modes = this.make();
  }

  async mode(edge = EDGE): Promise<string> {
    const { record } = await new EdgeStores(this.health, null).read(edge, now);
    return `${record.mode} ${record.modeUntil ?? '-'} ${record.comment}`;
  }
}

const words = (node: Node): string => node.said.splice(0).join('\n');

test('what is set on one holds on the other: mode, end and comment; so does taking it back', async () => {
  const [a, b] = [new Node('a'), new Node('b')];
  await a.sync();
  await a.set('force', '[joe] test', now + 60);
  await a.sync();
  expect(words(a)).toBe(`mode of ${EDGE}: force, set here, is sent to the other vantages`);
  await b.sync();
  expect(await b.mode()).toBe(`force ${now + 60} [joe] test`);
  expect(words(b)).toBe(`mode of ${EDGE}: force, as set on a`);
  // The running server's rounds, and whoever asks who did what, find it in the list of changes.
  const changes = readFileSync(join(b.health, '.mode-changes'), 'utf8');
  expect(JSON.parse(changes)).toEqual({
    at: now,
    network: 'net-a',
    edge: EDGE,
    mode: 'force',
    until: now + 60,
    comment: '[joe] test',
    by: 'me',
  });
  now += 1;
  await b.set('available', null);
  await b.sync();
  await a.sync();
  expect(await a.mode()).toBe('available - ');
  expect(await a.mode(OTHER)).toBe('available - ');
  expect([...store.entries.keys()]).toEqual([`${PREFIX}/modes/2001%3Adb8%3A%3A1`]);
});

test('an end is seen by each for itself, and stores nothing', async () => {
  const [a, b] = [new Node('a'), new Node('b')];
  await a.set('unavailable', 'x', now + 60);
  for (const node of [a, b, a]) await node.sync();
  const { revision } = store;
  now += 61;
  for (const node of [a, b, a]) await node.sync();
  expect(store.revision).toBe(revision);
  expect([a.modes.faults(), b.modes.faults()]).toEqual([[], []]);
});

test('etcd is away: said, and what was set meanwhile is sent afterwards', async () => {
  const [a, b] = [new Node('a'), new Node('b')];
  for (const node of [a, b]) await node.sync();
  store.fault = '127.0.0.1:2379 does not answer in time';
  await a.set('unavailable', 'x');
  await a.sync();
  expect(a.modes.faults()).toEqual([
    'modes that are set on other vantages are not known, nor ours there: 127.0.0.1:2379 does not answer in time',
  ]);
  store.fault = null;
  for (const node of [a, b]) await node.sync();
  expect(a.modes.faults()).toEqual([]);
  expect(await b.mode()).toBe('unavailable - x');
});

test('set on both meanwhile: the last one to be stored wins, and the log names what it replaced', async () => {
  const [a, b] = [new Node('a'), new Node('b')];
  await a.set('force', 'first');
  for (const node of [a, b]) await node.sync();
  await a.set('unavailable', 'of a');
  await b.set('blindforce', 'of b');
  await a.sync();
  words(b);
  await b.sync();
  expect(words(b)).toBe(
    `mode of ${EDGE}: blindforce, set here, is sent to the other vantages, instead of unavailable that was set on a meanwhile`,
  );
  await a.sync();
  expect([await a.mode(), await b.mode()]).toEqual(['blindforce - of b', 'blindforce - of b']);
});

test('a vantage that was down takes over what changed, and sends what was set on it', async () => {
  const [a, b] = [new Node('a'), new Node('b')];
  await a.set('force', 'before');
  for (const node of [a, b]) await node.sync();
  await b.modes.stop();
  await a.set('available', null);
  await a.sync();
  await b.set('unavailable', 'while down', null, OTHER);
  await b.restart();
  await b.sync();
  await a.sync();
  expect([await b.mode(), await a.mode(OTHER)]).toEqual(['available - ', 'unavailable - while down']);
});

test('an emptied etcd is filled again, also with what was taken back, and gives nobody a mode back', async () => {
  const [a, b] = [new Node('a'), new Node('b')];
  await a.set('force', 'old');
  await a.set('unavailable', 'kept', null, OTHER);
  for (const node of [a, b]) await node.sync();
  await b.modes.stop();
  await a.set('available', null);
  await a.sync();
  Object.assign(store, { clusterId: '2', revision: 1n });
  store.entries.clear();
  await a.restart();
  await a.sync();
  await b.restart();
  await b.sync();
  expect([await b.mode(), await b.mode(OTHER)]).toEqual(['available - ', 'unavailable - kept']);
  expect(store.entries.size).toBe(2);
});

test.each(['as they ran', 'restarted'])(
  'an etcd restored from a backup gives no mode back, on vantages %s',
  async (how) => {
    const [a, b] = [new Node('a'), new Node('b')];
    await a.set('available', 'it was well then');
    for (const node of [a, b]) await node.sync();
    const backup = { entries: new Map(store.entries), revision: store.revision };
    now += 60;
    await b.set('unavailable', 'broken disk');
    for (const node of [b, a]) await node.sync();
    // Another cluster id, as `etcdctl snapshot restore` gives.
    Object.assign(store, { ...backup, clusterId: '2' });
    for (const node of [a, b]) {
      if (how === 'restarted') await node.restart();
      await node.sync();
    }
    await a.sync();
    expect([await a.mode(), await b.mode()]).toEqual(['unavailable - broken disk', 'unavailable - broken disk']);
    expect(String(store.entries.get(modeKey(PREFIX, EDGE))?.value)).toContain('broken disk');
    // What an operator sets from here on holds again.
    now += 60;
    await a.set('available', null);
    for (const node of [a, b]) await node.sync();
    expect(await b.mode()).toBe('available - ');
  },
);

test('a file of an earlier version knows of no former settings, and is taken over', async () => {
  const a = new Node('a');
  await a.set('force', 'mine');
  await a.sync();
  const { former: _, edges, ...rest } = JSON.parse(readFileSync(a.file, 'utf8')) as { former: object; edges: object };
  const earlier = Object.entries(edges as Record<string, { id: string }>).map(([edge, { id: _id, ...mode }]) => [
    edge,
    mode,
  ]);
  writeFileSync(a.file, JSON.stringify({ ...rest, edges: Object.fromEntries(earlier) }));
  await a.restart();
  const { revision } = store;
  await a.sync();
  expect(await a.mode()).toBe('force - mine');
  expect(store.revision).toBe(revision);
  expect(a.said.join()).not.toContain('makes no sense');
});

test('a health record that is lost or broken is given its mode back', async () => {
  const [a, b] = [new Node('a'), new Node('b')];
  await a.set('unavailable', 'broken disk');
  for (const node of [a, b]) await node.sync();
  const { revision } = store;
  for (const damage of ['', 'no record at all', null]) {
    if (damage === null) rmSync(a.stores.path(EDGE));
    else writeFileSync(a.stores.path(EDGE), damage);
    await a.sync();
    expect(await a.mode()).toBe('unavailable - broken disk');
  }
  expect(store.revision).toBe(revision);
});

test.each([
  ['no JSON', '{'],
  ['another version', '{"v":2}'],
  ['a mode that is none', '{"v":1,"mode":"burn","until":null,"comment":"","by":"a","at":1}'],
  ['a huge one', JSON.stringify({ v: 1, mode: 'force', until: null, comment: 'x'.repeat(1001), by: 'a', at: 1 })],
  ['a larger one', ' '.repeat(20_000)],
])('%s in etcd: a sentence, and nothing moves', async (_, text) => {
  const a = new Node('a');
  await a.set('force', 'mine');
  await a.sync();
  const key = modeKey(PREFIX, EDGE);
  store.entries.set(key, { key, value: Buffer.from(text), revision: 99n });
  store.entries.set(`${PREFIX}/modes/%zz`, { key: `${PREFIX}/modes/%zz`, value: Buffer.from('x'), revision: 98n });
  await a.sync();
  expect(a.modes.faults()).toEqual([
    `${key} in etcd is no mode that this version understands; the mode of ${EDGE} stays as it is here`,
  ]);
  expect(await a.mode()).toBe('force - mine');
  expect(store.entries.get(key)?.value.toString()).toBe(text);
});

test('what was last the same is lost: etcd counts', async () => {
  const a = new Node('a');
  await a.set('force', 'of a');
  await a.sync();
  writeFileSync(a.file, '{"v":1,');
  await a.restart();
  await a.sync();
  expect(words(a)).toContain('a.json: makes no sense; modes are taken over from etcd');
  expect(await a.mode()).toBe('force - of a');
});
