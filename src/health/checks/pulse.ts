/** Whether the prober thread makes progress: it counts beats in shared memory, the main thread looks whether they go on. */

/** How often the thread beats, milliseconds. */
const BEAT_MS = 500;
/** How often the main thread looks. */
export const LOOK_MS = 1000;
/** Without a beat for so long the thread hangs: garbage is collected in a tenth of a second, code loaded in one. */
export const HUNG_MS = 10_000;

/** For the thread: beats as long as its event loop turns. */
export function beatIn(memory: SharedArrayBuffer): void {
  const beats = new Int32Array(memory);
  setInterval(() => Atomics.add(beats, 0, 1), BEAT_MS).unref();
}

export class Pulse {
  readonly memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  private readonly beats = new Int32Array(this.memory);
  private readonly now: () => number;
  private known = 0;
  private lookedAt: number;
  private quietMs = 0;

  /** `now`: milliseconds of a clock that is never set. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.lookedAt = now();
  }

  /**
   * Milliseconds without a beat, as far as they were watched: a look that comes late counts as one in time, because what
   * has held up this thread (the machine was suspended) may have held up the other one, too.
   */
  look(): number {
    const beats = Atomics.load(this.beats, 0);
    const now = this.now();
    this.quietMs = beats === this.known ? this.quietMs + Math.min(now - this.lookedAt, 2 * LOOK_MS) : 0;
    this.known = beats;
    this.lookedAt = now;
    return this.quietMs;
  }

  /** The thread need not beat: it is being started. */
  rest(): void {
    this.quietMs = 0;
    this.lookedAt = this.now();
  }
}
