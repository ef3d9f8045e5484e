import { expect, test } from 'vitest';
import { byName, count, list, moment } from '../../../src/health/judge/reason.ts';

test.each([
  [1_795_314_780, '2026-11-22T02:33:00Z'],
  [1_795_314_779.6, '2026-11-22T02:33:00Z'],
  [0, '1970-01-01T00:00:00Z'],
  [253_402_300_799, '9999-12-31T23:59:59Z'],
])('%d is %s', (at, text) => {
  expect(moment(at)).toBe(text);
});

// A health record may say anything about when its mode ends, and every round prints it.
test.each([253_402_300_800, 6e15, 1e300, -1e300, Number.MAX_VALUE])(
  '%d has no date, and is told all the same',
  (at) => {
    expect(moment(at)).toBe(`${at} s after 1970`);
  },
);

test.each([
  [[], ''],
  [['A'], 'A'],
  [['A', 'B'], 'A and B'],
  [['A', 'B', 'C'], 'A, B and C'],
])('the list of %j', (names, text) => {
  expect(list(names)).toBe(text);
});

test.each([
  [0, '0 edges'],
  [1, '1 edge'],
  [2, '2 edges'],
])('%d of them', (number, text) => {
  expect(count(number, 'edge')).toBe(text);
});

test('names are ordered by code unit, and a name is level with itself', () => {
  expect([byName('A', 'a'), byName('b', 'a'), byName('a', 'a')]).toEqual([-1, 1, 0]);
});
