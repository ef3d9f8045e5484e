import { type EdgeRecord, ROTATIONS_MAX } from './edge-store.ts';
import type { History } from './types.ts';

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
  values.set('health', JSON.stringify(record.health));
  values.set('historical_average', printHistory(record.averages));
  values.set('mode', JSON.stringify(record.mode));
  values.set('mode_until', JSON.stringify(record.modeUntil));
  values.set('rotation_history', printList(record.rotations.slice(-ROTATIONS_MAX)));
  values.set('state', JSON.stringify(record.state));
  values.set('state_entry_time', JSON.stringify(record.modeSince));
  values.set('state_since', JSON.stringify(record.stateSince));
  const lines = [...values.keys()].sort().map((key) => `${INDENT}${JSON.stringify(key)}: ${values.get(key) ?? 'null'}`);
  return `{\n${lines.join(',\n')}\n}`;
}

function printHistory({ times, seconds }: History): string {
  if (times.length === 0) return '{}';
  let text = '{\n';
  for (let i = 0; i < times.length; i++) {
    text += `${INDENT}${INDENT}"${stampText(times[i])}": ${seconds[i]}${i + 1 < times.length ? ',\n' : '\n'}`;
  }
  return `${text}${INDENT}}`;
}

function printList(values: readonly number[]): string {
  if (values.length === 0) return '[]';
  return `[\n${values.map((value) => `${INDENT}${INDENT}${value}`).join(',\n')}\n${INDENT}]`;
}

/** "epoch.cc"; a stamp that came with more digits (Python 3 writes seven) keeps them, or it would move. */
function stampText(time: number): string {
  const text = time.toFixed(2);
  return Number(text) === time ? text : String(time);
}

function indented(text: string): string {
  return text.replaceAll('\n', `\n${INDENT}`);
}
