/** Which samples are decided upon before their turn has ended, because the answer may depend on them. Pure. */
import type { Sample } from '../checks/sample.ts';
import { DEAD_AFTER } from '../choose/steadiness.ts';
import type { EdgeRecord } from '../state/edge-store.ts';
import type { NetworkState } from '../state/network-state.ts';
import type { Pool } from './pool.ts';

/** What a network's samples are compared with. */
export type Standing = {
  /** Members of the live set that are still asked. */
  readonly live: ReadonlySet<string>;
  /** Places to fill, at least 1. */
  readonly wanted: number;
  /** An address family is answered with SERVFAIL for want of an edge that works in it. */
  readonly lacksFamily: boolean;
  /** Edges that may fill the places. */
  readonly edges: ReadonlySet<string>;
  readonly canaries: ReadonlySet<string>;
  /** Edges that an operator forces into the set while they pass. */
  readonly forced: ReadonlySet<string>;
  /** The newest sample of a target, one that no decision has seen yet included. */
  readonly newest: (name: string) => Sample | undefined;
  /** As the last decision saw it. */
  readonly decided: (name: string) => Sample | undefined;
  /** Failures in a row of an edge, as the last decision counted them. */
  readonly fails: (name: string) => number;
  /** Targets of which a judge has counted results in a row, but not yet enough for a change (`rise_fall`). */
  readonly counted: ReadonlySet<string>;
};

export type StandingParts = Pick<Standing, 'newest' | 'decided'> & {
  readonly pool: Pool;
  readonly canaries: Iterable<string>;
  readonly state: Pick<NetworkState, 'live' | 'memory'>;
  readonly records: ReadonlyMap<string, Pick<EdgeRecord, 'mode'>>;
};

export function standingOf({ pool, canaries, state, records, newest, decided }: StandingParts): Standing {
  const { members, policy } = pool;
  const listed = new Set(members);
  const modeOf = (name: string): EdgeRecord['mode'] | undefined => records.get(name)?.mode;
  return {
    live: new Set(state.live.map(({ edge }) => edge).filter((name) => listed.has(name))),
    wanted: Math.max(1, policy.edgeCount),
    lacksFamily: state.memory.unanswered !== null,
    edges: new Set(members.filter((name) => modeOf(name) !== 'unavailable')),
    canaries: new Set(canaries),
    forced: new Set(members.filter((name) => modeOf(name) === 'force')),
    newest,
    decided,
    fails: (name) => state.memory.unsteady.get(name)?.fails ?? 0,
    counted: countedOf(state.memory.judged),
  };
}

/**
 * Whether a sample may change the answer. That is so where
 *
 * - an address of a live member, a canary or a forced edge begins to work or to fail, or is another one;
 * - a live member fails again: three failures in a row count for more than one;
 * - an edge outside the set begins to work while the set lacks a member or has one that fails;
 * - a judge counts results in a row, and this one may be the last that it needs.
 *
 * What only ranks edges anew waits for the turn, and so does an edge outside the set that fails.
 */
export function changesAnswer(sample: Sample, standing: Standing): boolean {
  const { live, edges, canaries, forced, decided, fails, counted } = standing;
  const { edge } = sample;
  const before = decided(edge);
  const isMember = live.has(edge) || canaries.has(edge);
  if (live.has(edge) && sample.fail !== null && fails(edge) < DEAD_AFTER) return true;
  // Nothing was seen of it since the start: a member is taken to pass.
  if (before === undefined && isMember) return !worksWholly(sample);
  if (before !== undefined && outcome(before) === outcome(sample) && !counted.has(edge)) return false;
  if (isMember || forced.has(edge)) return true;
  return edges.has(edge) && worksSomewhere(sample) && lacksMember(standing);
}

/** By name, whichever address of it is counted. */
function countedOf(judged: NetworkState['memory']['judged']): ReadonlySet<string> {
  const between = [...judged].filter(([, { count }]) => count > 0);
  return new Set(between.map(([key]) => key.split(' ')[0]));
}

function lacksMember({ live, wanted, lacksFamily, newest }: Standing): boolean {
  const fails = (name: string): boolean => {
    const sample = newest(name);
    return sample !== undefined && !worksWholly(sample);
  };
  return live.size < wanted || lacksFamily || [...live].some(fails);
}

/**
 * Whether enough is known to decide before the turn's end: at a cold start that as many edges pass as are wanted, else
 * that every member of the live set was asked since the process started.
 */
export function isReady({ live, wanted, edges, newest }: Standing): boolean {
  if (live.size > 0) return [...live].every((name) => newest(name) !== undefined);
  let passing = 0;
  for (const name of edges) if (newest(name)?.fail === null) passing += 1;
  return passing >= Math.min(wanted, edges.size);
}

function worksWholly({ fail, others }: Sample): boolean {
  return fail === null && others.every((fetch) => fetch.fail === null);
}

function worksSomewhere({ fail, others }: Sample): boolean {
  return fail === null || others.some((fetch) => fetch.fail === null);
}

/** Which addresses were asked and which of them work, as a text to compare. */
function outcome({ fail, primary, others }: Sample): string {
  const sign = (one: Sample['fail']): string => (one === null ? '+' : '-');
  const fetches = [primary, ...others].flatMap((fetch) =>
    fetch === null ? [] : [`${sign(fetch.fail)}${fetch.address}`],
  );
  return [sign(fail), ...fetches].join(' ');
}
