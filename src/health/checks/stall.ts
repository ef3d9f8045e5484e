/**
 * How late the prober's own event loop runs. A timer that is due every TICK_MS and comes late tells by how much.
 *
 * ```
 *   tick        tick                               tick (late)   what waited     tick (in time)
 * ───┼───────────┼───────────────── stall ───────────┼────┼────┼────┼────────────────┼──▶
 *                └ the loop looked at its sockets    └ timers come first, then sockets, one piece a turn
 * ```
 *
 * A stall lengthens a fetch only where it meets a moment at which the fetch needed us. Most of a fetch is waiting for
 * the edge, and what happens here meanwhile does not touch it; so the moments ask how late they may be, and nothing
 * else counts.
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
  /** How late the event that is being handled may be, at most. */
  late(): number;
  /** All stalls so far, from an arbitrary beginning. */
  total(): number;
};

/** One stretch of watching; `maxMs`: the largest lateness in it. */
export type StallMeter = { readonly openedAt: number; maxMs: number };

/** Milliseconds, monotonic, and a timer by the same clock; `every` returns what stops it. */
export type LoopClock = {
  readonly now: () => number;
  readonly every: (ms: number, tick: () => void) => () => void;
  readonly after: (ms: number, act: () => void) => () => void;
};

const CLOCK: LoopClock = {
  now: () => performance.now(),
  every: (ms, tick) => {
    const timer = setInterval(tick, ms);
    return () => clearInterval(timer);
  },
  after: (ms, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
};

/** Watches while at least one meter is open; between two stretches nothing is late. */
export class LoopWatch implements StallClock {
  private readonly clock: LoopClock;
  private readonly meters = new Set<StallMeter>();
  /** Stops the ticks; null: nobody watches. */
  private stopTicks: (() => void) | null = null;
  private lastTick = 0;
  /** By how much the last tick was late. */
  private lateMs = 0;
  private sumMs = 0;
  private waiting: (() => void)[] = [];

  constructor(clock: LoopClock = CLOCK) {
    this.clock = clock;
  }

  open(): StallMeter {
    const now = this.clock.now();
    const meter = { openedAt: now, maxMs: 0 };
    this.meters.add(meter);
    if (this.stopTicks === null) {
      this.lastTick = now;
      this.stopTicks = this.clock.every(TICK_MS, () => this.tick());
    }
    return meter;
  }

  /** Ends a stretch; a stall that goes on right now, which no tick has seen yet, counts. */
  close(meter: StallMeter): void {
    const now = this.clock.now();
    note(meter, now, now - this.lastTick - TICK_MS);
    this.meters.delete(meter);
    if (this.meters.size === 0 && this.stopTicks !== null) {
      this.stopTicks();
      this.stopTicks = null;
      this.lateMs = 0;
    }
  }

  late(): number {
    if (this.stopTicks === null) return 0;
    const since = this.clock.now() - this.lastTick;
    // What arrived during a stall is delivered after the tick, in one turn of the loop or several (data, then the end).
    return overNoise(this.lateMs > 0 ? this.lateMs + since : since - TICK_MS);
  }

  total(): number {
    if (this.stopTicks === null) return this.sumMs;
    return this.sumMs + overNoise(this.clock.now() - this.lastTick - TICK_MS);
  }

  /** Resolved as soon as a tick comes in time, at the latest after `ms`. Asked only while a meter is open. */
  calm(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const giveUp = this.clock.after(ms, resolve);
      this.waiting.push(() => {
        giveUp();
        resolve();
      });
    });
  }

  private tick(): void {
    const now = this.clock.now();
    const late = now - this.lastTick - TICK_MS;
    this.lastTick = now;
    this.lateMs = overNoise(late);
    if (late < NOISE_MS) for (const wake of this.waiting.splice(0)) wake();
    if (late < 1) return;
    for (const meter of this.meters) note(meter, now, late);
    this.sumMs += this.lateMs;
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
