/**
 * Runs asynchronous work one piece after the other, in the order of the calls. A piece that fails does not stop the
 * next.
 */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects as `work` does, which starts once everything taken before has ended. */
  take<T>(work: () => Promise<T> | T): Promise<T> {
    const result = this.last.then(work);
    this.last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when everything taken so far, and what is taken meanwhile, has ended. */
  async idle(): Promise<void> {
    for (;;) {
      const { last } = this;
      await last;
      if (last === this.last) return;
    }
  }
}
