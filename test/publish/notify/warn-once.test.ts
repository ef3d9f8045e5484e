import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WarnOnce } from '../../../src/publish/notify/warn-once.ts';
import { throwingGuard } from '../../support/guard.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the first is a line, those that follow are one more, and later ones begin anew', () => {
  const lines: string[] = [];
  const warnings = new WarnOnce((line) => lines.push(line), throwingGuard());
  warnings.add('zone', 'a', 'is behind', ' (it has 1)');
  warnings.add('zone', 'b', 'is behind', ' (it has 2)');
  warnings.add('zone', 'c', 'is behind');
  warnings.add('zone', 'c', 'is ahead');
  expect(lines).toEqual(['zone a is behind (it has 1)', 'zone c is ahead']);
  vi.advanceTimersByTime(3000);
  expect(lines.slice(2)).toEqual(['zone 2 more is behind']);
  warnings.add('zone', 'd', 'is behind');
  expect(lines.slice(3)).toEqual(['zone d is behind']);
  warnings.add('zone', 'e', 'is behind');
  warnings.stop();
  vi.advanceTimersByTime(3000);
  expect(lines).toHaveLength(4);
});
