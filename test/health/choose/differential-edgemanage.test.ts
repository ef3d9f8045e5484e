import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decide } from '../../../src/health/choose/decide.ts';
import type { Decision } from '../../../src/health/choose/decision.ts';
import type { Memory } from '../../../src/health/choose/memory.ts';
import type { Rules } from '../../../src/health/choose/round.ts';
import type { CanaryInput, EdgeInput, Mode } from '../../../src/health/judge/edge.ts';
import { addSample, type History } from '../../../src/health/judge/history.ts';
import { type NaiveRound, type NaiveTarget, naiveRound } from '../../support/naive-edgemanage.ts';
import { NO_MEMORY, NOW, sample } from '../../support/round-input.ts';

/** What one target does in one round. `fetch` in milliseconds; null: not fetched. */
type Act = {
  readonly fetch: number | null;
  readonly mode: Mode;
  readonly listed: boolean;
  readonly badObject: boolean;
  readonly address: boolean;
};
type Zone = { readonly zone: string; readonly target: number };
/**
 * `outage`: three of four fail. `even`: everybody is as fast as everybody else, so that averages and names decide.
 * Independent choices alone would hardly ever have more failing edges of the last set than places, or a tie at the last.
 */
type Mood = 'mixed' | 'outage' | 'even';
type Step = {
  /** Seconds since the round before; below 0 the clock was set back. */
  readonly wait: number;
  readonly mood: Mood;
  readonly acts: readonly Act[];
  /** Null: as the story has them. */
  readonly canaries: readonly Zone[] | null;
  /** Modes become those of this step; `untold`: and nobody says that an operator did it, as after a takeover. */
  readonly modes: 'kept' | 'told' | 'untold';
};
type Story = {
  readonly rules: Rules;
  readonly canaries: readonly Zone[];
  /** How many of the edges are listed at all. */
  readonly size: number;
  readonly start: readonly (readonly [number, number])[][];
  /** All histories are like the first. */
  readonly sameStart: boolean;
  readonly steps: readonly Step[];
};

const NAMES = ['e3', 'e1', 'a', 'e10', 'e2', 'z', 'b', 'c'];
const ZONES = ['one.example', 'two.example', 'three.example'];
// Around every limit, and often enough alike to tie.
const FETCHES = [50, 200, 200, 200, 650, 699, 700, 701, 900, 1400, 5000, 9999, 10_000, 12_000];

const fetches = fc.constantFrom(...FETCHES);
const modes = fc.constantFrom<Mode>(...new Array<Mode>(12).fill('available'), 'force', 'blindforce', 'unavailable');
const acts: fc.Arbitrary<Act> = fc.record({
  fetch: fc.oneof({ weight: 12, arbitrary: fetches }, { weight: 1, arbitrary: fc.constant(null) }),
  mode: modes,
  listed: fc.integer({ min: 0, max: 11 }).map((n) => n > 0),
  badObject: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  address: fc.integer({ min: 0, max: 15 }).map((n) => n > 0),
});
const zones: fc.Arbitrary<readonly Zone[]> = fc
  .array(fc.record({ zone: fc.constantFrom(...ZONES), target: fc.integer({ min: 4, max: 11 }) }), { maxLength: 3 })
  .map((found) => [...new Map(found.map((zone) => [zone.zone, zone])).values()]);
const steps: fc.Arbitrary<Step> = fc.record({
  wait: fc.constantFrom(1, 60, 60, 60, 60, 299, 300, 301, 600, 700, -100, -5000),
  mood: fc.constantFrom<Mood>('mixed', 'mixed', 'mixed', 'outage', 'even'),
  acts: fc.array(acts, { minLength: NAMES.length, maxLength: NAMES.length }),
  canaries: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: zones }),
  modes: fc.constantFrom('kept', 'kept', 'kept', 'kept', 'kept', 'told', 'untold'),
});
const stories: fc.Arbitrary<Story> = fc.record({
  rules: fc.record({
    goodenough: fc.constantFrom(0.7, 0.2, 5),
    timeout: fc.constant(10),
    edgeCount: fc.integer({ min: 1, max: 6 }),
    maxfreq: fc.integer({ min: 1, max: 4 }),
    canaryKiller: fc.integer({ min: 0, max: 3 }),
  }),
  canaries: zones,
  size: fc.constantFrom(1, 2, 3, 8, 8, 8),
  start: fc.array(fc.array(fc.tuple(fc.integer({ min: 1, max: 4000 }), fetches), { maxLength: 12 }), {
    minLength: 12,
    maxLength: 12,
  }),
  sameStart: fc.boolean(),
  steps: fc.array(steps, { minLength: 1, maxLength: 10 }),
});

