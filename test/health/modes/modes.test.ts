import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { operatorActionText } from '../../../src/health/choose/operator-action.ts';
import type { RoundFacts } from '../../../src/health/choose/round.ts';
import { moment } from '../../../src/health/judge/reason.ts';
import { momentSeconds, spanSeconds } from '../../../src/health/modes/duration.ts';
import { appendModeChange, type ModeChangeLine, watchModeChanges } from '../../../src/health/modes/mode-changes.ts';
import {
  expireMode,
  modeActions,
  nextExpiry,
  notedModes,
  operatorChanged,
  withMode,
} from '../../../src/health/modes/modes.ts';
import { type EdgeRecord, NEW_EDGE } from '../../../src/health/state/edge-store.ts';

const NOW = 1_700_000_000;
const FORCED: EdgeRecord = {
  ...NEW_EDGE,
  mode: 'force',
  modeSince: NOW - 100,
  comment: '[joe] test',
  modeUntil: NOW + 50,
};

describe('an operator changes a mode', () => {
  test.each([
    [
      'another mode moves the time of entry',
      NEW_EDGE,
      { mode: 'force', comment: '[a] b', until: null, by: 'a' },
      { mode: 'force', modeSince: NOW, comment: '[a] b', modeUntil: null, modeBy: 'a' },
    ],
    [
      'the same mode does not, but takes comment and end',
      FORCED,
      { mode: 'force', comment: '[a] b', until: NOW + 9, by: 'a' },
      { mode: 'force', modeSince: NOW - 100, comment: '[a] b', modeUntil: NOW + 9, modeBy: 'a' },
    ],
    [
      'without an end the old end is gone',
      FORCED,
      { mode: 'force', comment: '[a] b', until: null, by: 'a' },
      { mode: 'force', modeSince: NOW - 100, comment: '[a] b', modeUntil: null, modeBy: 'a' },
    ],
    [
      'available without comment clears it',
      FORCED,
      { mode: 'available', comment: null, until: null, by: 'a' },
      { mode: 'available', modeSince: NOW, comment: '', modeUntil: null, modeBy: 'a' },
    ],
    [
      'available with comment keeps that one',
      FORCED,
      { mode: 'available', comment: '[a] fine', until: null, by: 'a' },
      { mode: 'available', modeSince: NOW, comment: '[a] fine', modeUntil: null, modeBy: 'a' },
    ],
    [
      'available never ends',
      FORCED,
      { mode: 'available', comment: null, until: NOW + 9, by: 'a' },
      { mode: 'available', modeSince: NOW, comment: '', modeUntil: null, modeBy: 'a' },
    ],
  ] as const)('%s', (_, record, change, expected) => {
    expect(withMode(record, change, NOW)).toEqual({ ...record, ...expected });
  });
});

describe('a mode ends by itself', () => {
  test('at its end and not before', () => {
    expect(expireMode(FORCED, NOW + 49.9)).toBe(FORCED);
    expect(expireMode(FORCED, NOW + 50)).toMatchObject({
      mode: 'available',
      modeSince: NOW + 50,
      modeUntil: null,
      comment: '',
    });
  });

  test('the nearest end counts', () => {
    expect(nextExpiry([])).toBeNull();
    expect(nextExpiry([NEW_EDGE])).toBeNull();
    expect(nextExpiry([FORCED, { ...FORCED, modeUntil: NOW + 9 }, NEW_EDGE])).toBe(NOW + 9);
  });
});

describe('whether an operator changed something', () => {
  const records = new Map([
    ['a', NEW_EDGE],
    ['b', FORCED],
  ]);
  test.each([
    ['the same modes', new Map([['b', 'force']] as const), NOW, false],
    ['one more', new Map(), NOW, true],
    ['another', new Map([['b', 'blindforce']] as const), NOW, true],
    [
      'one less',
      new Map([
        ['a', 'force'],
        ['b', 'force'],
      ] as const),
      NOW,
      true,
    ],
    [
      'an edge that is gone',
      new Map([
        ['b', 'force'],
        ['c', 'force'],
      ] as const),
      NOW,
      false,
    ],
    ['nobody noted them, entered before the last run', null, NOW, false],
    ['nobody noted them, entered since', null, NOW - 200, true],
    ['nobody noted them, no run yet', null, null, false],
  ])('%s', (_, seen, lastRun, expected) => {
    expect(operatorChanged(records, seen, lastRun)).toBe(expected);
  });

  test('who changed them is known, from the comment of edgemanage’s tools too; a mode that ended was nobody', () => {
    const set = (mode: EdgeRecord['mode'], more: Partial<EdgeRecord>): EdgeRecord => ({ ...NEW_EDGE, mode, ...more });
    const changed = new Map([
      ['ours', set('unavailable', { modeBy: 'anna', comment: '[anna] disk [2] full', modeUntil: NOW + 60 })],
      ['theirs', set('force', { comment: '[joe] test' })],
      ['bare', set('blindforce', { comment: 'why not' })],
      ['back', set('available', { modeBy: 'ben', modeSince: NOW })],
      ['ended', set('available', { modeSince: NOW })],
      ['unknown', set('available', { modeSince: NOW })],
      ['same', set('force', { modeBy: 'anna', comment: '[anna] other comment' })],
    ]);
    const modes = new Map(['back', 'ended', 'unknown', 'same'].map((edge) => [edge, 'force'] as const));
    const before = { edges: [{ name: 'ended', modeUntil: NOW }], canaries: [] } as unknown as RoundFacts;
    const found = modeActions(changed, { modes, lastRun: NOW }, before);
    const none = { reason: null, mode: null, until: null };
    expect(found).toEqual([
      { action: 'mode', by: 'anna', reason: 'disk [2] full', edge: 'ours', mode: 'unavailable', until: NOW + 60 },
      { action: 'mode', by: 'joe', reason: 'test', edge: 'theirs', mode: 'force', until: null },
      { action: 'mode', by: null, reason: 'why not', edge: 'bare', mode: 'blindforce', until: null },
      { ...none, action: 'mode', by: 'ben', edge: 'back', mode: 'available' },
      { ...none, action: 'mode_end', by: null, edge: 'ended' },
      { ...none, action: 'mode', by: null, edge: 'unknown', mode: 'available' },
    ]);
    expect(found.map(operatorActionText)).toEqual([
      `anna set ours to unavailable until ${moment(NOW + 60)}: disk [2] full`,
      'joe set theirs to force: test',
      'somebody set bare to blindforce: why not',
      'ben set back to available',
      'the time of the mode of ended was over',
      'somebody set unknown to available',
    ]);
    expect(modeActions(changed, { modes: null, lastRun: null }, null)).toEqual([]);
  });

  test('modes other than available are noted', () => {
    expect(notedModes(records)).toEqual(new Map([['b', 'force']]));
  });
});

