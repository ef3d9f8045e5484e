/** What a decision rests on, put together from samples, records, references and another network's set. */
import type { Sample } from '../checks/sample.ts';
import { factsOf } from '../choose/decide.ts';
import { countEarlier } from '../choose/earlier-samples.ts';
import type { RoundFacts, Scope } from '../choose/round.ts';
import type { EdgeRecord } from '../state/edge-store.ts';
import type { NetworkState } from '../state/network-state.ts';
import { reachOf } from '../state/uptime.ts';
import type { BorrowedSet, FallbackFacts } from './borrowed-set.ts';
import { earlierOf, type FreshByTarget } from './fresh-samples.ts';
import type { KnownTargets } from './known-targets.ts';
import type { NetworkProbes } from './network-probes.ts';
import { type DecidedOn, judgedSamples, type Look } from './records.ts';
import { roundInput, sampledEdges } from './round-input.ts';
import type { RoundOrder } from './round-types.ts';

export type GatherSources = {
  readonly known: KnownTargets;
  readonly probes: Pick<NetworkProbes, 'askReferences' | 'overlong' | 'unended' | 'silence'>;
  readonly borrowed: Pick<BorrowedSet, 'facts'>;
  /** The samples that no decision has seen. */
  readonly takeFresh: () => FreshByTarget;
  readonly state: () => NetworkState;
  readonly now: () => number;
};

export type GatherOptions = {
  readonly scope: Scope;
  /** How well records are looked at. */
  readonly look: Look;
  /** With the samples that no decision has seen; false: with those that were decided upon before. */
  readonly takesFresh: boolean;
};

export type Gathered = Omit<DecidedOn, 'members' | 'isRun'> & {
  readonly facts: RoundFacts;
  /** With the new samples. */
  readonly records: ReadonlyMap<string, EdgeRecord>;
  readonly fallback: FallbackFacts;
  /** As in `StoredSample`. */
  readonly reach: number;
};

export async function gather(sources: GatherSources, order: RoundOrder, options: GatherOptions): Promise<Gathered> {
  const { config, files } = order;
  const { known, probes, borrowed } = sources;
  const { scope, look, takesFresh } = options;
  const references = await probes.askReferences(config);
  const fallback = await borrowed.facts(config);
  const now = sources.now();
  const read = await known.read(files, now, look);
  const fresh = takesFresh ? sources.takeFresh() : null;
  if (fresh !== null) known.take(files, fresh);
  const folded = known.fold(read, fresh);
  const records = new Map([...folded].map(([name, { record }]) => [name, record]));
  const { overlong, unended, silence } = probes;
  const troubles = [overlong, unended, silence].filter((sentence) => sentence !== null);
  const { isForced = false } = order;
  const state = sources.state();
  const parts = { now, config, files, state, records, samples: known.samples, scope, troubles, isForced };
  const newest = factsOf({ ...roundInput(parts), ...references, ...fallback });
  // The decision sees the newest sample of each. The history log has it in its memory that the others are counted.
  const samples = earlierOf(fresh ?? new Map());
  const counted = countEarlier(newest, sampledEdges(parts, samples), config.vantage === null);
  const reach = reachOf(config.runFrequency);
  const stored = (sample: Sample): ReturnType<typeof known.stored> => known.stored(sample, reach);
  const earlier = judgedSamples(samples, counted.verdicts, stored);
  const facts = { ...newest, memory: counted.memory };
  return { facts, records, fallback, reach, folded, fresh, earlier, stored };
}
