import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FailReason, Fetch } from '../../../src/health/checks/sample.ts';
import { decide } from '../../../src/health/choose/decide.ts';
import type { Decision } from '../../../src/health/choose/decision.ts';
import type { Memory } from '../../../src/health/choose/memory.ts';
import type { Rules } from '../../../src/health/choose/round.ts';
import { waitAfter } from '../../../src/health/choose/steadiness.ts';
import type { EdgeInput, Mode } from '../../../src/health/judge/edge.ts';
import { addSample } from '../../../src/health/judge/history.ts';
import { NO_MEMORY, NOW, oldSamples, RULES } from '../../support/round-input.ts';

/** Seconds of the fetch over each family, a reason it failed for, or null: the edge has no address of it. */
type Link = number | FailReason | null;
type Edge = { readonly v4?: Link; readonly v6?: Link; readonly mode?: Mode };

const address = (name: string, family: 'v4' | 'v6'): string =>
  family === 'v4' ? `127.0.0.${name.charCodeAt(0)}` : `::${name.charCodeAt(0)}`;

function fetched(name: string, family: 'v4' | 'v6', link: Link): Fetch | null {
  if (link === null) return null;
  const seconds = typeof link === 'number' ? link : RULES.timeout;
  const fail = typeof link === 'number' ? null : { reason: link, detail: '' };
  const phases = { resolve: null, connect: null, tls: null, firstByte: null, total: seconds };
  return { address: address(name, family), seconds, fail, phases, attempts: 1, hops: 0, check: 'http', checks: [] };
}

function edge(name: string, { v4 = null, v6 = null, mode = 'available' }: Edge, at: number): EdgeInput {
  const fetches = [fetched(name, 'v4', v4), fetched(name, 'v6', v6)].filter((one) => one !== null);
  const primary = fetches[0] ?? null;
  const { seconds, fail } = primary ?? { seconds: 10, fail: { reason: 'resolve' as const, detail: '' } };
  return {
    name,
    mode,
    modeUntil: null,
    comment: '',
    history: addSample(oldSamples(0.2), at, seconds),
    sample: { edge: name, at, seconds, fail, primary, others: fetches.slice(1), stalledMs: 0 },
    v4: v4 === null ? null : address(name, 'v4'),
    v6: v6 === null ? null : address(name, 'v6'),
    verificationFailed: false,
  };
}

type Edges = Readonly<Record<string, Edge>>;

function decided(edges: Edges, rules: Partial<Rules> = {}, memory: Memory = NO_MEMORY, now = NOW): Decision {
  return decide({
    now,
    network: 'test',
    scope: 'turn',
    rules: { ...RULES, edgeCount: 1, ...rules },
    edges: Object.entries(edges).map(([name, words]) => edge(name, words, now - 1)),
    canaries: [],
    memory,
    operatorChange: false,
  });
}

/** Rounds a minute apart; the last decision. */
function story(rounds: readonly Edges[], rules: Partial<Rules> = {}): readonly Decision[] {
  let memory = NO_MEMORY;
  return rounds.map((edges, i) => {
    const decision = decided(edges, rules, memory, NOW + 60 * i);
    memory = decision.memory;
    return decision;
  });
}

/** `A B / B`: the edges that answer A, and those that answer AAAA. */
function answered({ live }: Decision): string {
  const names = (family: 'v4' | 'v6'): string =>
    live
      .filter((member) => member[family] !== null)
      .map((member) => member.edge)
      .join(' ');
  return `${names('v4')} / ${names('v6')}`;
}