/** Edges 0–7; 8–11 are canaries that are no edges. */
function nameOf(target: number): string {
  return NAMES[target] ?? `192.0.2.${target}`;
}

function play(story: Story): void {
  const starts = story.start.map((own) => [...(story.sameStart ? story.start[0] : own)].sort((a, b) => b[0] - a[0]));
  const histories = starts.map((samples) => {
    let history: History = { times: [], seconds: [] };
    for (const [ago, took] of samples) history = addSample(history, NOW - ago, took / 1000);
    return history;
  });
  /** The same kept without the code under test: a sample takes the place of all that are not older than it. */
  const plain: PlainHistory[] = starts.map((samples) => {
    let kept: PlainHistory = [];
    for (const [ago, took] of samples) kept = withPlain(kept, NOW - ago, took);
    return kept;
  });
  let memory: Memory = NO_MEMORY;
  let settled = story.steps[0].acts.map(({ mode }) => mode);
  let now = NOW;

  for (const step of story.steps) {
    now += step.wait;
    if (step.modes !== 'kept') settled = step.acts.map(({ mode }) => mode);
    const targets = histories.map((history, i): EdgeInput => {
      const act = step.acts[i % NAMES.length];
      const name = nameOf(i);
      const fetch = moodFetch(step.mood, act.fetch, i);
      const taken = fetch === null ? null : sample(name, fetch / 1000, now);
      if (taken !== null) histories[i] = addSample(history, taken.at, taken.seconds);
      if (fetch !== null) plain[i] = withPlain(plain[i], now, fetch);
      return {
        name,
        mode: settled[i % NAMES.length],
        modeUntil: null,
        comment: '',
        history: histories[i],
        sample: taken,
        v4: act.address ? '192.0.2.1' : null,
        v6: null,
        verificationFailed: act.badObject,
      };
    });
    const edges = targets.filter((_, i) => i < story.size && step.acts[i].listed);
    const canaries = (step.canaries ?? story.canaries).map(
      ({ zone, target }): CanaryInput => ({ ...targets[target], zone }),
    );
    const input = {
      now,
      network: 'test',
      scope: 'turn' as const,
      rules: story.rules,
      edges,
      canaries,
      memory,
      operatorChange: step.modes === 'told',
    };
    const decision = decide(input);
    compare(decision, naiveOf(input, plain), memory);
    hasProperties(decision, input);
    memory = decision.memory;
  }
}

/** [epoch seconds, milliseconds], oldest first. */
type PlainHistory = readonly (readonly [number, number])[];

function withPlain(samples: PlainHistory, at: number, took: number): PlainHistory {
  return [...samples.filter(([when]) => when < at), [at, took]];
}

function moodFetch(mood: Mood, fetch: number | null, target: number): number | null {
  if (fetch === null || mood === 'mixed') return fetch;
  if (mood === 'even') return 200;
  return target % 4 === 0 ? fetch : 10_000;
}

function naiveOf(input: Parameters<typeof decide>[0], histories: readonly PlainHistory[]): NaiveRound {
  const target = (edge: EdgeInput): NaiveTarget => {
    const index = NAMES.indexOf(edge.name);
    const samples = histories[index === -1 ? Number(edge.name.split('.')[3]) : index];
    return {
      name: edge.name,
      mode: edge.mode,
      samples: samples.map(([at, took]) => [at, took]),
      fetched: edge.sample === null ? null : Math.round(edge.sample.seconds * 1000),
      fetchedAt: edge.sample?.at ?? null,
      badObject: edge.verificationFailed,
      hasAddress: edge.v4 !== null,
    };
  };
  return {
    now: input.now,
    goodenough: input.rules.goodenough * 1000,
    timeout: input.rules.timeout * 1000,
    n: input.rules.edgeCount,
    maxfreq: input.rules.maxfreq,
    killer: input.rules.canaryKiller,
    edges: input.edges.map(target),
    canaries: input.canaries.map((canary) => ({ ...target(canary), zone: canary.zone })),
    operatorChange: input.operatorChange,
    lastLive: [...input.memory.lastLive],
    rotationList: [...input.memory.rotations],
    unsteady: Object.fromEntries(input.memory.unsteady),
    missed: Object.fromEntries([...input.memory.misses].map(([key, missed]) => [key.split(' ')[0], missed])),
    active: Object.fromEntries(input.memory.activeCanaries.map((active) => [active.zone, active])),
    zoneRotations: Object.fromEntries([...input.memory.canaryRotations].map(([zone, times]) => [zone, [...times]])),
  };
}

