import { describe, expect, test } from 'vitest';
import type { Fetch } from '../../../src/health/checks/sample.ts';
import { decide, factsOf } from '../../../src/health/choose/decide.ts';
import type { Decision } from '../../../src/health/choose/decision.ts';
import { countEarlier, type SampledEdge } from '../../../src/health/choose/earlier-samples.ts';
import type { Memory } from '../../../src/health/choose/memory.ts';
import { missKey } from '../../../src/health/choose/misses.ts';
import type { RoundInput, Rules } from '../../../src/health/choose/round.ts';
import { explain } from '../../../src/health/explain/explain.ts';
import { replay } from '../../../src/health/explain/replay.ts';
import { addSample } from '../../../src/health/judge/history.ts';
import { decodeRecord, encodeRecord, type RoundRecord } from '../../../src/health/state/history-log-record.ts';
import { canary, NOW, type RoundWords, round, sample } from '../../support/round-input.ts';

const JUDGE = { judge: { kind: 'rise_fall', rise: 2, fall: 3 } } satisfies Partial<Rules>;

/** One result a round: `1` passes, `0` fails, and after a colon that over IPv6. Other edges are named in `words`. */
type Story = { readonly [edge: string]: string };

type Told = { readonly input: RoundInput; readonly decision: Decision };

/** Rounds a minute apart, in which each edge has its next result. */
function tell(story: Story, words: Omit<RoundWords, 'edges'> = {}): readonly Told[] {
  const length = Math.max(...Object.values(story).map((results) => results.split(' ').length));
  const told: Told[] = [];
  let { memory } = round({ ...words, edges: {} });
  for (let i = 0; i < length; i++) {
    const at = NOW + 60 * i;
    const edges = Object.fromEntries(Object.keys(story).map((name) => [name, { v4: addressOf(name) }]));
    const base = round({ ...words, edges, now: at + 1, rules: { ...JUDGE, ...words.rules } });
    const input: RoundInput = {
      ...base,
      memory,
      edges: base.edges.map((edge) => {
        const [v4, v6] = resultAt(story[edge.name], i).split(':');
        const seconds = v4 === '1' ? 0.2 : 10;
        const own = sample(edge.name, seconds, at);
        const primary = own.primary === null ? null : { ...own.primary, address: addressOf(edge.name) };
        const others = v6 === undefined || primary === null ? [] : [over6(primary, v6 === '1')];
        return {
          ...edge,
          history: addSample(edge.history, at, seconds),
          sample: { ...own, primary, others },
          v6: v6 === undefined ? null : '2001:db8::1',
        };
      }),
    };
    const decision = decide(input);
    told.push({ input, decision });
    ({ memory } = decision);
  }
  return told;
}

/** The last one repeats. */
function resultAt(results: string, i: number): string {
  const all = results.split(' ');
  return all[Math.min(i, all.length - 1)];
}

function addressOf(name: string): string {
  return `192.0.2.${name.charCodeAt(0)}`;
}

function over6(fetch: Fetch, passing: boolean): Fetch {
  const fail = passing ? null : { reason: 'refused' as const, detail: '' };
  return { ...fetch, address: '2001:db8::1', seconds: passing ? 0.2 : 10, fail };
}

function lives(told: readonly Told[]): string {
  return told.map(({ decision }) => decision.live.map(({ edge }) => edge).join('')).join(' ');
}

