import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HISTORY_MAX } from '../../../src/health/judge/history.ts';
import { appendModeChange } from '../../../src/health/modes/mode-changes.ts';
import {
  type EdgeRecord,
  inNetwork,
  JUDGEMENTS,
  MODES,
  NEW_EDGE,
  ROTATIONS_MAX,
  withRound,
} from '../../../src/health/state/edge-store.ts';
import { EdgeStores } from '../../../src/health/state/edge-store-files.ts';
import { parseEdgeRecord, printEdgeRecord } from '../../../src/health/state/edge-store-text.ts';
import { withSample } from '../../../src/health/state/series.ts';
import { Locks } from '../../../src/system/lock.ts';
import { nextTurn } from '../../../src/system/yielding.ts';

const NOW = 1_700_000_000.25;

/** As Python's `json.dump(…, sort_keys=True, indent=4)` of the original writes it, and one key that nobody knows. */
const ORIGINAL = `{
    "comment": "[joe] disk full",
    "fetch_times": {
        "1699999000.12": 0.25,
        "1699999060.1234567": 10,
        "1699999120.5": 1.5
    },
    "future_key": {
        "a": [
            1
        ]
    },
    "health": "fail",
    "historical_average": {
        "1699999000.12": 0.25
    },
    "mode": "unavailable",
    "rotation_history": [
        1699999000.3
    ],
    "state": "in",
    "state_entry_time": 1699998000.5
}`;

function parsed(text: string): EdgeRecord {
  const result = parseEdgeRecord(text);
  if (!result.ok) throw new Error(result.problem);
  return result.record;
}

