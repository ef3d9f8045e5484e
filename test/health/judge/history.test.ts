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
