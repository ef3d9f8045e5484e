import { expect, test } from 'vitest';
import type { CheckPlan } from '../../../src/config/section-checks.ts';
import type { Sample } from '../../../src/health/checks/sample.ts';
import { FETCH_BOUNDS, FetchCounters } from '../../../src/health/pools/fetch-counters.ts';
import { sample } from '../../support/round-input.ts';

const HTTP_ONLY = { checks: new Map<string, CheckPlan>() };

/** What the checks came to, without what never happened. */
function resultsOf(counters: FetchCounters, kind: 'http' | 'tcp' = 'http'): unknown {
  const results = counters.kinds().get(kind)?.results ?? new Map<string, number>();
  return Object.fromEntries([...results].filter(([, count]) => count > 0));
}

function unknown(edge: string): Sample {
  const made = sample(edge, 10);
  const fail = { reason: 'other', detail: 'no descriptor is left', unknown: true } as const;
  if (made.primary === null) throw new Error('it has one');
  const primary = { ...made.primary, fail, checks: made.primary.checks.map((check) => ({ ...check, fail })) };
  return { ...made, fail, primary };
}

test('each fetch counts, by what it came to; what is unknown counts for no edge', () => {
  const counters = new FetchCounters('n');
  for (const seconds of [0.25, 10, 0.5]) counters.note(sample('e', seconds), HTTP_ONLY);
  counters.note(sample('other', 10, 1, 'refused'), HTTP_ONLY);
  counters.note(unknown('e'), HTTP_ONLY);
  expect(counters.of('e')).toEqual({ passed: 2, failed: 1, seconds: 0.75 });
  expect(counters.of('other')).toEqual({ passed: 0, failed: 1, seconds: 0 });
  expect(counters.of('never')).toEqual({ passed: 0, failed: 0, seconds: 0 });
  expect(resultsOf(counters)).toEqual({ pass: 2, timeout: 1, refused: 1, unknown: 1 });
});

test('every reason of a kind is there from its first check on, so that the first failure is an increase', () => {
  const counters = new FetchCounters('n');
  expect([...counters.kinds()]).toEqual([]);
  counters.note(sample('e', 0.1), HTTP_ONLY);
  const results = counters.kinds().get('http')?.results;
  expect([results?.get('timeout'), results?.get('refused'), results?.get('unknown')]).toEqual([0, 0, 0]);
  expect(results?.has('loss')).toBe(false);
});

test('phases that were not reached are not counted, and of what failed no total', () => {
  const counters = new FetchCounters('n');
  counters.note(sample('e', 0.25), HTTP_ONLY);
  counters.note(sample('e', 10), HTTP_ONLY);
  const phases = counters.kinds().get('http')?.phases;
  const counted = [...(phases ?? [])].map(([phase, { counts, sum }]) => [
    phase,
    counts.flatMap((count, i) => (count === 0 ? [] : [[FETCH_BOUNDS[i], count]])),
    sum,
  ]);
  expect(counted).toEqual([
    ['connect', [[0.001, 2]], 0.002],
    [
      'firstByte',
      [
        [0.25, 1],
        [5, 1],
      ],
      5.125,
    ],
    ['total', [[0.25, 1]], 0.25],
  ]);
});

test('what takes longer than the last bound is in the bucket behind it', () => {
  const counters = new FetchCounters('n');
  const slow = sample('e', 9);
  if (slow.primary === null) throw new Error('it has one');
  const checks = slow.primary.checks.map((check) => ({ ...check, phases: { ...check.phases, total: 11 } }));
  counters.note({ ...slow, primary: { ...slow.primary, checks } }, HTTP_ONLY);
  const counts = counters.kinds().get('http')?.phases.get('total')?.counts;
  expect(counts).toEqual([...FETCH_BOUNDS.map(() => 0), 1]);
});

test('every check of every address counts by its kind', () => {
  const counters = new FetchCounters('n');
  const both = sample('e', 0.1);
  if (both.primary === null) throw new Error('it has one');
  const [web] = both.primary.checks;
  const checks = [web, { ...web, name: 'port', kind: 'tcp' as const }];
  counters.note({ ...both, primary: { ...both.primary, checks }, others: [{ ...both.primary, checks }] }, HTTP_ONLY);
  expect([resultsOf(counters, 'http'), resultsOf(counters, 'tcp')]).toEqual([{ pass: 2 }, { pass: 2 }]);
  expect(counters.of('e').passed).toBe(1);
});

test('an edge without an address failed, and no check did', () => {
  const counters = new FetchCounters('n');
  const fail = { reason: 'resolve', detail: 'no such name' } as const;
  counters.note({ ...sample('e', 10), fail, primary: null }, HTTP_ONLY);
  expect(counters.of('e').failed).toBe(1);
  expect([...counters.kinds()]).toEqual([]);
});

test('what is not asked any more is forgotten: targets, and kinds that a reload took away', () => {
  const counters = new FetchCounters('n');
  counters.note(sample('stays', 0.1), HTTP_ONLY);
  counters.note(sample('goes', 0.1), HTTP_ONLY);
  counters.keep([{ name: 'stays' }, { name: 'new' }]);
  expect([counters.of('stays').passed, counters.of('goes').passed]).toEqual([1, 0]);
  counters.note(sample('stays', 0.1), HTTP_ONLY);
  expect(resultsOf(counters)).toEqual({ pass: 3 });
  const tcp = { name: 'port', kind: 'tcp' } as unknown as CheckPlan['of'][number];
  counters.note(
    { ...sample('stays', 0.1), primary: null },
    { checks: new Map([['n', { combine: 'all', of: [tcp] }]]) },
  );
  expect([...counters.kinds().keys()]).toEqual([]);
});
