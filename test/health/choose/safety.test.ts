import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIVE_MAX } from '../../../src/config/limits.ts';
import { decide, decideFacts, factsOf } from '../../../src/health/choose/decide.ts';
import type { Decision } from '../../../src/health/choose/decision.ts';
import type { Memory } from '../../../src/health/choose/memory.ts';
import type { Rules } from '../../../src/health/choose/round.ts';
import { NO_SAFETY, type SafetyRules } from '../../../src/health/choose/safety.ts';
import { SET_MAX } from '../../../src/health/choose/safety-min-up.ts';
import { waitAfter } from '../../../src/health/choose/steadiness.ts';
import { replay } from '../../../src/health/explain/replay.ts';
import type { Addresses } from '../../../src/health/judge/edge.ts';
import { passes } from '../../../src/health/judge/judge.ts';
import type { Unsteady } from '../../../src/health/judge/verdict.ts';
import { decodeRecord, encodeRecord } from '../../../src/health/state/history-log-record.ts';
import { recordStory } from '../../support/recorded-story.ts';
import { type EdgeWords, NO_MEMORY, NOW, type RoundWords, round } from '../../support/round-input.ts';

const failing: EdgeWords = { fetch: 10 };
const NONE: Partial<Rules> = { safety: { ...NO_SAFETY, fill: 'none' } };

function names({ live }: Decision): string {
  return live.map(({ edge }) => edge).join('');
}

const MODES = ['available', 'available', 'available', 'force', 'blindforce', 'unavailable'] as const;

/** One edge in one round. */
const edgeWords: fc.Arbitrary<EdgeWords> = fc.record({
  fetch: fc.constantFrom(0.1, 0.2, 0.9, 5, 10, 10),
  mode: fc.constantFrom(...MODES),
  v4: fc.constantFrom('192.0.2.1', '192.0.2.1', null),
  v6: fc.constantFrom('2001:db8::1', null),
});

/** Some rounds of some of the edges A to G. */
const story = fc.array(fc.dictionary(fc.constantFrom(...'ABCDEFG'), edgeWords, { minKeys: 1, noNullPrototype: true }), {
  minLength: 1,
  maxLength: 8,
});

/** Decides the rounds a minute apart, each from what the one before remembers. */
function* play(told: readonly RoundWords['edges'][], rules: Partial<Rules>) {
  let memory: Memory = NO_MEMORY;
  for (const [i, edges] of told.entries()) {
    const decision = decide(round({ edges, rules, memory, now: NOW + 60 * i }));
    yield { edges, decision, before: memory };
    memory = decision.memory;
  }
}

