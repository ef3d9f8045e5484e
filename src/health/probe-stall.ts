/**
 * How late the prober's own event loop ran. A timer that is due every TICK_MS and comes late tells by how much; every
 * fetch in flight at that moment may have been measured that much too long.
 */
const TICK_MS = 10;
/** Lateness below this is how timers are. */
const NOISE_MS = 5;

/** What one stretch of time met: `sumMs` of all stalls over the noise, `maxMs` the largest lateness of all. */
export type StallMeter = { readonly openedAt: number; sumMs: number; maxMs: number };

/** A sample is doubtful when the loop stood still for more than 20 ms of it, and that is over 2 % of it. */
const DOUBT_MS = 20;
const DOUBT_SHARE = 0.02;

/** Whether a fetch of `seconds` should be made again rather than judged. */
export function isDoubtful(stalledMs: number, seconds: number): boolean {
  return stalledMs > DOUBT_MS && stalledMs > DOUBT_SHARE * seconds * 1000;
}

/** Watches while at least one meter is open. */
export class LoopWatch {
  readonly #meters = new Set<StallMeter>();
  #timer: NodeJS.Timeout | null = null;
  #lastTick = 0;
  #waiting: (() => void)[] = [];

  open(): StallMeter {
    const now = performance.now();
    const meter = { openedAt: now, sumMs: 0, maxMs: 0 };
    this.#meters.add(meter);
    if (this.#timer === null) {
      this.#lastTick = now;
      this.#timer = setInterval(() => this.#tick(), TICK_MS);
    }
    return meter;
  }

  /** Ends a stretch; a stall that goes on right now, which no tick has seen yet, counts. */
  close(meter: StallMeter): void {
    const now = performance.now();
    note(meter, now, now - this.#lastTick - TICK_MS);
    this.#meters.delete(meter);
    if (this.#meters.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }

  /** Resolved as soon as a tick comes in time, at the latest after `ms`. Asked only while a meter is open. */
  calm(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #tick(): void {
    const now = performance.now();
    const late = now - this.#lastTick - TICK_MS;
    this.#lastTick = now;
    if (late < NOISE_MS) for (const wake of this.#waiting.splice(0)) wake();
    if (late < 1) return;
    for (const meter of this.#meters) note(meter, now, late);
  }
}

function note(meter: StallMeter, now: number, lateMs: number): void {
  // Only the part of the stall that lies inside the stretch.
  const late = Math.min(lateMs, now - meter.openedAt);
  if (late > meter.maxMs) meter.maxMs = late;
  if (late >= NOISE_MS) meter.sumMs += late;
}
