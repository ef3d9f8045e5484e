import { expect, test } from 'vitest';
import { SampleTimes, silenceText, silentAfter, silentEdges } from '../../../src/health/pools/silence.ts';

test.each([
  ['three intervals', { runFrequency: 60, timeout: 10 }, 180],
  ['three timeouts, where these are longer', { runFrequency: 5, timeout: 10 }, 30],
])('an edge may be without a sample for %s', (_name, pace, expected) => {
  expect(silentAfter(pace)).toBe(expected);
});

test('edges without a sample for longer are silent, in their order', () => {
  const knownAt = new Map([
    ['a', 100],
    ['b', 280],
    ['c', 99.9],
    ['gone', 0],
  ]);
  expect(silentEdges(['c', 'b', 'a', 'new'], knownAt, 180, 280)).toEqual(['c']);
  expect(silentEdges(['c', 'b', 'a', 'new'], knownAt, 180, 280.1)).toEqual(['c', 'a']);
  expect(silentEdges([], knownAt, 180, 1e9)).toEqual([]);
});

test('the time counts from the listing on, and anew from each sample', () => {
  let now = 0;
  const times = new SampleTimes(() => now);
  times.list(['a', 'b']);
  now = 100;
  times.sampled('a');
  times.sampled('stranger');
  times.list(['b', 'a', 'c']);
  now = 200;
  expect(times.silent(180)).toEqual(['b']);
  expect(times.silent(99)).toEqual(['b', 'a', 'c']);
  times.list(['a', 'c']);
  expect(times.silent(180)).toEqual([]);
  times.list(['a', 'b', 'c']); // listed again: from now on
  expect(times.silent(180)).toEqual([]);
});

test.each<[readonly string[], string | null]>([
  [[], null],
  [['a'], 'no check of a has ended for 180 s or longer, which is trouble of our own; its last state stays'],
  [
    ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
    'no check of a, b, c, d and e (and 2 edges more) has ended for 180 s or longer, which is trouble of our own; their last states stay',
  ],
])('%j in words', (silent, text) => {
  expect(silenceText(silent, 180)).toBe(text);
});
