/** Milliseconds that work may go on before the event loop gets its turn. */
const SLICE_MS = 4;

/**
 * Shares a thread's time among long answers: one of them works for a slice at a time while the others wait in line, and
 * the event loop goes round between two slices. A hundred transfers delay a query no more than one does.
 */
export class Slices {
  private readonly waiting: (() => void)[] = [];
  private scheduled = false;
  private since = 0;

  /** Whether the present slice is used up. */
  isSpent(): boolean {
    return performance.now() - this.since > SLICE_MS;
  }

  /** Resolves when it is the caller's turn. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.since = performance.now();
      this.waiting.shift()?.();
      // Runs after the event loop went round.
      if (this.waiting.length > 0) this.schedule();
    });
  }
}
