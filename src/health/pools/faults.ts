import { type Fault, formatFault } from '../../system/fault.ts';
import type { RoundLog } from './round-log.ts';

/** Says each fault in the log. */
export function reportFaults(log: RoundLog, faults: readonly Fault[]): void {
  for (const fault of faults) log(fault.severity === 'error' ? 'error' : 'warn', formatFault(fault));
}

export function roundFault<Code extends string>(code: Code, message: string, file: string | null): Fault<Code> {
  return { severity: 'error', code, at: file === null ? null : { file, line: 1, col: 1, text: '' }, message };
}

/** What fails here must not keep a decision from being served, so it becomes a fault. */
export async function attempt(code: string, work: () => Promise<void>): Promise<readonly Fault[]> {
  try {
    await work();
    return [];
  } catch (error) {
    return [roundFault(code, error instanceof Error ? error.message : String(error), null)];
  }
}
