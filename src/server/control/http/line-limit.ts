/**
 * Lines of the log that strangers or a program can cause: so many in a span of time, and the next one that is written
 * says how many were left out. Times are seconds.
 */
export class LineLimit {
  private readonly seconds: number;
  private readonly most: number;
  private written: readonly number[] = [];
  private leftOut = 0;

  /** `most` lines in any `seconds`. */
  constructor(seconds: number, most: number) {
    this.seconds = seconds;
    this.most = most;
  }

  /** Null: leave this line out. Else write it; so many were left out before it. */
  take(now: number): number | null {
    this.written = this.written.filter((at) => now - at < this.seconds);
    if (this.written.length >= this.most) {
      this.leftOut += 1;
      return null;
    }
    this.written = [...this.written, now];
    const { leftOut } = this;
    this.leftOut = 0;
    return leftOut;
  }
}
