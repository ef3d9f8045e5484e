import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Check,
  DETAIL_MAX,
  downtimeOfDay,
  downUntil,
  SPANS_MAX,
  TRANSITIONS_MAX,
  UPTIME,
  type Uptime,
  uptimeAt,
  uptimeValue,
  withCheck,
} from '../../../src/health/state/uptime.ts';
import { readParts } from '../../../src/system/json-parts.ts';

const NOW = 1_700_000_000;
const DAY = 86_400;
/** Samples every minute. */
const REACH = 180;

function check(at: number, up: boolean): Check {
  const failure = up ? null : { at, reason: 'connect', check: 'http', detail: 'refused' };
  return { at, up, failure, position: at % 3 === 0 ? null : { count: at % 3, of: 3, towards: up ? 'down' : 'up' } };
}

/** Folds samples `[seconds after NOW, up]`. */
function folded(samples: readonly (readonly [number, boolean])[], before: Uptime | null = null): Uptime {
  const all = samples.reduce<Uptime | null>((old, [at, up]) => withCheck(old, check(NOW + at, up), REACH), before);
  if (all === null) throw new Error('no sample');
  return all;
}

/** Times as seconds after NOW. */
type Expected = {
  readonly up: boolean | null;
  readonly since: number;
  readonly changes: readonly number[];
  readonly downtime: number;
};

describe('worked examples', () => {
  test.each<[string, readonly (readonly [number, boolean])[], number, Expected]>([
    ['first known up', [[0, true]], 30, { up: true, since: 0, changes: [], downtime: 0 }],
    ['first known down is no transition', [[0, false]], 30, { up: false, since: 0, changes: [], downtime: 30 }],
    [
      'goes down and comes up',
      [
        [0, true],
        [60, false],
        [120, false],
        [180, true],
      ],
      200,
      { up: true, since: 180, changes: [60, 180], downtime: 120 },
    ],
    [
      'a restart of a minute is no transition, and what was known before counts',
      [
        [0, false],
        [120, false],
      ],
      120,
      { up: false, since: 0, changes: [], downtime: 120 },
    ],
    [
      'nobody ran for an hour: known down before and after, and nothing between',
      [
        [0, false],
        [60, false],
        [3660, false],
        [3720, false],
      ],
      3720,
      { up: false, since: 0, changes: [], downtime: 120 },
    ],
    [
      'it came up while nobody ran',
      [
        [0, false],
        [3600, true],
      ],
      3600,
      { up: true, since: 3600, changes: [3600], downtime: 0 },
    ],
    ['not asked for longer than three intervals', [[0, false]], 181, { up: null, since: 0, changes: [], downtime: 0 }],
    [
      'a day later only the last day counts',
      [
        [-60, true],
        [0, false],
        [60, false],
        [120, true],
        ...Array.from({ length: 1439 }, (_, i) => [180 + 60 * i, true] as const),
      ],
      DAY + 90,
      { up: true, since: 120, changes: [0, 120], downtime: 30 },
    ],
    [
      'the clock is set back by an hour',
      [
        [0, true],
        [60, false],
        [120, false],
        [-3480, false],
        [-3420, false],
      ],
      -3420,
      { up: false, since: -3480, changes: [60], downtime: 60 },
    ],
    [
      'the clock is set back between down and up',
      [
        [0, false],
        [-3600, true],
      ],
      -3600,
      { up: true, since: -3600, changes: [-3600], downtime: 0 },
    ],
    [
      'the clock is a year ahead for a sample',
      [
        [0, false],
        [60, false],
        [365 * DAY, false],
        [120, false],
        [180, false],
      ],
      180,
      { up: false, since: 0, changes: [], downtime: 60 },
    ],
  ])('%s', (_, samples, at, { up, since, changes, downtime }) => {
    const known = folded(samples);
    const view = uptimeAt(known, true, NOW + at, REACH);
    expect({ up: view.up, since: (view.since ?? 0) - NOW, downtime: view.downtimeOfDay }).toEqual({
      up,
      since,
      downtime,
    });
    expect(view.transitions.map((transition) => transition.at - NOW)).toEqual(changes);
  });

  test('the last failure stays, whatever the judge made of it', () => {
    const failure = { at: NOW + 60, reason: 'timeout', check: 'api', detail: 'x'.repeat(5000) };
    const judgedUp = withCheck(folded([[0, true]]), { at: NOW + 60, up: true, failure, position: null }, REACH);
    expect(judgedUp).toMatchObject({ up: true, transitions: [], lastFailure: { at: NOW + 60, reason: 'timeout' } });
    expect(judgedUp.lastFailure?.detail).toHaveLength(DETAIL_MAX);
    expect(folded([[120, true]], judgedUp).lastFailure).toEqual(judgedUp.lastFailure);
  });

  test('an edge that is not judged, and one of which nothing is known', () => {
    expect(uptimeAt(folded([[0, true]]), false, NOW, REACH)).toMatchObject({ up: null, since: NOW });
    expect(uptimeAt(null, true, NOW, REACH)).toEqual({
      up: null,
      since: null,
      transitions: [],
      downtimeOfDay: 0,
      lastFailure: null,
      position: null,
    });
  });

  test('the position within rise and fall is that of the newest sample, while it is known', () => {
    const position = { count: 2, of: 3, towards: 'down' } as const;
    const failing = withCheck(folded([[0, true]]), { at: NOW + 60, up: true, failure: null, position }, REACH);
    expect(uptimeAt(failing, true, NOW + 60, REACH).position).toEqual(position);
    expect(uptimeAt(failing, true, NOW + 600, REACH).position).toBeNull();
    expect(uptimeAt(failing, false, NOW + 60, REACH).position).toBeNull();
    const passing = withCheck(failing, { at: NOW + 120, up: true, failure: null, position: null }, REACH);
    expect(uptimeAt(passing, true, NOW + 120, REACH).position).toBeNull();
  });

  test('the two lists are bounded, and the sum stays right', () => {
    const flapping = Array.from({ length: 1000 }, (_, i) => [60 * i, i % 2 === 0] as const);
    const known = folded(flapping);
    expect(known.transitions).toHaveLength(TRANSITIONS_MAX);
    expect(known.down).toHaveLength(SPANS_MAX);
    expect(downtimeOfDay(known, known.checkedAt, REACH)).toBeCloseTo(499 * 60, 3);
  });
});

