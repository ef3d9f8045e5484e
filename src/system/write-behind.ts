import { errorText } from './error-text.ts';

export type WriteBehindOptions<Key> = {
  /** Called with the newest fault of a key when it begins to fail, and with null when it works again. */
  readonly onFault?: (key: Key, message: string | null) => void;
  /** First pause before a failed write is tried again, milliseconds; it doubles up to `retryMaxMs`. Infinity: never. */
  readonly retryMs?: number;
  readonly retryMaxMs?: number;
};

type Retry = { readonly timer: NodeJS.Timeout; readonly again: () => void };
type Waiting = { readonly write: () => Promise<void>; readonly attempt: number };

/**
 * Work that follows what has already happened: one piece at a time, and of each key only the newest. Whoever asks never
 * waits. A write that fails is tried again with growing pauses unless a newer one takes its place; one key that fails
 * delays none of the others.
 */
export class WriteBehind<Key> {
  private readonly options: WriteBehindOptions<Key>;
  private readonly waiting = new Map<Key, Waiting>();
  private readonly failing = new Map<Key, string>();
  private readonly retries = new Map<Key, Retry>();
  private running: Promise<void> | null = null;
  private closed = false;

  constructor(options: WriteBehindOptions<Key> = {}) {
    this.options = options;
  }

  /**
   * `write` is called when its turn has come, so it should look at the state of that moment. It replaces one that
   * waits.
   */
  save(key: Key, write: () => Promise<void>): void {
    this.queue(key, { write, attempt: 0 });
  }

  /** What could not be written, a sentence for each key. */
  faults(): ReadonlyMap<Key, string> {
    return this.failing;
  }

  /** Resolves when nothing waits but what failed and is to be tried again later. */
  async idle(): Promise<void> {
    while (this.running !== null) await this.running;
  }

  /** Tries once more whatever failed or is just failing, then ends: nothing is tried again after that. */
  async close(): Promise<void> {
    this.closed = true;
    for (const { again } of [...this.retries.values()]) again();
    await this.idle();
  }

  private queue(key: Key, work: Waiting): void {
    this.waiting.delete(key); // to the end
    this.waiting.set(key, work);
    clearTimeout(this.retries.get(key)?.timer);
    this.retries.delete(key);
    this.running ??= this.work();
  }

  private async work(): Promise<void> {
    await null; // `running` is set
    for (const [key, work] of this.waiting) {
      this.waiting.delete(key);
      const isLast = this.closed;
      try {
        await work.write();
        if (this.failing.delete(key)) this.report(key, null);
      } catch (error) {
        this.failed(key, work, errorText(error), isLast);
      }
    }
    this.running = null;
  }

  private failed(key: Key, { write, attempt }: Waiting, message: string, isLast: boolean): void {
    const isNew = this.failing.get(key) !== message;
    this.failing.set(key, message);
    if (isNew) this.report(key, message);
    const { retryMs = 1000, retryMaxMs = 60_000 } = this.options;
    if (isLast || retryMs === Number.POSITIVE_INFINITY || this.waiting.has(key)) return;
    const again = (): void => this.queue(key, { write, attempt: attempt + 1 });
    if (this.closed) {
      again(); // it began before `close`, which found nothing to try again
      return;
    }
    const timer = setTimeout(again, Math.min(retryMs * 2 ** attempt, retryMaxMs));
    timer.unref(); // a process that wants to end calls `close`
    this.retries.set(key, { timer, again });
  }

  private report(key: Key, message: string | null): void {
    try {
      this.options.onFault?.(key, message);
    } catch {
      // The log itself may be what fails: the writes that wait must not fail with it. `faults` still says so.
    }
  }
}

/** For `/healthz`: one sentence for everything that cannot be written; none: all is. */
export function writeFaults(what: string, writes: WriteBehind<string>): readonly string[] {
  const [first] = writes.faults();
  if (first === undefined) return [];
  const more = writes.faults().size - 1;
  return [`${what}: ${first[0]}: ${first[1]}${more > 0 ? ` (and ${more} more)` : ''}`];
}