describe('what each family is answered with', () => {
  const rows: readonly [string, readonly Edges[], string, Decision['families'], number?][] = [
    [
      'IPv4 of the only edge refused, from a cold start',
      [{ A: { v4: 'refused', v6: 0.1 } }],
      ' / A',
      { v4: 'unanswered', v6: 'passing' },
    ],
    [
      'IPv4 of the only edge refused, after it was answered',
      [{ A: { v4: 0.1, v6: 0.1 } }, { A: { v4: 'refused', v6: 0.1 } }],
      'A / A',
      { v4: 'failing', v6: 'passing' },
    ],
    [
      'IPv6 of the only edge refused, after it was answered',
      [{ A: { v4: 0.1, v6: 0.1 } }, { A: { v4: 0.1, v6: 'refused' } }],
      'A / A',
      { v4: 'passing', v6: 'failing' },
    ],
    [
      'an IPv4-only edge beside a faster IPv6-only one',
      [{ A: { v4: 0.05 }, B: { v6: 0.01 } }],
      'A / B',
      { v4: 'passing', v6: 'passing' },
    ],
    [
      'many fast IPv4-only edges and one slow IPv6-only one',
      [{ A: { v4: 0.01 }, B: { v4: 0.02 }, C: { v4: 0.03 }, D: { v6: 5 } }],
      'A B / D',
      { v4: 'passing', v6: 'passing' },
      2,
    ],
    [
      'the edge that completes a family answers that family only',
      [{ A: { v4: 0.01 }, B: { v4: 0.5, v6: 0.5 } }],
      'A / B',
      { v4: 'passing', v6: 'passing' },
    ],
    [
      'one of two loses IPv6: the other answers it alone',
      [
        { A: { v4: 0.1, v6: 0.1 }, B: { v4: 0.1, v6: 0.1 } },
        { A: { v4: 0.1, v6: 'tls' }, B: { v4: 0.1, v6: 0.1 } },
      ],
      'A B / B',
      { v4: 'passing', v6: 'passing' },
      2,
    ],
    [
      'both lose IPv6: both keep it',
      [
        { A: { v4: 0.1, v6: 0.1 }, B: { v4: 0.1, v6: 0.1 } },
        { A: { v4: 0.1, v6: 'tls' }, B: { v4: 0.1, v6: 'reset' } },
      ],
      'A B / A B',
      { v4: 'passing', v6: 'failing' },
      2,
    ],
    [
      'IPv4 fails everywhere, a spare edge over IPv6 only does not push IPv4 out',
      [
        { A: { v4: 0.1 }, B: { v6: 0.2 } },
        { A: { v4: 'refused' }, B: { v6: 0.2 } },
      ],
      'A / B',
      { v4: 'failing', v6: 'passing' },
    ],
    [
      'an edge that fails altogether gives way where another works',
      [{ A: { v6: 0.1 } }, { A: { v6: 'refused' }, B: { v4: 'refused', v6: 0.1 } }],
      ' / B',
      { v4: 'none', v6: 'passing' },
    ],
    ['no edge has IPv6', [{ A: { v4: 0.1 } }], 'A / ', { v4: 'passing', v6: 'none' }],
    [
      'this machine has no IPv6: nothing is said of the edges',
      [{ A: { v4: 0.1, v6: 'unreachable' } }],
      'A / ',
      { v4: 'passing', v6: 'none' },
    ],
    [
      'IPv6 comes to a network that had none, and fails: no answer turns into an error',
      [{ A: { v4: 0.1 } }, { A: { v4: 0.1, v6: 'refused' } }],
      'A / ',
      { v4: 'passing', v6: 'none' },
    ],
    [
      'a family that was never answered stays SERVFAIL until it passes',
      [{ A: { v4: 0.1, v6: 'refused' } }, { A: { v4: 0.1, v6: 'refused' } }],
      'A / ',
      { v4: 'passing', v6: 'unanswered' },
    ],
    [
      'and is answered then',
      [{ A: { v4: 0.1, v6: 'refused' } }, { A: { v4: 0.1, v6: 0.1 } }],
      'A / A',
      { v4: 'passing', v6: 'passing' },
    ],
    [
      'the last edge of a family made unavailable leaves, the other family stays',
      [
        { A: { v4: 0.1 }, B: { v6: 0.1 } },
        { A: { v4: 0.1 }, B: { v6: 0.1, mode: 'unavailable' } },
      ],
      'A / ',
      { v4: 'passing', v6: 'none' },
    ],
    [
      'the only edge is replaced by one that fails over IPv4: resolvers are not told that there is no A',
      [{ A: { v4: 0.1, v6: 0.1 } }, { B: { v4: 'refused', v6: 0.1 } }],
      ' / B',
      { v4: 'unanswered', v6: 'passing' },
    ],
    [
      'that stays so in the rounds after',
      [{ A: { v4: 0.1, v6: 0.1 } }, { B: { v4: 'refused', v6: 0.1 } }, { B: { v4: 'refused', v6: 0.1 } }],
      ' / B',
      { v4: 'unanswered', v6: 'passing' },
    ],
    [
      'an edge made unavailable was the last that answered AAAA, and the others fail there',
      [
        { A: { v4: 0.1, v6: 0.1 }, B: { v4: 0.2, v6: 'refused' } },
        { A: { v4: 0.1, v6: 0.1, mode: 'unavailable' }, B: { v4: 0.2, v6: 'refused' } },
      ],
      'B / ',
      { v4: 'passing', v6: 'unanswered' },
    ],
    [
      'the last edge of a family leaves the list',
      [{ A: { v4: 0.1 }, B: { v6: 0.1 } }, { A: { v4: 0.1 } }],
      'A / ',
      { v4: 'passing', v6: 'none' },
    ],
    [
      'everything fails: all is kept',
      [{ A: { v4: 0.1, v6: 0.1 } }, { A: { v4: 'refused', v6: 'timeout' } }],
      'A / A',
      { v4: 'failing', v6: 'failing' },
    ],
    [
      'a blindforced edge answers its family by itself, though it fails',
      [{ A: { v4: 'refused', mode: 'blindforce' }, B: { v4: 0.1 }, C: { v6: 0.1 } }],
      'A / C',
      { v4: 'failing', v6: 'passing' },
    ],
  ];
  test.each(rows)('%s', (_, rounds, expected, families, edgeCount = 1) => {
    const last = story(rounds, { edgeCount }).at(-1);
    expect(last === undefined ? '' : answered(last)).toBe(expected);
    expect(last?.families).toEqual(families);
  });

  test('what is not as it should be is said', () => {
    const [, kept] = story([{ A: { v4: 0.1, v6: 0.1 } }, { A: { v4: 0.1, v6: 'refused' } }]);
    expect(kept.notes).toEqual(['no live edge passes over IPv6: A kept so that AAAA has an answer']);
    expect(kept.reasons.get('A')?.why).toContain('kept over IPv6 although it fails there (refused)');
    const [cold] = story([{ A: { v4: 'refused', v6: 0.1 } }]);
    expect(cold.notes).toContain(
      'no edge passes over IPv4 and no answer is left to keep: A is SERVFAIL until one passes',
    );
    const [, gone] = story([{ A: { v4: 0.1 }, B: { v6: 0.1 } }, { A: { v4: 0.1 } }]);
    expect(gone.notes).toContain('AAAA is no longer answered: B had the last IPv6 addresses');
  });
});

