import { describe, expect, test } from 'vitest';
import { decide } from '../../../src/health/choose/decide.ts';
import { holdAt, recentChanges } from '../../../src/health/choose/limit.ts';
import { type EdgeWords, NOW, type RoundWords, round } from '../../support/round-input.ts';

const ago = (...seconds: number[]) => seconds.map((age) => NOW - age);

describe('when the limit binds', () => {
  const rows: [string, number[], number, number | null][] = [
    ['no changes', [], 1, null],
    ['one under the limit', ago(10, 5), 3, null],
    ['the limit reached: until the oldest is 600 s old', ago(300, 200, 100), 3, NOW + 300],
    ['beyond the limit: until enough are old', ago(400, 300, 200, 100), 3, NOW + 300],
    ['exactly 600 s old no longer counts', ago(600, 200, 100), 3, null],
    ['just under 600 s still counts', ago(599, 200, 100), 3, NOW + 1],
    ['in any order', ago(100, 300, 200), 3, NOW + 300],
    ['changes of the future (clock set back) do not count', ago(-50, -40, 10), 2, null],
    ['a limit of 0 is one of 1', ago(100), 0, NOW + 500],
  ];
  test.each(rows)('%s', (_, changes, maxfreq, until) => {
    expect(holdAt(changes, maxfreq, NOW)?.until ?? null).toBe(until);
  });

  test('changes of the last 600 s', () => {
    expect(recentChanges(ago(601, 600, 599, 0, -1), NOW)).toEqual(ago(599, 0));
  });
});

const ABCD: Record<string, EdgeWords> = { A: {}, B: {}, C: {}, D: {} };
const failing: EdgeWords = { fetch: 10 };
const reached = { rotations: ago(550, 400, 250, 100) };
const limited: Partial<RoundWords> = {
  rules: { maxfreq: 4 },
  last: 'ABCD',
  memory: { lastLive: [...'ABCD'], ...reached },
};

describe('what the limit does to a round', () => {
  const rows: [string, RoundWords, string, string][] = [
    ['a failing member stays', { ...limited, edges: { ...ABCD, D: failing, E: {} } }, 'ABCD', 'held'],
    ['nothing wanted, nothing held', { ...limited, edges: ABCD }, 'ABCD', 'unchanged'],
    [
      'an operator changed a mode: at once',
      { ...limited, edges: { ...ABCD, D: failing, E: {} }, operatorChange: true },
      'ABCE',
      'changed',
    ],
    [
      'no live edge passes, another does: at once',
      { ...limited, edges: { A: failing, B: failing, C: failing, D: failing, E: {} } },
      'ABCE',
      'changed',
    ],
    [
      'one live edge passes: held',
      { ...limited, edges: { A: failing, B: failing, C: failing, D: {}, E: {}, F: {} } },
      'ABCD',
      'held',
    ],
    [
      'no live edge passes and none would: held',
      {
        ...limited,
        edges: { A: failing, B: failing, C: failing, D: failing, E: { mode: 'blindforce', fetch: 10 } },
      },
      'ABCD',
      'held',
    ],
    [
      'a live edge made unavailable leaves',
      { ...limited, edges: { ...ABCD, A: { mode: 'unavailable' }, E: {} } },
      'BCDE',
      'changed',
    ],
    ['an unlisted live edge leaves', { ...limited, edges: { B: {}, C: {}, D: {}, E: {} } }, 'BCDE', 'changed'],
    ['a first live set is published', { ...limited, last: '', memory: reached, edges: ABCD }, 'ABCD', 'changed'],
    [
      'a live set that vanished is replaced even by a blindforced edge that fails',
      {
        ...limited,
        edges: {
          ...Object.fromEntries([...'ABCD'].map((name) => [name, { v4: null }])),
          E: { mode: 'blindforce', fetch: 10 },
        },
      },
      'E',
      'changed',
    ],
    ['N lowered: held', { ...limited, edges: ABCD, rules: { maxfreq: 4, edgeCount: 3 } }, 'ABCD', 'held'],
    [
      'one change fewer than the limit',
      {
        ...limited,
        edges: { ...ABCD, D: failing, E: {} },
        memory: { lastLive: [...'ABCD'], rotations: ago(600, 400, 250, 100) },
      },
      'ABCE',
      'changed',
    ],
  ];
  test.each(rows)('%s', (_, words, live, outcome) => {
    const decision = decide(round(words));
    expect(decision.live.map(({ edge }) => edge).join('')).toBe(live);
    expect(decision.outcome.kind).toBe(outcome);
    expect(decision.memory.rotations.length - (words.memory?.rotations?.length ?? 0)).toBe(
      outcome === 'changed' ? 1 : 0,
    );
  });

  test('a hold is in the outcome, the notes and every reason concerned', () => {
    const decision = decide(round({ ...limited, edges: { ...ABCD, D: failing, E: {} } }));
    const words = '4 changes in the last 600 s (dnschange_maxfreq 4) hold it until 2023-11-14T22:14:10Z';
    expect(decision.outcome).toEqual({ kind: 'held', until: NOW + 50, wanted: ['A', 'B', 'C', 'E'] });
    expect(decision.hold).toEqual({ until: NOW + 50, recent: 4, limit: 4 });
    expect(decision.notes).toContain(`wanted A, B, C and E, but ${words}`);
    expect(decision.reasons.get('D')).toEqual({ live: true, why: expect.stringContaining(words) });
    expect(decision.reasons.get('E')).toEqual({
      live: false,
      why: `held out, would be live: fills place 4 of 4: pass_threshold, average 0.200 s (last 0.200 s < goodenough 0.700 s); ${words}`,
    });
    expect(decision.reasons.get('A')).toEqual({ live: true, why: 'still healthy: last 0.200 s < goodenough 0.700 s' });
  });

  test('a member without an address leaves a held set, which stays held and counts the change', () => {
    const decision = decide(round({ ...limited, edges: { ...ABCD, D: { v4: null }, E: {} } }));
    expect(decision.live.map(({ edge }) => edge)).toEqual(['A', 'B', 'C']);
    expect(decision.outcome).toEqual({ kind: 'changed', added: [], removed: ['D'], moved: [] });
    expect(decision.hold?.until).toBe(NOW + 50);
    expect(decision.memory.rotations).toHaveLength(5);
  });

  test('the hold ends by itself', () => {
    const input = round({ ...limited, edges: { ...ABCD, D: failing, E: {} } });
    expect(decide({ ...input, now: NOW + 49 }).outcome.kind).toBe('held');
    expect(decide({ ...input, now: NOW + 50 }).outcome.kind).toBe('changed');
  });

  test('a hundred rotations are remembered', () => {
    const rotations = Array.from({ length: 100 }, (_, i) => NOW - 100_000 + i);
    const { memory } = decide(round({ edges: ABCD, memory: { rotations } }));
    expect([memory.rotations.length, memory.rotations[0], memory.rotations[99]]).toEqual([100, NOW - 99_999, NOW]);
  });
});
