import { describe, expect, test } from 'vitest';
import { check, type Rules } from './checker.ts';
import type { Entry, Log, Mark } from './log.ts';

const RULES: Rules = { members: ['a', 'b', 'c'], down: 2, turns: 2, interval: 1 };
const ZONE = 'z.test';
type Timeless = Entry extends infer E ? (E extends Entry ? Omit<E, 'at'> : never) : never;

const stored = { cluster: 'k', network: 'net' };
const view = (vantage: string, turn: number, up: Record<string, boolean>, revision: number): Timeless => ({
  ...{ kind: 'view', ...stored, vantage, boot: 'b', turn, up, revision },
});
const leader = (name: string | null, token: string, revision: number, cluster = 'k'): Timeless => ({
  ...{ kind: 'leader', cluster, revision, holder: name === null ? null : { name, token } },
});
const set = (serial: number, edges: readonly string[], revision: number, more: object = {}): Timeless => ({
  ...{ kind: 'set', ...stored, revision, serial, edges, addresses: edges.map((edge) => `192.0.2.${edge.slice(1)}`) },
  ...{ by: 'a', token: '5', basis: { a: 2, b: 2, c: 2 }, says: {}, ...more },
});
const says = (edge: string, ...up: readonly (boolean | null)[]): object => ({
  says: { [edge]: up.map((is, i) => ({ vantage: 'abc'[i], up: is, detail: 'x' })) },
});
const answer = (node: string, serial: number, ...addresses: readonly string[]): Timeless => ({
  ...{ kind: 'answer', node, zone: ZONE, serial, addresses },
});
const transfer = (node: string, serial: number, ...records: readonly string[]): Timeless => ({
  ...{ kind: 'transfer', node, zone: ZONE, serial, records },
});
const E1 = '192.0.2.1';
const E2 = '192.0.2.2';
const C = '192.0.2.9';
const canaryAnswer = (node: string, serial: number, ...addresses: readonly string[]): Timeless => ({
  ...{ kind: 'answer', node, zone: 'canary.test', serial, addresses },
});
/** After the story: a canary stands in for e2, by a set of the same serial. */
const withCanary = set(11, ['e2'], 90, {
  canaries: [{ zone: 'canary.test', address: C, victim: E2 }],
  canarySerials: { 'canary.test': 15 },
});
const mode = (node: string, is: string): Timeless => ({ kind: 'mode', node, edge: 'e1', mode: is });
const mark = (name: Mark['mark'], what = ''): Timeless => ({ kind: 'mark', mark: name, what });

const turnOf = (turn: number, e1: boolean, revision: number): readonly Timeless[] =>
  ['a', 'b', 'c'].map((name, i) => view(name, turn, { e1, e2: true }, revision + i));

/** An operator sets a mode on b, and all three have it. */
const MODE = [
  ...['a', 'b', 'c'].map((node) => mode(node, 'available')),
  mark('mode begins', 'e1'),
  mode('b', 'unavailable'),
  mark('mode set', 'e1 unavailable'),
  ...['a', 'c'].map((node) => mode(node, 'unavailable')),
];

/** Edge e1 dies and leaves; b is cut off meanwhile and catches up. Nothing in it is wrong. */
const STORY: readonly Timeless[] = [
  leader('a', '5', 5),
  set(10, ['e1', 'e2'], 6),
  ...['a', 'b', 'c'].map((node) => answer(node, 10, E1, E2)),
  ...['a', 'b', 'c'].map((node) => transfer(node, 10, 'records of 10')),
  ...turnOf(1, true, 10),
  mark('broken'),
  ...turnOf(2, false, 20),
  set(11, ['e2'], 30, says('e1', false, false, true)),
  answer('a', 11, E2),
  transfer('a', 11, 'records of 11'),
  ...turnOf(3, false, 40),
  ...turnOf(4, false, 50),
  ...turnOf(5, false, 60),
  answer('b', 10, E1, E2),
  mark('healed'),
  ...turnOf(6, false, 70),
  answer('b', 11, E2),
  answer('c', 11, E2),
  transfer('c', 11, 'records of 11'),
];

function timed(story: readonly Timeless[]): Log {
  return story.map((entry, at) => ({ at, ...entry }) as Entry);
}

function broken(story: readonly Timeless[]): readonly string[] {
  return [...new Set(check(timed(story), RULES).map(({ rule }) => rule))].sort();
}

