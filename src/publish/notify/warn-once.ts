import type { Guard } from '../../system/guard.ts';

/** Further warnings of one kind are gathered for so long after the first. */
const GATHER_MS = 3000;

/**
 * One line for the first zone, and one for however many more follow within three seconds: ten thousand zones fail in
 * the same way. Zones that fail later begin anew.
 */
export class WarnOnce {
  private readonly write: (message: string) => void;
  private readonly guard: Guard;
  private readonly gathered = new Map<string, { more: number; readonly timer: NodeJS.Timeout }>();

  constructor(write: (message: string) => void, guard: Guard) {
    this.write = write;
    this.guard = guard;
  }

  /**
   * Logs `PREFIX ZONE SUFFIXDETAIL`, and later perhaps `PREFIX 7 more SUFFIX`. Prefix and suffix together are the kind;
   * `detail` is about this zone alone.
   */
  add(prefix: string, zone: string, suffix: string, detail = ''): void {
    const kind = `${prefix}\n${suffix}`;
    const known = this.gathered.get(kind);
    if (known !== undefined) {
      known.more += 1;
      return;
    }
    this.write(`${prefix} ${zone} ${suffix}${detail}`);
    const summarise = this.guard.protect('summary of warnings', () => {
      const more = this.gathered.get(kind)?.more ?? 0;
      this.gathered.delete(kind);
      if (more > 0) this.write(`${prefix} ${more} more ${suffix}`);
    });
    const timer = setTimeout(summarise, GATHER_MS);
    this.gathered.set(kind, { more: 0, timer: timer.unref() });
  }

  /** Drops what is gathered. */
  stop(): void {
    for (const { timer } of this.gathered.values()) clearTimeout(timer);
    this.gathered.clear();
  }
}