test('the last edge that is made unavailable stays answered, and its reason says so', () => {
  const [, last] = story([{ A: { v4: 0.1 } }, { A: { v4: 0.1, mode: 'unavailable' } }]);
  expect(last.outcome.kind).toBe('empty');
  expect(last.reasons.get('A')?.why).toBe(
    'unavailable: never live; it is still answered, because no edge is fit to take its place',
  );
});

const links = fc.constantFrom<Link>(null, null, 0.05, 0.2, 0.9, 5, 'refused', 'refused', 'timeout', 'unreachable');
const modes = fc.constantFrom<Mode>('available', 'available', 'available', 'available', 'force', 'unavailable');
const edgeWords = fc.record({ v4: links, v6: links, mode: modes });
const stories = fc.record({
  edgeCount: fc.integer({ min: 1, max: 3 }),
  maxfreq: fc.constantFrom(1, 2, 100),
  size: fc.integer({ min: 1, max: 5 }),
  rounds: fc.array(fc.array(edgeWords, { minLength: 5, maxLength: 5 }), { minLength: 1, maxLength: 12 }),
});

test('a family that a passing edge can answer is answered, and one that was answered stays so', () => {
  fc.assert(
    fc.property(stories, ({ edgeCount, maxfreq, size, rounds }) => {
      let memory = NO_MEMORY;
      for (const [i, words] of rounds.entries()) {
        const edges = Object.fromEntries(words.slice(0, size).map((own, at) => ['ABCDE'[at], own]));
        const before = memory;
        const decision = decided(edges, { edgeCount, maxfreq }, before, NOW + 60 * i);
        memory = decision.memory;
        for (const family of ['v4', 'v6'] as const) {
          const eligible = Object.entries(edges).filter(([, own]) => own.mode !== 'unavailable');
          const passing = eligible.filter(([, own]) => typeof own[family] === 'number');
          const answers = decision.live.filter((member) => member[family] !== null);
          if (passing.length > 0) expect(answers.length).toBeGreaterThan(0);
          const had = [...before.answered].filter(
            ([name, addresses]) =>
              addresses[family] !== null && eligible.some(([one, own]) => one === name && own[family] !== null),
          );
          if (had.length > 0) expect(answers.length).toBeGreaterThan(0);
          // One that works is always among them, whatever the limit says, where any is to be had.
          const works = answers.some(({ edge: name }) => typeof edges[name]?.[family] === 'number');
          // An address that its edge no longer has may be held for three rounds, for nobody knows that it fails.
          const moved = had.length < [...before.answered.values()].filter((one) => one[family] !== null).length;
          if (passing.length > 0 && !moved) expect(works).toBe(true);
          for (const { edge: name } of answers) expect(edges[name]?.mode).not.toBe('unavailable');
        }
        for (const { v4, v6 } of decision.live) expect(v4 ?? v6).not.toBeNull();
        // The same fetches decided on again settle: an edge that completed a family may become a member by its own right,
        // and as the limit no longer holds them back, one address after the other may take its place.
        let again = decision;
        for (let left = 2 * size; left > 0 && again.outcome.kind !== 'unchanged'; left--) {
          again = decided(edges, { edgeCount, maxfreq: 100 }, again.memory, NOW + 60 * i);
        }
        expect(['unchanged', 'empty']).toContain(again.outcome.kind);
      }
    }),
    { numRuns: 400 },
  );
});

