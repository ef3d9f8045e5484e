/** What `edge_query` lists and how it prints it (specification section 10 and 12.19). Pure. */

import type { Mode } from '../health/judge/edge.ts';
import { type Figures, figuresOf, type History, sampleCount } from '../health/judge/history.ts';
import { allSaysText, type EdgeQuorum, isSuspect } from '../health/judge/quorum.ts';
import type { Judgement } from '../health/judge/verdict.ts';
import { type EdgeRecord, inNetwork } from '../health/state/edge-store.ts';
import { historyIn, historyOfCheck } from '../health/state/series.ts';
import { type Failure, reachOf, type UptimeNow, uptimeAt } from '../health/state/uptime.ts';
import { isObject } from '../system/json-object.ts';
import { oneLine } from '../system/printable.ts';

export type EdgeRow = {
  readonly mode: Mode;
  readonly state: 'in' | 'out';
  /** Never fetched: unknown. */
  readonly health: Judgement | 'unknown';
  readonly edge: string;
  /** Whole seconds in its state; -1: since before anybody noted it. */
  readonly seconds: number;
  readonly comment: string;
  readonly uptime: UptimeNow & {
    /** Whole seconds since it came up or went down; -1: never judged. */
    readonly seconds: number;
  };
  /** The check that decided, where its network has several. */
  readonly check?: string;
  /** What the vantage points said of it in the last decision, where there are several. */
  readonly quorum?: EdgeQuorum;
  /** Samples of each check, where its network has `checks:`. */
  readonly series?: ReadonlyMap<string, SeriesRow>;
};

/** `newest`: the last samples, newest last, each its time (epoch seconds) and its seconds. */
export type SeriesRow = Figures & { readonly newest: readonly (readonly [at: number, seconds: number])[] };

const NEWEST_MAX = 20;

export type QueryHealth = Judgement | 'unknown' | 'allpass';
export type QueryFormat = 'flat' | 'csv' | 'json';
/** All of them must match; null matches everything. */
export type QueryFilter = {
  readonly health: QueryHealth | null;
  readonly state: EdgeRow['state'] | null;
  readonly mode: Mode | null;
};
export type QueryStyle = {
  readonly format: QueryFormat;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly header: boolean;
};

/**
 * The edge as one network has it; a record may belong to several. `interval`: between two samples, seconds. `checks`: the
 * names of the network's `checks:`; null: it has no such section.
 */
export function rowOf(
  edge: string,
  record: EdgeRecord,
  network: string,
  now: number,
  interval: number,
  checks: readonly string[] | null = null,
): EdgeRow {
  const { mode, comment } = record;
  const own = inNetwork(record, network);
  const { state, stateSince, check } = own;
  const health = sampleCount(historyIn(record, network, checks !== null)) === 0 ? 'unknown' : own.health;
  const known = record.networks.get(network)?.uptime ?? null;
  const uptime = uptimeAt(known, mode !== 'unavailable', now, reachOf(interval));
  return {
    mode,
    state,
    health,
    edge,
    seconds: secondsSince(stateSince, now),
    comment,
    uptime: { ...uptime, seconds: secondsSince(uptime.since, now) },
    ...(check === undefined ? {} : { check }),
    ...(checks === null
      ? {}
      : {
          series: new Map(checks.map((name) => [name, seriesRow(historyOfCheck(record, network, name, checks), now)])),
        }),
  };
}

function seriesRow(history: History, now: number): SeriesRow {
  const times = history.times.slice(-NEWEST_MAX);
  const seconds = history.seconds.slice(-NEWEST_MAX);
  return { ...figuresOf(history, now), newest: times.map((at, i) => [at, seconds[i]] as const) };
}

function secondsSince(time: number | null, now: number): number {
  return time === null ? -1 : Math.max(0, Math.floor(now - time));
}

/** `allpass` is literally "not fail", so it includes edges that were never fetched, as in the original. */
export function matches(row: EdgeRow, { health, state, mode }: QueryFilter): boolean {
  if (health === 'allpass' ? row.health === 'fail' : health !== null && row.health !== health) return false;
  return (state === null || row.state === state) && (mode === null || row.mode === mode);
}

/** The original's first, so that scripts that count columns go on working. */
const VERBOSE: readonly string[] = [
  ...['mode', 'state', 'health', 'edgename', 'duration', 'comment'],
  ...['up', 'up_duration', 'transitions', 'downtime', 'position', 'last_failure'],
];
const USUAL: readonly string[] = ['edgename', 'duration'];
const QUIET: readonly string[] = ['edgename'];

