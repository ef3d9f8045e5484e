import { type Logger, pino } from 'pino';

export type Log = Logger;

type LogOptions = {
  readonly verbose: boolean;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Null: standard error. */
  readonly file: string | null;
};

/** Octets of log lines that wait for room on a full disk; later ones are dropped. */
const HELD_MAX = 1 << 20;

/**
 * JSON lines: to standard error, or to a file (`logpath`), which is opened anew on SIGHUP for log rotation. `-v` means
 * everything, and to standard error, as in edgemanage.
 */
export function createLog({ verbose, level, file }: LogOptions): Log {
  const destination =
    verbose || file === null
      ? pino.destination({ dest: 2, sync: true, maxLength: HELD_MAX })
      : pino.destination({ dest: file, append: true, mkdir: true, sync: true, maxLength: HELD_MAX });
  // A full disk must cost log lines only: unheard, this event would end the server.
  destination.on('error', () => undefined);
  // What does not fit is dropped; with room again, the next line finds the way free.
  destination.on('drop', () => {
    try {
      destination.flushSync();
    } catch {} // still no room
  });
  if (file !== null && !verbose) process.on('SIGHUP', () => destination.reopen());
  return pino(
    {
      level: verbose ? 'debug' : level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
