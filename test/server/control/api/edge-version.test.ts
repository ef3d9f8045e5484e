import { expect, test } from 'vitest';
import { edgeVersion } from '../../../../src/server/control/api/edge-version.ts';

const set = { mode: 'unavailable', comment: 'disk', modeSince: 1000, modeUntil: 2000.5 } as const;

test.each([
  { ...set, mode: 'force' as const },
  { ...set, comment: '' },
  { ...set, comment: 'Disk' },
  { ...set, modeSince: null },
  { ...set, modeSince: 1000.25 },
  { ...set, modeUntil: null },
])('what an operator sets is another version: %j', (other) => {
  expect(edgeVersion(other)).not.toBe(edgeVersion(set));
});

test('nothing else is', () => {
  const more = { ...set, v4: '192.0.2.1' };
  expect(edgeVersion(more)).toBe(edgeVersion(set));
  expect(edgeVersion(null)).toBe(edgeVersion({ mode: 'available', comment: '', modeSince: null, modeUntil: null }));
  expect(edgeVersion(set)).toMatch(/^"[\w-]{22}"$/);
});
