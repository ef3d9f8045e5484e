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
