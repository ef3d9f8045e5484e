/** A lease that is kept alive, and known to have ended before etcd can have ended it. */
import type { Guard } from '../../system/guard.ts';
import { retryPauseMs } from '../../system/retry-pause.ts';
import type { EtcdClient } from './client/client.ts';
import type { EtcdFault } from './client/wire.ts';

export type LeaseOptions = {
  readonly client: EtcdClient;
  /** Seconds, at least 2. */
  readonly ttl: number;
  readonly guard: Guard;
  /** Once, unless `end` came before. */
  readonly onLost: () => void;
};

/** Part of its time that we do not use: clocks of two machines run at different speeds. */
const MARGIN = 0.1;

export class Lease {
  readonly id: string;
  private readonly options: LeaseOptions;
  /** Our monotonic clock, milliseconds. Counted from before the request was sent, so etcd's end is later. */
  private endsAt: number;
  private failures = 0;
  private timer: NodeJS.Timeout | undefined;
  private ended = false;

  private constructor(id: string, endsAt: number, options: LeaseOptions) {
    this.id = id;
    this.endsAt = endsAt;
    this.options = options;
    this.wait();
  }

  static async grant(options: LeaseOptions): Promise<Lease | EtcdFault> {
    const sentAt = performance.now();
    const answer = await options.client.grant(options.ttl);
    return answer.ok ? new Lease(answer.value.id, endOf(sentAt, answer.value.ttl), options) : answer.fault;
  }

  /** By our clock at this moment: a process that was stopped for long finds it ended, before any timer says so. */
  isAlive(): boolean {
    return !this.ended && performance.now() < this.endsAt;
  }

  /** Its keys go at once if etcd can be asked. Resolves when it was; never rejects. */
  async end(): Promise<void> {
    this.ended = true;
    clearTimeout(this.timer);
    await this.options.client.revoke(this.id);
  }

  private wait(): void {
    const usual = this.options.ttl * 1000;
    const pause =
      this.failures === 0 ? usual / 3 : retryPauseMs(this.failures, { firstMs: usual / 20, maxMs: usual / 5 });
    const left = Math.max(0, this.endsAt - performance.now());
    this.timer = setTimeout(
      this.options.guard.protect('etcd lease', () => this.renew()),
      Math.min(pause, left),
    );
  }

  private async renew(): Promise<void> {
    if (!this.isAlive()) return this.lose();
    // Where the way hangs, the end must be noticed before the request gives up.
    const { guard, client } = this.options;
    this.timer = setTimeout(
      guard.protect('etcd lease', () => this.lose()),
      Math.max(0, this.endsAt - performance.now()),
    );
    const sentAt = performance.now();
    const answer = await client.keepAlive(this.id);
    if (this.ended) return;
    clearTimeout(this.timer);
    if (answer.ok && answer.value === 0) return this.lose();
    this.failures = answer.ok ? 0 : this.failures + 1;
    if (answer.ok) this.endsAt = endOf(sentAt, answer.value);
    if (this.isAlive()) this.wait();
    else this.lose();
  }

  private lose(): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.timer);
    this.options.onLost();
  }
}

function endOf(sentAt: number, ttl: number): number {
  return sentAt + ttl * 1000 * (1 - MARGIN);
}
