import { expect, test } from 'vitest';
import type { Decision } from '../../../src/health/choose/decision.ts';
import { decisionLines, movedLines, notesToLog, outcomeText } from '../../../src/health/pools/round-log.ts';

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

test.each([
  ['one that begins', 'event', ['a'], [], ['a']],
  ['one that goes on', 'event', ['a'], ['a'], []],
  ['one that goes on beside one that begins', 'event', ['a', 'b'], ['a'], ['b']],
  ['one that changes', 'event', ['only 1 of 3'], ['only 2 of 3'], ['only 1 of 3']],
  ['one that is over', 'event', [], ['a'], []],
  ['all, once a turn', 'turn', ['a', 'b'], ['a', 'b'], ['a', 'b']],
] as const)('notes that are logged: %s', (_, scope, notes, before, logged) => {
  expect(notesToLog(notes, before, scope)).toEqual(logged);
});

test('the lines of a decision have the notes that are to be logged, at warn', () => {
  const decision = {
    network: 'net',
    outcome: { kind: 'unchanged' },
    verdicts: [],
    canaryVerdicts: [],
    canaries: [],
    live: [],
    wanted: 0,
    notes: ['a', 'b'],
  } as unknown as Decision;
  const warned = (notes?: readonly string[]): readonly string[] =>
    decisionLines(decision, notes).flatMap(({ level, text }) => (level === 'warn' ? [text] : []));
  expect(warned()).toEqual(['a', 'b']);
  expect(warned(['b'])).toEqual(['b']);
});
