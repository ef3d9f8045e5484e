import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, factsOf } from '../../../src/health/choose/decide.ts';
import type { Decision } from '../../../src/health/choose/decision.ts';
import type { Scope } from '../../../src/health/choose/round.ts';
import { explain } from '../../../src/health/explain/explain.ts';
import { explanationText } from '../../../src/health/explain/text.ts';
import { passes } from '../../../src/health/judge/judge.ts';
import { decodeRecord, encodeRecord } from '../../../src/health/state/history-log-record.ts';
import { type EdgeWords, NOW, type RoundWords, round } from '../../support/round-input.ts';

const FAILING: EdgeWords = { fetch: 10 };
/** Passes, but by its average only: in a full turn a faster outsider displaces it. */
const SLOW: EdgeWords = { fetch: 1 };
/** Passes at the worst judgement. */
const SLOWEST: EdgeWords = { fetch: 5, history: 5 };

function liveIn(scope: Scope, words: RoundWords): string {
  return live(decide(round({ ...words, scope })));
}

function live(decision: Decision): string {
  return decision.live.map(({ edge }) => edge).join('');
}

function why(decision: Decision, edge: string): string {
  return decision.reasons.get(edge)?.why ?? '';
}

describe('between two turns', () => {
  const five = { A: {}, B: {}, C: {}, D: {}, E: {} };
  const cases: readonly (readonly [string, RoundWords, string, string])[] = [
    ['a slower member that passes stays', { last: 'ABCD', edges: { ...five, D: SLOW } }, 'ABCE', 'ABCD'],
    ['one at the worst passing judgement stays', { last: 'ABCD', edges: { ...five, D: SLOWEST } }, 'ABCE', 'ABCD'],
    ['a failing member leaves', { last: 'ABCD', edges: { ...five, D: FAILING } }, 'ABCE', 'ABCE'],
    [
      'a failing one leaves and a slow one stays',
      { last: 'ABCD', edges: { ...five, C: SLOW, D: FAILING, F: {} } },
      'ABEF',
      'ABCE',
    ],
    ['a missing place is filled by the best', { last: 'ABC', edges: { ...five, D: SLOW } }, 'ABCE', 'ABCE'],
    [
      'a missing place is filled without ranking the others',
      { last: 'AB', rules: { edgeCount: 3 }, edges: { A: SLOWEST, B: SLOW, C: {}, D: {} } },
      'BCD',
      'ABC',
    ],
    [
      'a failing member is kept where nobody passes in its place',
      { last: 'ABCD', edges: { A: {}, B: SLOW, C: {}, D: FAILING, E: FAILING } },
      'ABCD',
      'ABCD',
    ],
    [
      'a forced edge takes a place at once',
      { last: 'ABCD', edges: { ...five, D: SLOW, E: { mode: 'force' } } },
      'ABCE',
      'ABCE',
    ],
    [
      'a blindforced one, too, though it fails',
      { last: 'ABCD', edges: { ...five, C: SLOW, E: { ...FAILING, mode: 'blindforce' } } },
      'ABDE',
      'ABDE',
    ],
    [
      'an unavailable member leaves',
      { last: 'ABCD', edges: { ...five, A: { mode: 'unavailable' }, D: SLOW } },
      'BCDE',
      'BCDE',
    ],
    ['first of all, the best are chosen', { edges: { ...five, A: SLOWEST } }, 'BCDE', 'BCDE'],
  ];
  test.each(cases)('%s', (_, words, inTurn, inEvent) => {
    expect(liveIn('turn', words)).toBe(inTurn);
    expect(liveIn('event', words)).toBe(inEvent);
  });

  test('the turn that follows ranks again', () => {
    const words = { edges: { ...five, D: SLOW } };
    const event = decide(round({ ...words, last: 'ABCD', scope: 'event' }));
    const turn = decide({ ...round(words), memory: event.memory, scope: 'turn' });
    expect([live(event), live(turn)]).toEqual(['ABCD', 'ABCE']);
  });

  test('the rotation limit holds a failing member as in a turn, until it has failed three times', () => {
    const memory = { rotations: [NOW - 5] };
    const words = { last: 'ABCD', memory, rules: { maxfreq: 1 }, edges: { ...five, C: SLOW, D: FAILING } };
    const held = decide(round({ ...words, scope: 'event' }));
    expect([live(held), held.outcome.kind, held.heldFailing]).toEqual(['ABCD', 'held', ['D']]);
    const dead = { ...memory, misses: new Map([['D 192.0.2.1', { count: 2, at: NOW - 60 }]]) };
    const replaced = decide(round({ ...words, memory: dead, scope: 'event' }));
    expect([live(replaced), replaced.replaced]).toEqual(['ABCE', [{ edge: 'D', by: 'E' }]]);
  });

  test('reasons say that ranking waits', () => {
    const decision = decide(round({ last: 'ABCD', scope: 'event', edges: { ...five, D: SLOW } }));
    expect(why(decision, 'D')).toMatch(/^still passing; ranking waits for the turn: last 1\.000 s ≥ goodenough/);
    expect(why(decision, 'A')).toMatch(/^still healthy: /);
    expect(why(decision, 'E')).toContain('all 4 places are taken by edges that still pass; ranking waits for the turn');
  });

  test('a recorded event is explained as what it was, and supposes a turn', () => {
    const facts = factsOf(round({ last: 'ABCD', scope: 'event', edges: { ...five, D: SLOW } }));
    const decision = decide(round({ last: 'ABCD', scope: 'event', edges: { ...five, D: SLOW } }));
    const record = decodeRecord(encodeRecord(facts, decision));
    if (record === null) throw new Error('not a record');
    const explanation = explain([record], { only: 'E', interval: 60 });
    expect(explanation).toMatchObject({ scope: 'event', live: ['A', 'B', 'C', 'D'] });
    expect(explanation?.edges[0].prospects?.map(({ text }) => text)).toEqual([
      'will be live in the next round, if nothing changes before',
    ]);
    if (explanation !== null) {
      expect(explanationText(explanation)).toContain('between two turns: only edges that fail leave');
      expect(explanationText({ ...explanation, scope: 'turn' })).not.toContain('between two turns');
    }
  });

  const EDGE = fc.record({
    fetch: fc.constantFrom(null, 0.1, 0.3, 0.9, 3, 9, 10),
    history: fc.constantFrom(0.2, 0.5, 2, 8),
    mode: fc.constantFrom('available' as const, 'available' as const, 'force' as const, 'unavailable' as const),
  });
  test('no member that passes ever leaves, unless forced edges need its place', () => {
    fc.assert(
      fc.property(
        fc.array(EDGE, { minLength: 1, maxLength: 10 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 1023 }),
        fc.constantFrom(0, 1, 10),
        (words, edgeCount, lastBits, maxfreq) => {
          const names = words.map((_, i) => 'ABCDEFGHIJ'[i]);
          const last = names.filter((_, i) => (lastBits >> i) % 2 === 1).slice(0, edgeCount);
          const edges = Object.fromEntries(names.map((name, i) => [name, words[i]]));
          const input = round({
            edges,
            last: last.join(''),
            rules: { edgeCount, maxfreq },
            memory: { rotations: [NOW - 9] },
            scope: 'event',
          });
          const decision = decide(input);
          const judged = new Map(decision.verdicts.map((verdict) => [verdict.edge, verdict.judgement]));
          const isPassing = (name: string): boolean => passes(judged.get(name) ?? null);
          const gone = last.filter((name) => isPassing(name) && !live(decision).includes(name));
          const forcedIn = names.filter(
            (name) => edges[name].mode === 'force' && isPassing(name) && !last.includes(name),
          );
          expect(gone.length).toBeLessThanOrEqual(forcedIn.length);
        },
      ),
    );
  });
});
