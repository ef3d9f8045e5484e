/** What operators should know of a round beside its decision. Pure. */

import { SLOW_PLACES } from '../checks/lanes.ts';
import type { RoundEnd } from '../checks/protocol.ts';
import type { Sample } from '../checks/sample.ts';
import { count, list } from '../judge/reason.ts';

export type RoundPace = {
  /** Seconds since the round began, or that it took. */
  readonly seconds: number;
  readonly isOver: boolean;
  readonly runFrequency: number;
  readonly timeout: number;
  readonly workers: number;
  readonly targets: number;
  /** That took the whole timeout, and those without a result yet where the round is not over. */
  readonly hanging: number;
};

/** Why a round takes longer than the time from one to the next, and what to do; null: it does not. */
export function overlongRound(pace: RoundPace): string | null {
  const { seconds, isOver, runFrequency, timeout, workers, targets, hanging } = pace;
  if (seconds <= runFrequency) return null;
  const length = isOver ? `took ${seconds.toFixed(1)} s` : 'is not over yet';
  const cause =
    hanging === 0
      ? `${count(targets, 'edge')} were asked`
      : isOver
        ? `${hanging} of ${count(targets, 'edge')} did not answer within ${timeout} s`
        : `${hanging} of ${count(targets, 'edge')} have not answered`;
  // Hanging ones take turns of a timeout each in the slow lane; all turns must fit between two rounds.
  const turns = Math.max(1, Math.floor(runFrequency / timeout) - 1);
  const wanted = Math.min(targets, Math.ceil(hanging / turns) + Math.min(10, workers));
  const places = Math.max(workers, SLOW_PLACES);
  const cure =
    runFrequency <= timeout
      ? `run_frequency is no longer than the timeout of ${timeout} s`
      : wanted > places
        ? `raise workers to ${wanted} (now ${workers})`
        : `raise run_frequency or workers (now ${workers})`;
  return `the round ${length}, longer than run_frequency (${runFrequency} s): ${cause}; ${cure}. A failing edge stays live until the round ends`;
}

export type TurnPace = Pick<RoundPace, 'runFrequency' | 'timeout' | 'workers' | 'targets'> & {
  /** Targets that were still being asked when it was their turn again. */
  readonly overdue: number;
};

/** Why a server's turn takes longer than the time from one to the next, and what to do; null: it does not. */
export function overlongTurn({ overdue, runFrequency, timeout, workers, targets }: TurnPace): string | null {
  if (overdue === 0) return null;
  const rounds = Math.max(1, Math.floor(runFrequency / timeout) - 1);
  const wanted = Math.min(targets, Math.ceil(overdue / rounds) + Math.min(10, workers));
  const cure =
    runFrequency <= timeout
      ? `run_frequency is no longer than the timeout of ${timeout} s`
      : wanted > Math.max(workers, SLOW_PLACES)
        ? `raise workers to ${wanted} (now ${workers})`
        : `raise run_frequency or workers (now ${workers})`;
  return `the turn takes longer than run_frequency (${runFrequency} s): ${overdue} of ${count(targets, 'edge')} had not answered when they were to be asked again; ${cure}. The others are not delayed`;
}

/** Names that a sentence has at most. */
const NAMED_MAX = 5;

/** Why a turn has not ended long after it should have: `waiting` have not answered. It names no time, so that it stays. */
export function unendedTurn(waiting: readonly string[]): string {
  const more = waiting.length > NAMED_MAX ? ` (and ${count(waiting.length - NAMED_MAX, 'edge')} more)` : '';
  const cause =
    waiting.length === 0 ? 'every edge has answered' : `no answer of ${list(waiting.slice(0, NAMED_MAX))}${more}`;
  return `a turn is overdue: ${cause}`;
}

/** Edges whose fetches took the whole timeout. */
export function hangingOf(samples: Iterable<Sample>): number {
  return [...samples].filter(({ fail }) => fail?.reason === 'timeout').length;
}

/** Edges without a sample because of trouble of our own, or because a program could not tell; null: there are none. */
export function unknownEdges(unknown: RoundEnd['unknown']): string | null {
  const [first] = unknown;
  if (first === undefined) return null;
  const others = unknown.length === 1 ? '' : ` (and ${count(unknown.length - 1, 'edge')} more)`;
  const stands = unknown.length === 1 ? 'its last state stands' : 'their last states stand';
  return `${first.edge} could not be checked${others}, which is not held against it: ${first.why}; ${stands}`;
}

/** Edges that share an address fill several places with one machine: a sentence for each such address. */
export function sharedAddresses(samples: Iterable<Sample>): readonly string[] {
  const edges = new Map<string, Set<string>>();
  for (const { edge, primary, others } of samples) {
    for (const fetch of [primary, ...others]) {
      if (fetch === null) continue;
      const at = edges.get(fetch.address) ?? new Set();
      edges.set(fetch.address, at.add(edge));
    }
  }
  return [...edges]
    .filter(([, names]) => names.size > 1)
    .map(
      ([address, names]) =>
        `${list([...names].sort())} are at one address, ${address}: one machine fills several places`,
    );
}
