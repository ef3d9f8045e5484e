import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EdgeFacts } from '../../../src/health/judge/edge.ts';
import { figuresOf } from '../../../src/health/judge/history.ts';
import { judge, passes } from '../../../src/health/judge/judge.ts';
import { resultAfter } from '../../../src/health/judge/rise-fall.ts';
import type { Judged, JudgeRules, Verdict } from '../../../src/health/judge/verdict.ts';
import { edge, NOW, RULES, sample } from '../../support/round-input.ts';

function rules(rise: number, fall: number): JudgeRules {
  return { ...RULES, judge: { kind: 'rise_fall', rise, fall } };
}

/** An edge that was fetched `i` minutes after `NOW`; 1: a success. `-`: no new result. */
function factsAt(i: number, result: string): EdgeFacts {
  const { history, ...rest } = edge('A', { fetch: null });
  const seconds = result === '1' ? 0.2 : 10;
  return {
    ...rest,
    sample: sample('A', seconds, NOW + 60 * i),
    figures: { ...figuresOf(history, NOW), last: seconds },
  };
}

/** Judges results one by one, each twice, as when something else is decided meanwhile. */
function verdicts(results: string, { rise, fall }: { rise: number; fall: number }, before: Judged | null = null) {
  let judged = before;
  return results.split(' ').map((result, i): Verdict => {
    const first = judge(factsAt(i, result), rules(rise, fall), judged);
    const again = judge(factsAt(i, result), rules(rise, fall), first.judged);
    expect(again).toEqual(first);
    judged = again.judged;
    return again.verdict;
  });
}

const UP: Judged = { up: true, count: 0, at: NOW - 60 };

/** `-5 +8`: down with the fifth result, up with the eighth. */
function changes(results: string, rise: number, fall: number, before: Judged | null = UP): string {
  let up = before?.up ?? null;
  return verdicts(results, { rise, fall }, before)
    .flatMap(({ judgement }, i) => {
      const is = passes(judgement);
      const change = up === is ? [] : [`${is ? '+' : '-'}${i + 1}`];
      up = is;
      return change;
    })
    .join(' ');
}

describe("goavail's worked examples, the change coming on the Tth result in a row", () => {
  test.each([
    ['G1', 2, '1 1 0 0 0 1 1 1', '-4 +7'],
    ['G1 with three', 3, '1 1 0 0 0 1 1 1', '-5 +8'],
    ['G2, four failures, then a success', 5, '0 0 0 0 1', ''],
    ['G2, five failures', 5, '0 0 0 0 0', '-5'],
    ['G2, six failures, once an outage', 5, '0 0 0 0 0 0', '-5'],
    ['G3', 1, '1 0 1', '-2 +3'],
    ['G4', 2, '0 0 0 1 1 0 1 1 1', '-2 +5'],
    ['G4 with three', 3, '0 0 0 1 1 0 1 1 1', '-3 +9'],
    ['flapping below the threshold', 2, '0 1 0 1 0 1', ''],
    ['G9, down when the configuration is read again', 2, '0 0 1 1', '-2 +4'],
  ] as const)('%s', (_, threshold, results, expected) => {
    expect(changes(results, threshold, threshold)).toBe(expected);
  });
});

test.each([
  ['rise and fall apart', 2, 3, '0 0 0 0 1 0 1 1 0 0 1', '-3 +8', UP],
  ['the first result alone decides: down', 2, 3, '0 1 0 1 1', '-1 +5', null],
  ['the first result alone decides: up', 2, 3, '1 0 0 1 0 0 0', '+1 -7', null],
  ['goes on from what was remembered', 2, 3, '0 1', '-1', { up: true, count: 2, at: NOW - 60 }],
  ['of a lowered number only one more is needed', 2, 3, '1 1', '', { up: true, count: 2, at: NOW - 60 }],
] as const)('%s', (_, rise, fall, results, expected, before) => {
  expect(changes(results, rise, fall, before)).toBe(expected);
});

test('the words', () => {
  const found = verdicts('1 0 0 1 0 0 0 0 1 1', { rise: 2, fall: 3 }, UP);
  expect(found.map(({ why }) => why.split(';')[0].split(' (timeout')[0])).toEqual([
    'last 0.200 s < goodenough 0.700 s',
    '1 of 3 failures in a row (fall 3)',
    '2 of 3 failures in a row (fall 3)',
    'last 0.200 s < goodenough 0.700 s',
    '1 of 3 failures in a row (fall 3)',
    '2 of 3 failures in a row (fall 3)',
    'down until 2 results in a row pass (rise 2)',
    'down until 2 results in a row pass (rise 2)',
    '1 of 2 passes in a row (rise 2)',
    'last 0.200 s < goodenough 0.700 s',
  ]);
  expect(found[1]).toMatchObject({
    judgement: 'pass',
    last: 10,
    why: '1 of 3 failures in a row (fall 3); fetch failed (timeout: in the connect phase), counted as 10.000 s',
    position: { count: 1, of: 3, towards: 'down' },
  });
  expect(found[8]).toMatchObject({ judgement: 'fail', position: { count: 1, of: 2, towards: 'up' } });
  expect(found[9]).toMatchObject({ judgement: 'pass_threshold' });
  expect(found[9]).not.toHaveProperty('position');
});

