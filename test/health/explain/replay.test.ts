import { describe, expect, test } from 'vitest';
import { NO_SAFETY } from '../../../src/health/choose/safety.ts';
import { replay, rulesUnder } from '../../../src/health/explain/replay.ts';
import { replayText } from '../../../src/health/explain/replay-text.ts';
import type { RoundRecord } from '../../../src/health/state/history-log-record.ts';
import { recordStory, type Told } from '../../support/recorded-story.ts';
import { NOW, RULES } from '../../support/round-input.ts';

/** B wavers around 0.6 s; C is a spare edge, slower but even. */
const wavering: readonly Told[] = Array.from({ length: 20 }, (_, i) => ({
  fetches: { A: 0.1, B: i % 2 === 0 ? 0.4 : 0.8, C: 0.45 },
}));

/** Modes, canaries, failures and a limit that binds, in fifty rounds. */
const eventful: readonly Told[] = Array.from({ length: 50 }, (_, i) => ({
  fetches: {
    A: i % 7 === 0 ? 10 : 0.1,
    B: i % 3 === 0 ? 0.9 : 0.3,
    C: 0.45,
    D: i > 20 ? 0.2 : 10,
    X: i % 5 === 0 ? 10 : 0.2,
  },
  words: {
    C: { mode: i > 30 ? ('unavailable' as const) : ('available' as const) },
    A: { verificationFailed: i % 7 === 0 },
  },
  canaries: i > 40 ? {} : { 'example.com': 'X' },
  operatorChange: i === 31,
}));

describe('under the recorded settings', () => {
  test.each([
    ['a wavering edge', wavering, {}],
    ['an eventful hour', eventful, { edgeCount: 2, maxfreq: 1 }],
    ['canaries condemned', eventful, { canaryKiller: 1 }],
  ] as const)('nothing differs: %s', (_, told, rules) => {
    const result = replay(recordStory(told, rules), {});
    expect(result.rounds).toBe(told.length);
    expect(result).toMatchObject({ differingRounds: 0, differences: [], breaks: 0, timeoutCut: false });
    expect(result.replayed).toEqual(result.recorded);
  });

  test('the eventful hour holds, rotates and changes canaries', () => {
    const { recorded } = replay(recordStory(eventful, { edgeCount: 2, maxfreq: 1 }), {});
    expect(recorded.rotations).toBeGreaterThan(3);
    expect(recorded.heldRounds).toBeGreaterThan(3);
    expect(recorded.canaryChanges).toBeGreaterThan(3);
  });
});

describe('under other settings', () => {
  const records = recordStory(wavering, { edgeCount: 2, goodenough: 0.7, maxfreq: 100 });

  test('a judge that counts keeps the wavering edge, and so do safety rules that keep the set', () => {
    const failing = recordStory(
      Array.from({ length: 20 }, (_, i) => ({ fetches: { A: 0.2, B: 0.2, C: i % 4 === 2 ? 10 : 0.2, D: 5 } })),
      { edgeCount: 3, maxfreq: 100 },
    );
    const { recorded } = replay(failing, {});
    expect(recorded.rotations).toBeGreaterThan(2);
    expect(replay(failing, { judge: { kind: 'rise_fall', rise: 1, fall: 2 } }).replayed.rotations).toBe(1);
    expect(replay(failing, { safety: { minUp: { value: 4, percent: false } } }).replayed.rotations).toBe(1);
  });

  test('what is not set of the safety rules stays as recorded; results lie as far apart as recorded', () => {
    const judge = { kind: 'rise_fall', rise: 1, fall: 2 } as const;
    const rules = rulesUnder(
      { ...RULES, judge: { ...judge, apart: 7 }, safety: { ...NO_SAFETY, fill: 'none', holdUp: 60 } },
      { judge: { ...judge, fall: 3, apart: 30 }, safety: { holdUp: null } },
    );
    expect(rules.safety).toEqual({ ...NO_SAFETY, fill: 'none' });
    expect(rules.judge).toEqual({ ...judge, fall: 3, apart: 7 });
    expect(rulesUnder(RULES, { judge: { ...judge, apart: 30 } }).judge).toEqual({ ...judge, apart: 30 });
  });

  test('a higher goodenough keeps the wavering edge', () => {
    const result = replay(records, { goodenough: 1 });
    expect(result.recorded.rotations).toBeGreaterThan(1);
    expect(result.replayed.rotations).toBe(1); // the first live set
    expect(result.replayed.roundsLive).toEqual(
      new Map([
        ['A', 20],
        ['B', 20],
      ]),
    );
    expect(result.differingRounds).toBe(result.recorded.roundsLive.get('C'));
    expect(result.differences[0]).toMatchObject({ recorded: ['A', 'C'], replayed: ['A', 'B'] });
    expect(result.differences[0].why.get('B')).toBe('still healthy: last 0.800 s < goodenough 1.000 s');
  });

  test('a lower limit holds', () => {
    const result = replay(records, { maxfreq: 1 });
    expect(result.replayed.heldRounds).toBeGreaterThan(0);
    expect(result.replayed.rotations).toBeLessThan(result.recorded.rotations + 1);
  });

  test('more edges', () => {
    const { replayed } = replay(records, { edgeCount: 4 });
    expect(replayed.shortRounds).toBe(20);
    expect(replayed.roundsLive.get('C')).toBe(20);
  });

  test('a shorter timeout fails more', () => {
    const { replayed } = replay(records, { timeout: 0.8, goodenough: 0.1 });
    expect(replayed.roundsLive.get('B') ?? 0).toBeLessThan(20);
  });

  test('a longer timeout cannot be had', () => {
    const result = replay(records, { timeout: 20 });
    expect(result).toMatchObject({ timeoutCut: true, differingRounds: 0 });
    expect(replayText('test', ['timeout=20'], result)).toContain('! a longer timeout cannot be replayed');
  });

  test('differences of consecutive rounds are one', () => {
    const even = recordStory(
      wavering.map(() => ({ fetches: { A: 0.1, B: 0.2, C: 0.3 } })),
      { edgeCount: 2 },
    );
    const { differences, differingRounds } = replay(even, { edgeCount: 1 });
    expect(differingRounds).toBe(20);
    expect(differences).toEqual([
      expect.objectContaining({ from: NOW, until: NOW + 19 * 60, rounds: 20, recorded: ['A', 'B'], replayed: ['A'] }),
    ]);
  });
});

