/** The part of a message whose records take turns from answer to answer: its live addresses. */
export class LiveBlock {
  /** Live RRsets in the message; the rest is about the last one. */
  sets = 0;
  at = 0;
  count = 0;
  /** Octets of each record; 0: they are not alike. */
  size = 0;

  clear(): void {
    this.sets = 0;
    this.count = 0;
  }

  note(at: number, count: number, size: number): void {
    this.sets++;
    this.at = at;
    this.count = count;
    this.size = size;
  }
}
