import { describe, expect, test } from 'vitest';
import type { EdgeFacts } from '../../../src/health/judge/edge.ts';
import { type Figures, figuresOf } from '../../../src/health/judge/history.ts';
import { judge, passes } from '../../../src/health/judge/judge.ts';
import type { Judgement } from '../../../src/health/judge/verdict.ts';
import { edge, NOW, oldSamples, RULES, sample } from '../../support/round-input.ts';

function facts(figures: Partial<Figures>, words: Partial<EdgeFacts> = {}): EdgeFacts {
  const { history: _, ...rest } = edge('A', { fetch: null });
  const none = { last: null, windowAverage: null, windowCount: 1, average: null, count: 10 };
  return { ...rest, figures: { ...none, ...figures }, ...words };
}

function failedWith(reason: 'timeout', detail: string): EdgeFacts['sample'] {
  const failed = sample('A', 10, NOW, reason);
  return { ...failed, fail: failed.fail === null ? null : { ...failed.fail, detail } };
}

describe('every row of section 5', () => {
  const any = [0.01, 0.7, 9];
  const rows: [string, number, number | null, number | null, Judgement][] = [
    ...any.map((average): [string, number, number, number, Judgement] => [
      `just under goodenough, averages ${average}`,
      0.699,
      average,
      average,
      'pass_threshold',
    ]),
    ['exactly goodenough throughout', 0.7, 0.7, 0.7, 'pass'],
    ['slow now, fast in the window and always', 1.0, 0.28, 0.28, 'pass_window'],
    ['slow now and always, fast in the window', 1.0, 0.28, 4.56, 'pass_window'],
    ['slow now and in the window, fast always', 1.0, 1.0, 0.118, 'pass_average'],
    ['slow throughout', 2.0, 2.0, 2.0, 'pass'],
    ['at the timeout, fast before', 10, 0.1, 0.1, 'fail'],
    ['beyond the timeout', 14.2, null, null, 'fail'],
    ['a hair under the timeout', 9.999, 9, 9, 'pass'],
    ['window average exactly goodenough', 1.0, 0.7, 0.1, 'pass_average'],
    ['average exactly goodenough', 1.0, 1.0, 0.7, 'pass'],
    ['no sample in the window, fast before', 1.0, null, 0.1, 'pass_average'],
  ];
  test.each(rows)('%s', (_, last, windowAverage, average, judgement) => {
    const { verdict } = judge(facts({ last, windowAverage, average }), RULES);
    expect(verdict).toMatchObject({ edge: 'A', judgement, last, windowAverage, average });
  });

  test('a goodenough of other size moves every limit', () => {
    const rules = { goodenough: 2.5, timeout: 3 };
    const judged = (last: number, windowAverage: number, average: number) =>
      judge(facts({ last, windowAverage, average }), rules).verdict.judgement;
    expect([
      judged(2.4, 9, 9),
      judged(3, 0, 0),
      judged(2.5, 2.4, 9),
      judged(2.5, 2.5, 2.4),
      judged(2.9, 2.5, 2.5),
    ]).toEqual(['pass_threshold', 'fail', 'pass_window', 'pass_average', 'pass']);
  });
});

test('an unavailable edge and one never fetched are not judged', () => {
  expect(judge(facts({ last: 0.1, average: 0.1 }, { mode: 'unavailable' }), RULES).verdict).toMatchObject({
    judgement: null,
    last: 0.1,
    why: 'unavailable, so not judged',
  });
  expect(judge(facts({}), RULES).verdict).toMatchObject({ judgement: null, why: 'never fetched' });
  expect([passes(null), passes('fail'), passes('pass')]).toEqual([false, false, true]);
});

describe('the reason names the figures that decided', () => {
  const rows: [string, EdgeFacts, string][] = [
    ['pass_threshold', facts({ last: 0.2 }), 'last 0.200 s < goodenough 0.700 s'],
    [
      'pass_window',
      facts({ last: 1.204, windowAverage: 0.41, average: 0.5 }),
      'last 1.204 s ≥ goodenough 0.700 s; window average 0.410 s < 0.700 s',
    ],
    [
      'pass_average',
      facts({ last: 1.204, windowAverage: 0.9, average: 0.5 }),
      'last 1.204 s ≥ goodenough 0.700 s; window average 0.900 s ≥ 0.700 s; average 0.500 s < 0.700 s',
    ],
    [
      'pass',
      facts({ last: 1.204, windowAverage: null, average: 0.8 }),
      'last 1.204 s ≥ goodenough 0.700 s; no sample in the last 300 s; average 0.800 s ≥ 0.700 s',
    ],
    ['decimals enough to see the difference', facts({ last: 0.69996 }), 'last 0.69996 s < goodenough 0.70000 s'],
    ['failed before', facts({ last: 10 }), 'last 10.000 s ≥ timeout 10.000 s'],
    [
      'failed now',
      facts({ last: 10 }, { sample: sample('A', 10, NOW, 'refused') }),
      'fetch failed (refused: in the connect phase), counted as 10.000 s',
    ],
    [
      'failed, with nothing more to say',
      facts({ last: 10 }, { sample: failedWith('timeout', '') }),
      'fetch failed (timeout), counted as 10.000 s',
    ],
    [
      'failed, with the reason said again',
      facts({ last: 10 }, { sample: failedWith('timeout', 'timeout') }),
      'fetch failed (timeout), counted as 10.000 s',
    ],
    [
      'slow, and nothing to compare with',
      facts({ last: 2 }),
      'last 2.000 s ≥ goodenough 0.700 s; no sample in the last 300 s; no average',
    ],
  ];
  test.each(rows)('%s', (_, edgeFacts, why) => {
    expect(judge(edgeFacts, RULES).verdict.why).toBe(why);
  });

  test.each([
    [10, 'check api failed (refused: in the connect phase), counted as 10.000 s'],
    [0.2, 'last 0.200 s < goodenough 0.700 s (check api)'],
  ])('and of several checks the one that decided: %s s', (last, why) => {
    const one = sample('A', last, NOW, 'refused');
    if (one.primary === null) throw new Error('it was fetched');
    const [first] = one.primary.checks;
    const checks = [
      { ...first, name: 'web' },
      { ...first, name: 'api' },
    ];
    const several = { ...one, primary: { ...one.primary, check: 'api', checks } };
    expect(judge(facts({ last }, { sample: several }), RULES).verdict.why).toBe(why);
  });
});

test('ten fetches of exactly goodenough are not faster than goodenough', () => {
  // Summed up as they come, ten times 0.7 make a hair less than 7.
  const figures = figuresOf(oldSamples(0.7), NOW);
  expect(judge(facts({ ...figures, last: 0.7 }), RULES).verdict.judgement).toBe('pass');
  for (const goodenough of [0.1, 0.3, 0.7, 1.1, 3.3]) {
    const even = figuresOf(oldSamples(goodenough, 49), NOW);
    expect(even.average).toBe(goodenough);
  }
});
