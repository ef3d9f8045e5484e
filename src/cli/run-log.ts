import { closeSync, writeSync } from 'node:fs';
import { ioProblem } from '../system/io-problem.ts';
import { logTo } from '../system/log.ts';
import type { Log, LogLevel } from '../system/log-events.ts';
import type { LogFormat } from '../system/log-format.ts';
import { openForAppend } from '../system/open-append.ts';
import { fileError } from '../system/read-file.ts';

/** Python's names, which the log readers of an existing installation know. */
const NAMES: { readonly [level in LogLevel]: string } = {
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
};
const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export type RunLog = {
  readonly log: Log;
  /** Where the hooks' standard error goes. */
  readonly hooksStderr: number | 'inherit';
  readonly close: () => void;
};

/** `-v`: everything to standard error, as `edgemanage (PID): LEVEL text`. */
export function stderrLog(lowest: LogLevel, format: LogFormat | null): RunLog {
  const formatted = format === null ? null : logTo({ write: (line) => process.stderr.write(line) }, lowest, format);
  const log: Log = (level, text, event) => {
    if (formatted !== null) return formatted(level, text, event);
    if (isAtLeast(level, lowest)) process.stderr.write(`edgemanage (${process.pid}): ${NAMES[level]} ${text}\n`);
  };
  return { log, hooksStderr: 'inherit', close: () => {} };
}

/**
 * `logpath`: `2026-11-22 02:33:07,041 (PID): LEVEL text`. The file is opened for each line, so that one renamed by a
 * rotation is left alone at once. Throws the system's error if it cannot be opened now. A line that cannot be written
 * later (disk full) is lost; the first such is reported on standard error.
 */
export function fileLog(path: string, lowest: LogLevel, format: LogFormat | null): RunLog {
  const first = openForAppend(path);
  if (!first.ok) throw fileError(path, first);
  const hooksStderr = first.fd;
  let failed = false;
  const write = (line: string): void => {
    const problem = append(path, line);
    // A full disk must not keep a round from being decided.
    if (problem !== null && !failed) process.stderr.write(`Cannot write the log ${path}: ${problem}\n`);
    failed ||= problem !== null;
  };
  const formatted = format === null ? null : logTo({ write }, lowest, format);
  const log: Log = (level, text, event) => {
    if (formatted !== null) return formatted(level, text, event);
    if (isAtLeast(level, lowest)) write(`${stamp(new Date())} (${process.pid}): ${NAMES[level]} ${text}\n`);
  };
  return { log, hooksStderr, close: () => closeSync(hooksStderr) };
}

/** Null: written. */
function append(path: string, line: string): string | null {
  const opened = openForAppend(path);
  if (!opened.ok) return opened.message;
  try {
    writeSync(opened.fd, line);
    return null;
  } catch (error) {
    return ioProblem(error);
  } finally {
    closeSync(opened.fd);
  }
}

/** Local time with milliseconds, as Python's logging prints it. */
function stamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time},${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function isAtLeast(level: LogLevel, lowest: LogLevel): boolean {
  return ORDER.indexOf(level) >= ORDER.indexOf(lowest);
}
