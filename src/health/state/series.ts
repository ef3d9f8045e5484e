/**
 * Whose samples a health record keeps, and where: pure.
 *
 * `fetch_times`, which edgemanage's own tools read, are the samples of the networks without `checks:`, whose edges are all
 * asked in the same way. Every network with `checks:` has a series of its own under its name, and where it has several
 * checks one for each under `<network>/<check>` (no network's name has a slash). So no judge reads what another network's
 * checks measured.
 *
 * While no network without `checks:` has the edge, those with them note their samples in `fetch_times` as well, for
 * edgemanage's tools. The first sample of one without begins `fetch_times` anew then.
 */

import {
  addSample,
  EMPTY_HISTORY,
  figuresOf,
  HISTORY_MAX,
  type History,
  microseconds,
  noteAverage,
} from '../judge/history.ts';

/** The part of a health record that samples are kept in. */
export type Sampled = {
  /** `fetch_times`. */
  readonly history: History;
  /** `historical_average`: hourly notes that nothing reads. */
  readonly averages: History;
  /** Of networks with `checks:`, by `seriesKey`. */
  readonly series: ReadonlyMap<string, History>;
  /** Samples of networks with `checks:` are among those of `history`, and there is no other network. */
  readonly historyOfChecks: boolean;
  /** By name: those that judged the edge lately. */
  readonly networks: ReadonlyMap<string, unknown>;
};

/** Samples of all networks' own series in one record, as long as each has at least `SERIES_MIN`. */
const SAMPLES_MAX = 5 * HISTORY_MAX;
const SERIES_MIN = 20;

/** Whose sample it is. */
export type SampleOrigin = {
  readonly network: string;
  /** Names of the network's `checks:` when it was taken, at least one; null: it has no such section. */
  readonly checks: readonly string[] | null;
  /** Of each check that came to a result, the seconds. */
  readonly seconds: readonly (readonly [check: string, seconds: number])[];
};

/** Without `origin`, of a network without `checks:`. */
export type TimedSample = { readonly at: number; readonly seconds: number; readonly origin?: SampleOrigin };

/** Where a network's samples are kept, or one of its checks' where it has several. */
export function seriesKey(network: string, check: string | null = null): string {
  return check === null ? network : `${network}/${check}`;
}

/** The samples that a network's judge reads. Until its first one it reads what it read before its `checks:` changed. */
export function historyIn(record: Sampled, network: string, hasChecks: boolean): History {
  const { history, series, networks, historyOfChecks } = record;
  const own = series.get(seriesKey(network));
  if (own !== undefined) return own;
  if (networks.has(network) || networks.size === 0) return history;
  // Others have the edge.
  return hasChecks || historyOfChecks ? EMPTY_HISTORY : history;
}

/** The samples of one check of a network, which are the network's own where it has no other. */
export function historyOfCheck(record: Sampled, network: string, check: string, checks: readonly string[]): History {
  if (checks.length < 2) return historyIn(record, network, checks.length > 0);
  return record.series.get(seriesKey(network, check)) ?? EMPTY_HISTORY;
}

/** The record with one sample more; the same object for a sample that is in it already. */
export function withSample<Record extends Sampled>(record: Record, sample: TimedSample): Record {
  const { at, origin } = sample;
  const seconds = microseconds(sample.seconds);
  const checks = origin?.checks ?? null;
  const series = origin === undefined ? record.series : seriesAfter(record.series, at, seconds, origin);
  const isElsewhere = checks !== null && hasOther(record, origin?.network ?? '');
  const before = checks === null && record.historyOfChecks ? EMPTY_HISTORY : record.history;
  const history = isElsewhere ? record.history : addSample(before, at, seconds);
  const historyOfChecks = isElsewhere ? record.historyOfChecks : checks !== null;
  if (history === record.history && series === record.series && historyOfChecks === record.historyOfChecks) {
    return record;
  }
  const average = (): number => figuresOf(history, at).average ?? seconds;
  const averages = history === record.history ? record.averages : noteAverage(record.averages, at, average);
  return { ...record, history, averages, series, historyOfChecks };
}

/** Whether another network without `checks:` has the edge. */
function hasOther({ networks, series }: Sampled, network: string): boolean {
  return [...networks.keys()].some((name) => name !== network && !series.has(seriesKey(name)));
}

/**
 * The series with a network's sample more. Those of its checks that are gone are dropped, and all of a network that has no
 * `checks:` any more. Those of a network's checks are together as long as the network's own.
 */
function seriesAfter(
  before: Sampled['series'],
  at: number,
  seconds: number,
  { network, checks, seconds: ofChecks }: SampleOrigin,
): Sampled['series'] {
  const several = checks !== null && checks.length > 1 ? checks : [];
  if (checks === null && before.size === 0) return before;
  const keys = new Set(checks === null ? [] : [seriesKey(network), ...several.map((name) => seriesKey(network, name))]);
  const after = new Map([...before].filter(([key]) => networkOf(key) !== network || keys.has(key)));
  const add = (key: string, value: number, max: number): void => {
    if (keys.has(key)) after.set(key, addSample(after.get(key) ?? EMPTY_HISTORY, at, value, max));
  };
  const max = seriesMax([...after.keys()].filter((key) => networkOf(key) === key).length);
  add(seriesKey(network), seconds, max);
  const maxOfCheck = Math.max(SERIES_MIN, Math.floor(max / several.length));
  for (const [name, value] of ofChecks) add(seriesKey(network, name), microseconds(value), maxOfCheck);
  return after.size === before.size && [...after].every(([key, one]) => before.get(key) === one) ? before : after;
}

/** Samples of one network in a record that has series of so many: a file that is written once a round must stay small. */
function seriesMax(networks: number): number {
  return Math.max(SERIES_MIN, Math.min(HISTORY_MAX, Math.floor(SAMPLES_MAX / Math.max(1, networks))));
}

/** Those of the networks that are still known. */
export function seriesOf(series: Sampled['series'], networks: ReadonlyMap<string, unknown>): Sampled['series'] {
  if (series.size === 0) return series;
  const kept = [...series].filter(([key]) => networks.has(networkOf(key)));
  return kept.length === series.size ? series : new Map(kept);
}

function networkOf(key: string): string {
  const end = key.indexOf('/');
  return end < 0 ? key : key.slice(0, end);
}
