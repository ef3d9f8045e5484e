import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, decideFacts, factsOf } from '../../../src/health/choose/decide.ts';
import { NO_SAFETY } from '../../../src/health/choose/safety.ts';
import { uplinkState } from '../../../src/health/choose/safety-uplink.ts';
import { decodeRecord, encodeRecord } from '../../../src/health/state/history-log-record.ts';
import { canary, type EdgeWords, NOW, type RoundWords, round } from '../../support/round-input.ts';

const edges = fc.dictionary(
  fc.constantFrom(...'ABCDEF'),
  fc.record({ fetch: fc.constantFrom(0.1, 0.9, 10), mode: fc.constantFrom('available', 'force', 'unavailable') }),
  { minKeys: 1, noNullPrototype: true },
) as fc.Arbitrary<RoundWords['edges']>;

const failing: EdgeWords = { fetch: 10 };
const refs = (...passes: (boolean | null)[]) =>
  passes.map((one, i) => ({ name: `r${i}`, passes: one, detail: one === false ? 'timeout' : '' }));
const DOWN = refs(false, false);

test.each<[string, (boolean | null)[], boolean]>([
  ['all pass', [true, true], false],
  ['the only one fails', [false], true],
  ['half of them fail', [false, true], false],
  ['more than half fail', [false, false, true], true],
  ['of those that are known', [false, null, null], true],
  ['half of those that are known', [false, true, null], false],
  ['none is known', [null, null], false],
])('%s', (_, passes, inDoubt) => {
  expect(uplinkState(refs(...passes))?.inDoubt).toBe(inDoubt);
});

test('without references nothing is in doubt', () => {
  expect(uplinkState([])).toBeNull();
  expect(uplinkState(undefined)).toBeNull();
});