describe('with rise 2 and fall 3', () => {
  test.each([
    ['a live edge leaves with the third failure', 2, { A: '1 0 0 0 0', B: '1', C: '1' }, 'AB AB AB BC BC'],
    [
      'one success in between starts the count again',
      2,
      { A: '1 0 0 1 0 0 0', B: '1', C: '1' },
      'AB AB AB AB AB AB BC',
    ],
    [
      'one comes back with the second pass',
      3,
      { A: '1 0 0 0 1 0 1 1', B: '1', C: '1' },
      'ABC ABC ABC ABC ABC ABC ABC ABC',
    ],
    ['one that is down fills no place', 2, { A: '1', B: '1 1 0 0 0', C: '0 0 0 0 1 1' }, 'AB AB AB AB AB AC'],
    ['of a first round the first result counts', 2, { A: '0 1', B: '1', C: '1' }, 'BC BC'],
  ] as const)('%s', (_, edgeCount, story, expected) => {
    expect(lives(tell(story, { rules: { edgeCount } }))).toBe(expected);
  });

  test('with fill: none a failing edge leaves with the third failure and is back with the second pass', () => {
    const safety = { fill: 'none', minUp: null, below: 'keep', holdUp: null } as const;
    const told = tell({ A: '1 0 0 0 1 1', B: '1' }, { rules: { safety } });
    expect(lives(told)).toBe('AB AB AB B B AB');
  });

  test('reasons say how many results in a row', () => {
    const told = tell({ A: '1 0 0 0 1', B: '1', C: '1' }, { rules: { edgeCount: 2 } });
    const whys = told.map(({ decision }) => decision.reasons.get('A')?.why ?? '');
    expect(whys[1]).toMatch(/^still up: 1 of 3 failures in a row \(fall 3\); fetch failed \(timeout/);
    expect(whys[2]).toMatch(/^still up: 2 of 3 failures/);
    expect(whys[3]).toMatch(/^fails: down until 2 results in a row pass \(rise 2\); fetch failed/);
    expect(whys[4]).toMatch(/^fails: 1 of 2 passes in a row \(rise 2\); last 0\.200 s < goodenough/);
    expect(told[2].decision.notes).toEqual([]);
  });

  test('an edge outside that begins to fail comes last, and is not asked into an empty place before others', () => {
    const told = tell({ A: '1 0 0 0', B: '1', C: '1 1 1 0', D: '1' }, { rules: { edgeCount: 2 } });
    expect(lives(told)).toBe('AB AB AB BD');
  });

  test('each family of an edge is counted for itself', () => {
    const told = tell({ A: '1:1 1:0 1:0 1:0 1:1 1:1' });
    const v6 = told.map(({ decision }) => decision.live[0].v6 !== null);
    // The only edge of the family: kept when it is down, for lack of another.
    expect(v6).toEqual([true, true, true, true, true, true]);
    expect(told.map(({ decision }) => decision.families.v6)).toEqual([
      'passing',
      'passing',
      'passing',
      'failing',
      'failing',
      'passing',
    ]);
    const two = tell({ A: '1:1 1:0 1:0 1:0 1:1 1:1', B: '1:1' });
    expect(two.map(({ decision }) => decision.live[0].v6 !== null)).toEqual([true, true, true, false, false, true]);
    // IPv4 at its second failure and IPv6 down.
    const both = tell({ A: '1:1 1:0 0:0 0:0 0:1', B: '1:1' });
    const answered = both.map(({ decision }) => decision.live.find(({ edge }) => edge === 'A'));
    expect(answered.map((a) => `${a?.v4 === null ? '-' : '4'}${a?.v6 === null ? '-' : '6'}`)).toEqual([
      '46',
      '46',
      '46',
      '4-',
      '4-',
    ]);
  });

  test('a canary serves until its third failure, and again from its second pass', () => {
    let memory = round({ edges: {} }).memory;
    const used = [0.2, 10, 10, 10, 0.2, 0.2].map((fetch, i) => {
      const at = NOW + 60 * i;
      const one = canary('example.com', '192.0.2.9', { fetch });
      const canaries = [{ ...one, sample: sample('192.0.2.9', fetch, at) }];
      const decision = decide({ ...round({ edges: { A: {}, B: {} }, canaries, now: at + 1, rules: JUDGE }), memory });
      ({ memory } = decision);
      return decision.canaries[0].active !== null;
    });
    expect(used).toEqual([true, true, true, false, false, true]);
  });

  test('a decision on the same samples counts nothing again', () => {
    const told = tell({ A: '1 0 0', B: '1', C: '1' }, { rules: { edgeCount: 2 } });
    const { input, decision } = told[2];
    let again = decision;
    for (let i = 0; i < 5; i++) again = decide({ ...input, now: input.now + i, memory: again.memory, scope: 'event' });
    expect(again.memory.judged).toEqual(decision.memory.judged);
    expect(again.live.map(({ edge }) => edge)).toEqual(['A', 'B']);
  });

  test('during a hold a member that failed three times in a row leaves at once', () => {
    const told = tell(
      { A: '1 0 0 0', B: '1', C: '1' },
      { rules: { edgeCount: 2, maxfreq: 1 }, memory: { rotations: [] } },
    );
    expect(lives(told)).toBe('AB AB AB BC');
    expect(told[3].decision.replaced).toEqual([{ edge: 'A', by: 'C' }]);
  });

  test('nothing is remembered of edges that are gone, nor without the judge', () => {
    const [{ decision, input }] = tell({ A: '1', B: '1' });
    expect([...decision.memory.judged.keys()]).toEqual(['A', 'B']);
    const rest = { ...input, edges: input.edges.slice(1), memory: decision.memory };
    expect([...decide(rest).memory.judged.keys()]).toEqual(['B']);
    const { judge: _, ...rules } = input.rules;
    expect(decide({ ...rest, rules }).memory.judged.size).toBe(0);
  });
});

describe('what was recorded', () => {
  function records(told: readonly Told[]): readonly RoundRecord[] {
    return told.flatMap(({ input, decision }) => {
      const record = decodeRecord(encodeRecord(factsOf(input), decision));
      return record === null ? [] : [record];
    });
  }
  function prospects(told: readonly Told[], edge: string): readonly string[] {
    const explanation = explain(records(told), { only: edge, interval: 60 });
    return explanation?.edges[0].prospects?.map(({ text }) => text) ?? [];
  }
  const ROTATING: Story = { A: '1 0 0 0 1 1 1 1', B: '1 1 0 1 0 0 0 1', C: '1 0 1 1 1 1 1 1' };

  test('replays as it was, whole, in part and from any round on', () => {
    const told = tell(ROTATING, { rules: { edgeCount: 2 } });
    for (let from = 0; from < told.length; from++) {
      const again = replay(records(told.slice(from)), {});
      expect([again.rounds, again.differingRounds, again.breaks]).toEqual([told.length - from, 0, 0]);
    }
  });

  test('a live edge is told how many more failures it has left', () => {
    const told = tell({ A: '1 0 0 0', B: '1', C: '1' }, { rules: { edgeCount: 2, goodenough: 10 } });
    expect(prospects(told.slice(0, 1), 'A')).toContain(
      'stays live until 3 more fetches in a row fail; then C takes its place',
    );
    expect(prospects(told.slice(0, 2), 'A')[0]).toMatch(/2 more fetches in a row fail/);
  });

  test('an edge that is down is told how many passes it needs', () => {
    const safety = { fill: 'none', minUp: null, below: 'keep', holdUp: null } as const;
    const told = tell({ A: '1 0 0 0 1', B: '1' }, { rules: { safety } });
    expect(prospects(told.slice(0, 4), 'A')[0]).toMatch(
      /^will be live when each of its next 2 fetches succeeds within 10\.000 s/,
    );
    expect(prospects(told, 'A')).toEqual(['will be live in the next round, if nothing changes before']);
  });

  test('who waits for the place of a live one is told how often that must fail', () => {
    const told = tell({ A: '1', B: '1', C: '1' }, { rules: { edgeCount: 2, goodenough: 10 } });
    expect(prospects(told, 'C').join('\n')).toContain(
      'will be live when each of the next 3 fetches of one of A and B fails',
    );
  });
});

describe('samples that newer ones replaced before a decision', () => {
  const of = (edge: string, results: string): SampledEdge[] =>
    tell({ [edge]: results }).flatMap(({ input }) =>
      factsOf(input).edges.flatMap(({ sample: one, ...rest }) => (one === null ? [] : [{ ...rest, sample: one }])),
    );
  const judgedAfter = (known: Memory['judged'], samples: readonly SampledEdge[], words: Partial<RoundWords>) => {
    const facts = factsOf(round({ edges: {}, ...words, memory: { judged: known } }));
    return countEarlier(facts, new Map([['a', samples]])).memory.judged;
  };
  const doubt = [{ name: 'tcp', passes: false, detail: '' }];
  const SIX = missKey('a', '2001:db8::1');

  test.each([
    ['results in a row', '0 0 0', undefined, { up: false, count: 0 }, undefined],
    ['a pass between', '1 0 1 0 0', undefined, { up: true, count: 2 }, undefined],
    ['each family for itself', '1:0 0:1 0:1', undefined, { up: true, count: 2 }, { up: true, count: 0 }],
    ['failures while our own line is in doubt', '1 0 0 0', doubt, { up: true, count: 0, at: NOW + 180 }, undefined],
  ] as const)('%s', (_, results, references, own, six) => {
    const known = new Map([['a', { up: true, count: 0, at: NOW - 60 }]]);
    const judged = judgedAfter(known, of('a', results), { rules: JUDGE, ...(references && { references }) });
    expect(judged.get('a')).toMatchObject(own);
    if (six !== undefined) expect(judged.get(SIX)).toMatchObject(six);
  });

  test("the same sample twice counts once, and edgemanage's judge remembers nothing", () => {
    const [one, two] = of('a', '1 0');
    expect(judgedAfter(new Map(), [one, two, two], { rules: JUDGE }).get('a')).toMatchObject({ count: 1 });
    expect(judgedAfter(new Map(), [one, two], {})).toEqual(new Map());
  });
});
