import { readdirSync, readFileSync } from 'node:fs';
import { systemCode } from './error-text.ts';

/** Where the system's limit cannot be read. */
const UNKNOWN_LIMIT = 1 << 20;

/** RLIMIT_NOFILE of this process, at most a million. Node.js raises the soft limit to the hard one at its start. */
export function descriptorLimit(): number {
  const limit = descriptorLimitNow();
  return typeof limit === 'number' ? limit : UNKNOWN_LIMIT;
}

/** The limit as it is now; `exhausted`: no descriptor is left to read it by; null: the system does not say. */
export function descriptorLimitNow(): number | 'exhausted' | null {
  try {
    const line = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line === null ? null : Math.min(Number(line[1]), UNKNOWN_LIMIT);
  } catch (error) {
    return systemCode(error) === 'EMFILE' ? 'exhausted' : null;
  }
}

/** How many descriptors this process has open; 0 where the system does not say. */
export function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

/** What an operator does about a limit that is too low. */
export function raiseLimit(to: number): string {
  return `raise the limit (LimitNOFILE of systemd, ulimit -n) to ${to}`;
}
