import { GROUPS_MAX, type GroupTable } from '../../system/process-group.ts';

type Waiting = { readonly begin: (hasPlace: boolean) => void };

/** Places for the programs that checks start: at most GROUPS_MAX run at a time, whatever the network; others wait. */
export class Programs {
  readonly groups: GroupTable;
  private free = GROUPS_MAX;
  private readonly waiting = new Set<Waiting>();

  constructor(groups: GroupTable) {
    this.groups = groups;
  }

  /** True with a place, which `release` gives back; false when none came within `ms`, or `signal` was aborted. */
  take(ms: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.free > 0) {
      this.free -= 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const end = (hasPlace: boolean): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', cancel);
        this.waiting.delete(waiting);
        resolve(hasPlace);
      };
      const cancel = (): void => end(false);
      const waiting = { begin: end };
      const timer = setTimeout(cancel, Math.max(0, ms));
      signal.addEventListener('abort', cancel);
      this.waiting.add(waiting);
    });
  }

  /** Passes the place to whoever has waited longest. */
  release(): void {
    const [next] = this.waiting;
    if (next === undefined) this.free += 1;
    else next.begin(true);
  }
}
