import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NEW_EDGE } from '../../../src/health/state/edge-store.ts';
import { EdgeStores } from '../../../src/health/state/edge-store-files.ts';
import { readLines } from '../../../src/health/state/history-log.ts';
import { NEW_STATE, type NetworkState } from '../../../src/health/state/network-state.ts';
import { parseState, printState, STATE_ROTATIONS_MAX } from '../../../src/health/state/state-file.ts';
import { readState, writeState } from '../../../src/health/state/state-file-io.ts';
import { Locks } from '../../../src/system/lock.ts';

/** What the original leaves behind, with a key of its fork. */
const ORIGINAL = JSON.stringify({
  rotation_list: [1_699_999_000.5, 1_699_999_500.5],
  last_run: 1_699_999_999.25,
  last_live: ['127.0.0.2', '127.0.0.1', 'edge.example'],
  verification_failues: [],
  zone_mtimes: { 'example.com': 1_699_990_000 },
  active_canaries: { 'example.com': '127.0.1.1' },
  rotation_cycle: ['127.0.0.1'],
  verification_failures: ['127.0.0.3'],
});

const FULL: NetworkState = {
  memory: {
    lastLive: ['a', 'b'],
    rotations: [1, 2.5],
    activeCanaries: [
      { zone: 'x.test', address: '127.0.1.1', victim: 'b' },
      { zone: 'y.test', address: '127.0.1.2', victim: null },
    ],
    canaryRotations: new Map([['x.test', [1.5]]]),
    answered: new Map([
      ['a', { v4: '127.0.0.1', v6: null }],
      ['b', { v4: null, v6: '::1' }],
    ]),
    unanswered: 'v4',
    judged: new Map([
      ['192.0.2.1', { up: true, count: 2, at: 1_700_000_000.25 }],
      ['192.0.2.1 2001:db8::1', { up: false, count: 0, at: 1_700_000_000 }],
    ]),
    unsteady: new Map([
      ['a', { falls: 2, fails: 0, passingSince: 3, at: 3.5 }],
      ['b', { falls: 1, fails: 4, passingSince: null, at: 3.5 }],
    ]),
    misses: new Map([['b ::1', { count: 4, at: 3.5 }]]),
  },
  lastRun: 3.5,
  verificationFailures: ['c'],
  zoneMtimes: new Map([['x.test', 4]]),
  live: [
    { edge: 'a', v4: '127.0.0.1', v6: null, why: 'forced' },
    { edge: 'b', v4: null, v6: '::1', why: '' },
  ],
  serial: 1_700_000_000,
  decidedAlone: true,
  addresses: new Map([['edge.test', ['127.0.0.1', '::1']]]),
  canarySerials: new Map([['x.test', 1_700_000_001]]),
  zoneSerials: new Map([['x.test', 1_700_000_002]]),
  pendingZones: new Set(['y.test']),
  modes: new Map([['a', 'force']]),
  extra: new Map<string, unknown>([['rotation_cycle', ['a']]]),
};

test("an original's state is taken over; members that are addresses can serve at once", () => {
  const parsed = parseState(ORIGINAL);
  expect(parsed).toMatchObject({
    ok: true,
    state: {
      memory: {
        lastLive: ['127.0.0.1', '127.0.0.2', 'edge.example'],
        rotations: [1_699_999_000.5, 1_699_999_500.5],
        activeCanaries: [{ zone: 'example.com', address: '127.0.1.1', victim: null }],
      },
      lastRun: 1_699_999_999.25,
      verificationFailures: ['127.0.0.3'],
      live: ['127.0.0.1', '127.0.0.2'].map((edge) => ({ edge, v4: edge, v6: null })),
      serial: 0,
      modes: null,
    },
  });
});

