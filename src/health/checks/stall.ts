/**
 * How late the prober's own event loop runs. A timer that is due every TICK_MS and comes late tells by how much.
 *
 * ```
 *   tick        tick                               tick (late)   what waited     tick (in time)
 * ───┼───────────┼───────────────── stall ───────────┼────┼────┼────┼────────────────┼──▶
 *                └ the loop looked at its sockets    └ timers come first, then sockets, one piece a turn
 * ```
 *
 * A stall lengthens a fetch only where it meets a moment at which the fetch needed us. Most of a fetch is waiting for the
 * edge, and what happens here meanwhile does not touch it; so the moments ask how late they may be, and nothing else counts.
 */
const TICK_MS = 10;
/** Lateness below this is how timers are. */
const NOISE_MS = 5;

/** A sample is doubtful when it may be more than 20 ms too long, and that is over 2 % of it. */
const DOUBT_MS = 20;
const DOUBT_SHARE = 0.02;

/** Whether a fetch of `seconds` should be made again rather than judged. */
export function isDoubtful(stalledMs: number, seconds: number): boolean {
  return stalledMs > DOUBT_MS && stalledMs > DOUBT_SHARE * seconds * 1000;
}

/** What a fetch asks. Milliseconds; 0 for what is less than timers can tell. */
export type StallClock = {
  /** By how much later than it happened we may be hearing of what we are just told. */
  late(): number;
  /** All stalls so far, from an arbitrary beginning. */
  total(): number;
};

/** One stretch of watching; `maxMs`: the largest lateness in it. */
export type StallMeter = { readonly openedAt: number; maxMs: number };

/** Watches while at least one meter is open; between two stretches nothing is late. */
export class LoopWatch implements StallClock {
  readonly #meters = new Set<StallMeter>();
  #timer: NodeJS.Timeout | null = null;
  #lastTick = 0;
  /** By how much the last tick was late. */
  #lateMs = 0;
  #sumMs = 0;
  #waiting: (() => void)[] = [];

  open(): StallMeter {
    const now = performance.now();
    const meter = { openedAt: now, maxMs: 0 };
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
      this.#lateMs = 0;
    }
  }

  late(): number {
    if (this.#timer === null) return 0;
    const since = performance.now() - this.#lastTick;
    // What arrived during a stall is told after the tick, in one turn of the loop or several (data, then the end).
    return overNoise(this.#lateMs > 0 ? this.#lateMs + since : since - TICK_MS);
  }

  total(): number {
    if (this.#timer === null) return this.#sumMs;
    return this.#sumMs + overNoise(performance.now() - this.#lastTick - TICK_MS);
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
    this.#lateMs = overNoise(late);
    if (late < NOISE_MS) for (const wake of this.#waiting.splice(0)) wake();
    if (late < 1) return;
    for (const meter of this.#meters) note(meter, now, late);
    this.#sumMs += this.#lateMs;
  }
}

function overNoise(ms: number): number {
  return ms < NOISE_MS ? 0 : ms;
}

function note(meter: StallMeter, now: number, lateMs: number): void {
  // Only the part of the stall that lies inside the stretch.
  const late = Math.min(lateMs, now - meter.openedAt);
  if (late > meter.maxMs) meter.maxMs = late;
}
