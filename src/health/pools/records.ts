/** Health records of a network's targets: read together, brought up to date together. */
import type { Config } from '../../config/types.ts';
import type { Fault } from '../../system/fault.ts';
import { decidingCheck, type Sample } from '../checks/sample.ts';
import type { Decision, LiveMember } from '../choose/decision.ts';
import { averageOf } from '../judge/history.ts';
import type { Verdict } from '../judge/verdict.ts';
import { expireMode } from '../modes/modes.ts';
import {
  type EdgeRecord,
  type JudgedSample,
  type RoundUpdate,
  type StoredSample,
  withRound,
} from '../state/edge-store.ts';
import type { EdgeStores } from '../state/edge-store-files.ts';
import { historyIn, type SampleOrigin, withSample } from '../state/series.ts';
import type { FreshByTarget } from './fresh-samples.ts';

export type Records = { readonly records: ReadonlyMap<string, EdgeRecord>; readonly faults: readonly Fault[] };

/** Samples of one target that are added ahead; the records of a target with more are made with the decision. */
const BEGUN_MAX = 100;
/** Files read at the same time. */
const READERS = 16;

/**
 * How well files are looked at for what another process may have changed. `exact`: all, those that are being written at
 * the moment, too, which is waited for. Milliseconds: all that were not looked at in that time (`EdgeStores.outdated`).
 */
export type Look = 'exact' | number;

/** Records of these targets with modes whose time is over already ended. */
export async function readRecords(
  stores: EdgeStores,
  names: readonly string[],
  now: number,
  look: Look,
): Promise<Records> {
  const outdated = look === 'exact' ? names : await stores.outdated(names, look);
  const read = await inParallel(outdated, READERS, (name) => stores.read(name, now));
  return {
    records: new Map(names.map((name) => [name, expireMode(stores.present(name), now)])),
    faults: read.flatMap(({ faults }) => faults),
  };
}

/** A target's record with this round's sample, and the one that it was made of. */
export type FoldedRecord = { readonly from: EdgeRecord; readonly record: EdgeRecord };

/** A network and the names of its `checks:`; null: it has no such section. */
export type NetworkChecks = Pick<SampleOrigin, 'network' | 'checks'>;

export function checksOf({ checks }: Pick<Config, 'checks'>, network: string): NetworkChecks {
  return { network, checks: checks.get(network)?.of.map(({ name }) => name) ?? null };
}

/**
 * Adds samples to the records: what judging looks at, and what is saved after it. A history of 2,000 samples is copied
 * for that, so it is done as each sample comes (`begin`): the decision then waits for the last one only.
 */
export class SampleFolds {
  private readonly ahead = new Map<string, FoldedRecord & { readonly samples: readonly Sample[] }>();
  /** Checks may be others by the time when a sample is decided upon. */
  private readonly origins = new WeakMap<Sample, SampleOrigin>();

  /**
   * `from`: the target's record as it is known now; if it is another one in the end, the sample is added to that.
   * `checks`: that made the sample.
   */
  begin(from: EdgeRecord, sample: Sample, checks: NetworkChecks): void {
    this.origins.set(sample, originOf(sample, checks));
    const begun = this.ahead.get(sample.edge);
    const { record, samples } = begun?.from === from ? begun : { record: from, samples: [] };
    this.ahead.set(sample.edge, {
      from,
      record: this.folded(record, sample),
      samples: [...samples, sample].slice(-BEGUN_MAX),
    });
  }

  /** The records with these samples; what was begun is forgotten. */
  end(records: ReadonlyMap<string, EdgeRecord>, fresh: FreshByTarget | null): ReadonlyMap<string, FoldedRecord> {
    const folded = new Map(
      [...records].map(([name, from]) => {
        const samples = fresh?.get(name);
        const begun = this.ahead.get(name);
        if (samples === undefined) return [name, { from, record: from }];
        if (begun?.from === from && sameSamples(begun.samples, samples)) return [name, begun];
        return [name, { from, record: samples.reduce((record, sample) => this.folded(record, sample), from) }];
      }),
    );
    if (fresh !== null) this.ahead.clear();
    return folded;
  }

  /** The sample as a record keeps it. `reach` as in `StoredSample`. */
  stored(sample: Sample, reach: number): StoredSample {
    const { at, seconds, fail, primary } = sample;
    const failure =
      fail === null ? null : { at, reason: fail.reason, check: primary?.check ?? null, detail: fail.detail };
    return { at, seconds, failure, reach, ...this.originOf(sample) };
  }