test("what we write has the original's keys and keeps those that nobody knows", () => {
  const parsed = parseState(ORIGINAL);
  const value = JSON.parse(printState(parsed.ok ? parsed.state : NEW_STATE)) as Record<string, unknown>;
  expect(value).toMatchObject({
    rotation_list: [1_699_999_000.5, 1_699_999_500.5],
    last_run: 1_699_999_999.25,
    last_live: ['127.0.0.1', '127.0.0.2', 'edge.example'],
    verification_failues: [],
    verification_failures: ['127.0.0.3'],
    zone_mtimes: { 'example.com': 1_699_990_000 },
    active_canaries: { 'example.com': '127.0.1.1' },
    rotation_cycle: ['127.0.0.1'],
  });
});

test('a state reads back as it was', () => {
  expect(parseState(printState(FULL))).toEqual({ ok: true, state: FULL, dropped: [] });
  expect(parseState(printState(NEW_STATE))).toEqual({ ok: true, state: NEW_STATE, dropped: [] });
});

test('keys without a value are taken as missing', () => {
  const keys = Object.keys(JSON.parse(ORIGINAL) as object).filter((key) => key !== 'rotation_cycle');
  const text = `{${[...keys, 'edgewise'].map((key) => `"${key}": null`).join(', ')}, "future": null}`;
  expect(parseState(text)).toEqual({
    ok: true,
    state: { ...NEW_STATE, extra: new Map([['future', null]]) },
    dropped: [],
  });
});

test('numbers that somebody wrote as text are numbers', () => {
  const text = '{"last_run": "5.5", "rotation_list": ["1", 2], "zone_mtimes": {"a.test": "3"}}';
  expect(parseState(text)).toMatchObject({
    ok: true,
    state: { lastRun: 5.5, memory: { rotations: [1, 2] }, zoneMtimes: new Map([['a.test', 3]]) },
  });
});

test('the list of rotations is bounded', () => {
  const rotations = Array.from({ length: STATE_ROTATIONS_MAX + 3 }, (_, i) => i);
  const text = printState({ ...FULL, memory: { ...FULL.memory, rotations } });
  const parsed = parseState(text);
  expect(parsed.ok && parsed.state.memory.rotations).toEqual(rotations.slice(3));
});

test.each([
  ['half a file', ORIGINAL.slice(0, 50)],
  ['a list', '[]'],
  ['null', 'null'],
])('%s is refused', (_, text) => {
  expect(parseState(text).ok).toBe(false);
});

test.each<[string, object, Partial<NetworkState>, string[]]>([
  [
    'rotations that are no list',
    { rotation_list: {} },
    { memory: { ...FULL.memory, rotations: [] } },
    ['rotation_list: expected a list'],
  ],
  ['a live edge that is no name', { last_live: ['a', 1, 'b'] }, {}, ['last_live[1]: expected text']],
  ['no live edges: those that were published are', { last_live: 7 }, {}, ['last_live: expected a list']],
  [
    'canaries in a list',
    { active_canaries: [] },
    { memory: { ...FULL.memory, activeCanaries: [] } },
    ['active_canaries: expected an object'],
  ],
  ['a time that is none', { last_run: 'soon' }, { lastRun: null }, ['last_run: expected a number']],
  [
    'times of zones of which one is none',
    { zone_mtimes: { 'x.test': 4, 'y.test': [], 'z.test': null } },
    {},
    ['zone_mtimes["y.test"]: expected a number'],
  ],
])('%s: left out with the key, and the rest is kept', (_, bad, expected, dropped) => {
  const text = JSON.stringify({ ...(JSON.parse(printState(FULL)) as object), ...bad });
  expect(parseState(text)).toEqual({ ok: true, state: { ...FULL, ...expected }, dropped });
});