/** Steps between samples: usual ones, restarts, the clock set back or forward. */
const steps = fc.array(
  fc.record({
    step: fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 1, max: 170 }) },
      { weight: 2, arbitrary: fc.integer({ min: 181, max: 2 * DAY }) },
      { weight: 1, arbitrary: fc.integer({ min: -2 * DAY, max: -1 }) },
    ),
    up: fc.boolean(),
  }),
  { minLength: 1, maxLength: 400 },
);

function fold(all: readonly { readonly step: number; readonly up: boolean }[]): Uptime {
  let at = 0;
  const samples = all.map(({ step, up }) => {
    at += step;
    return [at, up] as const;
  });
  return folded(samples);
}

describe('whatever happens', () => {
  test('times are in order, lists bounded, downtime between nothing and a day', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: -3 * DAY, max: 3 * DAY }), (all, later) => {
        const known = fold(all);
        const { since, checkedAt, transitions, down } = known;
        expect(since).toBeLessThanOrEqual(checkedAt);
        expect(known.up).toBe(all.at(-1)?.up);
        expect(transitions.length).toBeLessThanOrEqual(TRANSITIONS_MAX);
        expect(down.length).toBeLessThanOrEqual(SPANS_MAX);
        for (const [i, { up }] of transitions.entries()) if (i > 0) expect(up).toBe(!transitions[i - 1].up);
        if (transitions.length > 0) expect(transitions.at(-1)?.up).toBe(known.up);
        for (const [i, { from, until, seconds }] of down.entries()) {
          if (i > 0) expect(from).toBeGreaterThanOrEqual(down[i - 1].until);
          expect(seconds).toBeGreaterThan(0);
          expect(seconds).toBeLessThanOrEqual(until - from);
          expect(until).toBeLessThanOrEqual(checkedAt);
          expect(until).toBeGreaterThan(checkedAt - DAY);
        }
        for (const now of [checkedAt, checkedAt + later]) {
          const downtime = downtimeOfDay(known, now, REACH);
          expect(downtime).toBeGreaterThanOrEqual(0);
          expect(downtime).toBeLessThanOrEqual(DAY);
        }
      }),
    );
  });

  test('the same sample twice is one', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const known = fold(all);
        expect(withCheck(known, check(known.checkedAt, !known.up), REACH)).toBe(known);
      }),
    );
  });

  test('downtime is the sum of the times after samples that said down', () => {
    const short = fc.array(fc.record({ step: fc.integer({ min: 1, max: 600 }), up: fc.boolean() }), {
      minLength: 1,
      maxLength: 140,
    });
    fc.assert(
      fc.property(short, (all) => {
        const gaps = all.slice(1).map(({ step }, i) => (all[i].up || step > REACH ? 0 : step));
        const known = fold(all);
        expect(downtimeOfDay(known, known.checkedAt, REACH)).toBeCloseTo(
          gaps.reduce((sum, gap) => sum + gap, 0),
          3,
        );
        expect(downUntil(known, known.checkedAt + 60, REACH)).toBe(known.up ? 0 : 60);
      }),
    );
  });

  test('it is read as it was written', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const known = fold(all);
        const read = readParts(UPTIME, JSON.parse(JSON.stringify(uptimeValue(known))));
        expect(read?.value).toMatchObject({ ...known, down: known.down.map(({ from, until }) => ({ from, until })) });
        expect(read?.dropped).toEqual([]);
      }),
    );
  });

  test('no text makes the reader throw, nor what it read the rest', () => {
    const entry = fc.record(
      {
        up: fc.oneof(fc.boolean(), fc.jsonValue()),
        since: fc.oneof(fc.double(), fc.jsonValue()),
        checked_at: fc.oneof(fc.double(), fc.integer(), fc.jsonValue()),
        transitions: fc.oneof(fc.array(fc.record({ at: fc.double(), up: fc.boolean() })), fc.jsonValue()),
        down: fc.oneof(
          fc.array(fc.record({ from: fc.double(), until: fc.double(), seconds: fc.double() })),
          fc.jsonValue(),
        ),
        position: fc.oneof(fc.record({ count: fc.integer(), of: fc.integer() }), fc.jsonValue()),
        last_failure: fc.oneof(fc.record({ at: fc.integer(), reason: fc.string() }), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(entry, fc.jsonValue()), (value) => {
        const known = readParts(UPTIME, value)?.value ?? null;
        if (known === null) return;
        expect(downtimeOfDay(known, NOW, REACH)).toBeGreaterThanOrEqual(0);
        expect(withCheck(known, check(NOW, true), REACH).up).toBe(known.checkedAt === NOW ? known.up : true);
      }),
    );
  });
});

test.each([
  ['no object', 'up'],
  ['nothing of it', {}],
  ['up is no truth value', { up: 1, since: 1, checked_at: 1 }],
  ['no time', { up: true, since: 1 }],
])('nothing is known from %s', (_, value) => {
  expect(readParts(UPTIME, value)?.value ?? null).toBeNull();
});

test('a damaged list loses the entries that make no sense', () => {
  const value = {
    up: true,
    since: 9e9,
    checked_at: NOW,
    transitions: [{ at: 1, up: false }, { at: 'x', up: true }, 3],
    down: [
      { from: 5, until: 2, seconds: 1 },
      { from: 2, until: 5, seconds: 900 },
    ],
    last_failure: { at: NOW, reason: 7 },
    position: { count: 1, of: 2, towards: 'left' },
  };
  expect(readParts(UPTIME, value)?.value ?? null).toEqual({
    up: true,
    since: NOW,
    checkedAt: NOW,
    transitions: [{ at: 1, up: false }],
    down: [{ from: 2, until: 5, seconds: 3 }],
    lastFailure: null,
    position: null,
  });
});
