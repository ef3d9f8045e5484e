import { type Fault, formatFault } from './fault.ts';
import type { Log } from './log-events.ts';

/** A line for each fault of what an operator wrote, at its place. */
export function logFaults(log: Log, faults: readonly Fault[]): void {
  for (const fault of faults) {
    const { severity, code, at } = fault;
    const place = at === null ? {} : { file: at.file, line: at.line };
    log(severity === 'error' ? 'error' : 'warn', formatFault(fault), { event: 'config.fault', code, ...place });
  }
}
