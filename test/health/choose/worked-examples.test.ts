import { describe, expect, test } from 'vitest';
import { decide } from '../../../src/health/choose/decide.ts';
import type { Judgement } from '../../../src/health/judge/verdict.ts';
import { canary, type EdgeWords, type RoundWords, round } from '../../support/round-input.ts';

/** Worked examples of specification section 13 in their "Do" form; `lists` as in its "Fetches / modes" column. */
type Example = RoundWords & {
  readonly live: string;
  /** The live set became another, which counts as a rotation. */
  readonly rotates: boolean;
  readonly judged?: Readonly<Record<string, Judgement | null>>;
};

const ABCD: Record<string, EdgeWords> = { A: {}, B: {}, C: {}, D: {} };
const failing: EdgeWords = { fetch: 10 };

/** Edges that were never seen before this round. */
function fresh(fetches: Readonly<Record<string, number>>): Record<string, EdgeWords> {
  return Object.fromEntries(Object.entries(fetches).map(([name, fetch]) => [name, { fetch, history: null }]));
}

const EXAMPLES: Record<string, Example> = {
  'W1 a first round takes the four fastest': {
    edges: fresh({ A: 0.5, B: 0.1, C: 0.3, D: 0.2, E: 0.6, F: 0.4 }),
    live: 'BCDF',
    rotates: true,
    judged: { A: 'pass_threshold', E: 'pass_threshold' },
  },
  'W2 a faster outsider displaces nobody': {
    edges: { A: { fetch: 0.5 }, B: { fetch: 0.5 }, C: { fetch: 0.5 }, D: { fetch: 0.5 }, E: { fetch: 0.01 } },
    last: 'ABCD',
    live: 'ABCD',
    rotates: false,
  },
  'W3 a slowed edge gives way to the fastest outsider': {
    edges: { ...ABCD, D: { fetch: 0.9 }, E: { fetch: 0.3 }, F: { fetch: 0.1 } },
    last: 'ABCD',
    live: 'ABCF',
    rotates: true,
    judged: { D: 'pass_average' },
  },
  'W4 a slowed edge stays where the outsider is slower': {
    edges: { ...ABCD, D: { fetch: 0.9 }, E: { fetch: 5, history: 5 } },
    last: 'ABCD',
    live: 'ABCD',
    rotates: false,
    judged: { D: 'pass_average', E: 'pass' },
  },
  'W5 state goes before average': {
    edges: { ...ABCD, D: failing, E: { fetch: 0.65, history: 0.65 }, F: { fetch: 0.8, history: 0.1 } },
    last: 'ABCD',
    live: 'ABCE',
    rotates: true,
    judged: { D: 'fail', E: 'pass_threshold', F: 'pass_average' },
  },
  'W6 all failing keeps the set': {
    edges: { A: failing, B: failing, C: failing, D: failing, E: failing },
    last: 'ABCD',
    live: 'ABCD',
    rotates: false,
  },
  'W7 one passing outsider joins, the set stays four': {
    edges: { A: failing, B: failing, C: failing, D: failing, E: { fetch: 0.1 } },
    last: 'ABCD',
    live: 'ABCE',
    rotates: true,
  },
  'W8 failing members stay for lack of others': {
    edges: { A: { fetch: 0.1 }, B: failing, C: failing, D: failing, E: failing },
    last: 'ABCD',
    live: 'ABCD',
    rotates: false,
  },
  'W9 a short first set is published': {
    edges: fresh({ A: 0.1, B: 0.1, C: 0.1, D: 10 }),
    live: 'ABC',
    rotates: true,
    judged: { A: 'pass_threshold', D: 'fail' },
  },
  'W10 a forced edge takes a place': {
    edges: { ...ABCD, E: { mode: 'force' } },
    last: 'ABCD',
    live: 'ABCE',
    rotates: true,
  },
  'W10 a forced edge that fails does not': {
    edges: { ...ABCD, E: { mode: 'force', fetch: 10 } },
    last: 'ABCD',
    live: 'ABCD',
    rotates: false,
    judged: { E: 'fail' },
  },
  'W10 a forced edge that is slow does': {
    edges: { ...ABCD, E: { mode: 'force', fetch: 2, history: 1 } },
    last: 'ABCD',
    live: 'ABCE',
    rotates: true,
    judged: { E: 'pass' },
  },
  'W11 a blindforced edge is live though it fails': {
    edges: { ...ABCD, E: { mode: 'blindforce', fetch: 10 } },
    last: 'ABCD',
    live: 'ABCE',
    rotates: true,
    judged: { E: 'fail' },
  },
  'W12 all forced edges are published beyond N': {
    edges: {
      A: {},
      B: {},
      C: {},
      D: { mode: 'blindforce' },
      E: { mode: 'blindforce' },
      F: { mode: 'blindforce' },
      G: {},
    },
    rules: { edgeCount: 2 },
    last: 'AB',
    live: 'DEF',
    rotates: true,
  },
  'W12 and nobody else when a live edge fails': {
    edges: {
      A: failing,
      B: {},
      C: {},
      D: { mode: 'blindforce' },
      E: { mode: 'blindforce' },
      F: { mode: 'blindforce' },
      G: {},
    },
    rules: { edgeCount: 2 },
    last: 'AB',
    live: 'DEF',
    rotates: true,
  },
  'W13 an unavailable edge is replaced': {
    edges: { ...ABCD, A: { mode: 'unavailable' }, E: {} },
    last: 'ABCD',
    live: 'BCDE',
    rotates: true,
    judged: { A: null },
  },
  'W13 or leaves without a replacement': {
    edges: { ...ABCD, A: { mode: 'unavailable' }, E: failing },
    last: 'ABCD',
    live: 'BCD',
    rotates: true,
  },
  'W17 N lowered keeps the first by name of equals': {
    edges: ABCD,
    rules: { edgeCount: 3 },
    last: 'ABCD',
    live: 'ABC',
    rotates: true,
  },
  'W18 a short set is published as it is': {
    edges: { A: {}, B: {}, C: {} },
    last: 'ABC',
    live: 'ABC',
    rotates: false,
  },
  'W20 an unlisted edge leaves': {
    edges: { B: {}, C: {}, D: {}, E: {} },
    last: 'ABCD',
    live: 'BCDE',
    rotates: true,
  },
  'W21 equals are taken by name': {
    edges: fresh({ F: 0.2, E: 0.2, D: 0.2, C: 0.2, B: 0.2, A: 0.2 }),
    live: 'ABCD',
    rotates: true,
  },
};

