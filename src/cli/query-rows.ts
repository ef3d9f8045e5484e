/** What `edge_query` lists and how it prints it (specification section 10 and 12.19). Pure. */

import type { Mode } from '../health/judge/edge.ts';
import type { Judgement } from '../health/judge/verdict.ts';
import { type EdgeRecord, inNetwork } from '../health/state/edge-store.ts';

export type EdgeRow = {
  readonly mode: Mode;
  readonly state: 'in' | 'out';
  /** Never fetched: unknown. */
  readonly health: Judgement | 'unknown';
  readonly edge: string;
  /** Whole seconds in its state; -1: since before anybody noted it. */
  readonly seconds: number;
  readonly comment: string;
};

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

/** The edge as one network has it; a record may belong to several. */
export function rowOf(edge: string, record: EdgeRecord, network: string, now: number): EdgeRow {
  const { mode, comment } = record;
  const own = inNetwork(record, network);
  const { state, stateSince } = own;
  const health = record.history.times.length === 0 ? 'unknown' : own.health;
  const seconds = stateSince === null ? -1 : Math.max(0, Math.floor(now - stateSince));
  return { mode, state, health, edge, seconds, comment };
}

/** `allpass` is literally "not fail", so it includes edges that were never fetched, as in the original. */
export function matches(row: EdgeRow, { health, state, mode }: QueryFilter): boolean {
  if (health === 'allpass' ? row.health === 'fail' : health !== null && row.health !== health) return false;
  return (state === null || row.state === state) && (mode === null || row.mode === mode);
}

const VERBOSE: readonly string[] = ['mode', 'state', 'health', 'edgename', 'duration', 'comment'];
const USUAL: readonly string[] = ['edgename', 'duration'];
const QUIET: readonly string[] = ['edgename'];

/** One line an edge. Columns are not quoted, as in the original; the header comes only with something below it. */
export function printRows(rows: readonly EdgeRow[], { format, quiet, verbose, header }: QueryStyle): string {
  if (rows.length === 0) return '';
  if (format === 'json') return rows.map((row) => `${jsonRow(row, quiet, verbose)}\n`).join('');
  const separator = format === 'flat' ? '\t' : ',';
  const columns = verbose ? VERBOSE : quiet ? QUIET : USUAL;
  const lines = rows.map((row) => {
    const duration = String(row.seconds);
    if (verbose) return [row.mode, row.state, row.health, row.edge, duration, row.comment];
    return quiet ? [row.edge] : [row.edge, duration];
  });
  return [...(header ? [columns] : []), ...lines].map((cells) => `${cells.join(separator)}\n`).join('');
}

/** Python's spacing, because scripts have matched these lines as text. */
function jsonRow({ edge, seconds, health, state }: EdgeRow, quiet: boolean, verbose: boolean): string {
  const pairs: (readonly [string, string])[] = [['edge', edge]];
  if (!quiet) pairs.push(['time_since_state_change', String(seconds)]);
  if (verbose) pairs.push(['health', health], ['state', state]);
  return `{${pairs.map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(', ')}}`;
}
