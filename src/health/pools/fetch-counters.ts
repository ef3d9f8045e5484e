import type { Config } from '../../config/types.ts';
import { type CheckKind, type CheckOutcome, REASONS, type Sample } from '../checks/sample.ts';

export const FETCH_PHASES = ['resolve', 'connect', 'tls', 'firstByte', 'total'] as const;
export type FetchPhase = (typeof FETCH_PHASES)[number];

/** Upper bounds of the buckets of durations, seconds; what takes longer than the last has a bucket of its own. */
export const FETCH_BOUNDS: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** `counts`: by bucket. `sum`: seconds of all together. */
export type Durations = { readonly counts: readonly number[]; readonly sum: number };

/** Of all checks of one kind: what they came to (`pass` or the reason), and how long each phase took. */
export type CheckCounts = {
  readonly results: ReadonlyMap<string, number>;
  readonly phases: ReadonlyMap<FetchPhase, Durations>;
};

/** `seconds`: of those that passed, together. What was unknown is in neither. */
export type EdgeFetches = { readonly passed: number; readonly failed: number; readonly seconds: number };

type Settings = Pick<Config, 'checks'>;

const NO_FETCHES: EdgeFetches = { passed: 0, failed: 0, seconds: 0 };

type Tally = { readonly counts: number[]; sum: number };
type KindTally = { readonly results: Map<string, number>; readonly phases: Map<FetchPhase, Tally> };

/**
 * What the checks of one network came to since the process started: of each kind of check in use, and of each target
 * that is asked. What a decision makes of a sample is no part of it: a single failure that `rise_fall` hides counts.
 */
export class FetchCounters {
  private readonly network: string;
  private readonly byKind = new Map<CheckKind, KindTally>();
  private byTarget = new Map<string, EdgeFetches>();
  /** By which the newest sample was asked. */
  private config: Settings | null = null;

  constructor(network: string) {
    this.network = network;
  }

  /** A sample has come. `config`: by which it was asked. */
  note(sample: Sample, config: Settings): void {
    if (config !== this.config) this.configure(config);
    for (const fetch of [sample.primary, ...sample.others]) {
      for (const outcome of fetch?.checks ?? []) this.noteCheck(outcome);
    }
    if (sample.fail?.unknown === true) return;
    const { passed, failed, seconds } = this.of(sample.edge);
    const hasPassed = sample.fail === null;
    this.byTarget.set(sample.edge, {
      passed: passed + (hasPassed ? 1 : 0),
      failed: failed + (hasPassed ? 0 : 1),
      seconds: seconds + (hasPassed ? sample.seconds : 0),
    });
  }

  /** Forgets the targets that are not asked any more. */
  keep(targets: readonly { readonly name: string }[]): void {
    this.byTarget = new Map(targets.map(({ name }) => [name, this.of(name)]));
  }

  /** An edge by its name, a canary by its address. */
  of(target: string): EdgeFetches {
    return this.byTarget.get(target) ?? NO_FETCHES;
  }

  /** Of each kind that was asked since it came into use. */
  kinds(): ReadonlyMap<CheckKind, CheckCounts> {
    return this.byKind;
  }

  private configure(config: Settings): void {
    this.config = config;
    const inUse = new Set<CheckKind>(config.checks.get(this.network)?.of.map(({ kind }) => kind) ?? ['http']);
    for (const kind of this.byKind.keys()) if (!inUse.has(kind)) this.byKind.delete(kind);
  }

  private noteCheck({ kind, fail, phases }: CheckOutcome): void {
    let tally = this.byKind.get(kind);
    if (tally === undefined) {
      // All results, so that the first failure is an increase, too.
      const results = new Map(['pass', 'unknown', ...REASONS[kind]].map((result) => [result, 0]));
      tally = { results, phases: new Map() };
      this.byKind.set(kind, tally);
    }
    const result = fail === null ? 'pass' : fail.unknown === true ? 'unknown' : fail.reason;
    tally.results.set(result, (tally.results.get(result) ?? 0) + 1);
    for (const phase of FETCH_PHASES) {
      const seconds = phases[phase];
      // How long it took until a check failed says nothing about how long a whole one takes.
      if (seconds !== null && !(phase === 'total' && fail !== null)) observe(tally.phases, phase, seconds);
    }
  }
}

function observe(phases: Map<FetchPhase, Tally>, phase: FetchPhase, seconds: number): void {
  let tally = phases.get(phase);
  if (tally === undefined) {
    tally = { counts: [...FETCH_BOUNDS, Number.POSITIVE_INFINITY].map(() => 0), sum: 0 };
    phases.set(phase, tally);
  }
  const bucket = FETCH_BOUNDS.findIndex((bound) => seconds <= bound);
  tally.counts[bucket < 0 ? FETCH_BOUNDS.length : bucket] += 1;
  tally.sum += seconds;
}