test.each<[string, object, Partial<NetworkState>, string[]]>([
  ['a serial below zero', { serial: -1 }, { serial: 0 }, ['edgewise.serial: expected a serial']],
  [
    'a mode that nobody knows',
    { modes: { a: 'force', b: 'asleep' } },
    {},
    ['edgewise.modes.b: expected available, unavailable, force, blindforce'],
  ],
  [
    'an edge without a count',
    { misses: { 'b ::1': { count: 4, at: 3.5 }, c: { at: 3 } } },
    {},
    ['edgewise.misses.c.count: expected a number'],
  ],
  ['modes that are text', { modes: 'x' }, { modes: null }, ['edgewise.modes: expected an object']],
  [
    'addresses of which one is none',
    { addresses: { 'edge.test': ['127.0.0.1', 'x', '::1'], 'other.test': [] } },
    {},
    ['edgewise.addresses["edge.test"][1]: expected an address'],
  ],
])('%s in our own part: left out with the key, and the rest is kept', (_, bad, expected, dropped) => {
  const value = JSON.parse(printState(FULL)) as { readonly edgewise: object };
  const text = JSON.stringify({ ...value, edgewise: { ...value.edgewise, ...bad } });
  expect(parseState(text)).toEqual({ ok: true, state: { ...FULL, ...expected }, dropped });
});

test('our own part that is no object takes nothing of edgemanage with it', () => {
  const text = JSON.stringify({ ...(JSON.parse(ORIGINAL) as object), edgewise: 'x' });
  const parsed = parseState(text);
  const original = parseState(ORIGINAL);
  expect(parsed).toEqual({ ...original, dropped: ['edgewise: expected an object'] });
});

test("a moment's trouble with the file is thrown: nothing is set aside and nothing begun anew", async () => {
  await inFolder(async (folder) => {
    await writeFile(join(folder, 'file'), '');
    await expect(readState(join(folder, 'file', 'below'), 0)).rejects.toThrow('ENOTDIR');
    expect(await readdir(folder)).toEqual(['file']);
  });
});

test('no text makes the reader throw', () => {
  const odd = fc.dictionary(fc.constantFrom('last_live', 'edgewise', 'zone_mtimes', 'last_run', 'x'), fc.jsonValue());
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        odd.map((value) => JSON.stringify(value)),
      ),
      (text) => void parseState(text),
    ),
  );
});

test('an object is a state, whatever is in it', () => {
  const parts = fc.dictionary(fc.constantFrom('live', 'misses', 'judged', 'modes', 'addresses', 'x'), fc.jsonValue());
  const odd = fc.dictionary(fc.constantFrom('last_live', 'zone_mtimes', 'last_run', 'x'), fc.jsonValue());
  fc.assert(
    fc.property(odd, fc.oneof(parts, fc.jsonValue()), (value, edgewise) => {
      const parsed = parseState(JSON.stringify({ ...value, edgewise }));
      expect(parsed.ok).toBe(true);
      // What was read makes sense: it is written and read again without loss.
      if (parsed.ok) expect(parseState(printState(parsed.state))).toEqual({ ...parsed, dropped: [] });
    }),
  );
});

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'edgewise-state-'));
  await use(folder).finally(() => rm(folder, { recursive: true }));
}

test('no file is a new state', () =>
  inFolder(async (folder) => {
    expect(await readState(join(folder, 'n.state'), 1)).toEqual({ state: NEW_STATE, faults: [] });
  }));

test('a file of no octets is told: it held the live set', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'n.state');
    await writeFile(file, '');
    const { state, faults } = await readState(file, 1700.9);
    expect(state).toEqual(NEW_STATE);
    expect(faults).toMatchObject([{ severity: 'error', code: 'state-invalid' }]);
    expect(await readdir(folder)).toEqual(['n.state']);
  }));

test('a broken file is set aside, but left alone by a dry run', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'n.state');
    await writeFile(file, '{"last_live": [');
    expect((await readState(file, 1700.9, true)).faults).toHaveLength(1);
    expect(await readdir(folder)).toEqual(['n.state']);
    const { state, faults } = await readState(file, 1700.9);
    expect(state).toEqual(NEW_STATE);
    expect(faults[0]).toMatchObject({ severity: 'error', code: 'state-invalid' });
    expect(await readFile(`${file}.bad-1700`, 'utf8')).toBe('{"last_live": [');
    expect(await readdir(folder)).toEqual(['n.state.bad-1700']);
  }));

