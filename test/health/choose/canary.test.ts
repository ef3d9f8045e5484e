import { describe, expect, test } from 'vitest';
import { drawVictim } from '../../../src/health/choose/canary-victim.ts';
import { decide } from '../../../src/health/choose/decide.ts';
import type { CanaryDecision } from '../../../src/health/choose/decision.ts';
import type { Judgement } from '../../../src/health/judge/verdict.ts';
import { canary, type EdgeWords, NOW, type RoundWords, round } from '../../support/round-input.ts';

const ABC: Record<string, EdgeWords> = { A: {}, B: {}, C: {} };
const X = '192.0.2.9';
const inUse = { zone: 'example.com', address: X, victim: 'B' };
const base = { edges: ABC, last: 'ABC', rules: { edgeCount: 3 } } satisfies RoundWords;

function decideOne(words: Partial<RoundWords>): CanaryDecision {
  const { canaries } = decide(round({ ...base, ...words }));
  expect(canaries).toHaveLength(1);
  return canaries[0];
}

describe('which canaries serve', () => {
  const judgements: [Judgement | 'unavailable' | 'never fetched', EdgeWords, boolean][] = [
    ['pass_threshold', { fetch: 0.2 }, true],
    ['pass_window', { fetch: 1, history: { times: [NOW - 100, NOW - 50], seconds: [0.1, 0.1] } }, true],
    ['pass_average', { fetch: 0.9 }, true],
    ['pass', { fetch: 2, history: 0.9 }, true],
    ['fail', { fetch: 10 }, false],
    ['unavailable', { fetch: 0.2, mode: 'unavailable' }, false],
    ['never fetched', { fetch: null, history: null }, false],
  ];
  test.each(judgements)('%s', (judgement, words, used) => {
    const decision = decide(round({ ...base, canaries: [canary('example.com', X, words)] }));
    expect(decision.canaryVerdicts[0].judgement).toBe(
      judgement.startsWith('pass') || judgement === 'fail' ? judgement : null,
    );
    expect(decision.canaries[0].active !== null).toBe(used);
    expect(decision.outcome.kind).toBe('unchanged');
  });

  test.each(['force', 'blindforce'] as const)('%s means nothing to a canary', (mode) => {
    const decision = decide(round({ ...base, canaries: [canary('example.com', X, { fetch: 10, mode })] }));
    expect(decision.canaries[0].active).toBeNull();
    expect(decision.live.map(({ edge }) => edge)).toEqual(['A', 'B', 'C']);
  });
});

describe('when something changed for a zone', () => {
  const rows: [string, Partial<RoundWords>, Partial<CanaryDecision>, number][] = [
    ['newly used', { canaries: [canary('example.com', X)] }, { changed: true }, 1],
    [
      'still used',
      { canaries: [canary('example.com', X)], memory: { activeCanaries: [inUse] } },
      { changed: false, active: inUse },
      0,
    ],
    [
      'dropped',
      { canaries: [canary('example.com', X, { fetch: 10 })], memory: { activeCanaries: [inUse] } },
      { changed: true, active: null },
      1,
    ],
    ['still not used', { canaries: [canary('example.com', X, { fetch: 10 })] }, { changed: false, active: null }, 0],
    [
      'replaced',
      { canaries: [canary('example.com', '192.0.2.8')], memory: { activeCanaries: [inUse] } },
      { changed: true, active: { ...inUse, address: '192.0.2.8' } },
      1,
    ],
    [
      'replaced by one that fails',
      { canaries: [canary('example.com', '192.0.2.8', { fetch: 10 })], memory: { activeCanaries: [inUse] } },
      { changed: true, active: null },
      1,
    ],
    ['unconfigured', { memory: { activeCanaries: [inUse] } }, { changed: true, active: null, address: X }, 1],
    [
      'its victim unknown, as in state taken over from edgemanage: drawn, no change of the canary',
      { canaries: [canary('example.com', X)], memory: { activeCanaries: [{ ...inUse, victim: null }] } },
      { changed: true },
      0,
    ],
  ];
  test.each(rows)('%s', (_, words, expected, counted) => {
    expect(decideOne(words)).toMatchObject({ zone: 'example.com', held: false, ...expected });
    const { memory } = decide(round({ ...base, ...words }));
    expect(memory.canaryRotations.get('example.com') ?? []).toEqual(counted === 1 ? [NOW] : []);
    expect(memory.rotations).toEqual([]);
  });

  test('the victim stays while it is live and is redrawn when it leaves', () => {
    const canaries = [canary('example.com', X)];
    const memory = { activeCanaries: [inUse] };
    expect(decideOne({ canaries, memory }).active).toEqual(inUse);
    const without = decideOne({
      canaries,
      memory: { ...memory, lastLive: [...'ABC'] },
      edges: { ...ABC, B: { mode: 'unavailable' } },
    });
    expect(['A', 'C']).toContain(without.active?.victim);
    expect(without.changed).toBe(true);
  });

  test('one live edge and a canary: the canary alone', () => {
    const decision = decideOne({ edges: { A: {} }, last: 'A', canaries: [canary('example.com', X)] });
    expect(decision.active).toEqual({ zone: 'example.com', address: X, victim: 'A' });
  });

  test('without anything to publish canaries stay as they are', () => {
    const edges = { A: { mode: 'unavailable' } } as const;
    const memory = { lastLive: ['A'], activeCanaries: [inUse] };
    expect(decideOne({ edges, memory, canaries: [canary('example.com', X, { fetch: 10 })] })).toMatchObject({
      active: inUse,
      changed: false,
    });
    const unused = decide(round({ ...base, edges, memory: { lastLive: ['A'] }, canaries: [canary('example.com', X)] }));
    expect(unused.canaries[0].active).toBeNull();
    expect(unused.outcome.kind).toBe('empty');
    expect(unused.memory.lastLive).toEqual(['A']);
    expect(unused.notes[0]).toBe('no edge is fit to be live; what was published stays: A');
  });
});

