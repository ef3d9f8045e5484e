import { GROUPS_MAX, type GroupTable } from '../../system/process-group.ts';
import type { Lane } from './lanes.ts';

type Waiting = { readonly begin: (hasPlace: boolean) => void };

/** Of GROUPS_MAX; the rest is for live members. */
const OTHERS_MAX = 16;
/** Of OTHERS_MAX, for targets that failed last time: each may hold its place for a whole timeout. */
const SLOW_MAX = 8;

/**
 * Places for the programs that checks start, whatever the network: GROUPS_MAX at a time. Who hangs leaves places to the
 * others as in `lanes.ts`, so that a live member that dies is seen.
 */
export class Programs {
  readonly groups: GroupTable;
  private readonly running: Record<Lane, number> = { live: 0, usual: 0, slow: 0 };
  private readonly waiting: Readonly<Record<Lane, Set<Waiting>>> = {
    live: new Set(),
    usual: new Set(),
    slow: new Set(),
  };

  constructor(groups: GroupTable) {
    this.groups = groups;
  }

  /** True with a place, which `release` gives back; false when none came within `ms`, or `signal` was aborted. */
  take(lane: Lane, ms: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.hasFree(lane)) {
      this.running[lane] += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const end = (hasPlace: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', cancel);
        this.waiting[lane].delete(waiting);
        resolve(hasPlace);
      };
      const cancel = (): void => end(false);
      const waiting = { begin: end };
      const timer = setTimeout(cancel, Math.max(0, ms));
      signal.addEventListener('abort', cancel);
      this.waiting[lane].add(waiting);
    });
  }

  /** Passes the place to a live member that waits, else to whoever else has waited longest in its lane. */
  release(from: Lane): void {
    this.running[from] -= 1;
    for (const lane of ['live', 'usual', 'slow'] as const) {
      const [next] = this.waiting[lane];
      if (next === undefined || !this.hasFree(lane)) continue;
      this.running[lane] += 1;
      next.begin(true);
      return;
    }
  }

  private hasFree(lane: Lane): boolean {
    const { live, usual, slow } = this.running;
    if (live + usual + slow >= GROUPS_MAX) return false;
    if (lane === 'live') return true;
    return usual + slow < OTHERS_MAX && (lane === 'usual' || slow < SLOW_MAX);
  }
}
