import { expect, test } from 'vitest';
import { retryAfterMs } from '../../src/system/retry-after.ts';

const NOW = Date.parse('2026-11-29T10:00:00Z');

test.each<[unknown, number | null]>([
  ['5', 5000],
  ['0', 0],
  [' 7 ', 7000],
  ['Sun, 29 Nov 2026 10:01:00 GMT', 60_000],
  ['Sun, 29 Nov 2026 09:59:00 GMT', 0],
  ['Sun, 29 Nov 2099 09:59:00 GMT', 3_600_000],
  ['99999999999', 3_600_000],
  ['9'.repeat(400), 3_600_000],
  ['soon', null],
  ['', null],
  [' ', null],
  [undefined, null],
  [['5', '6'], null],
  [5, null],
])('retry-after: %j', (field, ms) => {
  expect(retryAfterMs(field, NOW)).toBe(ms);
});
