/**
 * Pools. A pool is a set of edges that answer together under one policy; a version of it is what it is answered with.
 * An edgemanage network is an adapter that makes one pool and binds its zones' apexes and rotate labels to it.
 */
import { edgeKey } from '../../config/edge-list.ts';
import type { Config, NetworkFiles } from '../../config/types.ts';
import type { LiveMember } from '../choose/decision.ts';
import type { Rules } from '../choose/round.ts';
import type { Family } from '../judge/edge.ts';
import type { NetworkState } from '../state/network-state.ts';

export type Pool = {
  readonly id: string;
  /** Names of the edges that may answer, in list order. */
  readonly members: readonly string[];
  readonly policy: Rules;
};

/**
 * `serial`: above that of every other version in the process, so that a zone that is bound to several pools still gets
 * a later serial at each change. `members` carry their addresses and why they are live. `unanswered`: see `Memory`.
 */
export type PoolVersion = {
  readonly serial: number;
  readonly members: readonly LiveMember[];
  readonly unanswered: Family | null;
};

/** The pool of a network. An address that is a canary too is a canary only (specification 12.15). */
export function poolOf(config: Config, files: NetworkFiles): Pool {
  return { id: files.name, members: edgesOf(files), policy: rulesOf(config, files.name) };
}

/** The version that a network's state says is answered; null: nothing was ever live. */
export function versionOf({ serial, live, memory }: NetworkState): PoolVersion | null {
  return serial === 0 || live.length === 0 ? null : { serial, members: live, unanswered: memory.unanswered };
}

export function rulesOf(config: Config, network: string): Rules {
  return {
    goodenough: config.goodenough,
    timeout: config.timeout,
    edgeCount: config.dnetEdgeCount.get(network) ?? config.edgeCount,
    maxfreq: config.dnschangeMaxfreq,
    canaryKiller: config.canaryKiller,
    ...judgeOf(config, network),
    ...safetyOf(config, network),
  };
}

/** Nothing where the network has edgemanage's judge. */
function judgeOf({ judges, runFrequency }: Config, network: string): Pick<Rules, 'judge'> {
  const judge = judges.get(network);
  return judge === undefined || judge.kind === 'goodenough' ? {} : { judge: { ...judge, apart: runFrequency / 2 } };
}

/** Nothing where the network has edgemanage's rules. */
function safetyOf({ safety }: Config, network: string): Pick<Rules, 'safety'> {
  const given = safety.get(network);
  if (given === undefined) return {};
  const { reference: _, ...rules } = given;
  return { safety: rules };
}

/** Of lists, which never change: two thousand addresses are not spelled out for each decision. */
const judged = new WeakMap<NetworkFiles, readonly string[]>();

/** Edges that are judged as such. */
export function edgesOf(files: NetworkFiles): readonly string[] {
  const known = judged.get(files);
  if (known !== undefined) return known;
  const addresses = new Set(Array.from(files.canaries.values(), edgeKey));
  const edges = addresses.size === 0 ? files.edges : files.edges.filter((edge) => !addresses.has(edgeKey(edge)));
  judged.set(files, edges);
  return edges;
}