describe('fill: none', () => {
  test.each<[string, RoundWords, string, string]>([
    [
      'a failing edge leaves with nobody to take its place',
      { edges: { A: {}, B: {}, C: failing }, last: 'ABC' },
      'AB',
      'ABC',
    ],
    ['one that passes again is back', { edges: { A: {}, B: {}, C: {} }, last: 'AB' }, 'ABC', 'ABC'],
    ['the last one that passes stays alone', { edges: { A: failing, B: failing, C: {} }, last: 'ABC' }, 'C', 'ABC'],
    ['none passes: the last set is kept', { edges: { A: failing, B: failing, C: failing }, last: 'AB' }, 'AB', 'AB'],
    ['the first that passes again replaces it', { edges: { A: failing, B: failing, C: {} }, last: 'AB' }, 'C', 'ABC'],
    [
      'blindforced edges are answered whatever they do',
      { edges: { A: {}, B: failing, C: { ...failing, mode: 'blindforce' } }, last: 'ABC' },
      'AC',
      'ABC',
    ],
    [
      'a blindforced edge that fails does not take the others out',
      { edges: { A: failing, B: failing, C: { ...failing, mode: 'blindforce' } }, last: 'ABC' },
      'ABC',
      'ABC',
    ],
    [
      'an edge that was never asked is not failing',
      { edges: { A: {}, B: { fetch: null, history: null }, C: failing }, last: 'ABC' },
      'AB',
      'ABC',
    ],
    [
      'a family in which none passes keeps its answer',
      { edges: { A: { v4: '192.0.2.1' }, B: { ...failing, v4: null, v6: '2001:db8::1' } }, last: 'AB' },
      'AB',
      'AB',
    ],
    [
      'a family in which one passes does not',
      {
        edges: { A: {}, B: { ...failing, v4: null, v6: '2001:db8::1' }, C: { v4: null, v6: '2001:db8::2' } },
        last: 'ABC',
      },
      'AC',
      'ABC',
    ],
  ])('%s', (_, words, live, usual) => {
    expect(names(decide(round({ ...words, rules: { ...words.rules, ...NONE } })))).toBe(live);
    expect(names(decide(round(words)))).toBe(usual);
  });

  test('is said: why an edge left, why places are empty, how many', () => {
    const decision = decide(round({ edges: { A: {}, B: {}, C: failing }, last: 'ABC', rules: NONE }));
    expect(decision.reasons.get('C')?.why).toContain('; by "fill: none" no failing edge takes an empty place');
    expect(decision.notes).toContain(
      'only 2 of 4 wanted edges are live; by "fill: none" failing edges do not take the other places',
    );
    expect(decision.safety.unfilled).toBe(1);
  });

  test('says nothing where it changes nothing', () => {
    const decision = decide(round({ edges: { A: {}, B: {} }, last: 'AB', rules: NONE }));
    expect(decision.safety.unfilled).toBe(0);
    expect(decision.notes).toEqual(['only 2 of 4 wanted edges are live']);
  });

  test('the rotation limit holds it', () => {
    const memory = { rotations: [NOW - 5, NOW - 4] };
    const words = { edges: { A: {}, B: failing }, last: 'AB', memory, rules: { ...NONE, maxfreq: 2 } };
    const decision = decide(round(words));
    expect(decision.outcome.kind).toBe('held');
    expect(decision.heldFailing).toEqual(['B']);
  });

  test('no failing edge is answered while another passes in its family', () => {
    fc.assert(
      fc.property(story, fc.integer({ min: 1, max: 5 }), (told, edgeCount) => {
        for (const { edges, decision } of play(told, { ...NONE, edgeCount, maxfreq: 1000 })) {
          const working = new Set(
            decision.verdicts.filter(({ judgement }) => passes(judgement)).map(({ edge }) => edge),
          );
          for (const family of ['v4', 'v6'] as const) {
            const some = Object.entries(edges).some(([name, words]) => working.has(name) && words[family] !== null);
            const wrong = decision.live.filter(
              (member) =>
                member[family] !== null && !working.has(member.edge) && edges[member.edge].mode !== 'blindforce',
            );
            if (some) expect(wrong).toEqual([]);
          }
        }
      }),
    );
  });

  test('no answer is empty while an edge passes or one of the last set may be answered', () => {
    fc.assert(
      fc.property(story, (told) => {
        for (const { edges, decision, before } of play(told, { ...NONE, maxfreq: 1000 })) {
          const fit = (name: string) => {
            const words = edges[name] as EdgeWords | undefined;
            return words !== undefined && words.mode !== 'unavailable' && (words.v4 !== null || words.v6 !== null);
          };
          const passing = decision.verdicts.filter(({ judgement }) => passes(judgement)).map(({ edge }) => edge);
          if ([...passing, ...before.lastLive].some(fit)) expect(decision.live).not.toEqual([]);
        }
      }),
    );
  });
});

test('rules that are all off are what is decided without safety rules', () => {
  fc.assert(
    fc.property(story, (told) => {
      const without = [...play(told, {})].map(({ decision }) => decision);
      expect([...play(told, { safety: NO_SAFETY })].map(({ decision }) => decision)).toEqual(without);
    }),
  );
});

