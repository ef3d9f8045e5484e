/** The turns of a network that have not ended, and whether they end in time. */
import type { Config } from '../config/types.ts';
import type { Log } from '../system/log-events.ts';

/** Rounds in a row that may wait for `workers` before a round counts as overdue. */
const WAITS_MAX = 6;
/** Turns that may go on at a time, each waiting for a target of its own that hangs. */
const RUNNING_MAX = 100;
/** Of a round beside what its fetches take, seconds. */
const SPARE_SECONDS = 5;

export class RunningTurns {
  private readonly network: string;
  private readonly log: Log;
  /** By when each should have ended, of `performance.now()`. */
  private readonly running = new Map<Promise<void>, number>();
  private wasOverdue = false;

  constructor(network: string, log: Log) {
    this.network = network;
    this.log = log;
  }

  /** A turn that has begun, whose edges have their moments within `spread` seconds. Resolves when it has ended. */
  add(turn: Promise<void>, spread: number): Promise<void> {
    const running = turn.finally(() => this.running.delete(running));
    this.running.set(running, performance.now() + spread * 1000);
    return running;
  }

  /** Whether no other may begin before one ends. */
  get isFull(): boolean {
    return this.running.size >= RUNNING_MAX;
  }

  /**
   * Whether one takes too long, or the next, due at `dueMs` of `performance.now()`, should have begun long ago: fetches of
   * `targets` edges and canaries take turns, `workers` at a time.
   */
  areOverdue(dueMs: number, { runFrequency, timeout, workers }: Config, targets: number): boolean {
    const waits = Math.min(Math.ceil(targets / workers), WAITS_MAX);
    const graceSeconds = Math.max(runFrequency, waits * timeout + SPARE_SECONDS);
    return performance.now() > Math.min(dueMs, ...this.running.values()) + graceSeconds * 1000;
  }

  /** Logged when it begins and when it is over. */
  note(isOverdue: boolean): void {
    if (isOverdue === this.wasOverdue) return;
    this.wasOverdue = isOverdue;
    const full = this.isFull ? '; no other begins before one ends' : '';
    if (isOverdue) {
      const text = `${this.network}: turns do not end in time: ${this.running.size} are under way${full}`;
      this.log('error', text, 'round.overdue');
    } else this.log('info', `${this.network}: turns end in time again`, 'round.in_time');
  }

  /** Resolves when all have ended that are under way. */
  async ended(): Promise<void> {
    await Promise.all(this.running.keys());
  }
}
