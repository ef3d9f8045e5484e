/**
 * Lets connections that have more messages than one turn answers go on one after the other, a turn of each for every
 * time the event loop goes round: a client that sends without end delays the others by its turns and no more.
 */
export class MessageTurns {
  private waiting = new Set<() => void>();
  private scheduled = false;

  /** Calls `proceed` when it is its turn. */
  add(proceed: () => void): void {
    this.waiting.add(proceed);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      const { waiting } = this;
      this.waiting = new Set();
      for (const next of waiting) next();
    });
  }
}
