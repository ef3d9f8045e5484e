/** Health records of a network's targets: read together, brought up to date together. */
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
  withSample,
} from '../state/edge-store.ts';
import type { EdgeStores } from '../state/edge-store-files.ts';
import type { FreshByTarget } from './fresh-samples.ts';

export type Records = { readonly records: ReadonlyMap<string, EdgeRecord>; readonly faults: readonly Fault[] };

/** Samples of one target that are added ahead; the records of a target with more are made with the decision. */
const BEGUN_MAX = 100;
/** Files read at the same time. */
const READERS = 16;

/**
 * Records of these targets with modes whose time is over already ended. `exact`: waits for the files that are being
 * written at the moment, for what another process may just have changed.
 */
export async function readRecords(
  stores: EdgeStores,
  names: readonly string[],
  now: number,
  exact: boolean,
): Promise<Records> {
  const outdated = exact ? names : await stores.outdated(names);
  const read = await inParallel(outdated, READERS, (name) => stores.read(name, now));
  return {
    records: new Map(names.map((name) => [name, expireMode(stores.present(name), now)])),
    faults: read.flatMap(({ faults }) => faults),
  };
}

/** A target's record with this round's sample, and the one that it was made of. */
export type FoldedRecord = { readonly from: EdgeRecord; readonly record: EdgeRecord };

/**
 * Adds samples to the records: what judging looks at, and what is saved after it. A history of 2,000 samples is copied
 * for that, so it is done as each sample comes (`begin`): the decision then waits for the last one only.
 */
export class SampleFolds {
  private readonly ahead = new Map<string, FoldedRecord & { readonly samples: readonly Sample[] }>();

  /** `from`: the target's record as it is known now; if it is another one in the end, the sample is added to that. */
  begin(from: EdgeRecord, sample: Sample): void {
    const begun = this.ahead.get(sample.edge);
    const { record, samples } = begun?.from === from ? begun : { record: from, samples: [] };
    this.ahead.set(sample.edge, {
      from,
      record: foldedRecord(record, sample),
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
        return [name, { from, record: samples.reduce(foldedRecord, from) }];
      }),
    );
    if (fresh !== null) this.ahead.clear();
    return folded;
  }
}

function sameSamples(a: readonly Sample[], b: readonly Sample[]): boolean {
  return a.length === b.length && a.every((sample, i) => sample === b[i]);
}

function foldedRecord(from: EdgeRecord, sample: Sample): EdgeRecord {
  const record = withSample(from, sample);
  averageOf(record.history); // is remembered
  return record;
}

/**
 * Adds what a decision says of its edges to their records, in memory. `members`: as published, which is the old set where
 * the decision found nothing fit to be. `fresh`: new samples; null: none; `earlier`: all but the newest of them, judged.
 * `reach` as in `StoredSample`. `isRun`: it ended a round. A record that another process changes before ours is written gets its sample then; any other one has it in
 * `folded`. Returns all records, written by `stores.write`.
 */
export function noteRecords(
  stores: Pick<EdgeStores, 'note'>,
  decision: Decision,
  members: readonly LiveMember[],
  folded: ReadonlyMap<string, FoldedRecord>,
  fresh: FreshByTarget | null,
  reach: number,
  earlier: ReadonlyMap<string, readonly JudgedSample[]>,
  isRun = fresh !== null,
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
      const kept = sample === undefined ? null : storedSample(sample, reach);
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

/** Samples that newer ones replaced, with their verdicts in the same order. `reach` as in `StoredSample`. */
export function judgedSamples(
  earlier: FreshByTarget,
  verdicts: ReadonlyMap<string, readonly Verdict[]>,
  reach: number,
): ReadonlyMap<string, readonly JudgedSample[]> {
  return new Map(
    [...verdicts].map(([name, judged]) => {
      const samples = earlier.get(name) ?? [];
      const all = judged.map(({ judgement: health, position = null }, i) => ({
        ...storedSample(samples[i], reach),
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

function storedSample({ at, seconds, fail, primary }: Sample, reach: number): StoredSample {
  const failure =
    fail === null ? null : { at, reason: fail.reason, check: primary?.check ?? null, detail: fail.detail };
  return { at, seconds, failure, reach };
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
