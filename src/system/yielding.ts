import { setImmediate as nextTurn } from 'node:timers/promises';

/** Resolves after the event loop has gone round once: timers, sockets and messages had their turn. */
export { nextTurn };

/** How long work may keep an event loop to itself unless it says otherwise, milliseconds. */
const SLICE_MS = 5;

/**
 * Long work on an event loop, cut into slices: call `rest` wherever the work may pause. It costs a look at the clock
 * while the slice lasts, and gives the loop back once it is spent.
 */
export class Slice {
  private readonly ms: number;
  private since = performance.now();

  constructor(ms = SLICE_MS) {
    this.ms = ms;
  }

  /** Whether the time of the present slice is spent. */
  isSpent(): boolean {
    return performance.now() - this.since >= this.ms;
  }

  /** Gives the event loop back if the slice is spent, and begins another one. */
  async rest(): Promise<void> {
    if (!this.isSpent()) return;
    await nextTurn();
    this.since = performance.now();
  }
}
