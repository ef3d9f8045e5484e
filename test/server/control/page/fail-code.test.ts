import { expect, test } from 'vitest';
import { failCode } from '../../../../src/health/checks/fail-code.ts';
import { CHECK_KINDS, FAIL_REASONS } from '../../../../src/health/checks/sample.ts';
import { codeMeaning, FAIL_CODES } from '../../../../src/server/control/page/fail-code.ts';

test('the legend has every code of every reason and kind, and no other', () => {
  const details = ['', 'while connecting', 'during the TLS handshake', 'status 503', 'rcode SERVFAIL'];
  const made = FAIL_REASONS.flatMap((reason) =>
    [...CHECK_KINDS, null].flatMap((kind) =>
      details.map((detail) => failCode({ reason, detail, kind }).replace(/\/.*/, '')),
    ),
  );
  expect([...new Set(made)].sort()).toEqual(Object.keys(FAIL_CODES).sort());
});

test('a status is no part of what a code means', () => {
  expect(codeMeaning('L7STS/503')).toBe(codeMeaning('L7STS'));
});
