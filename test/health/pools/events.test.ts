import { describe, expect, test } from 'vitest';
import type { FailReason, Sample } from '../../../src/health/checks/sample.ts';
import type { LiveMember } from '../../../src/health/choose/decision.ts';
import { NO_MEMORY } from '../../../src/health/choose/memory.ts';
import { changesAnswer, isReady, type Standing, standingOf } from '../../../src/health/pools/events.ts';
import { RULES, sample } from '../../support/round-input.ts';

/** A letter an edge: upper case passes, lower case fails. `canary` is one. */
function samples(text: string): ReadonlyMap<string, Sample> {
  return new Map([...text].map((letter) => [letter.toLowerCase(), one(letter)]));
}

function one(letter: string): Sample {
  const reason: FailReason | undefined = letter === letter.toUpperCase() ? undefined : 'refused';
  return sample(letter.toLowerCase(), reason === undefined ? 0.1 : 10, 0, reason);
}

function standing(live: string, decided: string, fresh = '', more: Partial<Standing> = {}): Standing {
  const before = samples(decided);
  const newest = new Map([...before, ...samples(fresh)]);
  return {
    live: new Set(live),
    wanted: 2,
    lacksFamily: false,
    fails: () => 3,
    counted: new Set(),
    edges: new Set('abcde'),
    canaries: new Set('x'),
    forced: new Set(),
    newest: (name) => newest.get(name),
    decided: (name) => before.get(name),
    ...more,
  };
}

describe('a sample may change the answer', () => {
  test.each<[string, string, Standing, boolean]>([
    ['a member fails', 'a', standing('ab', 'ABC'), true],
    ['a member passes again', 'A', standing('ab', 'aBC'), true],
    ['a member goes on passing', 'A', standing('ab', 'ABC'), false],
    ['a member fails for the third time', 'a', standing('ab', 'aBC', '', { fails: () => 2 }), true],
    ['a member goes on failing', 'a', standing('ab', 'aBC'), false],
    ['a member fails at the first sample', 'a', standing('ab', ''), true],
    ['a member passes at the first sample', 'A', standing('ab', ''), false],
    ['another edge fails', 'c', standing('ab', 'ABC'), false],
    ['another passes, and all members do', 'C', standing('ab', 'ABc'), false],
    ['another passes, and a member fails', 'C', standing('ab', 'aBc'), true],
    ['another passes, and a member has begun to fail', 'C', standing('ab', 'ABc', 'a'), true],
    ['another passes, and the set lacks a member', 'C', standing('a', 'Ac'), true],
    ['another passes for the first time, and the set lacks a member', 'C', standing('a', 'A'), true],
    ['another passes, and a member was not asked yet', 'C', standing('ab', 'Ac'), false],
    ['another passes, and a family lacks an edge', 'C', standing('ab', 'ABc', '', { lacksFamily: true }), true],
    ['another goes on passing, and a member fails', 'C', standing('ab', 'aBC'), false],
    ['another passes as often as it must', 'C', standing('ab', 'aBC', '', { counted: new Set('c') }), true],
    [
      'another passes as often as it must, and all members do',
      'C',
      standing('ab', 'ABC', '', { counted: new Set('c') }),
      false,
    ],
    ['a canary fails as often as it must', 'x', standing('ab', 'ABx', '', { counted: new Set('x') }), true],
    ['one that is not to be used passes, and a member fails', 'f', standing('ab', 'aB'), false],
    ['a forced edge passes', 'C', standing('ab', 'ABc', '', { forced: new Set('c') }), true],
    ['a canary fails', 'x', standing('ab', 'ABX'), true],
    ['a canary passes again', 'X', standing('ab', 'ABx'), true],
    ['a canary goes on', 'X', standing('ab', 'ABX'), false],
  ])('%s: %#', (_name, letter, beside, expected) => {
    expect(changesAnswer(one(letter), beside)).toBe(expected);
  });

  test('an address of a member fails while the other works', () => {
    const both = (fail: boolean): Sample => {
      const made = one('A');
      if (made.primary === null) throw new Error('no address');
      const other = {
        ...made.primary,
        address: '::1',
        fail: fail ? ({ reason: 'refused', detail: '' } as const) : null,
      };
      return { ...made, others: [other] };
    };
    const beside = { ...standing('ab', 'AB'), decided: () => both(false) };
    expect(changesAnswer(both(true), beside)).toBe(true);
    expect(changesAnswer(both(false), beside)).toBe(false);
    // Another edge may complete the family that the member fails in.
    const newest = (name: string): Sample | undefined => (name === 'a' ? both(true) : one(name.toUpperCase()));
    expect(changesAnswer(one('C'), { ...standing('ab', 'ABc'), newest })).toBe(true);
  });

  test('a member is at another address', () => {
    const made = one('A');
    if (made.primary === null) throw new Error('no address');
    const elsewhere: Sample = { ...made, primary: { ...made.primary, address: '127.0.0.2' } };
    expect(changesAnswer(elsewhere, standing('ab', 'AB'))).toBe(true);
    expect(changesAnswer({ ...elsewhere, edge: 'c' }, standing('ab', 'ABC'))).toBe(false);
  });
});

test('what is compared is taken from the state', () => {
  const judged = new Map([
    ['a', { up: true, count: 0, at: 1 }],
    ['b', { up: true, count: 2, at: 1 }],
    ['c ::1', { up: false, count: 1, at: 1 }],
  ]);
  const unsteady = new Map([['a', { falls: 1, fails: 2, passingSince: null, at: 1 }]]);
  const member = (edge: string): LiveMember => ({ edge, v4: edge, v6: null, why: '' });
  const made = standingOf({
    pool: { id: 'net', members: ['a', 'b', 'c', 'd'], policy: { ...RULES, edgeCount: 0 } },
    canaries: ['x'],
    state: { live: [member('a'), member('gone')], memory: { ...NO_MEMORY, judged, unsteady, unanswered: 'v6' } },
    records: new Map([
      ['c', { mode: 'force' }],
      ['d', { mode: 'unavailable' }],
    ]),
    newest: () => undefined,
    decided: () => undefined,
  });
  expect(made).toMatchObject({ wanted: 1, lacksFamily: true });
  expect([made.live, made.edges, made.forced, made.canaries, made.counted].map((names) => [...names].join(''))).toEqual(
    [...['a', 'abc', 'c', 'x', 'bc']],
  );
  expect([made.fails('a'), made.fails('b')]).toEqual([2, 0]);
});

test.each<[string, Standing, boolean]>([
  ['no member was asked', standing('ab', ''), false],
  ['one member was asked', standing('ab', 'A'), false],
  ['every member was asked', standing('ab', 'a', 'B'), true],
  ['nothing is live, one passes of two that are wanted', standing('', '', 'Ab'), false],
  ['nothing is live, two pass', standing('', '', 'AB'), true],
  ['nothing is live, and all there are pass', standing('', '', 'A', { edges: new Set('a') }), true],
  ['nothing is live, canaries do not count', standing('', '', 'AX'), false],
])('ready before the turn ends: %s', (_name, beside, expected) => {
  expect(isReady(beside)).toBe(expected);
});