test('a record with a hole is taken up after it', () => {
  const records = recordStory(eventful, { edgeCount: 2, maxfreq: 100 });
  const live = records.map(({ decided }) => decided.live.join(''));
  const turn = live.findIndex((names, i) => i > 1 && names !== live[i - 1]);
  const holed = records.filter((_, i) => i !== turn);
  expect(turn).toBeGreaterThan(1);
  expect(replay(holed, {})).toMatchObject({ rounds: 49, breaks: 1, differingRounds: 0 });
});

test('more differences than are kept are counted', () => {
  const [first, second] = recordStory(wavering, { edgeCount: 2 });
  // Two records in turn that never continue each other and never decide as recorded.
  const wrong = (record: RoundRecord, live: string): RoundRecord => ({
    ...record,
    decided: { ...record.decided, live: [live] },
  });
  const records = Array.from({ length: 1200 }, (_, i) => (i % 2 === 0 ? wrong(first, 'B') : wrong(second, 'C')));
  const result = replay(records, {});
  expect([result.differingRounds, result.differences.length, result.differencesLeftOut]).toEqual([1200, 1000, 200]);
  expect(replayText('test', [], result)).toContain('and 1180 more');
});

test('as text', () => {
  const text = replayText(
    'test',
    ['goodenough=1'],
    replay(recordStory(wavering, { edgeCount: 2, maxfreq: 100 }), { goodenough: 1 }),
  );
  expect(text.split('\n').slice(0, 14)).toEqual([
    'network test: 20 rounds from 2023-11-14T22:13:20Z to 2023-11-14T22:32:20Z, 19 minutes',
    'replayed with goodenough=1',
    '',
    expect.stringMatching(/^ +recorded +replayed$/),
    expect.stringMatching(/^DNS rotations +2 +1$/),
    expect.stringMatching(/^rounds held by dnschange_maxfreq +0 +0$/),
    expect.stringMatching(/^rounds short of edges +0 +0$/),
    expect.stringMatching(/^rounds without a live edge +0 +0$/),
    expect.stringMatching(/^canary changes +0 +0$/),
    '',
    expect.stringMatching(/^live +recorded +replayed$/),
    expect.stringMatching(/^A +100\.0 % +100\.0 %$/),
    expect.stringMatching(/^B +\d+\.\d % +100\.0 %$/),
    expect.stringMatching(/^C +\d+\.\d % +0\.0 %$/),
  ]);
  expect(replayText('test', [], replay([], {}))).toBe('network test: no recorded rounds\n');
});