describe('min_up', () => {
  const minUp = (value: number, below: 'keep' | 'all', rules: Partial<SafetyRules> = {}, percent = false) => ({
    safety: { ...NO_SAFETY, minUp: { value, percent }, below, ...rules },
  });
  const SIX: RoundWords['edges'] = { A: {}, B: {}, C: {}, D: {}, E: {}, F: {} };

  test.each<[string, RoundWords, string]>([
    ['as many as needed: as ever', { edges: { ...SIX, A: failing }, last: 'ABCD', rules: minUp(5, 'keep') }, 'BCDE'],
    ['one too few: the last set', { edges: { ...SIX, A: failing }, last: 'ABCD', rules: minUp(6, 'keep') }, 'ABCD'],
    [
      'a share is rounded up: three of six are half',
      { edges: { ...SIX, A: failing, B: failing, C: failing }, last: 'ABCD', rules: minUp(50, 'keep', {}, true) },
      'DEF' + 'A',
    ],
    [
      'a share is rounded up: three of six are not 51 %',
      { edges: { ...SIX, A: failing, B: failing, C: failing }, last: 'ABCD', rules: minUp(51, 'keep', {}, true) },
      'ABCD',
    ],
    [
      'unavailable edges do not count',
      { edges: { ...SIX, A: { mode: 'unavailable' }, B: failing }, last: 'BCDE', rules: minUp(80, 'keep', {}, true) },
      'CDEF',
    ],
    [
      'an unavailable member leaves all the same',
      { edges: { ...SIX, A: { mode: 'unavailable' }, B: failing }, last: 'ABCD', rules: minUp(5, 'keep') },
      'BCD',
    ],
    [
      'blindforced edges count as passing',
      { edges: { A: failing, B: { ...failing, mode: 'blindforce' }, C: {} }, last: 'AB', rules: minUp(2, 'keep') },
      'ABC',
    ],
    [
      'forced edges come in all the same',
      { edges: { ...SIX, A: failing, F: { mode: 'force' } }, last: 'ABCD', rules: minUp(6, 'keep') },
      'ABCDF',
    ],
    [
      'edges that were not asked yet do not count as failing',
      { edges: { A: failing, B: { fetch: null, history: null }, C: {} }, last: 'AB', rules: minUp(2, 'keep') },
      'ABC',
    ],
    [
      'no member of the last set passes: who passes joins it',
      { edges: { A: failing, B: failing, C: failing, D: {} }, last: 'ABC', rules: minUp(2, 'keep') },
      'ABCD',
    ],
    [
      'with nothing to keep it is decided as ever',
      { edges: { A: failing, B: {}, C: failing }, rules: minUp(3, 'keep') },
      'B',
    ],
    [
      'fill: none does not empty a set that is kept',
      { edges: { A: failing, B: {}, C: failing }, last: 'ABC', rules: minUp(2, 'keep', { fill: 'none' }) },
      'ABC',
    ],
    [
      'all: failing ones too, more than wanted',
      { edges: { ...SIX, A: failing, B: failing }, last: 'ABCD', rules: minUp(5, 'all') },
      'ABCDEF',
    ],
    [
      'all: without unavailable ones',
      { edges: { ...SIX, A: failing, B: { mode: 'unavailable' } }, last: 'ABCD', rules: minUp(5, 'all') },
      'ACDEF',
    ],
    ['all: also at first', { edges: { A: { ...failing, history: null }, B: {} }, rules: minUp(2, 'all') }, 'AB'],
  ])('%s', (_, words, live) => {
    expect(names(decide(round(words)))).toBe([...live].sort().join(''));
  });

  test('more edges than can be live: those that pass come first', () => {
    expect(SET_MAX).toBe(LIVE_MAX);
    const all = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`e${String(i).padStart(3, '0')}`, i < 70 ? failing : {}] as const),
    );
    const decision = decide(round({ edges: all, rules: minUp(50, 'all', {}, true) }));
    expect(decision.live).toHaveLength(64);
    expect(decision.live.filter(({ edge }) => edge >= 'e070')).toHaveLength(30);
  });

  test('is said of the set and of each edge', () => {
    const decision = decide(
      round({ edges: { A: failing, B: {}, C: failing, D: {} }, last: 'ABC', rules: minUp(3, 'keep') }),
    );
    const text = 'only 2 of at least 3 edges (min_up) pass: the last set is kept';
    expect(decision.notes).toContain(text);
    expect(decision.reasons.get('A')?.why).toContain(`${text}; fetch failed`);
    expect(decision.reasons.get('D')?.why).toMatch(/^passes \(.*\), but only 2 of at least 3 edges/);
    expect(decision.safety.minUp).toEqual({ needed: 3, up: 2, below: 'keep' });
    expect(decision.outcome.kind).toBe('unchanged');
  });

  test('addresses that were answered stay; a family in which none works gets one that does', () => {
    const both = { v4: '192.0.2.1', v6: '2001:db8::1' };
    const answered = new Map<string, Addresses>([
      ['A', both],
      ['B', { v4: '192.0.2.1', v6: null }],
    ]);
    const edges = { A: { ...both, ...failing }, B: both, C: failing };
    const decision = decide(round({ edges, last: 'AB', memory: { answered }, rules: minUp(3, 'keep') }));
    expect(decision.live.map(({ edge, v4, v6 }) => [edge, v4, v6])).toEqual([
      ['A', '192.0.2.1', '2001:db8::1'],
      ['B', '192.0.2.1', '2001:db8::1'],
    ]);
  });

  test('below it no member leaves unless an operator takes it out, and all means all', () => {
    fc.assert(
      fc.property(story, fc.integer({ min: 1, max: 6 }), fc.boolean(), (told, value, isAll) => {
        const rules = { ...minUp(value, isAll ? 'all' : 'keep'), maxfreq: 1000 };
        for (const { edges, decision, before } of play(told, rules)) {
          const fit = Object.entries(edges).flatMap(([name, { mode, v4, v6 }]) =>
            mode !== 'unavailable' && (v4 !== null || v6 !== null) ? [name] : [],
          );
          const below = decision.safety.minUp?.below ?? null;
          const live = decision.live.map(({ edge }) => edge);
          if (below === 'all') expect(live).toEqual([...fit].sort());
          if (below === 'keep')
            expect(live).toEqual(expect.arrayContaining(fit.filter((name) => before.lastLive.includes(name))));
          if (before.lastLive.some((name) => fit.includes(name))) expect(live).not.toEqual([]);
        }
      }),
    );
  });
});

