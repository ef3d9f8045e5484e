import { type Fault, formatFault } from '../../system/fault.ts';
import type { Log } from '../../system/log-events.ts';

/** Says each fault in the log. */
export function reportFaults(log: Log, faults: readonly Fault[]): void {
  for (const fault of faults) log(faultLevel(fault), formatFault(fault), stateFault(fault));
}

/** A fault of saved state, as an event. */
export function stateFault({ code, at }: Fault) {
  return { event: 'state.fault', code, ...(at === null ? {} : { file: at.file, line: at.line }) } as const;
}

export function faultLevel({ severity }: Fault): 'error' | 'warn' {
  return severity === 'error' ? 'error' : 'warn';
}

export function roundFault<Code extends string>(code: Code, message: string, file: string | null): Fault<Code> {
  return { severity: 'error', code, at: file === null ? null : { file, line: 1, col: 1, text: '' }, message };
}