function compare(decision: Decision, round: NaiveRound, before: Memory): void {
  const naive = naiveRound(round);
  expect(Object.fromEntries(decision.verdicts.map((one) => [one.edge, one.judgement ?? 'none']))).toEqual(naive.states);
  expect(Object.fromEntries(decision.canaryVerdicts.map((one) => [one.edge, one.judgement ?? 'none']))).toEqual(
    naive.canaryStates,
  );
  expect(decision.live.map(({ edge }) => edge)).toEqual(naive.live);
  expect(decision.outcome.kind === 'empty').toBe(naive.empty);
  expect(decision.outcome.kind === 'changed').toBe(naive.rotated);
  expect(decision.hold !== null).toBe(naive.held);
  expect(decision.memory.rotations).toEqual(naive.rotationList);
  expect(Object.fromEntries(decision.memory.unsteady)).toEqual(naive.unsteady);
  expect(decision.replaced.map(({ edge }) => edge)).toEqual(naive.replaced);
  expect(decision.memory.lastLive).toEqual(naive.empty ? before.lastLive : naive.live);
  expect(Object.fromEntries(decision.memory.activeCanaries.map(({ zone, address }) => [zone, address]))).toEqual(
    naive.used,
  );
  expect(decision.canaries.filter(({ held }) => held).map(({ zone }) => zone)).toEqual([...naive.heldZones].sort());
}

function hasProperties(decision: Decision, input: Parameters<typeof decide>[0]): void {
  const live = decision.live.map(({ edge }) => edge);
  const fit = input.edges.filter(
    ({ name, mode, v4 }) =>
      mode !== 'unavailable' && v4 !== null && !input.canaries.some((canary) => canary.name === name),
  );
  for (const name of live) expect(fit.map((edge) => edge.name)).toContain(name);

  // Never empty where a passing, a blindforced or a formerly live edge is fit to be published.
  const passing = new Set(
    decision.verdicts.filter(({ judgement }) => judgement !== null && judgement !== 'fail').map(({ edge }) => edge),
  );
  const possible = fit.some(
    ({ name, mode }) => passing.has(name) || mode === 'blindforce' || input.memory.lastLive.includes(name),
  );
  expect(live.length > 0).toBe(possible);

  for (const { active } of decision.canaries) {
    if (active === null || live.length === 0) continue;
    expect(live).toContain(active.victim);
    const was = input.memory.activeCanaries.find(({ zone }) => zone === active.zone);
    if (was !== undefined && was.victim !== null && live.includes(was.victim)) expect(active.victim).toBe(was.victim);
  }
  for (const { name } of input.edges) expect(decision.reasons.get(name)?.why).toMatch(/\S/);

  expect(decide(input)).toEqual(decision);
  // Deciding once more from what is remembered changes nothing; only an operator's change does not happen twice.
  const again = decide({ ...input, memory: decision.memory, operatorChange: false });
  expect(again.live.map(({ edge }) => edge)).toEqual(live);
  expect(again.outcome.kind).not.toBe('changed');
  expect(again.canaries.filter(({ changed }) => changed)).toEqual([]);
  expect(again.memory.rotations).toEqual(decision.memory.rotations);
}

/** Stories of up to ten rounds each; more by EDGEWISE_STORIES. */
const { EDGEWISE_STORIES = '600' } = process.env;

test('decides thousands of generated rounds as the naive reading of the specification does', () => {
  fc.assert(fc.property(stories, play), { numRuns: Number(EDGEWISE_STORIES) });
});