describe('the file form', () => {
  test("an original's file is understood", () => {
    expect(parsed(ORIGINAL)).toEqual({
      history: { times: [1699999000.12, 1699999060.1234567, 1699999120.5], seconds: [0.25, 10, 1.5] },
      averages: { times: [1699999000.12], seconds: [0.25] },
      series: new Map(),
      historyOfChecks: false,
      rotations: [1699999000.3],
      state: 'in',
      stateSince: null,
      mode: 'unavailable',
      modeSince: 1699998000.5,
      modeUntil: null,
      modeBy: null,
      health: 'fail',
      comment: '[joe] disk full',
      networks: new Map(),
      extra: new Map([['future_key', { a: [1] }]]),
    });
  });

  test('it is written back with its keys in order, stamps of two decimals or all they had, and the unknown key', () => {
    const lines = printEdgeRecord(parsed(ORIGINAL)).split('\n');
    const added = ['    "mode_until": null,', '    "state_entry_time": 1699998000.5,', '    "state_since": null'];
    const expected = ORIGINAL.replace('"1699999120.5"', '"1699999120.50"')
      .split('\n')
      .flatMap((line) => (line === '    "state_entry_time": 1699998000.5' ? added.slice(1) : [line]))
      .flatMap((line) => (line.startsWith('    "rotation_history"') ? [added[0], line] : [line]));
    expect(lines).toEqual(expected);
  });

  const ORIGINAL_KEYS = Object.keys(JSON.parse(ORIGINAL) as object).filter((key) => key !== 'future_key');

  test('a new edge prints as empty objects and lists, in one line each', () => {
    const text = printEdgeRecord(NEW_EDGE);
    expect(text).toContain('"fetch_times": {},');
    expect(text).toContain('"rotation_history": [],');
    expect(parsed(text)).toEqual(NEW_EDGE);
  });

  test.each([
    ['an empty file', '', NEW_EDGE],
    ['missing keys', '{"mode": "force"}', { ...NEW_EDGE, mode: 'force' }],
    [
      'samples that are no numbers',
      '{"fetch_times": {"x": 1, "5": "y", "6": 0.5}}',
      {
        ...NEW_EDGE,
        history: { times: [6], seconds: [0.5] },
      },
    ],
    [
      'whole seconds, which a JSON object reorders',
      '{"fetch_times": {"1700000000.5": 1, "1699999999": 2}}',
      {
        ...NEW_EDGE,
        history: { times: [1699999999, 1700000000.5], seconds: [2, 1] },
      },
    ],
    [
      'numbers that somebody wrote as text',
      '{"fetch_times": {"5": "0.5"}, "rotation_history": ["6"], "state_entry_time": "7.5"}',
      { ...NEW_EDGE, history: { times: [5], seconds: [0.5] }, rotations: [6], modeSince: 7.5 },
    ],
    [
      'keys without a value, like keys that are missing',
      `{${ORIGINAL_KEYS.map((key) => `"${key}": null`).join(', ')}, "future": null}`,
      { ...NEW_EDGE, extra: new Map([['future', null]]) },
    ],
    ['an expiry without a mode to end', '{"mode": "available", "mode_until": 5}', NEW_EDGE],
  ])('%s are taken as meant', (_, text, expected) => {
    expect(parseEdgeRecord(text)).toEqual({ ok: true, record: expected, dropped: expect.any(Array) });
  });

  test.each([
    ['half a file', ORIGINAL.slice(0, 200)],
    ['a list', '[]'],
    ['no object', '"text"'],
  ])('%s is refused', (_, text) => {
    expect(parseEdgeRecord(text).ok).toBe(false);
  });

  const soft = 'expected a number';
  test.each<[string, object, readonly string[]]>([
    ['an unknown mode', { mode: 'off' }, ['mode: expected available, unavailable, force, blindforce']],
    [
      'an unknown health',
      { health: 'good' },
      ['health: expected pass_threshold, pass_window, pass_average, pass, fail'],
    ],
    ['an unknown state', { state: 'up' }, ['state: expected in, out']],
    ['samples in a list', { fetch_times: [1] }, ['fetch_times: expected an object']],
    [
      'samples that are none',
      { fetch_times: { x: 1, '': 2, '5': 'y', '6': null } },
      [
        `fetch_times["5"]: ${soft}`.replace('["5"]', '.5'),
        'fetch_times.x: expected a time',
        'fetch_times[""]: expected a time',
      ],
    ],
    ['a comment that is no text', { comment: {} }, ['comment: expected text']],
    ['networks in a list', { networks: [] }, ['networks: expected an object']],
    ['a network without what it needs', { networks: { 'a.b': { state: 'in' } } }, [`networks["a.b"].seen: ${soft}`]],
    [
      'an uptime of text',
      { networks: { n: { state: 'in', seen: 5, uptime: 'x' } } },
      ['networks.n.uptime: expected an object'],
    ],
    ['rotations of which one is none', { rotation_history: [1, 'x'] }, [`rotation_history[1]: ${soft}`]],
  ])('%s: left out with the key, and the rest is kept', (_, bad, dropped) => {
    const good = {
      comment: 'busy',
      mode: 'force',
      state: 'in',
      health: 'fail',
      fetch_times: { '7': 0.5 },
      historical_average: { '8': 0.25 },
      rotation_history: [9],
      state_since: 10,
      other: 1,
    };
    const whole = parsed(JSON.stringify(good));
    const [key] = Object.keys(bad);
    const found = parseEdgeRecord(JSON.stringify({ ...good, ...bad }));
    expect(found).toMatchObject({ ok: true, dropped });
    if (!found.ok) return;
    const without = Object.fromEntries(Object.entries(good).filter(([name]) => name !== key));
    const { networks, rotations, ...record } = found.record;
    const expected = parsed(JSON.stringify(without));
    expect(record).toEqual({ ...expected, networks: undefined, rotations: undefined });
    expect(rotations).toEqual(key === 'rotation_history' ? [1] : whole.rotations);
    expect([...networks.keys()]).toEqual(dropped[0].includes('uptime') ? ['n'] : []);
  });

  test('more samples than are kept: the newest stay', () => {
    const count = HISTORY_MAX + 5;
    const entries = Object.fromEntries(Array.from({ length: count }, (_, i) => [(1_000_000_000 + i).toFixed(2), i]));
    const { history } = parsed(JSON.stringify({ fetch_times: entries }));
    expect(history.times).toHaveLength(HISTORY_MAX);
    expect(history.seconds[0]).toBe(5);
  });

  test('what is printed is JSON and reads back the same', () => {
    const moment = fc.integer({ min: 100_000_000_000, max: 200_000_000_000 }).map((centis) => centis / 100);
    const history = fc.uniqueArray(moment, { maxLength: 20 }).map((times) => {
      const sorted = times.sort((a, b) => a - b);
      // Whole microseconds and other numbers are printed in different ways.
      const seconds = sorted.map((time, i) =>
        i % 2 === 0 ? (time % 1000) / 7 : Math.round((time % 1000) * 1e4) / 1e6,
      );
      return { times: sorted, seconds };
    });
    const record: fc.Arbitrary<EdgeRecord> = fc
      .record({
        history,
        averages: history,
        series: fc
          .dictionary(
            fc.string({ unit: 'binary', minLength: 1 }).map((key) => `n${key}`),
            history.filter(({ times }) => times.length > 0),
            { maxKeys: 3 },
          )
          .map((series) => new Map(Object.entries(series))),
        historyOfChecks: fc.boolean(),
        rotations: fc.array(moment, { maxLength: 5 }),
        state: fc.constantFrom('in' as const, 'out' as const),
        stateSince: fc.option(moment),
        mode: fc.constantFrom(...MODES),
        modeSince: fc.option(moment),
        modeUntil: fc.option(moment),
        modeBy: fc.option(fc.string({ unit: 'binary' })),
        health: fc.constantFrom(...JUDGEMENTS),
        comment: fc.string({ unit: 'binary' }),
        networks: fc
          .dictionary(
            fc.string({ minLength: 1 }).map((key) => `n${key}`),
            fc.record(
              {
                state: fc.constantFrom('in' as const, 'out' as const),
                stateSince: fc.option(moment),
                health: fc.constantFrom(...JUDGEMENTS),
                seen: moment,
                check: fc.string(),
              },
              { requiredKeys: ['state', 'stateSince', 'health', 'seen'] },
            ),
            { maxKeys: 3 },
          )
          .map((networks) => new Map(Object.entries(networks))),
        extra: fc
          .dictionary(
            fc.string({ minLength: 1 }).map((key) => `x${key}`),
            fc.jsonValue({ noUnicodeString: false }),
          )
          // JSON knows no -0, and a key __proto__ inside a value is lost by every object literal.
          .map((values) => new Map(Object.entries(JSON.parse(JSON.stringify(values)) as Record<string, unknown>))),
      })
      .map((made) => (made.mode === 'available' ? { ...made, modeUntil: null } : made));
    fc.assert(
      fc.property(record, (made) => {
        const text = printEdgeRecord(made);
        expect(parsed(text)).toEqual(made);
        // Python's layout: the same as our own JSON printer's on the sorted object.
        expect(text.split('\n').every((line) => /^ *\S.*$/.test(line) && line.search(/\S/) % 4 === 0)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('no text makes the reader throw', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseEdgeRecord(text)));
  });
});

describe('a round in a record', () => {
  const news = {
    network: 'n',
    at: NOW,
    isRun: true,
    sample: null,
    live: true,
    health: 'pass',
    position: null,
  } as const;

  test('a live edge gets sample, state and rotation', () => {
    const sample = { at: NOW - 1, seconds: 0.2, failure: null, reach: 180 };
    const record = withRound(withSample(NEW_EDGE, sample), { ...news, sample, health: 'pass_threshold' });
    expect(record.history).toEqual({ times: [NOW - 1], seconds: [0.2] });
    expect(record).toMatchObject({ state: 'in', stateSince: NOW, health: 'pass_threshold', rotations: [NOW] });
  });

  test('the time in a state moves with the state only', () => {
    const first = withRound(NEW_EDGE, { ...news, live: false });
    const second = withRound(first, { ...news, at: NOW + 60, live: false });
    const third = withRound(second, { ...news, at: NOW + 120, live: true });
    expect([first, second, third].map(({ stateSince }) => stateSince)).toEqual([NOW, NOW, NOW + 120]);
  });

  test('an edge that was not judged keeps its health', () => {
    const record = withRound({ ...NEW_EDGE, health: 'pass_window' }, { ...news, health: null });
    expect(record.health).toBe('pass_window');
  });

  test('a decision between rounds adds no rotation, and nothing at all where nothing changed', () => {
    const record = withRound(NEW_EDGE, news);
    const between = { ...news, isRun: false, health: null };
    expect(withRound(record, between)).toBe(record);
    expect(withRound(record, { ...between, live: false })).toMatchObject({ state: 'out', rotations: [NOW] });
  });

  test('a sample that is in the record already changes nothing', () => {
    const once = withSample(NEW_EDGE, { at: NOW - 1, seconds: 0.2 });
    expect(withSample(once, { at: NOW - 1, seconds: 0.2 })).toBe(once);
  });

  test('an edge of two networks has a state in each, and is in while it is in either', () => {
    const a = withRound(NEW_EDGE, { ...news, network: 'neta' });
    const both = withRound(a, { ...news, network: 'netb', at: NOW + 1, live: false, health: 'fail' });
    const again = withRound(both, { ...news, network: 'neta', at: NOW + 60 });
    expect(inNetwork(again, 'neta')).toMatchObject({ state: 'in', stateSince: NOW, health: 'pass' });
    expect(inNetwork(again, 'netb')).toMatchObject({ state: 'out', stateSince: NOW + 1, health: 'fail' });
    expect(again).toMatchObject({ state: 'in', stateSince: NOW });
    const out = withRound(again, { ...news, network: 'neta', at: NOW + 120, live: false });
    expect(out).toMatchObject({ state: 'out', stateSince: NOW + 120 });
    expect(parseEdgeRecord(printEdgeRecord(out))).toEqual({ ok: true, record: out, dropped: [] });
  });

  test('a record that knows no networks is every one of them, a network that is gone is forgotten after a day', () => {
    const old = { ...NEW_EDGE, state: 'in', stateSince: 5, health: 'pass_average' } as const;
    expect(inNetwork(old, 'neta')).toMatchObject({ state: 'in', stateSince: 5, health: 'pass_average' });
    const b = withRound(old, { ...news, network: 'netb', live: false });
    expect(b.state).toBe('out');
    const gone = withRound(withRound(NEW_EDGE, { ...news, network: 'gone' }), {
      ...news,
      network: 'neta',
      at: NOW + 86_400,
      live: false,
    });
    expect([...gone.networks.keys()]).toEqual(['neta']);
    expect(gone.state).toBe('out');
  });

  test('a judged sample tells since when the edge is up there, an unjudged one and a decision without one nothing', () => {
    const sample = (at: number) => ({ at, seconds: 0.2, failure: null, reach: 180 });
    const up = withRound(NEW_EDGE, { ...news, sample: sample(NOW - 1) });
    const unjudged = withRound(up, { ...news, at: NOW + 60, sample: sample(NOW + 59), health: null });
    const redecided = withRound(unjudged, { ...news, at: NOW + 61, isRun: false, health: 'fail' });
    const first = {
      up: true,
      since: NOW - 1,
      checkedAt: NOW - 1,
      transitions: [],
      down: [],
      lastFailure: null,
      position: null,
    };
    for (const record of [up, unjudged, redecided]) expect(record.networks.get('n')?.uptime).toEqual(first);
    const failure = { at: NOW + 119, reason: 'timeout', check: 'http', detail: 'no answer' };
    const down = withRound(redecided, {
      ...news,
      at: NOW + 120,
      sample: { ...sample(NOW + 119), failure },
      health: 'fail',
    });
    const again = withRound(down, { ...news, at: NOW + 180, sample: sample(NOW + 179), health: 'fail' });
    expect(again.networks.get('n')?.uptime).toEqual({
      up: false,
      since: NOW + 119,
      checkedAt: NOW + 179,
      transitions: [{ at: NOW + 119, up: false }],
      down: [{ from: NOW + 119, until: NOW + 179, seconds: 60 }],
      lastFailure: failure,
      position: null,
    });
    expect(again.networks.get('other')).toBeUndefined();
    expect(parseEdgeRecord(printEdgeRecord(again))).toEqual({ ok: true, record: again, dropped: [] });
  });

  test('rotation_history is bounded', () => {
    const full = { ...NEW_EDGE, rotations: Array.from({ length: ROTATIONS_MAX }, (_, i) => i) };
    const { rotations } = withRound(full, news);
    expect(rotations).toHaveLength(ROTATIONS_MAX);
    expect(rotations[ROTATIONS_MAX - 1]).toBe(NOW);
  });
});

test('the check that decided is kept until a sample says otherwise', () => {
  const sample = { at: NOW, seconds: 1, failure: null, reach: 60 };
  const news = { network: 'net', at: NOW, isRun: true, sample, live: true, health: 'pass', position: null } as const;
  const checkOf = (record: EdgeRecord): string | undefined => record.networks.get('net')?.check;
  const named = withRound(NEW_EDGE, { ...news, check: 'web' });
  expect(checkOf(named)).toBe('web');
  expect(checkOf(withRound(named, { ...news, sample: null }))).toBe('web');
  expect(checkOf(withRound(named, { ...news, network: 'other', check: 'tcp' }))).toBe('web');
  expect(checkOf(withRound(named, { ...news, check: null }))).toBeUndefined();
});

describe('the files', () => {
  let folder: string;
  let locks: Locks;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgewise-store-'));
    locks = Locks.open(join(folder, 'lock'));
  });
  afterEach(async () => {
    locks.close();
    await rm(folder, { recursive: true });
  });

  const touch = (record: EdgeRecord): EdgeRecord => ({ ...record, comment: `${record.comment}x` });

  test('a change is written for everybody to read, and nothing else is left in the folder', async () => {
    const stores = new EdgeStores(folder, locks);
    const { faults } = await stores.update('e', NOW, touch);
    expect(faults).toEqual([]);
    expect(await readdir(folder)).toEqual(['e.edgestore', 'lock']);
    expect((await stat(stores.path('e'))).mode & 0o777).toBe(0o644);
    expect(parsed(await readFile(stores.path('e'), 'utf8')).comment).toBe('x');
  });

  test('a file that cannot be understood is set aside with an error and not written over', async () => {
    const stores = new EdgeStores(folder, locks);
    await writeFile(stores.path('e'), '{"fetch_times": {');
    await writeFile(`${stores.path('e')}.bad-1700000000`, 'an earlier one');
    const { record, faults } = await stores.update('e', NOW, touch);
    expect(record.comment).toBe('x');
    expect(faults.map(({ code, severity }) => `${severity} ${code}`)).toEqual(['error edge-store-invalid']);
    expect(await readFile(`${stores.path('e')}.bad-1700000000`, 'utf8')).toBe('an earlier one');
    expect(await readFile(`${stores.path('e')}.bad-1700000000-2`, 'utf8')).toBe('{"fetch_times": {');
  });

  test('of a file with a bad part a copy is kept, once, and the rest is written on', async () => {
    const stores = new EdgeStores(folder, locks);
    const path = stores.path('e');
    const text = '{"fetch_times": [], "comment": "kept", "mode": "force"}';
    await writeFile(path, text);
    const { record, faults } = await stores.read('e', NOW);
    expect(record).toEqual({ ...NEW_EDGE, comment: 'kept', mode: 'force' });
    const copy = `${path}.bad-${Math.floor(NOW)}`;
    const message = `what makes no sense is left out (fetch_times: expected an object); the file as it was is kept as ${copy}`;
    expect(faults).toMatchObject([{ severity: 'error', code: 'edge-store-invalid', at: { file: path }, message }]);
    expect((await stores.read('e', NOW)).faults).toEqual([]);
    expect(await readFile(copy, 'utf8')).toBe(text);
    expect(await readFile(path, 'utf8')).toBe(text);
    expect((await stores.update('e', NOW, touch)).faults).toEqual([]);
    expect((await new EdgeStores(folder, locks).read('e', NOW)).record.comment).toBe('keptx');
    expect(await readdir(folder)).toEqual(['e.edgestore', `e.edgestore.bad-${Math.floor(NOW)}`, 'lock']);
  });

  test('a file with a bad part of which no copy can be kept is read, and not written any more', async () => {
    const long = 'e'.repeat(240); // a longer name is none
    const stores = new EdgeStores(folder, locks);
    const text = '{"fetch_times": [], "comment": "kept"}';
    await writeFile(stores.path(long), text);
    expect((await stores.read(long, NOW)).faults).toMatchObject([{ code: 'edge-store-stuck' }]);
    stores.note(long, touch);
    expect(await stores.write(long, NOW)).toEqual([]);
    expect((await stores.read(long, NOW)).record.comment).toBe('kept');
    expect(await readFile(stores.path(long), 'utf8')).toBe(text);
  });

  test('a file of no octets is told, once: an operator may have set a mode in it', async () => {
    const stores = new EdgeStores(folder, locks);
    await writeFile(stores.path('e'), '');
    const { record, faults } = await stores.read('e', NOW);
    expect(record).toEqual(NEW_EDGE);
    expect(faults).toMatchObject([
      { severity: 'error', code: 'edge-store-invalid', message: expect.stringContaining('empty') as string },
    ]);
    expect((await stores.update('e', NOW, touch)).faults).toEqual([]);
    expect(await readdir(folder)).toEqual(['e.edgestore', 'lock']);
  });

  test('without locks nothing is ever set aside', async () => {
    const stores = new EdgeStores(folder, null);
    await writeFile(stores.path('e'), 'not JSON');
    const { faults } = await stores.read('e', NOW);
    expect(faults).toHaveLength(1);
    expect(await readFile(stores.path('e'), 'utf8')).toBe('not JSON');
    await writeFile(stores.path('e'), '{"mode": 5, "comment": "kept"}');
    const part = await stores.read('e', NOW);
    expect(part.record.comment).toBe('kept');
    expect(part.faults.map(({ message }) => message)).toEqual([
      'what makes no sense is left out (mode: expected available, unavailable, force, blindforce)',
    ]);
    expect(await readdir(folder)).toEqual(['e.edgestore', 'lock']);
  });

  test("another process's change is taken up, also when it leaves size and time as they were", async () => {
    const mine = new EdgeStores(folder, locks);
    await mine.update('e', NOW, (record) => ({ ...record, comment: 'a' }));
    const { mtime } = await stat(mine.path('e'));
    const theirs = new EdgeStores(folder, locks);
    await theirs.update('e', NOW, (record) => ({ ...record, comment: 'b' }));
    await utimes(mine.path('e'), mtime, mtime);
    expect((await mine.read('e', NOW)).record.comment).toBe('b');
    expect((await mine.update('e', NOW, touch)).record.comment).toBe('bx');
  });

  test('a file that was looked at lately is not looked at again, unless that is asked for or a mode was changed', async () => {
    const mine = new EdgeStores(folder, locks);
    const theirs = new EdgeStores(folder, locks);
    const edges = ['e', 'f', 'never'];
    const comment = (text: string) => theirs.update('e', NOW, (record) => ({ ...record, comment: text }));
    await comment('first');
    for (const edge of ['e', 'f']) await mine.read(edge, NOW);
    expect(await mine.outdated(edges, 60_000)).toEqual(['never']);

    await comment('by hand');
    expect(await mine.outdated(edges, 60_000)).toEqual(['never']);
    expect(await mine.outdated(edges)).toEqual(['e', 'never']);
    // What is known to be another file was not looked at in vain.
    await mine.read('e', NOW);
    expect(mine.present('e').comment).toBe('by hand');

    await comment("by an operator's command");
    expect(await mine.outdated(edges, 60_000)).toEqual(['never']);
    const change = { at: NOW, network: 'n', edge: 'e', mode: 'available', until: null, comment: '', by: null } as const;
    await appendModeChange(folder, change);
    expect(await mine.outdated(edges, 60_000)).toEqual(['e', 'never']);
    expect(await mine.outdated(edges, 60_000)).toEqual(['e', 'never']); // until it is read
    await mine.read('e', NOW);
    expect(await mine.outdated(edges, 60_000)).toEqual(['never']);
  });

  test('a look that a change of a mode overtakes does not count', async () => {
    const mine = new EdgeStores(folder, locks);
    const theirs = new EdgeStores(folder, locks);
    await mine.read('e', NOW);
    const change = { at: NOW, network: 'n', edge: 'e', mode: 'available', until: null, comment: '', by: null } as const;
    for (let i = 0; i < 20; i++) {
      const reading = mine.read('e', NOW);
      await theirs.update('e', NOW, (record) => ({ ...record, comment: String(i) }));
      await appendModeChange(folder, change);
      const outdated = mine.outdated(['e'], 60_000);
      await reading;
      for (const edge of await outdated) await mine.read(edge, NOW);
      for (const edge of await mine.outdated(['e'], 60_000)) await mine.read(edge, NOW);
      expect(mine.present('e').comment).toBe(String(i));
    }
  });

  test('changes made at once by several holders are all kept', async () => {
    const others = Array.from({ length: 4 }, () => Locks.open(join(folder, 'lock')));
    const stores = others.map((each) => new EdgeStores(folder, each));
    const updates = stores.flatMap((each) => Array.from({ length: 10 }, () => each.update('e', NOW, touch)));
    for (const { faults } of await Promise.all(updates)) expect(faults).toEqual([]);
    expect(parsed(await readFile(join(folder, 'e.edgestore'), 'utf8')).comment).toBe('x'.repeat(40));
    for (const each of others) each.close();
  });

  test('a change that throws is not written, and the next one is made', async () => {
    const stores = new EdgeStores(folder, locks);
    const broken = stores.update('e', NOW, () => {
      throw new Error('a bug');
    });
    const next = stores.update('e', NOW, touch);
    await expect(broken).rejects.toThrow('a bug');
    expect((await next).record.comment).toBe('x');
  });

  test('a folder that is missing is a fault, and the change lives on in memory', async () => {
    const stores = new EdgeStores(join(folder, 'missing'), locks);
    const { faults } = await stores.update('e', NOW, touch);
    expect(faults.map(({ code }) => code)).toEqual(['edge-store-write']);
    expect((await stores.read('e', NOW)).record.comment).toBe('x');
  });

  describe('changes in memory', () => {
    test('are read at once and written when that is asked for, all in one', async () => {
      const stores = new EdgeStores(folder, locks);
      expect(stores.note('e', touch).comment).toBe('x');
      expect(stores.note('e', touch).comment).toBe('xx');
      expect((await stores.read('e', NOW)).record.comment).toBe('xx');
      expect(await readdir(folder)).toEqual(['lock']);
      expect(await stores.write('e', NOW)).toEqual([]);
      expect(parsed(await readFile(stores.path('e'), 'utf8')).comment).toBe('xx');
    });

    test("are made once more on another process's, and both are kept", async () => {
      const mine = new EdgeStores(folder, locks);
      await mine.update('e', NOW, (record) => ({ ...record, comment: 'a' }));
      const taken = mine.note('e', touch, {
        from: (await mine.read('e', NOW)).record,
        to: parsed('{"comment":"quick"}'),
      });
      expect(taken.comment).toBe('quick');
      const theirs = new EdgeStores(folder, locks);
      await theirs.update('e', NOW, (record) => ({ ...record, mode: 'unavailable', comment: 'b' }));
      expect((await mine.read('e', NOW)).record).toMatchObject({ mode: 'unavailable', comment: 'bx' });
      await theirs.update('e', NOW, (record) => ({ ...record, comment: 'c' }));
      expect(await mine.write('e', NOW)).toEqual([]);
      const written = parsed(await readFile(mine.path('e'), 'utf8'));
      expect(written).toMatchObject({ mode: 'unavailable', comment: 'cx' });
    });

    test('that come while the file is written are in the next, once', { timeout: 60_000 }, async () => {
      const stores = new EdgeStores(folder, locks);
      const others = Locks.open(join(folder, 'lock'));
      const other = new EdgeStores(folder, others);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.constantFrom('note', 'write', 'read', 'theirs'), { maxLength: 20 }),
          async (steps) => {
            await rm(stores.path('e'), { force: true });
            await stores.read('e', NOW);
            const under: Promise<unknown>[] = [];
            let [noted, told] = [0, 0];
            for (const step of steps) {
              if (step === 'note') {
                stores.note('e', touch);
                noted += 1;
              } else if (step === 'write') under.push(stores.write('e', NOW));
              else if (step === 'read') under.push(stores.read('e', NOW));
              else {
                told += 1;
                under.push(other.update('e', NOW, (old) => ({ ...old, comment: `${old.comment}y` })));
              }
              if (noted % 2 === 1) await Promise.race([...under, nextTurn()]);
            }
            await Promise.all(under);
            await stores.write('e', NOW);
            const { comment } = (await new EdgeStores(folder, null).read('e', NOW)).record;
            expect(comment.replaceAll('x', '')).toBe('y'.repeat(told));
            expect(comment.replaceAll('y', '')).toBe('x'.repeat(noted));
          },
        ),
        { numRuns: 20 },
      );
      others.close();
    });

    test('that cannot be written stay, and are written when they can be', async () => {
      const stores = new EdgeStores(join(folder, 'later'), locks);
      stores.note('e', touch);
      expect((await stores.write('e', NOW)).map(({ code }) => code)).toEqual(['edge-store-write']);
      stores.note('e', touch);
      await mkdir(join(folder, 'later'));
      expect(await stores.write('e', NOW)).toEqual([]);
      expect(parsed(await readFile(stores.path('e'), 'utf8')).comment).toBe('xx');
    });

    test('of a file that cannot be understood begin with a new record, and it is set aside', async () => {
      const stores = new EdgeStores(folder, locks);
      await writeFile(stores.path('e'), 'not JSON');
      stores.note('e', touch);
      expect((await stores.write('e', NOW)).map(({ code }) => code)).toEqual(['edge-store-invalid']);
      expect(parsed(await readFile(stores.path('e'), 'utf8')).comment).toBe('x');
      expect(await readdir(folder)).toContain('e.edgestore.bad-1700000000');
    });
  });
});
