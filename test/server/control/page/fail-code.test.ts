import { expect, test } from 'vitest';
import { CHECK_KINDS, FAIL_REASONS } from '../../../../src/health/checks/sample.ts';
import { FAIL_CODES, failCode } from '../../../../src/server/control/page/fail-code.ts';

test.each([
  ['http', 'timeout', '10 s passed while connecting', false, 'L4TOUT'],
  ['http', 'timeout', '10 s passed during the TLS handshake', true, 'L6TOUT'],
  ['http', 'timeout', '10 s passed without an answer to the request', true, 'L7TOUT'],
  ['http', 'refused', '', false, 'L4CON'],
  ['http', 'reset', 'connection reset while connecting', false, 'L4CON'],
  ['http', 'reset', 'connection reset before any answer', true, 'L7RST'],
  ['http', 'status', 'status 503', true, 'L7STS'],
  ['http', 'tls', '', true, 'L6RSP'],
  ['http', 'checksum', '', true, 'L7SUM'],
  ['tcp', 'closed', '', true, 'L7RST'],
  ['tcp', 'certificate', '', true, 'L6CERT'],
  ['icmp', 'timeout', '', false, 'L3TOUT'],
  ['icmp', 'unreachable', '', false, 'L3CON'],
  ['dns', 'timeout', '', false, 'L7TOUT'],
  ['dns', 'rcode', '', false, 'L7STS'],
  ['command', 'timeout', '', false, 'PROCTOUT'],
  ['command', 'exit', '', false, 'PROCERR'],
  [null, 'resolve', '', false, 'NOADDR'],
] as const)('%s: %s (%s) is a code', (kind, reason, detail, isConnected, code) => {
  expect(failCode({ kind, reason, detail, isConnected })).toBe(code);
});

test('every reason of every kind has a code that the legend explains, and every code is used', () => {
  const used = new Set(
    FAIL_REASONS.flatMap((reason) =>
      [...CHECK_KINDS, null].flatMap((kind) =>
        ['', 'during the TLS handshake'].flatMap((detail) =>
          [true, false].map((isConnected) => failCode({ kind, reason, detail, isConnected })),
        ),
      ),
    ),
  );
  expect([...used].sort()).toEqual(Object.keys(FAIL_CODES).sort());
});