/** One line an edge. Columns are not quoted, as in the original; the header comes only with something below it. */
export function printRows(rows: readonly EdgeRow[], { format, quiet, verbose, header }: QueryStyle): string {
  if (rows.length === 0) return '';
  if (format === 'json') return rows.map((row) => `${jsonRow(row, quiet, verbose)}\n`).join('');
  const separator = format === 'flat' ? '\t' : ',';
  // More columns behind those that scripts know, and only for a network with several checks, or vantage points.
  const hasChecks = rows.some(({ check }) => check !== undefined);
  const hasVantages = rows.some(({ quorum }) => quorum !== undefined);
  const more = [...(hasChecks ? ['check'] : []), ...(hasVantages ? ['vantages'] : [])];
  const columns = verbose ? [...VERBOSE, ...more] : quiet ? QUIET : USUAL;
  const lines = rows.map((row) => {
    const duration = String(row.seconds);
    if (verbose) {
      const cells = [
        row.mode,
        row.state,
        row.health,
        row.edge,
        duration,
        oneLine(row.comment),
        ...uptimeCells(row, format),
      ];
      return [
        ...cells,
        ...(hasChecks ? [row.check ?? ''] : []),
        ...(hasVantages ? [saysCell(row.quorum, format)] : []),
      ];
    }
    return quiet ? [row.edge] : [row.edge, duration];
  });
  return [...(header ? [columns] : []), ...lines].map((cells) => `${cells.join(separator)}\n`).join('');
}

function uptimeCells({ uptime }: EdgeRow, format: 'flat' | 'csv'): readonly string[] {
  const { up, seconds, transitions, downtimeOfDay, position, lastFailure } = uptime;
  const word = up === null ? 'unknown' : up ? 'up' : 'down';
  const failure = lastFailure === null ? '-' : failureText(lastFailure, format);
  const between = position === null ? '-' : `${position.count}/${position.of}`;
  const downtime = String(Math.round(downtimeOfDay));
  return [word, String(seconds), String(transitions.length), downtime, between, failure];
}

/** `suspect: down for 1 of 3: ams (timeout); up for 2 of 3: fra, lon`, in one cell. */
function saysCell(quorum: EdgeQuorum | undefined, format: 'flat' | 'csv'): string {
  if (quorum === undefined) return '-';
  const line = oneLine(`${isSuspect(quorum) ? 'suspect: ' : ''}${allSaysText(quorum.says)}`);
  return format === 'csv' ? line.replaceAll(',', ';') : line;
}

/** In one cell: a detail may quote what an edge or a program said. */
function failureText({ at, reason, check, detail }: Failure, format: 'flat' | 'csv'): string {
  const time = new Date(Math.round(at) * 1000).toISOString().replace('.000Z', 'Z');
  const line = oneLine(`${time} ${check === null ? '' : `${check}: `}${reason}: ${detail}`);
  return format === 'csv' ? line.replaceAll(',', ';') : line;
}

/** The original's keys first, with Python's spacing, because scripts have matched these lines as text. */
function jsonRow(row: EdgeRow, quiet: boolean, verbose: boolean): string {
  const { edge, seconds, health, state, uptime, check, quorum, series } = row;
  const values = {
    edge,
    ...(quiet ? {} : { time_since_state_change: String(seconds) }),
    ...(verbose ? { health, state, ...uptimeValues(uptime) } : {}),
    ...(verbose && check !== undefined ? { check } : {}),
    ...(verbose && quorum !== undefined ? { vantages: { suspect: isSuspect(quorum), says: quorum.says } } : {}),
    ...(verbose && series !== undefined ? { series: seriesValues(series) } : {}),
  };
  return spacedJson(values);
}

/** By check. */
function seriesValues(series: NonNullable<EdgeRow['series']>): Record<string, unknown> {
  return Object.fromEntries(
    [...series].map(([name, { count, last, windowAverage, average, newest }]) => [
      name,
      { samples: count, last, window_average: windowAverage, average, newest },
    ]),
  );
}

function uptimeValues({
  up,
  since,
  transitions,
  downtimeOfDay,
  lastFailure,
  position,
}: UptimeNow): Record<string, unknown> {
  return {
    up,
    up_since: since,
    transitions,
    downtime_last_day: downtimeOfDay,
    last_failure: lastFailure,
    position,
  };
}

function spacedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, of]) => `${JSON.stringify(key)}: ${spacedJson(of)}`);
  return `{${pairs.join(', ')}}`;
}
