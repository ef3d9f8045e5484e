import { readdir } from 'node:fs/promises';
import { FILE_MAX, readFile } from './read-file.ts';

/** Signals every process of the group that `leader` (a child started with `detached`) began; one that is gone is fine. */
export function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  // 0 and 1 would mean our own group, and every process there is.
  if (leader === undefined || leader <= 1) return;
  try {
    process.kill(-leader, signal);
  } catch {
    // Gone already.
  }
}

/** Whether the group that `leader` began has any process, one that is dead and not yet waited for among them. */
export function groupExists(leader: number | undefined): boolean {
  if (leader === undefined || leader <= 1) return false;
  try {
    return process.kill(-leader, 0);
  } catch (error) {
    // EPERM: it runs, as another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * Whether any process of that group is alive. Reads all of /proc, for the sake of containers: where the first process
 * (we, perhaps) waits for no orphans, a group of dead ones exists for ever. True where /proc cannot be read.
 */
export async function groupLives(leader: number): Promise<boolean> {
  const pids = (await readdir('/proc').catch(() => null))?.filter((name) => /^\d+$/.test(name));
  if (pids === undefined) return groupExists(leader);
  for (const pid of pids) {
    const read = await readFile(`/proc/${pid}/stat`, FILE_MAX.secret);
    const stat = read.ok ? read.octets.toString('latin1') : ''; // gone meanwhile
    // After the name in brackets, which may hold anything: state, parent, group.
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (group === `${leader}` && state !== 'Z' && state !== 'X') return true;
  }
  return false;
}

/** Groups that one thread may have at a time. */
export const GROUPS_MAX = 32;

/**
 * The process groups that a worker thread has started, in shared memory: whoever ends that thread, or finds it dead, can
 * end them.
 */
export class GroupTable {
  readonly memory: SharedArrayBuffer;
  /** Process ids, 0 for none; the last cell is 1 once the table is closed. */
  private readonly cells: Int32Array;

  constructor(memory = new SharedArrayBuffer((GROUPS_MAX + 1) * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.cells = new Int32Array(memory);
  }

  /** False: the table is full or closed, and the group was ended at once. */
  add(leader: number): boolean {
    for (let i = 0; i < GROUPS_MAX; i++) {
      if (Atomics.compareExchange(this.cells, i, 0, leader) !== 0) continue;
      // Closed meanwhile: either `close` saw the entry, or this sees that it is closed.
      if (Atomics.load(this.cells, GROUPS_MAX) === 0) return true;
      break;
    }
    signalGroup(leader, 'SIGKILL');
    return false;
  }

  remove(leader: number): void {
    for (let i = 0; i < GROUPS_MAX; i++) Atomics.compareExchange(this.cells, i, leader, 0);
  }

  /** Kills every group that is listed, and each that would be listed from now on. */
  close(): void {
    Atomics.store(this.cells, GROUPS_MAX, 1);
    for (let i = 0; i < GROUPS_MAX; i++) signalGroup(Atomics.exchange(this.cells, i, 0), 'SIGKILL');
  }
}