describe('what is no new result', () => {
  const ruling = rules(2, 3);
  const noSample = (last: number | null): EdgeFacts => ({
    ...factsAt(0, '1'),
    sample: null,
    figures: { ...factsAt(0, '1').figures, last },
  });

  test('after a restart the state stands until the first result', () => {
    const down: Judged = { up: false, count: 1, at: NOW };
    expect(judge(noSample(0.2), ruling, down)).toMatchObject({ verdict: { judgement: 'fail' }, judged: down });
    const up: Judged = { up: true, count: 2, at: NOW };
    expect(judge(noSample(10), ruling, up)).toMatchObject({ verdict: { judgement: 'pass' }, judged: up });
    expect(judge(noSample(null), ruling, up)).toMatchObject({ verdict: { judgement: null }, judged: up });
    expect(judge(noSample(10), ruling, null)).toMatchObject({ verdict: { judgement: 'fail' }, judged: null });
  });

  test('an edge that is unavailable is counted, not judged', () => {
    const found = judge({ ...factsAt(0, '0'), mode: 'unavailable' }, ruling, { up: true, count: 2, at: NOW - 60 });
    expect(found).toEqual({
      verdict: expect.objectContaining({ judgement: null, why: 'unavailable, so not judged' }),
      judged: { up: false, count: 0, at: NOW },
    });
  });

  test('a number that an operator lowered counts at once', () => {
    const before: Judged = { up: true, count: 2, at: NOW };
    expect(judge(factsAt(0, '0'), rules(2, 2), before)).toMatchObject({
      verdict: { judgement: 'fail' },
      judged: { up: false },
    });
  });
});

test('the state is that of the newest run that was long enough', () => {
  const results = fc.array(fc.boolean(), { minLength: 1, maxLength: 40 });
  const number = fc.integer({ min: 1, max: 5 });
  fc.assert(
    fc.property(results, number, number, fc.boolean(), (all, rise, fall, known) => {
      const before = known ? UP : null;
      const found = verdicts(all.map((one) => (one ? '1' : '0')).join(' '), { rise, fall }, before);
      let expected = before?.up ?? all[0];
      let row = 0;
      for (const [i, one] of all.entries()) {
        row = i > 0 && all[i - 1] === one ? row + 1 : 1;
        if (row >= (one ? rise : fall)) expected = one;
        expect(passes(found[i].judgement)).toBe(expected);
      }
    }),
  );
});

describe('results to the contrary count when they are far enough apart', () => {
  const needed = { rise: 2, fall: 3, apart: 30 };
  const after = (results: readonly (readonly [at: number, passing: boolean])[], up = true): Judged | null =>
    results.reduce<Judged | null>((judged, [at, passing]) => resultAfter(judged, NOW + at, passing, needed), {
      up,
      count: 0,
      at: NOW - 1,
    });
  test.each<[string, readonly (readonly [number, boolean])[], boolean, Omit<Judged, 'at'>, number]>([
    ['the first counts at once', [[0, false]], true, { up: true, count: 1 }, 0],
    [
      'three within a second are one',
      [
        [0, false],
        [0.5, false],
        [1, false],
      ],
      true,
      { up: true, count: 1 },
      0,
    ],
    [
      'just too soon',
      [
        [0, false],
        [29.9, false],
      ],
      true,
      { up: true, count: 1 },
      0,
    ],
    [
      'just far enough',
      [
        [0, false],
        [30, false],
      ],
      true,
      { up: true, count: 2 },
      30,
    ],
    [
      'those between do not put it off',
      [
        [0, false],
        [20, false],
        [40, false],
        [60, false],
        [80, false],
      ],
      true,
      { up: false, count: 0 },
      80,
    ],
    [
      'one to the contrary of these ends the count, however soon',
      [
        [0, false],
        [1, true],
      ],
      true,
      { up: true, count: 0 },
      1,
    ],
    [
      'and the next counts at once',
      [
        [0, false],
        [1, true],
        [2, false],
      ],
      true,
      { up: true, count: 1 },
      2,
    ],
    [
      'the other way round',
      [
        [0, true],
        [1, true],
      ],
      false,
      { up: false, count: 1 },
      0,
    ],
    [
      'a clock set back an hour',
      [
        [0, false],
        [-3600, false],
        [-3540, false],
      ],
      true,
      { up: false, count: 0 },
      -3540,
    ],
  ])('%s', (_, results, up, expected, at) => {
    expect(after(results, up)).toEqual({ ...expected, at: NOW + at });
  });
});
