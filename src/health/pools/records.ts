/** Health records of a network's targets: read together, brought up to date together. */
import type { Fault } from '../../system/fault.ts';
import type { Sample } from '../checks/sample.ts';
import type { Decision, LiveMember } from '../choose/decision.ts';
import { expireMode } from '../modes/modes.ts';
import { type EdgeRecord, type RoundUpdate, withRound, withSample } from '../state/edge-store.ts';
import type { EdgeStores } from '../state/edge-store-files.ts';

export type Records = { readonly records: ReadonlyMap<string, EdgeRecord>; readonly faults: readonly Fault[] };

/** `EdgeStores.update`, or `suppose` in a dry run. */
export type SaveRecord = EdgeStores['update'];

/** Files written at the same time; each waits for its own fsync. */
const WRITERS = 16;

/** Records of these targets with modes whose time is over already ended. */
export async function readRecords(stores: EdgeStores, names: readonly string[], now: number): Promise<Records> {
  const found = await inParallel(names, async (name) => {
    const { record, faults } = await stores.read(name, now);
    return { name, record: expireMode(record, now), faults };
  });
  return gathered(found);
}

/** A target's record with this round's sample, and the one that it was made of. */
export type FoldedRecord = { readonly from: EdgeRecord; readonly record: EdgeRecord };

/** Adds this round's samples to the records: what judging looks at, and what is saved after it. */
export function foldSamples(
  records: ReadonlyMap<string, EdgeRecord>,
  samples: ReadonlyMap<string, Sample> | null,
): ReadonlyMap<string, FoldedRecord> {
  return new Map(
    [...records].map(([name, from]) => {
      const sample = samples?.get(name);
      return [name, { from, record: sample === undefined ? from : withSample(from, sample) }];
    }),
  );
}

/**
 * Adds what a decision says of its edges to their records. `members`: as published, which is the old set where the
 * decision found nothing fit to be. `samples`: of its probing round; null: it was made between two. A record that
 * another process has changed meanwhile gets its sample now; any other one has it in `folded`. Durable only after
 * `stores.sync`.
 */
export async function saveRecords(
  save: SaveRecord,
  decision: Decision,
  members: readonly LiveMember[],
  folded: ReadonlyMap<string, FoldedRecord>,
  samples: ReadonlyMap<string, Sample> | null,
): Promise<Records> {
  const { at, network } = decision;
  const live = new Set(members.map(({ edge }) => edge));
  const verdicts = new Map(
    [...decision.canaryVerdicts, ...decision.verdicts].map((verdict) => [verdict.edge, verdict]),
  );
  const canaries = new Set(decision.canaries.map(({ address }) => address));
  const saved = await inParallel([...verdicts.keys()], async (name) => {
    const known = folded.get(name);
    const sample = samples?.get(name);
    const update: RoundUpdate = {
      network,
      at,
      isRun: samples !== null,
      sampled: sample !== undefined,
      live: live.has(name) && !canaries.has(name),
      health: verdicts.get(name)?.judgement ?? null,
    };
    const change = (old: EdgeRecord): EdgeRecord => {
      const now = expireMode(old, at);
      if (known !== undefined && now === known.from) return withRound(known.record, update);
      return withRound(sample === undefined ? now : withSample(now, sample), update);
    };
    return { name, ...(await save(name, at, change)) };
  });
  return gathered(saved);
}

type Stored = { readonly name: string; readonly record: EdgeRecord; readonly faults: readonly Fault[] };

function gathered(all: readonly Stored[]): Records {
  return {
    records: new Map(all.map(({ name, record }) => [name, record])),
    faults: all.flatMap(({ faults }) => faults),
  };
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i]);
  };
  await Promise.all(Array.from({ length: Math.min(WRITERS, items.length) }, worker));
  return results;
}
