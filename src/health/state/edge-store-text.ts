/** The text of an edge's health record, as `edge-store.ts` describes it: how it is written and read. */
import { z } from 'zod';
import { isObject, numberFrom, otherKeys, parseObject } from '../../system/json-object.ts';
import {
  FLAG,
  issueAt,
  listOf,
  mapOf,
  NO_NUMBER,
  NO_OBJECT,
  NUMBER,
  objectOf,
  oneOf,
  readParts,
  TEXT,
} from '../../system/json-parts.ts';
import { AVERAGES_MAX, EMPTY_HISTORY, HISTORY_MAX, type History, sampleCount } from '../judge/history.ts';
import { type EdgeInNetwork, type EdgeRecord, JUDGEMENTS, MODES, ROTATIONS_MAX } from './edge-store.ts';
import { UPTIME, uptimeValue } from './uptime.ts';

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
  if (record.modeBy !== null) values.set('mode_by', JSON.stringify(record.modeBy));
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

/** `dropped`: what of the file makes no sense and took its default, with its key. */
export type ParsedRecord =
  | { readonly ok: true; readonly record: EdgeRecord; readonly dropped: readonly string[] }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads a store's text. Missing keys take their defaults, and so does what makes no sense; an empty file is a new edge,
 * as in the original.
 */
export function parseEdgeRecord(text: string): ParsedRecord {
  const object = parseObject(text);
  if (!object.ok) return object;
  const parts = readParts(RECORD, object.value);
  if (parts === null) return { ok: false, problem: 'nothing of it makes sense' };
  return { ok: true, record: { ...parts.value, extra: otherKeys(object.value, KNOWN) }, dropped: parts.dropped };
}

/** Samples by their times; by hand, as there are thousands. Null is what is missing. */
function historyOf(max: number): z.ZodType<History> {
  return z.unknown().transform((value, context) => {
    if (!isObject(value)) {
      context.addIssue(NO_OBJECT);
      return z.NEVER;
    }
    const pairs: (readonly [number, number])[] = [];
    for (const [key, of] of Object.entries(value)) {
      const time = Number(key);
      const seconds = numberFrom(of);
      // One of them would make every average of the edge NaN.
      if (key === '' || !Number.isFinite(time)) context.addIssue(issueAt([key], 'expected a time'));
      else if (seconds === null) context.addIssue(issueAt([key], NO_NUMBER));
      else pairs.push([time, seconds]);
    }
    // Files are sorted as text; numbers of different length are not, and a JSON object keeps no order for whole numbers.
    pairs.sort(([a], [b]) => a - b);
    const kept = pairs.slice(-max);
    return { times: kept.map(([time]) => time), seconds: kept.map(([, seconds]) => seconds) };
  });
}

const TIME = NUMBER.nullable().default(null);
const STATE = oneOf(['in', 'out']);
const JUDGEMENT = oneOf(JUDGEMENTS);

const IN_NETWORK = objectOf({
  state: STATE,
  state_since: TIME,
  health: JUDGEMENT.default('pass'),
  seen: NUMBER,
  uptime: UPTIME.optional(),
  check: TEXT.optional(),
}).transform(
  ({ state, state_since: stateSince, health, seen, uptime, check }): EdgeInNetwork => ({
    state,
    stateSince,
    health,
    seen,
    ...(check === undefined ? {} : { check }),
    ...(uptime === undefined ? {} : { uptime }),
  }),
);

const FILE = objectOf({
  comment: TEXT.default(''),
  fetch_times: historyOf(HISTORY_MAX).default(EMPTY_HISTORY),
  fetch_times_of_checks: FLAG.default(false),
  health: JUDGEMENT.default('pass'),
  historical_average: historyOf(AVERAGES_MAX).default(EMPTY_HISTORY),
  mode: oneOf(MODES).default('available'),
  mode_by: TEXT.nullable().default(null),
  mode_until: TIME,
  networks: mapOf(IN_NETWORK).default(new Map<string, EdgeInNetwork>()),
  rotation_history: listOf(NUMBER).default([]),
  series: mapOf(historyOf(HISTORY_MAX)).default(new Map<string, History>()),
  state: STATE.default('out'),
  state_entry_time: TIME,
  state_since: TIME,
});

const KNOWN: readonly string[] = Object.keys(FILE.shape);

const RECORD = FILE.transform(
  (file): Omit<EdgeRecord, 'extra'> => ({
    history: file.fetch_times,
    averages: file.historical_average,
    series: new Map([...file.series].filter(([, history]) => sampleCount(history) > 0)),
    historyOfChecks: file.fetch_times_of_checks,
    rotations: file.rotation_history.slice(-ROTATIONS_MAX),
    state: file.state,
    stateSince: file.state_since,
    mode: file.mode,
    modeSince: file.state_entry_time,
    modeBy: file.mode_by,
    modeUntil: file.mode === 'available' ? null : file.mode_until,
    health: file.health,
    comment: file.comment,
    networks: file.networks,
  }),
);
