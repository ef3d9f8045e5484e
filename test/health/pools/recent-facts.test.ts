import { expect, test } from 'vitest';
import { factsOf } from '../../../src/health/choose/decide.ts';
import { RecentFacts } from '../../../src/health/pools/recent-facts.ts';
import { round } from '../../support/round-input.ts';

test('ten are kept: the newest decision, and the turns before it', () => {
  const recent = new RecentFacts();
  const base = factsOf(round({ edges: { A: {} } }));
  for (let now = 0; now < 20; now++) recent.add({ ...base, now, scope: now % 5 === 4 ? 'event' : 'turn' });
  expect(recent.all.map(({ now }) => now)).toEqual([7, 8, 10, 11, 12, 13, 15, 16, 17, 18, 19].slice(-10));
  expect(recent.all.at(-1)?.scope).toBe('event');
});