describe('the limit of a zone', () => {
  const young = [NOW - 500, NOW - 400];
  const reached = { canaryRotations: new Map([['example.com', young]]) };
  const rules = { edgeCount: 3, maxfreq: 2 };
  const passing = [canary('example.com', X)];
  const failing = [canary('example.com', X, { fetch: 10 })];
  const allFail = { A: { fetch: 10 }, B: { fetch: 10 }, C: { fetch: 10 } };

  const rows: [string, Partial<RoundWords>, boolean, boolean][] = [
    ['a passing canary is held out', { canaries: passing, memory: reached }, false, true],
    ['a failing one is held in', { canaries: failing, memory: { ...reached, activeCanaries: [inUse] } }, true, true],
    [
      'one change is old by now',
      { canaries: passing, memory: { canaryRotations: new Map([['example.com', [NOW - 600, NOW - 1]]]) } },
      true,
      false,
    ],
    [
      'another zone changed',
      { canaries: passing, memory: { canaryRotations: new Map([['example.net', young]]) } },
      true,
      false,
    ],
    ['an operator changed a mode', { canaries: passing, memory: reached, operatorChange: true }, true, false],
    [
      'the canary itself was made unavailable',
      {
        canaries: [canary('example.com', X, { mode: 'unavailable' })],
        memory: { ...reached, activeCanaries: [inUse] },
      },
      false,
      false,
    ],
    ['no live edge passes, the canary does', { canaries: passing, memory: reached, edges: allFail }, true, false],
    [
      'the canary fails and stands in for the only passing edge',
      { canaries: failing, memory: { ...reached, activeCanaries: [inUse] }, edges: { ...allFail, B: {} } },
      false,
      false,
    ],
    [
      'the canary fails, another edge passes besides its victim',
      { canaries: failing, memory: { ...reached, activeCanaries: [inUse] }, edges: { ...allFail, A: {}, B: {} } },
      true,
      true,
    ],
  ];
  test.each(rows)('%s', (_, words, used, held) => {
    const decision = decideOne({ rules, ...words });
    expect({ used: decision.active !== null, held: decision.held }).toEqual({ used, held });
    if (held) expect(decision.why).toContain('(dnschange_maxfreq 2) hold it until 2023-11-14T22:15:00Z');
  });

  test('changes of a zone add up, and old ones are forgotten', () => {
    const memory = {
      canaryRotations: new Map([
        ['example.com', [NOW - 700, NOW - 20]],
        ['gone.example', [NOW - 601]],
      ]),
    };
    const after = decide(round({ ...base, rules, canaries: passing, memory })).memory.canaryRotations;
    expect([...after]).toEqual([['example.com', [NOW - 20, NOW]]]);
  });
});

