/** The forms of a line of the log: for programs, for a person at a terminal, for the journal. Pure. */
import type { LogLevel } from './log-events.ts';
import { printable, printableJson } from './printable.ts';

export const LOG_FORMATS = ['json', 'text', 'journald'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** One line to be written. `at`: epoch milliseconds. */
export type LogRecord = {
  readonly level: LogLevel;
  readonly at: number;
  readonly pid: number;
  readonly text: string;
  /** `event` is the first of them. */
  readonly fields: { readonly [name: string]: unknown };
};

/** What is written for a record, with its newline. `isColoured` counts for `text` alone. */
export function formatRecord(record: LogRecord, format: LogFormat, isColoured: boolean): string {
  switch (format) {
    case 'json':
      return jsonLine(record);
    case 'text':
      return textLine(record, isColoured);
    case 'journald':
      return journalLines(record);
  }
}

function jsonLine({ level, at, pid, text, fields }: LogRecord): string {
  const record = { level, time: new Date(at).toISOString(), pid, ...fields, msg: text };
  return `${printableJson(JSON.stringify(record, shortNumbers))}\n`;
}

/** For `JSON.stringify`: seconds to the microsecond, without the digits that binary fractions bring. */
function shortNumbers(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Math.round(value * 1e6) / 1e6 : value;
}

const WORDS: { readonly [level in LogLevel]: string } = {
  debug: 'DEBUG',
  info: 'INFO ',
  warn: 'WARN ',
  error: 'ERROR',
};
/** Select graphic rendition (ECMA-48 section 8.3.117). */
const COLOURS: { readonly [level in LogLevel]: string } = { debug: '2', info: '', warn: '33', error: '1;31' };

/** `17:05:12 WARN  sentence  event=live_set.held network=mynet`. */
function textLine({ level, at, text, fields }: LogRecord, isColoured: boolean): string {
  const date = new Date(at);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0'));
  const colour = isColoured ? COLOURS[level] : '';
  const word = colour === '' ? WORDS[level] : `\u001b[${colour}m${WORDS[level]}\u001b[0m`;
  return `${indented(`${time.join(':')} ${word} ${oneLine(text)}`, text, fieldsText(fields, isColoured))}\n`;
}

/** Priorities of syslog(3), as sd-daemon(3) has them before a line. */
const PRIORITIES: { readonly [level in LogLevel]: number } = { debug: 7, info: 6, warn: 4, error: 3 };

/** Each line has the prefix: the journal would give one without it the priority of the whole stream. */
function journalLines({ level, text, fields }: LogRecord): string {
  const lines = indented(oneLine(text), text, fieldsText(fields, false)).split('\n');
  return lines.map((line) => `<${PRIORITIES[level]}>${line}\n`).join('');
}

/** The first line of a text; where it has more, they follow the fields, indented, so that none can pass for a line of its own. */
function indented(first: string, text: string, fields: string): string {
  const more = text.split('\n').slice(1);
  return [`${first}  ${fields}`, ...more.map((line) => `    ${printable(line)}`)].join('\n');
}

function oneLine(text: string): string {
  return printable(text.split('\n', 1)[0]);
}

/** `event=edge.checked network=mynet duration_seconds=0.017`. */
function fieldsText(fields: LogRecord['fields'], isColoured: boolean): string {
  const text = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${name}=${valueText(value)}`)
    .join(' ');
  return isColoured ? `\u001b[2m${text}\u001b[0m` : text;
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map((one) => valueText(one)).join(',');
  const text = typeof value === 'string' ? value : JSON.stringify(value, shortNumbers);
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? printable(text) : JSON.stringify(printable(text));
}
