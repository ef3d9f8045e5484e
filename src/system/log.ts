import { type Logger, pino } from 'pino';
import { LogFile } from './log-file.ts';

export type Log = Logger;

export type LogOptions = {
  readonly verbose: boolean;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Null: standard error. */
  readonly file: string | null;
};

export type OpenLog = {
  readonly log: Log;
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

/** Octets of log lines that wait for standard error; later ones are dropped. */
const HELD_MAX = 1 << 20;

/**
 * JSON lines: to standard error, or to a file (`logpath`). `-v` means everything, and to standard error, as in
 * edgemanage. Where the file cannot be opened the log goes to standard error: a server must not stay away for its log.
 */
export function createLog({ verbose, level, file }: LogOptions): OpenLog {
  const options = {
    level: verbose ? 'debug' : level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (file === null || verbose) {
    return { log: pino(options, standardError()), reopen: () => undefined, fault: () => null, writeFault: () => null };
  }
  const { log: destination, fault } = LogFile.openOrStandardError(file);
  return {
    log: pino(options, destination),
    reopen: () => destination.reopen(),
    fault: () => (destination.isStandardError ? fault : null),
    writeFault: () => destination.writeFault(),
  };
}

function standardError(): ReturnType<typeof pino.destination> {
  const destination = pino.destination({ dest: 2, sync: true, maxLength: HELD_MAX });
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