describe('canary_killer', () => {
  const three = (fetches: readonly (number | null)[], mode: 'available' | 'unavailable' = 'available') =>
    fetches.map((fetch, i) => canary(`zone${i}.example`, `192.0.2.${i}`, i === 0 ? { fetch, mode } : { fetch }));
  const used = (words: Partial<RoundWords>) =>
    decide(round({ ...base, ...words })).canaries.filter(({ active }) => active !== null).length;

  test.each([
    ['fewer than K fail', { canaries: three([10, 0.2, 0.2]), rules: { canaryKiller: 2 } }, 2],
    ['K fail', { canaries: three([10, 10, 0.2]), rules: { canaryKiller: 2 } }, 0],
    ['off', { canaries: three([10, 10, 0.2]), rules: { canaryKiller: 0 } }, 1],
    ['an unavailable one counts', { canaries: three([10, 10, 0.2], 'unavailable'), rules: { canaryKiller: 2 } }, 0],
    [
      'failing edges do not count',
      {
        edges: { ...ABC, D: { fetch: 10 }, E: { fetch: 10 } },
        canaries: three([10, 0.2, 0.2]),
        rules: { canaryKiller: 2 },
      },
      2,
    ],
    [
      'one address for two zones counts once',
      {
        canaries: [
          canary('a.example', X, { fetch: 10 }),
          canary('b.example', X, { fetch: 10 }),
          canary('c.example', '192.0.2.1'),
        ],
        rules: { canaryKiller: 2 },
      },
      1,
    ],
  ] satisfies [string, Partial<RoundWords>, number][])('%s', (_, words, count) => {
    expect(used(words)).toBe(count);
  });

  test('says so in every verdict', () => {
    const { canaryVerdicts } = decide(round({ ...base, canaries: three([10, 10, 0.2]), rules: { canaryKiller: 2 } }));
    expect(canaryVerdicts[2].why).toBe(
      'judged with all canaries: 2 fail ≥ canary_killer 2; last 0.200 s < goodenough 0.700 s',
    );
  });
});

describe('drawVictim', () => {
  const live = ['A', 'B', 'C', 'D'].map((edge) => ({ edge, passing: true, forced: false, v4: true, v6: false }));

  test('zones spread over the edges', () => {
    const drawn = Array.from({ length: 400 }, (_, i) => drawVictim(`zone${i}.example`, live, null, 'v4'));
    for (const { edge } of live) expect(drawn.filter((victim) => victim === edge).length).toBeGreaterThan(60);
  });

  test('another edge coming or going moves no victim but its own', () => {
    for (let i = 0; i < 50; i++) {
      const zone = `zone${i}.example`;
      const drawn = drawVictim(zone, live, null, 'v4');
      const fewer = live.filter(({ edge }) => edge !== 'B');
      if (drawn !== 'B') expect(drawVictim(zone, fewer, null, 'v4')).toBe(drawn);
      expect(drawVictim(zone, [...live].reverse(), null, 'v4')).toBe(drawn);
    }
  });

  test('a failing edge is drawn before a passing one, a forced one last', () => {
    for (let i = 0; i < 20; i++) {
      const zone = `zone${i}.example`;
      const words = live.map((victim) => ({ ...victim, passing: victim.edge !== 'C', forced: victim.edge !== 'D' }));
      expect(drawVictim(zone, words, null, 'v4')).toBe('C');
      expect(
        drawVictim(
          zone,
          words.filter(({ passing }) => passing),
          null,
          'v4',
        ),
      ).toBe('D');
      expect(drawVictim(zone, words, 'A', 'v4')).toBe('A');
    }
    expect(drawVictim('example.com', [], null, 'v4')).toBeNull();
  });

  test("an edge of the canary's own family is drawn first, even a forced one", () => {
    for (let i = 0; i < 20; i++) {
      const zone = `zone${i}.example`;
      const words = live.map((victim) => ({ ...victim, v6: victim.edge === 'C', forced: victim.edge === 'C' }));
      expect(drawVictim(zone, words, null, 'v6')).toBe('C');
      expect(drawVictim(zone, words, null, 'v4')).not.toBe('C');
    }
  });
});
