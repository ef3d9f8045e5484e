/**
 * Descriptors that a thread has opened by system calls of its own, one octet for each in shared memory: when the thread
 * dies the system does not close them, so the main thread does. A descriptor handed to Node is closed by Node.
 */
export class OpenDescriptors {
  private readonly marks: Uint8Array;

  constructor(shared: SharedArrayBuffer) {
    this.marks = new Uint8Array(shared);
  }

  /** For descriptors below `limit`, the process's own limit. */
  static create(limit: number): SharedArrayBuffer {
    return new SharedArrayBuffer(limit);
  }

  /** False: its number is too high to be remembered, and it is to be closed. */
  add(fd: number): boolean {
    if (fd >= this.marks.length) return false;
    this.marks[fd] = 1;
    return true;
  }

  /** To be called before the descriptor is closed or handed over: its number may be another's at once. */
  delete(fd: number): void {
    this.marks[fd] = 0;
  }

  /** Closes whatever a dead thread has left open. Returns how many those were. */
  closeAll(close: (fd: number) => void): number {
    let count = 0;
    for (let fd = this.marks.indexOf(1); fd >= 0; fd = this.marks.indexOf(1, fd + 1)) {
      this.marks[fd] = 0;
      close(fd);
      count++;
    }
    return count;
  }
}
