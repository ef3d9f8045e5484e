import { logTo } from '../../src/system/log.ts';
import type { Log, LogLevel } from '../../src/system/log-events.ts';

/** A log as the server writes it to a file: each line of JSON goes to `write`. */
export function jsonLog(write: (line: string) => unknown, lowest: LogLevel = 'debug'): Log {
  return logTo({ write }, lowest, 'json');
}

/** The same as `serve` takes it. */
export function openedLog(write: (line: string) => unknown, lowest: LogLevel = 'info'): { log: Log; lowest: LogLevel } {
  return { log: jsonLog(write, lowest), lowest };
}