describe('hold_up', () => {
  const holdUp = (seconds: number, fill: 'failing' | 'none' = 'none'): Partial<Rules> => ({
    safety: { ...NO_SAFETY, fill, holdUp: seconds },
  });
  /** Passing for so many seconds after so many falls. */
  const since = (seconds: number, falls = 1): Unsteady => ({
    falls,
    fails: 0,
    passingSince: NOW - seconds,
    at: NOW - 1,
  });
  /** Failing for the third time in a row. */
  const dead: Unsteady = { falls: 1, fails: 2, passingSince: null, at: NOW - 61 };
  const unsteady = (entries: Record<string, Unsteady>) => ({ unsteady: new Map(Object.entries(entries)) });

  test.each<[string, RoundWords, string]>([
    ['one that passes for too short a time', { edges: { A: {}, B: {} }, memory: unsteady({ B: since(59) }) }, 'A'],
    ['one that passes long enough', { edges: { A: {}, B: {} }, memory: unsteady({ B: since(60) }) }, 'AB'],
    ['twice as long after a second fall', { edges: { A: {}, B: {} }, memory: unsteady({ B: since(119, 2) }) }, 'A'],
    ['and no longer', { edges: { A: {}, B: {} }, memory: unsteady({ B: since(120, 2) }) }, 'AB'],
    ['each for itself', { edges: { A: {}, B: {}, C: {} }, memory: unsteady({ B: since(70, 2), C: since(70) }) }, 'AC'],
    ['first start: none is held', { edges: { A: {}, B: {} } }, 'AB'],
    [
      'a member of the last set stays',
      { edges: { A: {}, B: {} }, last: 'AB', memory: unsteady({ B: since(9) }) },
      'AB',
    ],
    [
      'where no other passes it is live at once',
      { edges: { A: failing, B: {} }, last: 'A', memory: unsteady({ B: since(9) }) },
      'B',
    ],
    [
      'also beside members that fail',
      { edges: { A: failing, B: {} }, last: 'A', memory: unsteady({ B: since(9) }), rules: holdUp(60, 'failing') },
      'AB',
    ],
    [
      'it takes the place of a member that fails for good, and no empty one',
      {
        edges: { A: {}, B: failing, C: {}, D: {} },
        last: 'AB',
        memory: unsteady({ B: dead, C: since(9), D: since(8) }),
        rules: holdUp(60, 'failing'),
      },
      'ABC',
    ],
    [
      'an operator lets it in',
      { edges: { A: {}, B: { mode: 'force' }, C: {} }, memory: unsteady({ B: since(9), C: since(9) }) },
      'AB',
    ],
  ])('%s', (_, words, live) => {
    expect(names(decide(round({ ...words, rules: { ...holdUp(60), ...words.rules } })))).toBe(live);
  });

  test('is said of the edge, of the set and in figures', () => {
    const decision = decide(
      round({ edges: { A: {}, B: {} }, last: 'A', memory: unsteady({ B: since(20, 2) }), rules: holdUp(60) }),
    );
    expect(decision.reasons.get('B')?.why).toMatch(
      /^passes again \(.*\), but must pass for 120 s after it fell 2 times \(hold_up\), so it returns at \S+ if it goes on passing$/,
    );
    expect(decision.notes).toContain('not live yet by hold_up, although they pass: B');
    expect(decision.safety).toMatchObject({ heldUp: ['B'], unfilled: 0 });
  });

  test.each([
    ['60 s, doubled up to half an hour', 60, [0, 60, 120, 240, 480, 960, 1800, 1800]],
    ['an hour, not doubled', 3600, [0, 3600, 3600]],
    ['not set: the usual damping', null, [0, 0, 60, 120]],
  ] as const)('%s', (_, seconds, waits) => {
    expect(waits.map((_, falls) => waitAfter(falls, seconds))).toEqual(waits);
  });

  test('an outage and a second one, as recorded and read back', () => {
    const round = (b: number) => ({ fetches: { A: 0.1, B: b } });
    const told = [0.1, 10, 0.1, 0.1, 0.1, 10, 0.1, 0.1, 0.1, 0.1].map(round);
    const records = recordStory(told, { ...holdUp(120), edgeCount: 2 });
    expect(records.map(({ decided }) => decided.live.join(''))).toEqual([
      'AB',
      'A',
      'A',
      'A',
      'AB',
      'A',
      'A',
      'A',
      'A',
      'A',
    ]);
    expect(replay(records, {}).differingRounds).toBe(0);
  });
});

