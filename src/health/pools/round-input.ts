/** One round's input for `decide`, put together from configuration, lists, records and samples. Pure. */
import { isIP } from 'node:net';

import type { Config, NetworkFiles } from '../../config/types.ts';
import { type Sample, WRONG_CONTENT } from '../checks/sample.ts';
import type { SampledEdge } from '../choose/earlier-samples.ts';
import { fetchOf } from '../choose/families.ts';
import type { RoundInput, Scope } from '../choose/round.ts';
import type { Addresses, CanaryInput, EdgeInput } from '../judge/edge.ts';
import { addSample, EMPTY_HISTORY, figuresOf, type History, microseconds, sampleCount } from '../judge/history.ts';
import { operatorChanged } from '../modes/modes.ts';
import { type EdgeRecord, NEW_EDGE } from '../state/edge-store.ts';
import type { NetworkState } from '../state/network-state.ts';
import { historyIn } from '../state/series.ts';
import { poolOf } from './pool.ts';

const NO_FIGURES = figuresOf(EMPTY_HISTORY, 0);

export type InputParts = {
  readonly now: number;
  readonly config: Config;
  readonly files: NetworkFiles;
  readonly state: NetworkState;
  /** Of every target, modes whose time is over already ended. */
  readonly records: ReadonlyMap<string, EdgeRecord>;
  /** The newest of each target; none for those not fetched since the process started. */
  readonly samples: ReadonlyMap<string, Sample>;
  /** Unless given, a full turn. */
  readonly scope?: Scope;
  /** As in `RoundOrder`. */
  readonly isForced?: boolean;
  /** As in `RoundInput`. */
  readonly troubles?: readonly string[];
};

export function roundInput({
  now,
  config,
  files,
  state,
  records,
  samples,
  scope = 'turn',
  troubles = [],
  isForced = false,
}: InputParts): RoundInput {
  const published = publishedOf(state);
  const pool = poolOf(config, files);
  const hasChecks = config.checks.has(pool.id);
  const edge = (name: string): EdgeInput => {
    const record = records.get(name) ?? NEW_EDGE;
    const sample = samples.get(name) ?? null;
    const known = historyIn(record, pool.id, hasChecks);
    // A record may lose what it had of us (a clock that jumps by days); what this process saw last still stands.
    const isLost = sampleCount(known) === 0 && sample !== null;
    const history = isLost ? addSample(known, sample.at, microseconds(sample.seconds)) : known;
    return edgeInput(name, record, history, sample, published);
  };
  return {
    now,
    network: pool.id,
    scope,
    ...(troubles.length === 0 ? {} : { troubles }),
    rules: pool.policy,
    edges: pool.members.map(edge),
    canaries: [...files.canaries].map(([zone, address]): CanaryInput => ({ ...edge(address), zone })),
    memory: state.memory,
    operatorChange: isForced || operatorChanged(records, state.modes, state.lastRun),
  };
}

function edgeInput(
  name: string,
  record: EdgeRecord,
  history: History,
  sample: Sample | null,
  published: ReadonlyMap<string, Addresses>,
): EdgeInput {
  return {
    name,
    mode: record.mode,
    modeUntil: record.modeUntil,
    comment: record.comment,
    history,
    sample,
    ...addressesOf(name, sample, published.get(name)),
    verificationFailed: hasBadObject(sample),
  };
}

/** What was published of each member of the live set. */
function publishedOf({ live }: Pick<NetworkState, 'live'>): ReadonlyMap<string, Addresses> {
  return new Map(live.map(({ edge, v4, v6 }) => [edge, { v4, v6 }]));
}

/**
 * Targets as each of these samples shows them: of several between two decisions all but the newest. Whether they pass is
 * the same as if each had been decided upon, how well they do is not known.
 */
export function sampledEdges(
  { state, records }: Pick<InputParts, 'state' | 'records'>,
  earlier: ReadonlyMap<string, readonly Sample[]>,
): ReadonlyMap<string, readonly SampledEdge[]> {
  const published = publishedOf(state);
  return new Map(
    [...earlier].map(([name, samples]) => {
      const record = records.get(name) ?? NEW_EDGE;
      const edges = samples.map((sample): SampledEdge => {
        const { history, ...edge } = edgeInput(name, record, EMPTY_HISTORY, sample, published);
        return { ...edge, sample, figures: { ...NO_FIGURES, last: microseconds(sample.seconds), count: 1 } };
      });
      return [name, edges] as const;
    }),
  );
}

/**
 * The addresses of an edge: those that were fetched, or of an edge named by its address that one. A name that was not
 * looked up yet, or does not resolve, is taken to be where it was last answered, so that trouble with the resolver
 * alone takes no edge out of a set.
 */
export function addressesOf(name: string, sample: Sample | null, answered: Addresses | undefined): Addresses {
  const fetched = {
    v4: fetchOf({ sample }, 'v4')?.address ?? null,
    v6: fetchOf({ sample }, 'v6')?.address ?? null,
  };
  if (fetched.v4 !== null || fetched.v6 !== null) return fetched;
  return answered ?? { v4: isIP(name) === 4 ? name : null, v6: isIP(name) === 6 ? name : null };
}

/**
 * Whether an edge served something else than the reference, cut short or too long included: what edgemanage notes in
 * `verification_failures` (specification section 4). An address of either family counts.
 */
export function hasBadObject(sample: Sample | null): boolean {
  if (sample === null) return false;
  const isBad = (fail: Sample['fail']): boolean => fail !== null && WRONG_CONTENT.has(fail.reason);
  return isBad(sample.fail) || sample.others.some(({ fail }) => isBad(fail));
}
