import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AVERAGES_MAX,
  addSample,
  EMPTY_HISTORY,
  figuresOf,
  HISTORY_MAX,
  type History,
  noteAverage,
  sampleCount,
} from '../../../src/health/judge/history.ts';
import { NOW } from '../../support/round-input.ts';

function historyOf(...samples: readonly [number, number][]): History {
  return samples.reduce((history, [at, seconds]) => addSample(history, at, seconds), EMPTY_HISTORY);
}

describe('addSample', () => {
  test('stamps to the centisecond', () => {
    expect(addSample(EMPTY_HISTORY, NOW + 0.12345, 0.2)).toEqual({ times: [NOW + 0.12], seconds: [0.2] });
  });

  test('replaces a sample of the same centisecond', () => {
    expect(historyOf([NOW, 1], [NOW + 0.001, 2])).toEqual({ times: [NOW], seconds: [2] });
  });

  test('gives back the very history when it has the sample already', () => {
    const history = historyOf([NOW - 60, 1], [NOW, 2]);
    expect(addSample(history, NOW, 2)).toBe(history);
  });

  test('keeps the newest 2000', () => {
    const times = Array.from({ length: HISTORY_MAX }, (_, i) => NOW + i);
    const full = { times, seconds: times.map(() => 1) };
    const { times: kept, seconds } = addSample(full, NOW + HISTORY_MAX, 2);
    expect([kept.length, kept[0], kept[HISTORY_MAX - 1], seconds[HISTORY_MAX - 1]]).toEqual([
      HISTORY_MAX,
      NOW + 1,
      NOW + HISTORY_MAX,
      2,
    ]);
    expect(full.times.length).toBe(HISTORY_MAX);
  });

  test('cuts down a longer history found in a file, even by a sample that it holds', () => {
    const times = Array.from({ length: HISTORY_MAX + 5 }, (_, i) => NOW + i);
    const long = { times, seconds: times.map(() => 1) };
    expect(addSample(long, NOW + HISTORY_MAX + 4, 1).times.length).toBe(HISTORY_MAX);
  });

  test('drops samples from the future: the clock was set back', () => {
    expect(historyOf([NOW - 60, 1], [NOW + 3600, 2], [NOW, 3])).toEqual({ times: [NOW - 60, NOW], seconds: [1, 3] });
  });
});

describe('histories made of one another', () => {
  type Plain = { readonly times: readonly number[]; readonly seconds: readonly number[] };

  /** What `addSample` says of itself, by copies. */
  function added({ times, seconds }: Plain, at: number, value: number, max: number): Plain {
    const stamp = Math.round(at * 100) / 100;
    if (times.length <= max && times.at(-1) === stamp && seconds.at(-1) === value) return { times, seconds };
    const later = times.findIndex((_, i) => times.slice(i).every((time) => time >= stamp));
    const keep = later < 0 ? times.length : later;
    return {
      times: [...times.slice(0, keep), stamp].slice(-max),
      seconds: [...seconds.slice(0, keep), value].slice(-max),
    };
  }

  function expectSame(history: History, plain: Plain): void {
    expect(history.times).toEqual(plain.times);
    expect(history.seconds).toEqual(plain.seconds);
    expect(sampleCount(history)).toBe(plain.times.length);
    // The same samples in arrays of their own.
    expect(figuresOf(history, NOW + 100)).toEqual(figuresOf({ ...plain }, NOW + 100));
  }

  const MAX = 8;
  const step = fc.record({
    /** Which of those made so far gets one more: mostly the last. */
    of: fc.option(fc.nat(), { freq: 4 }),
    /** The clock goes on, stays, or is set back. */
    after: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(1, 60) }, fc.constantFrom(0, 0.004, -1, -150, -10_000)),
    value: fc.constantFrom(0.1, 0.2, 10),
  });

  test('each stays what it was, whatever is made of it and of its ancestors', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(12), (steps, found) => {
        const times = Array.from({ length: found }, (_, i) => NOW - 60 * (found - i));
        const file = { times, seconds: times.map((_, i) => i / 1000) };
        const made: { history: History; plain: Plain; clock: number }[] = [{ history: file, plain: file, clock: NOW }];
        for (const { of, after, value } of steps) {
          const { history, plain, clock } = made[of === null ? made.length - 1 : of % made.length];
          const at = clock + after;
          const next = { history: addSample(history, at, value, MAX), plain: added(plain, at, value, MAX), clock: at };
          expectSame(next.history, next.plain);
          made.push(next);
        }
        for (const { history, plain } of made) expectSame(history, plain);
      }),
    );
  });

  test('what was dropped does not pile up, and old ones are whole when the newest are copied', () => {
    let history = EMPTY_HISTORY;
    let plain: Plain = EMPTY_HISTORY;
    const kept: [History, Plain][] = [];
    for (let i = 0; i < 2000; i++) {
      history = addSample(history, NOW + i, i, MAX);
      plain = added(plain, NOW + i, i, MAX);
      if (i % 97 === 0 || (i > 500 && i < 520)) kept.push([history, plain]);
    }
    kept.push([history, plain]);
    for (const [old, expected] of kept) expectSame(old, expected);
  });

  test('equal by their samples alone, in assertions', () => {
    const one = historyOf([NOW, 1], [NOW + 60, 2]);
    const shared = addSample(one, NOW + 120, 3);
    expect(one).toEqual({ times: [NOW, NOW + 60], seconds: [1, 2] });
    expect(addSample(historyOf([NOW, 1], [NOW + 60, 2], [NOW + 120, 9]), NOW + 120, 3)).toEqual(shared);
    expect({ one }).not.toEqual({ one: shared });
    expect(one).not.toEqual({ times: [NOW, NOW + 60], seconds: [1, 3] });
    expect(one).not.toEqual({ times: [NOW, NOW + 61], seconds: [1, 2] });
    expect(one).not.toEqual({ times: [NOW, NOW + 60], seconds: [1, 2], more: 1 });
    expect(one).not.toEqual(EMPTY_HISTORY);
  });
});