describe('dnschange_maxfreq counts addresses', () => {
  const both: Edges = { A: { v4: 0.1, v6: 0.1 }, B: { v4: 0.1, v6: 0.1 } };
  const half: Edges = { A: { v4: 0.1, v6: 'refused' }, B: { v4: 0.1, v6: 0.1 } };

  test('IPv6 of one live edge that flaps changes the answer so often at most', () => {
    const rounds = Array.from({ length: 9 }, (_, i) => (i % 2 === 0 ? both : half));
    const decisions = story(rounds, { edgeCount: 2, maxfreq: 2 });
    expect(decisions.map(({ outcome }) => outcome.kind).filter((kind) => kind === 'changed')).toHaveLength(2);
    expect(decisions.filter(({ hold }) => hold !== null).length).toBeGreaterThan(2);
    expect(decisions[1].outcome).toEqual({ kind: 'changed', added: [], removed: [], moved: ['A'] });
  });

  test('an edge at another address is held at the old one, until it has been elsewhere for three rounds', () => {
    const at = (v4: string, now: number, memory: Memory): Decision => {
      const one = edge('A', { v4: 0.1 }, now - 1);
      const primary = one.sample?.primary ?? null;
      const moved = {
        ...one,
        v4,
        sample: one.sample && primary && { ...one.sample, primary: { ...primary, address: v4 } },
      };
      const edges = [moved, edge('B', { v4: 0.1 }, now - 1)];
      const rules = { ...RULES, edgeCount: 2, maxfreq: 1 };
      return decide({ now, network: 'n', scope: 'turn', rules, edges, canaries: [], memory, operatorChange: false });
    };
    let memory = at('127.0.0.65', NOW, NO_MEMORY).memory;
    const seen = [60, 120, 180].map((after) => {
      const decision = at('127.0.1.1', NOW + after, memory);
      memory = decision.memory;
      return decision.live[0].v4;
    });
    expect(seen).toEqual(['127.0.0.65', '127.0.0.65', '127.0.1.1']);
  });
});