test.each([
  ['90s', 90],
  ['45m', 2700],
  ['2h', 7200],
  ['1h30m', 5400],
  ['1.5d', 129_600],
  ['1w', 604_800],
  ['30', 30],
  ['0h', null],
  ['', null],
  ['2 h', null],
  ['h2', null],
  ['2x', null],
  ['-2h', null],
  ['2h30', null],
  ['100y', null],
  ['99999999w', null], // by then no date has a name any more
])('a span of "%s" is %s seconds', (text, expected) => {
  expect(spanSeconds(text)).toBe(expected);
});

describe('moments', () => {
  const local = (text: string): number => new Date(text).getTime() / 1000;
  test.each([
    ['2026-11-22T18:00', local('2026-11-22T18:00')],
    ['2026-11-22 18:00:30', local('2026-11-22T18:00:30')],
    ['2026-11-22', local('2026-11-22T00:00')],
    ['2026-11-22T18:00Z', Date.UTC(2026, 10, 22, 18) / 1000],
    ['2026-11-22T18:00+02:00', Date.UTC(2026, 10, 22, 16) / 1000],
    ['1800000000', 1_800_000_000],
    ['1800000000.5', 1_800_000_000.5],
    ['2026-13-22', null],
    ['2026-11-22T25:00', null],
    ['24:00', null],
    ['tomorrow', null],
    ['12', null],
    ['', null],
  ])('"%s"', (text, expected) => {
    expect(momentSeconds(text, NOW)).toBe(expected);
  });

  test('a time of day is the next one', () => {
    const now = local('2026-11-22T12:00:00');
    expect(momentSeconds('12:01', now)).toBe(local('2026-11-22T12:01'));
    expect(momentSeconds('12:00', now)).toBe(local('2026-11-23T12:00'));
    expect(momentSeconds('9:30', now)).toBe(local('2026-11-23T09:30'));
  });
});

describe('the bell', () => {
  const change: ModeChangeLine = {
    at: NOW,
    network: 'n',
    edge: 'e',
    mode: 'force',
    until: null,
    comment: '[a] b',
    by: 'a',
  };

  async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'edgewise-bell-'));
    await use(folder).finally(() => rm(folder, { recursive: true }));
  }

  test('is heard each time, the first time without a file too, and leaves a line for each change', () =>
    inFolder(async (folder) => {
      const heard: (() => void)[] = [];
      const unhear = watchModeChanges(folder, () => heard.pop()?.());
      for (let count = 1; count <= 3; count++) {
        const ring = new Promise<void>((resolve) => heard.push(resolve));
        await appendModeChange(folder, change);
        await ring;
      }
      unhear();
      const lines = (await readFile(join(folder, '.mode-changes'), 'utf8')).trimEnd().split('\n');
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([change, change, change]);
    }));

  test('several who put it aside at once all get through', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, '.mode-changes'), 'x'.repeat(1_000_001));
      await Promise.all([
        appendModeChange(folder, change),
        appendModeChange(folder, change),
        appendModeChange(folder, change),
      ]);
      expect(await readFile(join(folder, '.mode-changes'), 'utf8')).toContain(JSON.stringify(change));
    }));

  test('a file that has grown large is put aside', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, '.mode-changes'), 'x'.repeat(1_000_001));
      await appendModeChange(folder, change);
      expect((await stat(join(folder, '.mode-changes.old'))).size).toBe(1_000_001);
      expect(await readFile(join(folder, '.mode-changes'), 'utf8')).toBe(`${JSON.stringify(change)}\n`);
    }));
});