describe('figuresOf', () => {
  test('nothing comes of no samples', () => {
    expect(figuresOf(EMPTY_HISTORY, NOW)).toEqual({
      last: null,
      windowAverage: null,
      windowCount: 0,
      average: null,
      count: 0,
    });
  });

  const ages: [string, number, number][] = [
    ['exactly 300 s is inside', 300, 1],
    ['a centisecond more is outside', 300.01, 0],
    ['the current sample is inside', 0, 1],
    ['one stamped after the round began is inside', -0.5, 1],
  ];
  test.each(ages)('the window: %s', (_, age, inside) => {
    expect(figuresOf(historyOf([NOW + 0.37 - age, 1]), NOW + 0.37).windowCount).toBe(inside);
  });

  test('last is the newest, averages are of the window and of all', () => {
    const history = historyOf([NOW - 5000, 4], [NOW - 200, 1], [NOW, 2.5]);
    expect(figuresOf(history, NOW)).toEqual({ last: 2.5, windowAverage: 1.75, windowCount: 2, average: 2.5, count: 3 });
  });

  test('averages are the exact ones to the nanosecond', () => {
    const milliseconds = fc.array(fc.integer({ min: 1, max: 15_000 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(milliseconds, (values) => {
        const history = { times: values.map((_, i) => NOW + i), seconds: values.map((ms) => ms / 1000) };
        const total = values.reduce((sum, ms) => sum + ms, 0);
        const nanoseconds = Math.round((figuresOf(history, NOW).average ?? Number.NaN) * 1e9);
        expect(Math.abs(nanoseconds - (total * 1e6) / values.length)).toBeLessThanOrEqual(0.51);
      }),
    );
  });
});

describe('historical_average', () => {
  const hour = Math.floor(NOW / 3600) * 3600;
  test.each([
    ['the first moment of an hour', hour, true],
    ['the last of its minute 0', hour + 59.99, true],
    ['minute 1', hour + 60, false],
    ['minute 59', hour - 0.01, false],
  ])('%s', (_, at, noted) => {
    expect(noteAverage(EMPTY_HISTORY, at, () => 0.3).seconds).toEqual(noted ? [0.3] : []);
  });

  test('keeps one more than samples', () => {
    const times = Array.from({ length: AVERAGES_MAX + 3 }, (_, i) => hour - 100_000 + i);
    const full = { times, seconds: times.map(() => 1) };
    expect(noteAverage(full, hour, () => 2).times.length).toBe(2001);
  });
});
