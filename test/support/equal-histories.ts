/** Once a process: histories are equal that have the same samples, whatever arrays they share with others. */
import { expect } from 'vitest';
import type { History } from '../../src/health/judge/history.ts';

/** vitest runs this file before each test file, but keeps testers as long as the process: a second one would ask again. */
const ADDED = Symbol.for('edgewise.equal-histories');

if (!Object.hasOwn(globalThis, ADDED)) {
  Object.defineProperty(globalThis, ADDED, { value: true });
  expect.addEqualityTesters([sameHistories]);
}

function sameHistories(a: unknown, b: unknown): boolean | undefined {
  if (!isHistory(a) || !isHistory(b) || (isPlain(a) && isPlain(b))) return undefined;
  if ([a, b].some((one) => isPlain(one) && Object.keys(one).length !== 2)) return false;
  return sameNumbers(a.times, b.times) && sameNumbers(a.seconds, b.seconds);
}

function isHistory(value: unknown): value is History {
  if (typeof value !== 'object' || value === null || !('times' in value) || !('seconds' in value)) return false;
  return Array.isArray(value.times) && Array.isArray(value.seconds);
}

/** Two arrays and nothing else, as tests write them down. */
function isPlain(history: History): boolean {
  return Object.hasOwn(history, 'times');
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}