test('of a file with a bad part a copy is kept, unless in a dry run, and the file stays', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'n.state');
    const text = JSON.stringify({ ...(JSON.parse(printState(FULL)) as object), last_run: 'soon', zone_mtimes: 3 });
    await writeFile(file, text);
    const left = 'what makes no sense is left out (last_run: expected a number; zone_mtimes: expected an object)';
    const dry = await readState(file, 1700.9, true);
    expect(dry.state).toEqual({ ...FULL, lastRun: null, zoneMtimes: new Map() });
    expect(dry.faults.map(({ message }) => message)).toEqual([left]);
    expect(await readdir(folder)).toEqual(['n.state']);
    const { state, faults } = await readState(file, 1700.9);
    expect(state).toEqual(dry.state);
    expect(faults).toMatchObject([
      { severity: 'error', code: 'state-invalid', message: `${left}; the file as it was is kept as ${file}.bad-1700` },
    ]);
    expect(await readFile(`${file}.bad-1700`, 'utf8')).toBe(text);
    expect(await readFile(file, 'utf8')).toBe(text);
  }));

test('writing replaces the file whole; what cannot be written is a fault', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'n.state');
    expect(await writeState(file, FULL)).toEqual([]);
    expect((await readState(file, 1)).state).toEqual(FULL);
    expect(await writeState(join(folder, 'missing', 'n.state'), FULL)).toMatchObject([{ code: 'state-write' }]);
    expect(await readdir(folder)).toEqual(['n.state']);
  }));

test.each([
  ['no address at all', [{ edge: 'a' }, { edge: 'b', v4: null, v6: null }]],
  ['addresses that are none', [{ edge: 'a', v4: '127.0.0', v6: 'x' }]],
  ['addresses of the other family', [{ edge: 'a', v4: '::1', v6: '127.0.0.1' }]],
  ['no name', [{ v4: '127.0.0.1' }]],
])('members with %s are none, so that nothing is answered rather than "no address"', (_, live) => {
  const text = JSON.stringify({ last_live: ['a', 'b'], edgewise: { serial: 1_700_000_000, live } });
  const parsed = parseState(text);
  expect(parsed.ok && parsed.state.live).toEqual([]);
});

test('a damaged member does not take the others with it', () => {
  const live = [{ edge: 'a' }, null, 7, { edge: 'b', v4: '127.0.0.2', v6: 'x' }];
  const parsed = parseState(JSON.stringify({ edgewise: { serial: 1, live } }));
  expect(parsed.ok && parsed.state.live).toEqual([{ edge: 'b', v4: '127.0.0.2', v6: null, why: '' }]);
});

test.each([
  ['a pipe', (file: string) => execFileSync('mkfifo', [file])],
  ['a device without end', (file: string) => symlinkSync('/dev/zero', file)],
])('%s in place of a state file or a record keeps nobody waiting and is set aside', async (_what, make) => {
  await inFolder(async (folder) => {
    make(join(folder, 'state'));
    make(join(folder, 'edge.edgestore'));
    const { state, faults } = await readState(join(folder, 'state'), 1);
    expect(state).toEqual(NEW_STATE);
    expect(faults[0].message).toMatch(
      /^cannot be read \(is a (pipe|device), not a regular file\); it is now .*state\.bad-1/,
    );
    const stores = new EdgeStores(folder, Locks.open(join(folder, 'lock')));
    const read = await stores.read('edge', 1);
    expect(read.record).toEqual(NEW_EDGE);
    expect(read.faults[0].message).toMatch(/not a regular file/);
    make(join(folder, 'net.rounds.jsonl'));
    await expect(readLines(join(folder, 'net.rounds.jsonl'))).rejects.toThrow('not a regular file');
  });
});
