/** State that version 0.1 wrote (commit ed79390, by its own commands) is taken over unchanged. */
import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nameKey } from '../../../src/dns/name.ts';
import { replay } from '../../../src/health/explain/replay.ts';
import { inNetwork } from '../../../src/health/state/edge-store.ts';
import { EdgeStores } from '../../../src/health/state/edge-store-files.ts';
import { parseEdgeRecord, printEdgeRecord } from '../../../src/health/state/edge-store-text.ts';
import { readLines } from '../../../src/health/state/history-log.ts';
import { parseState, printState } from '../../../src/health/state/state-file.ts';
import { readState } from '../../../src/health/state/state-file-io.ts';
import { LiveHistoryFiles } from '../../../src/live/history-files.ts';
import { liveOf } from '../../../src/live/network-live.ts';
import { addressText } from '../../../src/system/address-text.ts';

const GOLDEN = join(import.meta.dirname, '../../golden/v0.1/health');

const EXAMPLE = nameKey('example.com');
if (EXAMPLE === null) throw new Error('not a name');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-golden-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('the state file', () => {
  test('is read without a fault, and what it says is served at once', async () => {
    const { state, faults } = await readState(join(GOLDEN, 'mynet.state'), 1_795_917_800, true);
    expect(faults).toEqual([]);
    expect(state).toMatchObject({
      serial: 1_795_917_766,
      lastRun: 1_795_917_769.452,
      memory: {
        lastLive: ['127.0.0.1', '::1'],
        answered: new Map([
          ['127.0.0.1', { v4: '127.0.0.1', v6: null }],
          ['::1', { v4: null, v6: '::1' }],
        ]),
        rotations: [1_795_917_759.653, 1_795_917_766.357],
        unanswered: null,
      },
      modes: new Map([
        ['127.0.0.3', 'unavailable'],
        ['127.0.0.4', 'force'],
      ]),
    });
    const { version, zones } = liveOf(state);
    expect([...version.v4, ...version.v6].map(addressText)).toEqual(['127.0.0.1', '0:0:0:0:0:0:0:1']);
    expect(version.serial).toBe(1_795_917_766);
    expect(zones.get(EXAMPLE)?.serial).toBe(1_795_917_768);
  });

  test('is written back as it was', async () => {
    const text = await readFile(join(GOLDEN, 'mynet.state'), 'utf8');
    const parsed = parseState(text);
    expect(parsed.ok && printState(parsed.state)).toBe(text);
  });
});

describe('health records', () => {
  test('each is read without a fault and written back as it was', async () => {
    const names = (await readdir(join(GOLDEN, 'records'))).filter((name) => name.endsWith('.edgestore'));
    expect(names).toHaveLength(6);
    for (const name of names) {
      const text = await readFile(join(GOLDEN, 'records', name), 'utf8');
      const parsed = parseEdgeRecord(text);
      expect(parsed.ok && parsed.record.history.times.length, name).toBeGreaterThan(3);
      expect(parsed.ok && printEdgeRecord(parsed.record), name).toBe(text);
    }
  });

  test('mode, comment and state are those of every network until one has its own', async () => {
    await copyFile(join(GOLDEN, 'records/127.0.0.4.edgestore'), join(folder, '127.0.0.4.edgestore'));
    const { record, faults } = await new EdgeStores(folder, null).read('127.0.0.4', 1_795_917_800);
    expect(faults).toEqual([]);
    expect(record).toMatchObject({ mode: 'force', comment: '[root] test', health: 'fail' });
    expect(inNetwork(record, 'mynet')).toMatchObject({ state: record.state, stateSince: record.stateSince });
  });
});

test('the recorded rounds decide as they did', async () => {
  const lines = await readLines(join(GOLDEN, 'mynet.rounds.jsonl'));
  const records = lines.map(({ decode }) => decode()).filter((record) => record !== null);
  expect(records).toHaveLength(8);
  const result = replay(records, {});
  expect(result).toMatchObject({ rounds: 8, differingRounds: 0, breaks: 0 });
  expect(result.replayed).toEqual(result.recorded);
});

test('the log of mode changes', async () => {
  const lines = (await readFile(join(GOLDEN, 'mode-changes'), 'utf8')).trimEnd().split('\n');
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { network: 'mynet', edge: '127.0.0.3', mode: 'unavailable', until: null, comment: '[root] disk full' },
    { network: 'mynet', edge: '127.0.0.4', mode: 'force', until: null, comment: '[root] test' },
    { network: 'mynet', edge: '127.0.0.3', mode: 'available', until: null, comment: '' },
  ]);
});

test('the history of live versions', async () => {
  await copyFile(join(GOLDEN, 'mynet.live'), join(folder, 'mynet.live'));
  const faults: string[] = [];
  const saved = await new LiveHistoryFiles(folder, (message) => faults.push(message)).read('mynet');
  expect(faults).toEqual([]);
  expect(saved?.versions.length).toBeGreaterThan(0);
  for (const { serial, v4, v6 } of saved?.versions ?? []) {
    expect(serial).toBeGreaterThanOrEqual(1_795_917_766);
    expect(v4.length + v6.length).toBeGreaterThan(0);
  }
});