describe('below: fallback', () => {
  const SPARE = [
    { edge: '127.0.0.8', v4: '127.0.0.8', v6: null, why: 'still healthy' },
    { edge: '127.0.0.9', v4: '127.0.0.9', v6: '::9', why: 'still healthy' },
  ];
  const rules: Partial<Rules> = {
    safety: { ...NO_SAFETY, minUp: { value: 2, percent: false }, below: 'fallback', fallback: 'spare' },
  };
  const words: RoundWords = { edges: { A: failing, B: failing, C: {} }, last: 'AB', rules };
  const members = (decision: Decision) => decision.live.map(({ edge }) => edge);

  test('the set of the other network is answered, with its addresses', () => {
    const decision = decide(round({ ...words, fallback: SPARE }));
    expect(decision.live.map(({ edge, v4, v6 }) => [edge, v4, v6])).toEqual([
      ['127.0.0.8', '127.0.0.8', null],
      ['127.0.0.9', '127.0.0.9', '::9'],
    ]);
    const text = 'only 1 of at least 2 edges (min_up) passes: spare answers instead';
    expect(decision.notes).toContain(text);
    expect(decision.reasons.get('127.0.0.8')?.why).toBe(`${text}; live in spare: still healthy`);
    expect(decision.families).toEqual({ v4: 'passing', v6: 'passing' });
    expect(decision.memory.borrowed).toEqual(['127.0.0.8', '127.0.0.9']);
    expect(decision.safety.minUp).toMatchObject({ below: 'fallback' });
  });

  test('with enough edges again ours answer; what was borrowed is not called unlisted', () => {
    const before = decide(round({ ...words, fallback: SPARE.slice(0, 1) })).memory;
    const decision = decide(round({ edges: { A: {}, B: {}, C: {} }, rules, memory: before, fallback: [] }));
    expect(members(decision)).toEqual(['A', 'B', 'C']);
    expect(decision.notes).toEqual(['only 3 of 4 wanted edges are live']);
    expect(decision.memory.borrowed).toBeUndefined();
  });

  test('it follows the other network', () => {
    const before = decide(round({ ...words, fallback: SPARE })).memory;
    const decision = decide(round({ ...words, memory: before, fallback: SPARE.slice(1) }));
    expect(members(decision)).toEqual(['127.0.0.9']);
    expect(decision.notes.some((note) => note.includes('no longer in the edge list'))).toBe(false);
  });

  test.each([
    ['none is known', null],
    ['it is empty', []],
  ])('without a set there our own is kept: %s', (_, fallback) => {
    const decision = decide(round({ ...words, fallback }));
    expect(members(decision)).toContain('A');
    expect(members(decision)).toContain('B');
    expect(decision.safety.minUp?.below).toBe('keep');
  });

  test('an edge of both networks is answered as such; forced ones of ours come too', () => {
    const edges: RoundWords['edges'] = { A: failing, '127.0.0.8': failing, C: { mode: 'force' } };
    expect(members(decide(round({ ...words, edges, fallback: SPARE })))).toEqual(['127.0.0.8', '127.0.0.9', 'C']);
  });

  test('the rotation limit: a set in which some pass is held, a dead one is not', () => {
    const memory = { rotations: [NOW - 5] };
    const limited = { ...words, rules: { ...rules, maxfreq: 1 }, memory, fallback: SPARE.slice(0, 1) };
    expect(members(decide(round({ ...limited, last: 'AC' })))).toEqual(['A', 'C']);
    expect(members(decide(round({ ...limited, last: 'AB' })))).toEqual(['127.0.0.8']);
  });

  describe('a set that is no better', () => {
    const doubt = { fallback: SPARE, fallbackDoubt: 'no live edge of spare passes' };
    const text = 'spare does not answer instead, because no live edge of spare passes';

    test('is not borrowed while one of ours passes, and it is said why', () => {
      const decision = decide(round({ ...words, last: 'AC', ...doubt }));
      expect(members(decision)).toEqual(['A', 'C']);
      expect(decision.notes).toContain(`only 1 of at least 2 edges (min_up) passes: the last set is kept, ${text}`);
      expect(decision.reasons.get('C')?.why).toContain(text);
    });

    test('is given back when it becomes so', () => {
      const { memory } = decide(round({ ...words, fallback: SPARE }));
      const decision = decide(round({ ...words, memory, ...doubt }));
      expect(members(decision)).toEqual(['C']);
      expect(decision.notes).toContain(`only 1 of at least 2 edges (min_up) passes: ${text}`);
    });

    test('is borrowed where none of ours passes either', () => {
      const decision = decide(round({ ...words, edges: { A: failing, B: failing }, ...doubt }));
      expect(members(decision)).toEqual(['127.0.0.8', '127.0.0.9']);
      expect(decision.notes[0]).toContain('spare answers instead, although no live edge of spare passes');
    });

    test('says nothing while enough of ours pass', () => {
      const decision = decide(round({ ...words, edges: { A: {}, B: {} }, ...doubt }));
      expect(decision.notes.join()).not.toContain('spare');
    });

    test('as recorded and read back', () => {
      const facts = factsOf(round({ ...words, ...doubt }));
      const record = decodeRecord(encodeRecord(facts, decideFacts(facts)));
      expect(record?.facts.fallbackDoubt).toBe(doubt.fallbackDoubt);
      expect(record === null ? [] : decideFacts(record.facts).notes).toEqual(decideFacts(facts).notes);
    });
  });

  describe('our own line in doubt while it is borrowed', () => {
    const references = [{ name: 'gateway', passes: false, detail: 'timeout' }];
    const { memory } = decide(round({ ...words, fallback: SPARE }));

    test.each([
      ['as it was', SPARE],
      ['smaller since', SPARE.slice(1)],
      ['gone', null],
    ])('what is answered is kept, the other set is %s', (_, fallback) => {
      const decision = decide(round({ ...words, memory, fallback, references }));
      expect(decision.outcome).toEqual({ kind: 'unchanged' });
      expect(decision.live.map(({ edge, v4, v6 }) => [edge, v4, v6])).toEqual(SPARE.map((m) => [m.edge, m.v4, m.v6]));
      expect(decision.memory.borrowed).toEqual(['127.0.0.8', '127.0.0.9']);
      expect(decision.reasons.get('127.0.0.8')?.why).toMatch(/^kept, because our own line is in doubt/);
    });

    test('also where the configuration names no other network any more', () => {
      const decision = decide(round({ ...words, rules: {}, memory, references }));
      expect(members(decision)).toEqual(['127.0.0.8', '127.0.0.9']);
    });
  });

  test('a fallback that the configuration no longer names is left as soon as one of ours passes', () => {
    const { memory } = decide(round({ ...words, fallback: SPARE }));
    expect(members(decide(round({ ...words, rules: {}, memory })))).toEqual(['C']);
  });

  test('as recorded and read back', () => {
    const memory = decide(round({ ...words, fallback: SPARE })).memory;
    const facts = factsOf(round({ ...words, memory, fallback: SPARE }));
    const decision = decideFacts(facts);
    const record = decodeRecord(encodeRecord(facts, decision));
    expect(record?.facts.fallback).toEqual(SPARE);
    expect(record?.facts.memory.borrowed).toEqual(memory.borrowed);
    expect(record === null ? null : members(decideFacts(record.facts))).toEqual(members(decision));
  });
});

