import { expect, test } from 'vitest';
import type { Sample } from '../../../src/health/checks/sample.ts';
import type { Decision } from '../../../src/health/choose/decision.ts';
import { decisionLines, movedLines, outcomeText, sampleLine } from '../../../src/health/pools/round-log.ts';

const at = (v4: string | null, v6: string | null = null) => [{ edge: 'a.example', v4, v6, why: '' }];

test.each([
  ['the same address', at('192.0.2.1'), at('192.0.2.1'), null],
  ['another address', at('192.0.2.1'), at('192.0.2.2'), 'a.example is at 192.0.2.2 now (was at 192.0.2.1)'],
  [
    'a family more',
    at('192.0.2.1'),
    at('192.0.2.1', '2001:db8::1'),
    'a.example is at 192.0.2.1 and 2001:db8::1 now (was at 192.0.2.1)',
  ],
  ['an address that was not known', at(null), at('192.0.2.1'), 'a.example is at 192.0.2.1 now (was at no address)'],
  ['an edge that was not live', [], at('192.0.2.1'), null],
  ['an edge that is live no more', at('192.0.2.1'), [], null],
])('%s', (_, before, after, text) => {
  expect(movedLines(before, after).map((line) => line.text)).toEqual(text === null ? [] : [text]);
});

test.each([
  ['another edge is wanted', ['a', 'c'], 'net: live set held as it is by the rotation limit: a and b; wanted: a and c'],
  [
    'an edge is wanted at another address',
    ['b', 'a'],
    'net: live set held as it is by the rotation limit: a and b; wanted: the same edges, some at other addresses',
  ],
])('a hold says what it keeps back: %s', (_, wanted, text) => {
  const live = ['a', 'b'].map((edge) => ({ edge, v4: '192.0.2.1', v6: null, why: '' }));
  const outcome = { kind: 'held', wanted } as const;
  expect(outcomeText({ network: 'net', outcome, live, wanted: 2 } as unknown as Decision)).toBe(text);
});

test.each<readonly [string, Partial<Sample>, { readonly duration_seconds?: number; readonly reason?: string }]>([
  ['passed', { seconds: 0.25, fail: null }, { duration_seconds: 0.25 }],
  // Judges count the timeout, 10 s.
  ['refused at once', { fail: { reason: 'refused', detail: '' } }, { duration_seconds: 0.0003, reason: 'refused' }],
  ['without an address', { fail: { reason: 'resolve', detail: '' }, primary: null }, { reason: 'resolve' }],
])('a check says how long it took in truth: %s', (_, over, expected) => {
  const primary = { address: '127.0.0.1', check: 'http', checks: [{}], phases: { total: 0.0003 } };
  const sample = { edge: 'a', at: 1, seconds: 10, primary, others: [], stalledMs: 0, ...over } as unknown as Sample;
  const { event } = sampleLine(sample);
  expect(event).toEqual({
    event: 'edge.checked',
    edge: 'a',
    ...(sample.primary === null ? {} : { address: '127.0.0.1' }),
    ...expected,
  });
});

test('the lines of a decision have its notes at warn; a state goes on, a change does not', () => {
  const decision = {
    network: 'net',
    outcome: { kind: 'unchanged' },
    verdicts: [],
    canaryVerdicts: [],
    canaries: [
      { zone: 'x.test', changed: false, held: true, why: 'held' },
      { zone: 'y.test', changed: true, held: false, why: 'new' },
    ],
    reasons: new Map([['A', { live: true, why: 'passes' }]]),
    live: [],
    wanted: 0,
    notes: ['a', 'b'],
  } as unknown as Decision;
  const goingOn = (one: Decision): readonly string[] =>
    decisionLines(one).flatMap(({ text, goesOn }) => (goesOn === true ? [text] : []));
  expect(goingOn(decision)).toEqual(
    ['net: live set unchanged:  (0 wanted)', 'canary of x.test: held', 'a', 'b'].map((line) =>
      line.replace(' (0 wanted)', ''),
    ),
  );
  const outcome = { kind: 'changed', added: ['A'], removed: [], moved: [] } as const;
  expect(goingOn({ ...decision, outcome })).toEqual(['canary of x.test: held', 'a', 'b']);
  expect(decisionLines(decision).flatMap(({ level, text }) => (level === 'warn' ? [text] : []))).toEqual(['a', 'b']);
});
