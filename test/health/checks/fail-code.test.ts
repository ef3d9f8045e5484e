import { expect, test } from 'vitest';
import { failCode } from '../../../src/health/checks/fail-code.ts';
import { failOfTimeout } from '../../../src/health/checks/http-fail.ts';
import { type CheckKind, FAIL_REASONS } from '../../../src/health/checks/sample.ts';

test.each<[CheckKind | null, string, string, string]>([
  ['http', 'status', 'status 503', 'L7STS/503'],
  ['http', 'status', 'a status that is no number', 'L7STS'],
  ['dns', 'rcode', 'answered with SERVFAIL instead of NOERROR', 'L7STS/SERVFAIL'],
  ['icmp', 'timeout', '2.000 s passed without a reply to 3 requests', 'L3TOUT'],
  ['command', 'timeout', 'took longer than 5 s', 'PROCTOUT'],
  ['tcp', 'timeout', '2.000 s passed while connecting', 'L4TOUT'],
  [null, 'timeout', '', 'L7TOUT'],
  [null, 'resolve', 'no address', 'NOADDR'],
  [null, 'new-reason', 'of a later version', 'NEW-REASON'],
  [null, 'constructor', 'no reason at all', 'CONSTRUCTOR'],
])('%s: %s, "%s" is %s', (kind, reason, detail, code) => {
  expect(failCode({ reason, detail, kind })).toBe(code);
});

test.each([
  ['connect', 'L4TOUT'],
  ['tls', 'L6TOUT'],
  ['first byte', 'L7TOUT'],
  ['header', 'L7TOUT'],
  ['body', 'L7TOUT'],
] as const)('the deadline passed in the phase %s: %s', (phase, code) => {
  const { reason, detail } = failOfTimeout(2, { phase, octets: 0, expected: null });
  expect(failCode({ reason, detail, kind: 'http' })).toBe(code);
});

test('every reason has a code that fits its column', () => {
  for (const reason of FAIL_REASONS) {
    expect(failCode({ reason, detail: '', kind: null })).toMatch(/^(L[3467][A-Z]+|NOADDR|PROC[A-Z]+|SOCKERR)$/);
  }
});
