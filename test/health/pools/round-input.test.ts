import { expect, test } from 'vitest';
import type { FailReason, Fetch, Sample } from '../../../src/health/checks/sample.ts';
import { hasBadObject } from '../../../src/health/pools/round-input.ts';

const failed = (reason: FailReason | null): Fetch => ({
  address: '127.0.0.1',
  seconds: 10,
  fail: reason === null ? null : { reason, detail: '' },
  phases: { resolve: null, connect: null, tls: null, firstByte: null, total: 10 },
  attempts: 1,
  hops: 0,
  check: 'http',
  checks: [],
});
const sample = (reason: FailReason | null, other: FailReason | null = null): Sample => ({
  edge: 'e',
  at: 0,
  seconds: 10,
  fail: failed(reason).fail,
  primary: failed(reason),
  others: [failed(other)],
  stalledMs: 0,
});

// Specification section 4: "MD5 differs (incl. truncated …)".
test.each<[FailReason | null, boolean]>([
  ['checksum', true],
  ['truncated', true],
  ['too-large', true],
  ['status', false],
  ['timeout', false],
  ['reset', false],
  ['headers-too-large', false],
  [null, false],
])('a fetch that ended with %s is a verification failure: %s', (reason, expected) => {
  expect(hasBadObject(sample(reason))).toBe(expected);
  expect(hasBadObject(sample(null, reason))).toBe(expected);
});

test('no fetch is none', () => {
  expect(hasBadObject(null)).toBe(false);
});