/** The story with entries replaced where `change` gives another one. */
function changed(change: (entry: Timeless) => Timeless | readonly Timeless[]): readonly Timeless[] {
  return STORY.flatMap((entry) => change(entry));
}

const on = (serial: number, more: object) => (entry: Timeless) =>
  entry.kind === 'set' && entry.serial === serial ? ({ ...entry, ...more } as Timeless) : entry;

test('a run in which all was well has no violation', () => {
  expect(check(timed(STORY), RULES)).toEqual([]);
});

describe('each violation is caught by its rule, and by no other', () => {
  test.each<[string, readonly Timeless[], readonly string[]]>([
    ['another answer under the same serial', [...STORY, answer('b', 11, E1)], ['same octets', 'stored first']],
    ['another zone under the same serial', [...STORY, transfer('b', 11, 'other records')], ['same octets']],
    ['a serial that goes back', [...STORY, answer('c', 10, E1, E2)], ['serial onwards']],
    [
      'a serial that goes back around zero',
      [set(4_294_967_295, ['e1'], 6), set(3, ['e1'], 7), answer('a', 3, E1), answer('a', 4_294_967_295, E1)].flatMap(
        (entry, i) => (i === 0 ? [leader('a', '5', 5), entry] : [entry]),
      ),
      ['serial onwards'],
    ],
    ['an answer that nobody stored', [...STORY, answer('a', 12, E1)], ['stored first']],
    ['an answer that is not what was stored', [...STORY, set(12, ['e2'], 90), answer('a', 12, E1)], ['stored first']],
    ['a set whose serial was there before', [...STORY, set(11, ['e2'], 90)], ['stored onwards']],
    [
      'a restored store that counts from its old serial',
      [...STORY, leader('b', '3', 3, 'other'), set(11, ['e2'], 4, { cluster: 'other', by: 'b', token: '3' })],
      ['one token', 'stored onwards'],
    ],
    [
      'a set of who is the decider no longer',
      changed((e) => (e.kind === 'set' && e.serial === 11 ? [leader('b', '25', 25), e] : e)),
      ['one token'],
    ],
    ['a set of who was never the decider', changed(on(11, { by: 'b' })), ['one token']],
    [
      'a set when nobody decides',
      changed((e) => (e.kind === 'set' && e.serial === 11 ? [leader(null, '', 25), e] : e)),
      ['one token'],
    ],
    ['one vote that an edge is down', changed(on(11, says('e1', false, true, true))), ['justified']],
    [
      'an edge that an operator takes out, and another one',
      [...STORY, mark('mode begins', 'e1'), mark('mode set', 'e1 unavailable'), set(12, [], 90)],
      ['justified'],
    ],
    ['no votes at all', changed(on(11, { says: {} })), ['justified']],
    [
      'one vantage, said twice',
      changed(on(11, { says: { e1: [0, 1].map(() => ({ vantage: 'b', up: false, detail: 'x' })) } })),
      ['justified'],
    ],
    [
      'the votes of strangers',
      changed(on(11, { says: { e1: ['x', 'y'].map((vantage) => ({ vantage, up: false, detail: '' })) } })),
      ['justified'],
    ],
    ['a decision of a minority', changed(on(11, { basis: { a: 2 }, ...says('e1', false, null, null) })), ['justified']],
    ['a vote that it does not rest on', changed(on(11, { basis: { a: 2, c: 2 } })), ['justified']],
    [
      'a vote that was not given',
      changed((e) => (e.kind === 'view' && e.vantage === 'b' && e.turn === 2 ? view('b', 2, { e1: true }, 21) : e)),
      ['justified'],
    ],
    [
      'an edge that joins with one vote',
      [...STORY, set(12, ['e1', 'e2'], 90, { ...says('e1', true, null, null), basis: { a: 6, b: 6 } })],
      ['justified'],
    ],
    [
      'the serial of an override on two nodes',
      [...STORY, mark('override', 'a'), answer('a', 13, E1), mark('override', 'b'), answer('b', 13, E1)],
      ['stored first'],
    ],
    [
      'another decision alone after the override',
      [...STORY, mark('override', 'a'), mark('override over', 'a'), answer('a', 13, E1)],
      ['stored first'],
    ],
    ['a set without quorum', [...STORY, mark('frozen'), set(12, ['e2'], 90)], ['frozen']],
    ['another answer without quorum', [...STORY, set(12, ['e2'], 90), mark('frozen'), answer('a', 12, E2)], ['frozen']],
    [
      'a node that stays behind',
      [
        ...STORY,
        set(12, ['e2'], 90),
        ...turnOf(7, false, 91),
        ...turnOf(8, false, 94),
        ...turnOf(9, false, 97),
        answer('b', 11, E2),
      ],
      ['caught up'],
    ],
    [
      'a node that stays behind after the healing',
      STORY.flatMap((e) =>
        e.kind === 'answer' && e.node === 'b' && e.serial === 11
          ? [...turnOf(7, false, 80), ...turnOf(8, false, 84), answer('b', 10, E1, E2)]
          : [e],
      ),
      ['caught up'],
    ],
    ['another canary than was stored', [...STORY, withCanary, canaryAnswer('a', 15, E2)], ['stored first']],
    [
      'two canaries under one serial',
      [...STORY, withCanary, canaryAnswer('a', 15, C), canaryAnswer('b', 15, E2)],
      ['same octets', 'stored first'],
    ],
    ['the same canary under the same serial', [...STORY, withCanary, withCanary], ['stored onwards']],
    ['a mode that is lost', [...STORY, ...MODE, mark('broken'), mode('b', 'available')], ['modes hold']],
    [
      'a mode that one node never has',
      [...STORY, ...MODE.slice(0, -1), ...[7, 8, 9].flatMap((turn) => turnOf(turn, false, 90)), answer('c', 11, E2)],
      ['modes hold'],
    ],
  ])('%s', (_, story, rules) => {
    expect(broken(story)).toEqual(rules);
  });
});

