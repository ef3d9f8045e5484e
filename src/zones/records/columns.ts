/** Octets reused for the next zone. What does not fit gets memory of its own. */
const KEPT = 1 << 16;

/**
 * Zeroed typed arrays for working on one zone, carved one after another out of one buffer that serves zone after zone:
 * of ten thousand small zones, making each one's two dozen arrays would take longer than reading its file.
 */
export class Columns {
  private readonly buffer = new ArrayBuffer(KEPT);
  private readonly octets = new Uint8Array(this.buffer);
  private used = 0;

  /** Begins with another zone: every array carved so far may be carved again. */
  begin(): void {
    this.used = 0;
  }

  int32(length: number): Int32Array {
    const at = this.carve(4 * length);
    return at < 0 ? new Int32Array(length) : new Int32Array(this.buffer, at, length);
  }

  uint32(length: number): Uint32Array {
    const at = this.carve(4 * length);
    return at < 0 ? new Uint32Array(length) : new Uint32Array(this.buffer, at, length);
  }

  uint8(length: number): Uint8Array {
    const at = this.carve(length);
    return at < 0 ? new Uint8Array(length) : new Uint8Array(this.buffer, at, length);
  }

  private carve(octets: number): number {
    const at = this.used;
    const end = at + octets;
    if (end > KEPT) return -1;
    this.used = (end + 3) & ~3;
    this.octets.fill(0, at, end);
    return at;
  }
}
