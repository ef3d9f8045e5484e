import { type Fault, formatFault } from '../../system/fault.ts';
import type { RoundLog } from './round-log.ts';

/** Says each fault in the log. */
export function reportFaults(log: RoundLog, faults: readonly Fault[]): void {
  for (const fault of faults) log(faultLevel(fault), formatFault(fault));
}

export function faultLevel({ severity }: Fault): 'error' | 'warn' {
  return severity === 'error' ? 'error' : 'warn';
}

export function roundFault<Code extends string>(code: Code, message: string, file: string | null): Fault<Code> {
  return { severity: 'error', code, at: file === null ? null : { file, line: 1, col: 1, text: '' }, message };
}
