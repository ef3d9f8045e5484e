type Sync = { readonly done: Set<string>; readonly resolve: () => void };

/** Barriers: each resolves once every thread has reported that it took over what was sent before. */
export class Syncs {
  private readonly threads: number;
  private readonly waiting = new Map<number, Sync>();
  private last = 0;
  private stopped = false;

  constructor(threads: number) {
    this.threads = threads;
  }

  /** `send` sends the number of the new barrier to all threads. */
  next(send: (id: number) => void): Promise<void> {
    if (this.stopped) return Promise.resolve();
    const id = ++this.last;
    return new Promise((resolve) => {
      this.waiting.set(id, { done: new Set(), resolve });
      send(id);
    });
  }

  /** A thread has reported; twice where another took over in between. */
  done(id: number, thread: string): void {
    const sync = this.waiting.get(id);
    if (sync === undefined) return;
    sync.done.add(thread);
    if (sync.done.size < this.threads) return;
    this.waiting.delete(id);
    sync.resolve();
  }

  /** Barriers that some thread has not reported. */
  pending(): readonly number[] {
    return [...this.waiting.keys()];
  }

  /** No thread will report any more. */
  stop(): void {
    this.stopped = true;
    for (const { resolve } of this.waiting.values()) resolve();
    this.waiting.clear();
  }
}
