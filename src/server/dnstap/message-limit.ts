import { LIMIT } from './shared.ts';

/** Messages may come together that the limit has let gather for so long. */
const BURST_US = 100_000;

/**
 * At most so many messages a second of all threads together, spread over the second: under a flood the messages that pass
 * are of all its moments, and not of the first of each second. One word of shared memory holds the moment, in microseconds
 * modulo 2^32, up to which the allowance is spent (the generic cell rate algorithm); threads race for it without a lock.
 */
export class MessageLimit {
  private readonly words: Int32Array;
  private readonly intervalUs: number;

  /** `perSecond`: from 1 to 1,000,000. */
  constructor(state: SharedArrayBuffer, perSecond: number) {
    this.words = new Int32Array(state, 0, 2);
    this.intervalUs = Math.ceil(1_000_000 / perSecond);
  }

  /**
   * Whether `count` messages may go now, all or none. `nowUs`: of a clock that all threads share; where it is set, the
   * allowance begins anew.
   */
  admits(count: number, nowUs: number): boolean {
    const { words, intervalUs } = this;
    const now = nowUs | 0;
    const cost = count * intervalUs;
    const most = Math.max(BURST_US, cost);
    // A thread that loses the race twice is in a flood, in which one message less makes no difference.
    for (let tries = 0; tries < 2; tries++) {
      const spent = words[LIMIT];
      const ahead = (spent - now) | 0;
      // Beyond the most that can be spent: the clock has gone round since, or back.
      const from = ahead < 0 || ahead > most ? now : spent;
      if (((from - now) | 0) + cost > most) return false;
      if (Atomics.compareExchange(words, LIMIT, spent, (from + cost) | 0) === spent) return true;
    }
    return false;
  }
}
