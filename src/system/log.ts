import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { pino } from 'pino';
import { type EventName, LOG_LEVELS, type Log, type Logged, type LogLevel } from './log-events.ts';
import { LogFile } from './log-file.ts';
import { formatRecord, type LogFormat } from './log-format.ts';

export type LogOptions = {
  readonly verbose: boolean;
  readonly level: LogLevel;
  /** Null: standard error. */
  readonly file: string | null;
  /** Unless given, as fits where it goes. */
  readonly format?: LogFormat | undefined;
};

export type OpenLog = {
  readonly log: Log;
  /** Lines of lower levels are left out. */
  readonly lowest: LogLevel;
  /**
   * After a rotation, or once the file can be opened. Throws the system's error where it cannot; the old file, or
   * standard error, then stays in use.
   */
  readonly reopen: () => void;
  /** Why the log goes to standard error though it should go to a file; null: it goes where it should. */
  readonly fault: () => string | null;
  /** Why lines are held back, or lost, that should be in the file; null: they are there. */
  readonly writeFault: () => string | null;
};

type Destination = { readonly write: (line: string) => unknown };

/** Octets of log lines that wait for standard error; later ones are dropped. */
const HELD_MAX = 1 << 20;
const STANDARD_ERROR = 2;

/**
 * To standard error, or to a file (`logpath`). `-v` means everything, and to standard error, as in edgemanage. Where the
 * file cannot be opened the log goes to standard error: a server must not stay away for its log.
 */
export function createLog({ verbose, level, file, format }: LogOptions): OpenLog {
  const lowest = verbose ? 'debug' : level;
  if (file === null || verbose) {
    const log = logTo(standardError(), lowest, format ?? standardErrorFormat());
    return { log, lowest, reopen: () => undefined, fault: () => null, writeFault: () => null };
  }
  const { log: destination, fault } = LogFile.openOrStandardError(file);
  return {
    log: logTo(destination, lowest, format ?? 'json'),
    lowest,
    reopen: () => destination.reopen(),
    fault: () => (destination.isStandardError ? fault : null),
    writeFault: () => destination.writeFault(),
  };
}

/** Lines of this format, from the level `lowest` on. */
export function logTo(destination: Destination, lowest: LogLevel, format: LogFormat): Log {
  const least = LOG_LEVELS.indexOf(lowest);
  const { NO_COLOR = '' } = process.env;
  const isColoured = NO_COLOR === '' && isatty(STANDARD_ERROR);
  return <E extends EventName>(level: LogLevel, text: string, event: Logged<E>) => {
    if (LOG_LEVELS.indexOf(level) < least) return;
    const fields: { readonly [name: string]: unknown } = typeof event === 'string' ? { event } : { ...event };
    destination.write(formatRecord({ level, at: Date.now(), pid: process.pid, text, fields }, format, isColoured));
  };
}

/** Text for a person at a terminal, lines with priorities for the journal, JSON for files and pipes. */
export function standardErrorFormat(): LogFormat {
  if (isJournal(process.env['JOURNAL_STREAM'])) return 'journald';
  return isatty(STANDARD_ERROR) ? 'text' : 'json';
}

/** systemd.exec(5): the device and inode of the journal's socket, which a child with another standard error inherits, too. */
function isJournal(stream: string | undefined): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(STANDARD_ERROR, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false; // closed
  }
}

function standardError(): Destination {
  const destination = pino.destination({ dest: STANDARD_ERROR, sync: true, maxLength: HELD_MAX });
  // A disk that is full costs log lines only: without a listener this event would end the server.
  destination.on('error', () => undefined);
  // What does not fit is dropped; with room again, the next line finds the way free.
  destination.on('drop', () => {
    try {
      destination.flushSync();
    } catch {} // still no room
  });
  return destination;
}