describe('what an operator who forces an update goes past', () => {
  const held = { rotations: [NOW - 30] };
  const waits: Unsteady = { falls: 1, fails: 0, passingSince: NOW - 9, at: NOW - 1 };
  const down = { name: 'tcp', passes: false, detail: 'refused' };
  test.each<[string, RoundWords, string, string]>([
    [
      'the limit of rotations',
      { edges: { A: {}, B: failing, C: {} }, last: 'AB', memory: held, rules: { edgeCount: 2, maxfreq: 1 } },
      'AB',
      'AC',
    ],
    [
      'not hold_up',
      {
        edges: { A: {}, B: {} },
        last: 'A',
        memory: { unsteady: new Map([['B', waits]]) },
        rules: { edgeCount: 2, safety: { ...NO_SAFETY, holdUp: 60 } },
      },
      'A',
      'A',
    ],
    [
      'not min_up',
      {
        edges: { A: {}, B: failing, C: {} },
        last: 'AB',
        rules: { edgeCount: 2, safety: { ...NO_SAFETY, minUp: { value: 3, percent: false } } },
      },
      'AB',
      'AB',
    ],
    [
      'not the uplink guard',
      { edges: { A: failing, B: {} }, last: 'A', rules: { edgeCount: 1 }, references: [down] },
      'A',
      'A',
    ],
    ['not a mode', { edges: { A: {}, B: { mode: 'unavailable' } }, last: 'A', rules: { edgeCount: 2 } }, 'A', 'A'],
  ])('%s', (_, words, without, forced) => {
    expect(names(decide(round(words)))).toBe(without);
    expect(names(decide(round({ ...words, operatorChange: true })))).toBe(forced);
  });
});
