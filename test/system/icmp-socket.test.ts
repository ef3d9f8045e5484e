import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { pingForbidden } from '../../src/system/icmp-socket.ts';

const group = process.getegid?.() ?? -1;

test.each([
  ['the empty range, which is the default', '1\t0\n', true],
  ['our group alone', `${group}\t${group}\n`, false],
  ['every group', '0\t2147483647\n', false],
  ['groups above ours', '2000000000\t2147483647\n', true],
])('%s', (_, range, isForbidden) => {
  const folder = mkdtempSync(join(tmpdir(), 'edgewise-ping-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'range'), range);
  const problem = pingForbidden(join(folder, 'range'));
  expect(problem === null).toBe(!isForbidden);
  if (problem === null) return;
  expect(problem.kind).toBe('forbidden');
  expect(problem.message).toBe(
    `the system does not let group ${group} send ICMP echo requests; sysctl -w net.ipv4.ping_group_range="0 2147483647" lets it`,
  );
});

test('where the system has no such range, nothing is forbidden', () => {
  expect(pingForbidden('/nowhere/range')).toBeNull();
});