test('a node that has stored many views in less than two intervals is not behind', () => {
  const story = [...STORY, set(12, ['e2'], 90), ...[7, 8, 9].flatMap((turn) => turnOf(turn, false, 90 + turn))];
  const log = timed([...story, answer('b', 11, E2)]);
  expect(check(log, { ...RULES, interval: 1 }).map(({ rule }) => rule)).toEqual(['caught up']);
  expect(check(log, { ...RULES, interval: 100 })).toEqual([]);
});

describe('what is no violation', () => {
  test.each<[string, readonly Timeless[]]>([
    [
      'a content that raises the serial',
      [
        ...STORY,
        { kind: 'content', cluster: 'k', revision: 90, zone: ZONE, serial: 20, hash: 'h' },
        answer('a', 20, E2),
      ],
    ],
    ['the same set again, above what a node reports', [...STORY, set(40, ['e2'], 90, { basis: { a: 7 } })]],
    [
      'an override without quorum, served until a later set',
      [
        ...STORY,
        mark('frozen'),
        mark('override', 'a'),
        answer('a', 13, E1),
        mark('override over', 'a'),
        mark('thawed'),
        answer('a', 13, E1),
      ],
    ],
    ['an old answer before the first set', [answer('a', 1, E1), ...STORY]],
    ['changes after a thaw', [...STORY, mark('frozen'), mark('thawed'), set(12, ['e2'], 90), answer('a', 12, E2)]],
    [
      'a node that lags while it is cut off',
      [
        ...STORY,
        mark('broken'),
        set(12, ['e2'], 90),
        ...turnOf(7, false, 91),
        ...turnOf(8, false, 94),
        ...turnOf(9, false, 97),
        answer('b', 11, E2),
      ],
    ],
    ['a canary of the same set', [...STORY, withCanary, canaryAnswer('a', 15, C), canaryAnswer('b', 15, C)]],
    [
      'an edge that an operator takes out',
      [...STORY, mark('mode begins', 'e2'), mark('mode set', 'e2 unavailable'), set(12, [], 90)],
    ],
    [
      'a mode that is set, and another one later',
      [...STORY, ...MODE, mark('mode begins', 'e1'), mode('c', 'available'), mark('mode set', 'e1 available')],
    ],
    [
      'a mode that one node does not have while something is broken',
      [
        ...[...STORY, mark('broken'), ...MODE.slice(0, -1)],
        ...[...[7, 8, 9].flatMap((turn) => turnOf(turn, false, 90)), answer('c', 11, E2)],
      ],
    ],
    [
      'a store that begins again',
      [...STORY, leader('b', '3', 3, 'other'), set(12, ['e2'], 4, { cluster: 'other', by: 'b', token: '3' })],
    ],
  ])('%s', (_, story) => {
    expect(check(timed(story), RULES)).toEqual([]);
  });
});
