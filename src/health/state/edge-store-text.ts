import type { History } from '../judge/history.ts';
import { type EdgeRecord, ROTATIONS_MAX } from './edge-store.ts';
import { uptimeValue } from './uptime.ts';

const INDENT = '    ';

/**
 * The store's text as Python's `json.dump(…, sort_keys=True, indent=4)` would lay it out, written line by line: a round
 * over 2,000 edges prints four million samples, and building objects to be sorted would cost several times as much.
 */
export function printEdgeRecord(record: EdgeRecord): string {
  const values = new Map<string, string>();
  for (const [key, value] of record.extra) values.set(key, indented(JSON.stringify(value, null, INDENT)));
  values.set('comment', JSON.stringify(record.comment));
  values.set('fetch_times', printHistory(record.history));
  if (record.historyOfChecks) values.set('fetch_times_of_checks', 'true');
  values.set('health', JSON.stringify(record.health));
  values.set('historical_average', printHistory(record.averages));
  values.set('mode', JSON.stringify(record.mode));
  values.set('mode_until', JSON.stringify(record.modeUntil));
  if (record.networks.size > 0) values.set('networks', indented(JSON.stringify(networksOf(record), null, INDENT)));
  values.set('rotation_history', printList(record.rotations.slice(-ROTATIONS_MAX)));
  if (record.series.size > 0) values.set('series', printSeries(record.series));
  values.set('state', JSON.stringify(record.state));
  values.set('state_entry_time', JSON.stringify(record.modeSince));
  values.set('state_since', JSON.stringify(record.stateSince));
  const lines = [...values.keys()].sort().map((key) => `${INDENT}${JSON.stringify(key)}: ${values.get(key) ?? 'null'}`);
  return `{\n${lines.join(',\n')}\n}`;
}

function networksOf({ networks }: EdgeRecord): Record<string, unknown> {
  const sorted = [...networks].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    sorted.map(([name, { state, stateSince, health, seen, uptime, check }]) => [
      name,
      {
        ...(check === undefined ? {} : { check }),
        health,
        seen,
        state,
        state_since: stateSince,
        ...(uptime === undefined ? {} : { uptime: uptimeValue(uptime) }),
      },
    ]),
  );
}

/** `indent`: of the line on which it begins. */
function printHistory({ times, seconds }: History, indent = INDENT): string {
  if (times.length === 0) return '{}';
  let text = '{\n';
  const begin = `${indent}${INDENT}`;
  for (let i = 0; i < times.length; i++) {
    text += `${begin}"${stampText(times[i])}": ${numberText(seconds[i])}${i + 1 < times.length ? ',\n' : '\n'}`;
  }
  return `${text}${indent}}`;
}

function printSeries(series: EdgeRecord['series']): string {
  const indent = `${INDENT}${INDENT}`;
  const sorted = [...series].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = sorted.map(([key, history]) => `${indent}${JSON.stringify(key)}: ${printHistory(history, indent)}`);
  return `{\n${lines.join(',\n')}\n${INDENT}}`;
}

function printList(values: readonly number[]): string {
  if (values.length === 0) return '[]';
  return `[\n${values.map((value) => `${INDENT}${INDENT}${numberText(value)}`).join(',\n')}\n${INDENT}]`;
}

const TWO_DIGITS = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));
const THREE_DIGITS = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0'));
/** As the last digits of a fraction: without the zeros at their end. */
const LAST_DIGITS = THREE_DIGITS.map((digits) => digits.replace(/0+$/, ''));

/** "epoch.cc"; a stamp that came with more digits (Python 3 writes seven) keeps them, or it would move. */
function stampText(time: number): string {
  const centis = Math.round(time * 100);
  if (centis / 100 !== time || time < 0) return String(time);
  const whole = Math.floor(centis / 100);
  return `${whole}.${TWO_DIGITS[centis - 100 * whole]}`;
}

/** A number of whole microseconds, as ours are, in a quarter of the time that the general conversion takes. */
function numberText(value: number): string {
  const micros = Math.round(value * 1e6);
  if (micros / 1e6 !== value || value < 0 || micros > Number.MAX_SAFE_INTEGER) return String(value);
  const whole = Math.floor(micros / 1e6);
  const rest = micros - 1e6 * whole;
  if (rest === 0) return String(whole);
  const upper = Math.floor(rest / 1000);
  const lower = rest - 1000 * upper;
  return `${whole}.${lower === 0 ? LAST_DIGITS[upper] : THREE_DIGITS[upper] + LAST_DIGITS[lower]}`;
}

function indented(text: string): string {
  return text.replaceAll('\n', `\n${INDENT}`);
}