describe('worked examples', () => {
  test.each(Object.entries(EXAMPLES))('%s', (_, { live, rotates, judged, ...words }) => {
    const input = round(words);
    const decision = decide(input);
    expect(decision.live.map((member) => member.edge).join('')).toBe(live);
    expect(decision.outcome.kind).toBe(rotates ? 'changed' : 'unchanged');
    expect(decision.memory.rotations).toEqual(rotates ? [input.now] : []);
    const judgements = new Map(decision.verdicts.map((verdict) => [verdict.edge, verdict.judgement]));
    for (const [name, judgement] of Object.entries(judged ?? {}))
      expect([name, judgements.get(name)]).toEqual([name, judgement]);

    const again = decide({ ...input, memory: decision.memory });
    expect(again.outcome).toEqual({ kind: 'unchanged' }); // W4, W10, W11: no repeated writes
    expect(again.live.map((member) => member.edge).join('')).toBe(live);
  });

  test('W7 then all recover: the fastest four by name stay', () => {
    const first = decide(round({ ...EXAMPLES['W7 one passing outsider joins, the set stays four'] }));
    const second = decide(round({ edges: { ...ABCD, E: {} }, memory: first.memory }));
    expect(second.live.map((member) => member.edge).join('')).toBe('ABCE');
    expect(second.outcome.kind).toBe('unchanged');
  });

  describe('W14 a canary for example.com, N=3', () => {
    const edges = { A: {}, B: {}, C: {} };
    const fetches: [string, EdgeWords, Judgement][] = [
      ['fast', { fetch: 0.2 }, 'pass_threshold'],
      ['slow now', { fetch: 0.9 }, 'pass_average'],
      ['slow always', { fetch: 2, history: 0.9 }, 'pass'],
    ];
    test.each(fetches)('%s: stands in for one edge, in its zone', (_, words, judgement) => {
      const input = round({
        edges,
        rules: { edgeCount: 3 },
        last: 'ABC',
        canaries: [canary('example.com', '192.0.2.9', words)],
      });
      const decision = decide(input);
      expect(decision.canaryVerdicts.map((verdict) => verdict.judgement)).toEqual([judgement]);
      expect(decision.outcome.kind).toBe('unchanged'); // no rotation
      expect(decision.memory.rotations).toEqual([]);
      const [used] = decision.canaries;
      expect(used).toMatchObject({ zone: 'example.com', changed: true, held: false });
      expect(used.active?.address).toBe('192.0.2.9');
      expect(['A', 'B', 'C']).toContain(used.active?.victim);

      const again = decide({ ...input, memory: decision.memory });
      expect(again.canaries[0].changed).toBe(false);
      expect(again.canaries[0].active).toEqual(used.active);

      // W15: no longer configured, the zone goes back to all three.
      const after = decide({ ...input, canaries: [], memory: decision.memory });
      expect(after.canaries).toEqual([expect.objectContaining({ zone: 'example.com', active: null, changed: true })]);
      expect(after.memory.activeCanaries).toEqual([]);
      expect(decide({ ...input, canaries: [], memory: after.memory }).canaries).toEqual([]);
    });
  });

  test('W16 three failing canaries condemn all eight, an unavailable one among them', () => {
    const canaries = Array.from({ length: 8 }, (_, i) =>
      canary(`zone${i}.example`, `192.0.2.${i}`, {
        fetch: i < 3 ? 10 : i === 7 ? 0.2 : null, // the killer cancelled the rest
        mode: i === 2 ? 'unavailable' : 'available',
      }),
    );
    const decision = decide(round({ edges: ABCD, last: 'ABCD', canaries, rules: { canaryKiller: 3 } }));
    expect(decision.canaryVerdicts.map((verdict) => verdict.judgement)).toEqual(new Array(8).fill('fail'));
    expect(decision.canaries.map((one) => one.active)).toEqual(new Array(8).fill(null));
    expect(decision.notes).toEqual(['no canary is used: 3 fail, canary_killer is 3']);
  });

  test('W19 deciding changes nothing that it was given', () => {
    const input = round({ edges: { ...ABCD, D: failing, E: {} }, last: 'ABCD' });
    const before = structuredClone(input);
    expect(decide(input).outcome).toEqual({ kind: 'changed', added: ['E'], removed: ['D'], moved: [] });
    expect(input).toEqual(before);
  });

  test('an edge in both lists is a canary only', () => {
    const decision = decide(
      round({ edges: { A: {}, B: {} }, canaries: [canary('example.com', 'B')], rules: { edgeCount: 2 } }),
    );
    expect(decision.live.map((member) => member.edge)).toEqual(['A']);
    expect(decision.notes).toContain('edge and canary at once, used as canary only: B');
    expect(decision.canaries[0].active).toEqual({ zone: 'example.com', address: 'B', victim: 'A' });
  });
});
