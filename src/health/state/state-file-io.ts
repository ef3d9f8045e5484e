import { writeAtomic } from '../../system/atomic-write.ts';
import { systemCode } from '../../system/error-text.ts';
import type { Fault } from '../../system/fault.ts';
import { droppedText } from '../../system/json-parts.ts';
import { FILE_MAX, fileError, readFile } from '../../system/read-file.ts';
import { isUnreadable, keepCopy, setAside } from '../../system/set-aside.ts';
import { NEW_STATE, type NetworkState } from './network-state.ts';
import { parseState, printState } from './state-file.ts';

export type StateFault = Fault<'state-invalid' | 'state-write'>;
export type StateRead = { readonly state: NetworkState; readonly faults: readonly StateFault[] };

/**
 * Reads a network's state file; without one, a new state. One that cannot be read or understood is set aside (unless
 * `dryRun`) and reported; of one with parts that make no sense those are left out and reported, and a copy is kept.
 * Throws if it can be neither read nor kept, and the system's error where it may be read later: writing over it would
 * lose it.
 */
export async function readState(file: string, now: number, dryRun = false): Promise<StateRead> {
  let problem: string;
  const read = await readFile(file, FILE_MAX.state);
  if (read.ok) {
    const text = read.octets.toString('utf8');
    const parsed = parseState(text);
    if (parsed.ok) {
      // There is nothing to set aside, but the live set that was there is gone.
      const lost = text === '' ? [fault('state-invalid', file, 'is empty; the network starts anew')] : [];
      const dropped = droppedText(parsed.dropped);
      if (dropped === null) return { state: parsed.state, faults: lost };
      const copy = dryRun ? '' : `; the file as it was is kept as ${await keepCopy(file, now)}`;
      const message = `what makes no sense is left out (${dropped})${copy}`;
      return { state: parsed.state, faults: [fault('state-invalid', file, message)] };
    }
    problem = parsed.problem;
  } else {
    if (read.code === 'ENOENT') return { state: NEW_STATE, faults: [] };
    if (!isUnreadable(read.code)) throw fileError(file, read);
    problem = `cannot be read (${read.message})`;
  }
  const end = dryRun ? '' : `; it is now ${await setAside(file, now)}, and the network starts anew`;
  return { state: NEW_STATE, faults: [fault('state-invalid', file, `${problem}${end}`)] };
}

/** Durable when it returns. A failure comes back as a fault, and the old file is left. */
export async function writeState(file: string, state: NetworkState): Promise<readonly StateFault[]> {
  try {
    await writeAtomic(file, printState(state));
    return [];
  } catch (error) {
    return [fault('state-write', file, `cannot be written (${systemCode(error)})`)];
  }
}

function fault(code: StateFault['code'], file: string, message: string): StateFault {
  return { severity: 'error', code, at: { file, line: 1, col: 1, text: '' }, message };
}
