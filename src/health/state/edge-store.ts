/**
 * An edge's health record and its file form, `<healthdata_store>/<edge>.edgestore`: JSON as edgemanage writes it
 * (specification section 3), so that its own tools read ours and we take theirs over. Keys that nobody here knows are
 * kept; edgemanage in turn ignores those of ours (`mode_by`, `mode_until`, `state_since`, `networks`, and of networks with `checks:`
 * `series` and `fetch_times_of_checks`, see series.ts).
 *
 * ```
 * {
 *     "comment": "", "fetch_times": {"1700000000.25": 0.201, …}, "health": "pass_threshold",
 *     "historical_average": {}, "mode": "available", "mode_by": "alice", "mode_until": null, "rotation_history": [1700000000.31, …],
 *     "series": {"tcpnet": {"1700000000.25": 0.101, …}, "tcpnet/http": {…}},
 *     "state": "in", "state_entry_time": null, "state_since": 1700000000.31,
 *     "networks": {
 *         "mynet": {
 *             "state": "in", "state_since": 1700000000.31, "health": "pass_threshold", "seen": 1700000060.3,
 *             "uptime": {"up": true, "since": 1700000000.25, …}
 *         }
 *     }
 * }
 * ```
 */

import type { Mode } from '../judge/edge.ts';
import { EMPTY_HISTORY, sampleCount } from '../judge/history.ts';
import { passes } from '../judge/judge.ts';
import type { Judgement, Position } from '../judge/verdict.ts';
import { historyIn, type Sampled, seriesOf, type TimedSample } from './series.ts';
import { type Failure, type Uptime, withCheck } from './uptime.ts';

export const MODES: readonly Mode[] = ['available', 'unavailable', 'force', 'blindforce'];
export const JUDGEMENTS: readonly Judgement[] = ['pass_threshold', 'pass_window', 'pass_average', 'pass', 'fail'];
/** Entries of `rotation_history` that are kept; the original lets it grow for ever. */
export const ROTATIONS_MAX = 2000;

export type EdgeRecord = Omit<Sampled, 'networks'> & {
  /** When the edge was live after a round, epoch seconds, newest last. */
  readonly rotations: readonly number[];
  readonly state: 'in' | 'out';
  /** When `state` last changed; null: before anybody noted it. */
  readonly stateSince: number | null;
  readonly mode: Mode;
  /** `state_entry_time`: when `mode` last changed, in spite of the name; null: never. */
  readonly modeSince: number | null;
  /** When the mode goes back to available by itself; null: it does not. */
  readonly modeUntil: number | null;
  /** Who set the mode last; null: not known (edgemanage's tools do not say), or its time was over. */
  readonly modeBy: string | null;
  /** The last judgement. A record without samples says "pass", as the original's does; it means nothing then. */
  readonly health: Judgement;
  readonly comment: string;
  /** Its part in each network whose list has it; empty in a record that edgemanage wrote. */
  readonly networks: ReadonlyMap<string, EdgeInNetwork>;
  readonly extra: ReadonlyMap<string, unknown>;
};

/**
 * `seen`: the last round that judged it there; a network that is gone is forgotten a day later. `uptime`: none until a
 * sample was judged there. `check`: the one that decided about the newest sample, where the network has several.
 */
export type EdgeInNetwork = Pick<EdgeRecord, 'state' | 'stateSince' | 'health'> & {
  readonly seen: number;
  readonly uptime?: Uptime;
  readonly check?: string;
};

const NETWORK_FORGOTTEN_SECONDS = 86_400;

/** An edge of which nothing is known. */
export const NEW_EDGE: EdgeRecord = {
  history: EMPTY_HISTORY,
  averages: EMPTY_HISTORY,
  series: new Map(),
  historyOfChecks: false,
  rotations: [],
  state: 'out',
  stateSince: null,
  mode: 'available',
  modeSince: null,
  modeUntil: null,
  modeBy: null,
  health: 'pass',
  comment: '',
  networks: new Map(),
  extra: new Map(),
};

