/**
 * Views for wide writes into the buffers that answers are made in. Octet by octet a message costs four times as much,
 * and a new view for each message would be garbage, so the views of known buffers are kept: callers have a few that
 * they use in turn. UDP's packets have views of their own (`PacketBuffers`).
 */
export class MessageViews {
  private readonly buffers: Uint8Array[] = [];
  private readonly views: DataView[] = [];
  private last = 0;

  of(buffer: Uint8Array): DataView {
    let i = this.last;
    if (this.buffers[i] !== buffer) {
      i = i + 1 < this.buffers.length ? i + 1 : 0;
      if (this.buffers[i] !== buffer) i = this.search(buffer);
      this.last = i;
    }
    return this.views[i];
  }

  private search(buffer: Uint8Array): number {
    const known = this.buffers.indexOf(buffer);
    if (known >= 0) return known;
    const i = this.buffers.length < KEPT ? this.buffers.length : (this.last + 1) % KEPT;
    this.buffers[i] = buffer;
    this.views[i] = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    return i;
  }
}

const KEPT = 256;

/** Copies `length` octets, four at a time. */
export function copyOctets(to: DataView, at: number, from: DataView, start: number, length: number): void {
  let i = 0;
  for (const whole = length - 3; i < whole; i += 4) to.setInt32(at + i, from.getInt32(start + i, true), true);
  for (; i < length; i++) to.setInt8(at + i, from.getInt8(start + i));
}