describe('edges that flap or are dead during a hold', () => {
  const fine: Edge = { v4: 0.1 };
  const dead: Edge = { v4: 'refused' };

  test('a member that failed three times in a row leaves when a passing edge takes its place, marked and counted', () => {
    const start: Edges = { A: fine, B: fine, C: { v4: 0.5 } };
    const gone: Edges = { ...start, B: dead };
    const decisions = story([start, gone, gone, gone, gone], { edgeCount: 2, maxfreq: 1 });
    expect(decisions.map(answered)).toEqual(['A B / ', 'A B / ', 'A B / ', 'A C / ', 'A C / ']);
    expect(decisions[1]).toMatchObject({ outcome: { kind: 'held' }, heldFailing: ['B'], replaced: [] });
    expect(decisions[3]).toMatchObject({ outcome: { kind: 'changed', added: ['C'], removed: ['B'] } });
    expect(decisions[3].memory.rotations).toHaveLength(2);
    // Although nothing is held back any more.
    expect(decisions[3]).toMatchObject({ hold: null, replaced: [{ edge: 'B', by: 'C' }] });
    expect(decisions[3].notes.join('\n')).toContain('C took its place in spite of the rotation limit');
    expect(decisions[3].reasons.get('B')?.why).toContain('C took its place in spite of the rotation limit');
    expect(decisions[4].replaced).toEqual([]);
  });

  test('what else is wanted stays held then', () => {
    const start: Edges = { A: fine, B: fine, C: { v4: 0.5 }, D: { v4: 0.6 } };
    const slow: Edges = { ...start, A: { v4: 0.9 }, B: dead };
    const decisions = story([start, slow, slow, slow], { edgeCount: 2, maxfreq: 1 });
    expect(decisions.map(answered)).toEqual(['A B / ', 'A B / ', 'A B / ', 'A C / ']);
    expect(decisions[3].hold).not.toBeNull();
    expect(decisions[3].replaced).toEqual([{ edge: 'B', by: 'C' }]);
    expect(decisions[3].reasons.get('B')?.why).toContain('failed three times in a row, so C took its place');
    expect(decisions[3].notes.join('\n')).toContain('C took its place in spite of the rotation limit');
  });

  test.each([
    ['one edge that passes takes one place', { D: { v4: 0.5 } }, 'A C D / ', [{ edge: 'B', by: 'D' }]],
    [
      'two take a place each, the faster one first',
      { D: { v4: 0.6 }, E: { v4: 0.5 } },
      'A D E / ',
      [
        { edge: 'B', by: 'E' },
        { edge: 'C', by: 'D' },
      ],
    ],
  ])('two members failed three times in a row: %s', (_, spare: Edges, then, replaced) => {
    const start: Edges = { A: fine, B: fine, C: fine, ...spare };
    const gone: Edges = { ...start, B: dead, C: dead };
    const decisions = story([start, gone, gone, gone], { edgeCount: 3, maxfreq: 1 });
    expect(decisions.map(answered)).toEqual(['A B C / ', 'A B C / ', 'A B C / ', then]);
    expect(decisions[3].replaced).toEqual(replaced);
  });

  test('it stays where nothing that passes could take its place', () => {
    const start: Edges = { A: fine, B: fine };
    const gone: Edges = { A: fine, B: dead };
    const decisions = story([start, gone, gone, gone, gone], { edgeCount: 2, maxfreq: 1 });
    expect(decisions.map(answered)).toEqual(new Array(5).fill('A B / '));
  });

  test('one that comes back in time starts anew', () => {
    const start: Edges = { A: fine, B: fine, C: { v4: 0.5 } };
    const gone: Edges = { ...start, B: dead };
    const decisions = story([start, gone, gone, start, gone, gone], { edgeCount: 2, maxfreq: 1 });
    expect(decisions.map(answered)).toEqual(new Array(6).fill('A B / '));
  });

  test('the wait doubles with each fall, up to half an hour', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 50].map((falls) => waitAfter(falls, null))).toEqual([
      0, 60, 120, 240, 480, 960, 1800, 1800,
    ]);
  });

  test('edges that flap take no place from a live one until they have passed for a while', () => {
    // A is steady; B and C fail in turn.
    const rounds = Array.from({ length: 40 }, (_, i): Edges => {
      const failing = Math.floor(i / 2) % 2 === 0;
      return { A: fine, B: failing ? dead : { v4: 0.2 }, C: failing ? { v4: 0.3 } : dead };
    });
    const decisions = story(rounds, { edgeCount: 2, maxfreq: 100 });
    const changes = decisions.filter(({ outcome }) => outcome.kind === 'changed').length;
    expect(changes).toBeGreaterThan(1);
    expect(changes).toBeLessThan(8); // of twenty turns
    const last = decisions.at(-1);
    expect(last?.live.map(({ edge: name }) => name)).toContain('A');
    expect([...(last?.reasons.values() ?? [])].map(({ why }) => why).join('\n')).toContain('has failed repeatedly');
  });
});