/** One sample, as far as a record keeps it. `reach`: for how long it says whether the edge is up, seconds. */
export type StoredSample = TimedSample & {
  readonly failure: Failure | null;
  readonly reach: number;
};

/** A sample with what it was judged to be in one network. `health` null: it was not judged. */
export type JudgedSample = StoredSample & {
  readonly health: Judgement | null;
  /** Where its judge was between two states (`Uptime`). */
  readonly position: Position | null;
};

/**
 * What a network's round made of one edge. `sample`: a new one, which is in the record's history already; null: none.
 * `health` null: it was not judged. `isRun` false: a decision between two rounds, which is not noted in
 * `rotation_history`. `check`: the one that decided, null where there is only one; without it, as it was.
 */
export type RoundUpdate = {
  readonly network: string;
  readonly at: number;
  readonly isRun: boolean;
  readonly sample: StoredSample | null;
  /** Samples of before that one that no decision has seen either, oldest first; they are in the history, too. */
  readonly earlier?: readonly JudgedSample[];
  readonly live: boolean;
  readonly health: Judgement | null;
  readonly check?: string | null;
  readonly position: Position | null;
};

/**
 * Folds a round's result into the record. The operator's part (mode, comment) is never touched. An edge of several
 * networks is "in" for edgemanage's tools while it is live in any of them.
 */
export function withRound(record: EdgeRecord, update: RoundUpdate): EdgeRecord {
  const { network, at, isRun, sample, earlier = [], live } = update;
  const before = inNetwork(record, network);
  const known = sampleCount(historyIn(record, network, (sample?.origin?.checks ?? null) !== null));
  const isNew = before.stateSince === null && known <= (sample === null ? 0 : 1 + earlier.length);
  const state = live ? 'in' : 'out';
  const health = update.health ?? before.health;
  // The same object when nothing is new, so that nothing is written.
  if (!isRun && !isNew && sample === null && state === before.state && health === before.health) return record;

  const uptime = uptimeAfter(record.networks.get(network)?.uptime, update);
  const check = update.check === undefined ? before.check : update.check;
  const own: EdgeInNetwork = {
    state,
    health,
    ...(typeof check === 'string' ? { check } : {}),
    stateSince: state !== before.state || isNew ? at : before.stateSince,
    seen: at,
    ...(uptime === undefined ? {} : { uptime }),
  };
  const others = [...record.networks].filter(
    ([name, { seen }]) => name !== network && at - seen < NETWORK_FORGOTTEN_SECONDS,
  );
  const isIn = live || others.some(([, other]) => other.state === 'in');
  const overall = isIn ? 'in' : 'out';
  const networks = new Map([...others, [network, own] as const]);
  return {
    ...record,
    series: seriesOf(record.series, networks),
    rotations: live && isRun ? [...record.rotations.slice(1 - ROTATIONS_MAX), at] : record.rotations,
    state: overall,
    stateSince: overall !== record.state || (isNew && record.stateSince === null) ? at : record.stateSince,
    health: update.health ?? record.health,
    networks,
  };
}

function uptimeAfter(before: Uptime | undefined, update: RoundUpdate): Uptime | undefined {
  const { sample, earlier = [], health, position } = update;
  const uptime = earlier.reduce(uptimeWith, before);
  return sample === null ? uptime : uptimeWith(uptime, { ...sample, health, position });
}

/** What is known after one sample more. One that was not judged (the edge is unavailable) says nothing. */
export function uptimeWith(before: Uptime | undefined, sample: JudgedSample): Uptime | undefined {
  const { at, failure, reach, health, position } = sample;
  if (health === null) return before;
  return withCheck(before ?? null, { at, up: passes(health), failure, position }, reach);
}

/** The edge's part in one network: its own, or what a record says that does not tell networks apart. */
export function inNetwork(record: EdgeRecord, network: string): Omit<EdgeInNetwork, 'seen'> {
  const own = record.networks.get(network);
  if (own !== undefined) return own;
  const { state, stateSince, health } = record;
  return record.networks.size === 0
    ? { state, stateSince, health }
    : { state: 'out', stateSince: null, health: record.health };
}