  private folded(from: EdgeRecord, sample: Sample): EdgeRecord {
    const { at, seconds } = sample;
    const known = this.originOf(sample);
    const record = withSample(from, { at, seconds, ...known });
    const { network = '', checks = null } = known.origin ?? {};
    averageOf(historyIn(record, network, checks !== null)); // is remembered
    return record;
  }

  private originOf(sample: Sample): { readonly origin?: SampleOrigin } {
    const origin = this.origins.get(sample);
    return origin === undefined ? {} : { origin };
  }
}

function originOf({ primary }: Sample, { network, checks }: NetworkChecks): SampleOrigin {
  // Trouble of our own is no result.
  const outcomes = checks === null ? [] : (primary?.checks ?? []).filter(({ fail }) => fail?.unknown !== true);
  return { network, checks, seconds: outcomes.map(({ name, seconds }) => [name, seconds]) };
}

function sameSamples(a: readonly Sample[], b: readonly Sample[]): boolean {
  return a.length === b.length && a.every((sample, i) => sample === b[i]);
}

/** What a decision was made on, as far as records note it. */
export type DecidedOn = {
  /** As published, which is the old set where the decision found nothing fit to be. */
  readonly members: readonly LiveMember[];
  readonly folded: ReadonlyMap<string, FoldedRecord>;
  /** New samples; null: none. */
  readonly fresh: FreshByTarget | null;
  /** All but the newest of them, judged. */
  readonly earlier: ReadonlyMap<string, readonly JudgedSample[]>;
  /** A sample as records keep it (`SampleFolds.stored`). */
  readonly stored: (sample: Sample) => StoredSample;
  /** It ended a round. */
  readonly isRun: boolean;
};

/**
 * Adds what a decision says of its edges to their records, in memory. A record that another process changes before ours
 * is written gets its samples then; any other one has them in `folded`. Returns all records, written by `stores.write`.
 */
export function noteRecords(
  stores: Pick<EdgeStores, 'note'>,
  decision: Decision,
  { members, folded, fresh, earlier, stored, isRun }: DecidedOn,
): ReadonlyMap<string, EdgeRecord> {
  const { at, network } = decision;
  const live = new Set(members.map(({ edge }) => edge));
  const verdicts = new Map(
    [...decision.canaryVerdicts, ...decision.verdicts].map((verdict) => [verdict.edge, verdict]),
  );
  const canaries = new Set(decision.canaries.map(({ address }) => address));
  return new Map(
    [...verdicts].map(([name, { judgement: health, position = null }]) => {
      const known = folded.get(name);
      const sample = fresh?.get(name)?.at(-1);
      // The newest of many may wait with its record to be written: no more of a sample than the record keeps.
      const kept = sample === undefined ? null : stored(sample);
      const isLive = live.has(name) && !canaries.has(name);
      const update: RoundUpdate = {
        network,
        at,
        isRun,
        sample: kept,
        earlier: earlier.get(name) ?? [],
        live: isLive,
        health,
        position,
        ...(sample === undefined ? {} : { check: decidingCheck(sample) }),
      };
      const change = changeOf(update);
      const quick = known === undefined ? null : { from: known.from, to: withRound(known.record, update) };
      return [name, stores.note(name, change, quick)];
    }),
  );
}

/** Samples that newer ones replaced, with their verdicts in the same order. */
export function judgedSamples(
  earlier: FreshByTarget,
  verdicts: ReadonlyMap<string, readonly Verdict[]>,
  stored: DecidedOn['stored'],
): ReadonlyMap<string, readonly JudgedSample[]> {
  return new Map(
    [...verdicts].map(([name, judged]) => {
      const samples = earlier.get(name) ?? [];
      const all = judged.map(({ judgement: health, position = null }, i) => ({
        ...stored(samples[i]),
        health,
        position,
      }));
      return [name, all] as const;
    }),
  );
}

/** Outside of whatever else is at hand, none of which a change that waits may keep in memory. */
function changeOf(update: RoundUpdate): (old: EdgeRecord) => EdgeRecord {
  const { at, sample, earlier = [] } = update;
  return (old) => {
    const now = earlier.reduce(withSample, expireMode(old, at));
    return withRound(sample === null ? now : withSample(now, sample), update);
  };
}

/** Does `work` for each item, `width` at a time. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i]);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}