describe('with our own line in doubt', () => {
  const names = (words: RoundWords) =>
    decide(round(words))
      .live.map(({ edge }) => edge)
      .join('');

  test.each<[string, RoundWords, string]>([
    ['the set is kept', { edges: { A: failing, B: failing, C: failing }, last: 'AB', references: DOWN }, 'AB'],
    ['although others pass', { edges: { A: failing, B: failing, C: {} }, last: 'AB', references: DOWN }, 'AB'],
    [
      'also by fill: none',
      { edges: { A: failing, B: {} }, last: 'AB', references: DOWN, rules: { safety: { ...NO_SAFETY, fill: 'none' } } },
      'AB',
    ],
    [
      'and by min_up, whose share is not known',
      {
        edges: { A: failing, B: failing, C: {} },
        last: 'AB',
        references: DOWN,
        rules: { safety: { ...NO_SAFETY, minUp: { value: 2, percent: false }, below: 'all' } },
      },
      'AB',
    ],
    [
      'an operator takes an edge out',
      { edges: { A: { mode: 'unavailable' }, B: failing }, last: 'AB', references: DOWN },
      'B',
    ],
    ['an edge that is gone from the list leaves', { edges: { B: failing }, last: 'AB', references: DOWN }, 'B'],
    ['at a first start what passes is answered', { edges: { A: failing, B: {} }, references: DOWN }, 'B'],
    ['at a first start without any nothing is', { edges: { A: failing }, references: DOWN }, ''],
  ])('%s', (_, words, live) => {
    expect(names(words)).toBe(live);
  });

  test('what fails has no verdict; nothing is counted against it', () => {
    const words = { edges: { A: failing, B: {} }, last: 'AB' };
    const decision = decide(round({ ...words, references: DOWN }));
    expect(decision.verdicts.map(({ judgement }) => judgement)).toEqual([null, 'pass_threshold']);
    expect(decision.memory.unsteady.size).toBe(0);
    expect(decision.memory.misses.size).toBe(0);
    const without = decide(round(words));
    expect([without.memory.unsteady.size, without.memory.misses.size]).toEqual([1, 1]);
  });

  test('a judge that counts does not count it, nor later', () => {
    const rules = { judge: { kind: 'rise_fall', rise: 2, fall: 3 } } as const;
    const judged = new Map([['A', { up: true, count: 1, at: NOW - 61 }]]);
    const words: RoundWords = { edges: { A: failing, B: {} }, last: 'AB', memory: { judged }, rules };
    const doubtful = decide(round({ ...words, references: DOWN }));
    expect(doubtful.memory.judged.get('A')).toEqual({ up: true, count: 1, at: NOW - 1 });
    expect(doubtful.verdicts[0].position).toEqual({ count: 1, of: 3, towards: 'down' });
    expect(doubtful.verdicts[0].why).toContain('1 of 3 failures in a row (fall 3)');
    const again = decide(round({ ...words, memory: doubtful.memory }));
    expect(again.memory.judged.get('A')?.count).toBe(1);
    expect(decide(round(words)).memory.judged.get('A')?.count).toBe(2);
  });

  test('is said once for the set, and of each edge', () => {
    const decision = decide(round({ edges: { A: failing, B: failing, C: {} }, last: 'AB', references: DOWN }));
    const why = 'our own line is in doubt (2 of 2 references fail: r0 and r1)';
    expect(decision.notes).toEqual([
      `${why}: what fails is not believed, the set is kept`,
      'only 2 of 4 wanted edges are live',
    ]);
    expect(decision.reasons.get('A')?.why).toContain(`kept: unknown, because ${why}: fetch failed`);
    expect(decision.reasons.get('C')?.why).toContain(`but ${why}: the set is kept`);
    expect(decision.safety.uplink).toEqual({ inDoubt: true, known: 2, failing: ['r0', 'r1'] });
    expect(decision.outcome.kind).toBe('unchanged');
  });

  const X = '192.0.2.9';
  const active = { activeCanaries: [{ zone: 'x.test', address: X, victim: 'A' }] };
  const replaced = { activeCanaries: [{ zone: 'x.test', address: '192.0.2.10', victim: 'A' }] };
  test.each<[string, EdgeWords, RoundWords['memory'], boolean]>([
    ['a canary in use stays', failing, active, true],
    ['one that is not in use does not come', failing, {}, false],
    ['nor does one that passes', {}, {}, false],
    ['one that passes and is in use stays', {}, active, true],
    ['one that an operator forces comes', { mode: 'force' }, {}, true],
    ['one that an operator put in place of another comes', {}, replaced, true],
    ['one that an operator takes out goes', { ...failing, mode: 'unavailable' }, active, false],
  ])('%s', (_, words, memory, used) => {
    const canaries = [canary('x.test', X, words), canary('y.test', '192.0.2.8', failing)];
    const edges = { A: failing, B: failing };
    const decision = decide(
      round({ edges, last: 'AB', canaries, memory: memory ?? {}, references: DOWN, rules: { canaryKiller: 2 } }),
    );
    expect(decision.canaries[0].active !== null).toBe(used);
    expect(decision.notes.some((note) => note.includes('canary_killer'))).toBe(false);
  });

  test('at a first start a canary that passes comes', () => {
    const decision = decide(round({ edges: { A: {}, B: {} }, canaries: [canary('x.test', X)], references: DOWN }));
    expect(decision.live.map(({ edge }) => edge).sort()).toEqual(['A', 'B']);
    expect(decision.canaries.map(({ active }) => active?.address)).toEqual([X]);
  });

  test('references that pass change nothing', () => {
    fc.assert(
      fc.property(edges, fc.subarray([...'ABCDEF']), (told, last) => {
        const words = { edges: told, last: last.join('') };
        const { safety: _, ...usual } = decide(round(words));
        const { safety, ...guarded } = decide(round({ ...words, references: refs(true, true, false, null) }));
        expect(guarded).toEqual(usual);
        expect(safety.uplink?.inDoubt).toBe(false);
      }),
    );
  });

  test('no member leaves that may stay, whatever fails', () => {
    fc.assert(
      fc.property(edges, fc.subarray([...'ABCDEF']), fc.constantFrom('failing', 'none'), (told, last, fill) => {
        const rules = { maxfreq: 1000, safety: { ...NO_SAFETY, fill } } as const;
        const decision = decide(round({ edges: told, last: last.join(''), references: DOWN, rules }));
        const stay = last.filter((name) => name in told && told[name].mode !== 'unavailable');
        expect(decision.live.map(({ edge }) => edge)).toEqual(expect.arrayContaining(stay));
      }),
    );
  });
});

test('the history log has the references, so that a replay decides the same', () => {
  const facts = factsOf(round({ edges: { A: failing, B: {} }, last: 'AB', references: refs(false, null), now: NOW }));
  const decision = decideFacts(facts);
  const record = decodeRecord(encodeRecord(facts, decision));
  expect(record?.facts.references).toEqual(facts.references);
  expect(record === null ? null : decideFacts(record.facts).live).toEqual(decision.live);
  const usual = factsOf(round({ edges: { A: {} } }));
  const line = encodeRecord(usual, decideFacts(usual));
  expect(line).not.toContain('references');
  expect(decodeRecord(line)?.facts).not.toHaveProperty('references');
});
