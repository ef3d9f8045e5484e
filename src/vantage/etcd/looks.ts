/** Looks at the store each interval and at each hint: the newest that all have agreed upon, in one order. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '../../system/error-text.ts';
import type { Guard } from '../../system/guard.ts';
import { retryPauseMs } from '../../system/retry-pause.ts';
import type { EtcdClient } from './client/client.ts';
import { Watch } from './client/watch.ts';
import type { Header, KeyValue } from './client/wire.ts';
import type { Follower, Look } from './follower.ts';
import type { Keys } from './keys.ts';

export type LooksOptions = {
  readonly client: EtcdClient;
  readonly keys: Keys;
  /** In the order in which what they found is applied. */
  readonly followers: readonly Follower[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly guard: Guard;
  readonly log: (text: string) => void;
  /** After everything else of a look was applied. */
  readonly onLeader: (found: KeyValue | null, look: Look) => void;
  /** The first look that fails after one that did not. */
  readonly onDisconnected: () => void;
};

/** Hints come in swarms. */
const GATHER_MS = 15;
/** That etcd was wiped or restored is no state that ends; somebody should have read of it by then. */
const RESET_SHOWN_MS = 3_600_000;
const PAUSES = { firstMs: 250, maxMs: 5000 };

export class Looks {
  private readonly options: LooksOptions;
  private readonly watch: Watch;
  private header: Header | null = null;
  private succeededAt = Number.NEGATIVE_INFINITY;
  private failures = 0;
  private problem: string | null = null;
  private reset: { readonly text: string; readonly at: number } | null = null;
  /** Looks in a row that found an earlier revision. */
  private backwards = 0;
  /** A look was asked for since the last one began. */
  private requested = false;
  private wake = (): void => undefined;
  private stopped = false;
  /** Hints of the watch since the last look began, and whether that look found changes without any. */
  private hints = 0;
  private unannounced = false;
  private working: Promise<void> = Promise.resolve();

  constructor(options: LooksOptions) {
    this.options = options;
    const { client, keys, timeoutMs, guard } = options;
    const onChange = (): void => {
      this.hints += 1;
      this.request();
    };
    this.watch = new Watch({ client, prefix: keys.all, timeoutMs, guard, onChange });
  }

  /** Resolves after the first look, whatever it found. */
  async start(): Promise<void> {
    await this.lookOrNote();
    if (this.stopped) return;
    this.watch.start();
    this.working = this.work();
    this.options.guard.run('etcd looks', this.working);
  }

  request(): void {
    this.requested = true;
    if (this.failures === 0) this.wake(); // a hint is no sign that looks work again
  }

  isConnected(): boolean {
    return this.failures === 0 && this.header !== null;
  }

  faults(): readonly string[] {
    const watch = this.isConnected() ? this.watch.fault() : null;
    const late = watch === null ? [] : [`changes in etcd are seen late, once an interval: ${watch}`];
    return [...(this.problem === null ? [] : [this.problem]), ...late];
  }

  warnings(): readonly string[] {
    return this.reset !== null && performance.now() - this.reset.at < RESET_SHOWN_MS ? [this.reset.text] : [];
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    await Promise.all([this.watch.stop(), this.working]);
  }

  private async work(): Promise<void> {
    while (!this.stopped) {
      const { intervalMs } = this.options;
      const longest = { ...PAUSES, maxMs: Math.min(PAUSES.maxMs, intervalMs) };
      await this.rest(this.failures === 0 ? intervalMs : retryPauseMs(this.failures, longest));
      if (this.stopped) return;
      const isHinted = this.requested;
      if (isHinted) await sleep(GATHER_MS);
      // What a look found without a hint, and none has followed, went by the watch.
      if (this.unannounced && this.hints === 0) this.watch.restart('it did not announce a change');
      await this.lookOrNote();
    }
  }

  /** Until it is time, or a look is asked for. */
  private rest(ms: number): Promise<void> {
    return this.requested && this.failures === 0 ? Promise.resolve() : this.pause(ms);
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** A bug in a part is noted, and is a look that failed: another one comes. */
  private async lookOrNote(): Promise<void> {
    try {
      await this.look();
    } catch (error) {
      this.options.guard.note('etcd looks', error);
      this.failed(`what etcd holds could not be taken over: ${errorText(error)}`);
    }
  }

  private async look(): Promise<void> {
    const { client, keys, followers } = this.options;
    const hints = this.hints;
    this.hints = 0;
    this.requested = false;
    const leader = await client.range({ key: keys.leader });
    if (!leader.ok) return this.failed(leader.fault.text);
    const look = this.lookAt(leader.header);
    // A member that was stopped can answer once from its past (etcd before 3.4.42, 3.5.22), a restored one goes on so.
    this.backwards = this.isBackwards(leader.header) ? this.backwards + 1 : 0;
    if (this.backwards === 1) return this.failed('the revision of etcd went back; it is asked again');
    const found = await Promise.all(followers.map((follower) => follower.look(look)));
    if (this.stopped) return;
    const applies: (() => void)[] = [];
    for (const one of found) {
      if (!one.ok) return this.failed(one.text);
      applies.push(one.apply);
    }
    const isChanged = found.some((one) => one.ok && one.isChanged);
    this.unannounced = hints === 0 && isChanged && this.header !== null;
    this.succeeded(look);
    for (const apply of applies) this.options.guard.run('etcd looks', apply);
    this.options.guard.run('etcd looks', () => this.options.onLeader(leader.value.kvs[0] ?? null, look));
  }

  private lookAt(header: Header): Look {
    const { client } = this.options;
    const { header: before } = this;
    const isReset = before === null || before.clusterId !== header.clusterId || this.isBackwards(header);
    return { client, header, isReset, sinceLast: (performance.now() - this.succeededAt) / 1000 };
  }

  private isBackwards({ clusterId, revision }: Header): boolean {
    return this.header !== null && this.header.clusterId === clusterId && revision < this.header.revision;
  }

  private succeeded({ header, isReset }: Look): void {
    const { log } = this.options;
    if (this.header !== null && isReset) {
      const how =
        header.clusterId === this.header.clusterId
          ? `its revision went back from ${this.header.revision} to ${header.revision}`
          : `its cluster id is ${header.clusterId}, and was ${this.header.clusterId}`;
      const text = `etcd was wiped, restored or replaced: ${how}; what is served stays`;
      this.reset = { text, at: performance.now() };
      log(text);
    }
    if (this.failures > 0) log('etcd answers again');
    this.header = header;
    this.succeededAt = performance.now();
    this.failures = 0;
    this.problem = null;
  }

  private failed(text: string): void {
    this.failures += 1;
    if (this.problem !== text) this.options.log(text);
    this.problem = text;
    if (this.failures === 1) this.options.onDisconnected();
  }
}
