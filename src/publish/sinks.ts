import type { LiveUpdate } from '../health/pools/round-types.ts';
import type { NetworkState } from '../health/state/network-state.ts';
import { within } from '../system/deadline.ts';
import { errorText } from '../system/error-text.ts';
import { type Fault, formatFault, plainFault } from '../system/fault.ts';
import { WriteBehind } from '../system/write-behind.ts';
import { type Change, type FollowingSink, mergeChanges, type Sink } from './sink.ts';

export type SinksOptions = {
  /** `error`: a sink began to fail; `info`: it works again. */
  readonly log: (level: 'info' | 'error', network: string, text: string) => void;
  /** How long a sink waits for those it comes after, milliseconds. */
  readonly afterMs?: number;
  /** A sink that takes longer than this for one change is in trouble, milliseconds. */
  readonly slowMs?: number;
};

/** Stands for the network of zones that belong to none; no network is called that. */
const NO_NETWORK = '';
const AFTER_MS = 10_000;
const SLOW_MS = 30_000;

/**
 * Carries what was decided to everything that a change sets off: durable sinks, then serving ones, then those that
 * follow. No sink that fails, or hangs for ever, delays the answers or another sink.
 */
export class Sinks {
  private readonly sinks: readonly Sink[];
  private readonly options: SinksOptions;
  private readonly queues = new Map<string, Queue>();

  constructor(sinks: readonly Sink[], options: SinksOptions) {
    this.sinks = sinks;
    this.options = options;
    for (const sink of sinks) if (sink.phase === 'follow') this.queues.set(sink.name, new Queue(sink, this, options));
  }

  /** Makes a state durable. Never rejects. */
  async save(network: string, state: NetworkState): Promise<readonly Fault[]> {
    const faults: Fault[] = [];
    for (const sink of this.sinks) {
      if (sink.phase !== 'durable') continue;
      try {
        faults.push(...(await sink.apply(network, state)));
      } catch (error) {
        faults.push(plainFault(sink.name, errorText(error)));
      }
    }
    return faults;
  }

  /** Brings a durable update into force; a sink that fails is a fault, and keeps no other from its turn. */
  serve(network: string, update: LiveUpdate): readonly Fault[] {
    const faults: Fault[] = [];
    for (const sink of this.sinks) {
      if (sink.phase !== 'serve') continue;
      try {
        sink.apply(network, update);
      } catch (error) {
        faults.push(plainFault(sink.name, errorText(error)));
      }
    }
    return faults;
  }

  /** Hands a change to those that follow, or to one of them. Nobody waits for it. */
  follow(change: Change, only: string | null = null): void {
    for (const [name, queue] of this.queues) if (only === null || only === name) queue.add(change);
  }

  /** One more that follows, from now on; its name is its own. */
  add(sink: FollowingSink): void {
    this.queues.set(sink.name, new Queue(sink, this, this.options));
  }

  /** It follows no more. Resolves when it has ended what it is doing; what it failed at is tried once more. */
  async remove(name: string): Promise<void> {
    const queue = this.queues.get(name);
    this.queues.delete(name);
    await queue?.leave();
  }

  /** Resolves when the sink has nothing to do but what it failed at. */
  async idleOf(name: string): Promise<void> {
    await this.queues.get(name)?.idle();
  }

  /**
   * Tries once more what failed, then ends; the order is that of the sinks. At the latest after `ms`, if that is given.
   */
  async close(ms: number | null = null): Promise<void> {
    const all = async (): Promise<void> => {
      for (const queue of this.queues.values()) await queue.close();
    };
    if (ms === null) await all();
    else await within(ms, all(), () => undefined);
  }

  /** What could not be done, a sentence each. */
  faults(): readonly string[] {
    return [...this.queues.values()].flatMap((queue) => queue.faults());
  }

  get afterMs(): number {
    return this.options.afterMs ?? AFTER_MS;
  }
}

/** What one sink is still to do. */
class Queue {
  private readonly sink: FollowingSink;
  private readonly sinks: Sinks;
  private readonly slowMs: number;
  private readonly waiting = new Map<string, Change>();
  private readonly work: WriteBehind<string>;
  private hasLeft = false;
  private running: { readonly network: string; readonly since: number } | null = null;

  constructor(sink: FollowingSink, sinks: Sinks, { log, slowMs = SLOW_MS }: SinksOptions) {
    this.sink = sink;
    this.sinks = sinks;
    this.slowMs = slowMs;
    this.work = new WriteBehind<string>({
      onFault: (network, message) => {
        if (this.hasLeft) return;
        if (message === null) log('info', network, `${sink.name}: all well again`);
        else log('error', network, `${sink.name}: ${message}`);
      },
    });
  }

  add(change: Change): void {
    const network = change.network ?? NO_NETWORK;
    if (this.sink.network !== undefined && this.sink.network !== network) return;
    if (this.sink.wants?.(change) === false) return;
    this.waiting.set(network, mergeChanges(this.waiting.get(network), change));
    this.work.save(network, () => this.apply(network));
  }

  idle(): Promise<void> {
    return this.work.idle();
  }

  close(): Promise<void> {
    return this.work.close();
  }

  /** Closes, and says nothing more: what failed has not become well by that. */
  leave(): Promise<void> {
    this.hasLeft = true;
    return this.work.close();
  }

  faults(): readonly string[] {
    const { name } = this.sink;
    const failed = Array.from(this.work.faults(), ([network, message]) => {
      const [line] = message.split('\n'); // without the source line and its caret
      return `${whose(network)}: ${name}: ${line}`;
    });
    const seconds = this.running === null ? 0 : (performance.now() - this.running.since) / 1000;
    if (this.running === null || seconds * 1000 < this.slowMs) return failed;
    return [...failed, `${whose(this.running.network)}: ${name}: not done after ${Math.round(seconds)} s`];
  }

  private async apply(network: string): Promise<void> {
    this.running = { network, since: performance.now() };
    try {
      for (const before of this.sink.after ?? []) {
        await within(this.sinks.afterMs, this.sinks.idleOf(before), () => undefined);
      }
      const change = this.waiting.get(network);
      this.waiting.delete(network);
      if (change === undefined) return;
      const faults = await this.sink.apply(change).catch((error: unknown) => [plainFault('failed', errorText(error))]);
      if (faults.length === 0) return;
      this.waiting.set(network, this.withNewer(change));
      throw new Error(faults.map(formatFault).join('\n'));
    } finally {
      this.running = null;
    }
  }

  private withNewer(change: Change): Change {
    const newer = this.waiting.get(change.network ?? NO_NETWORK);
    return newer === undefined ? change : mergeChanges(change, newer);
  }
}

function whose(network: string): string {
  return network === NO_NETWORK ? 'static zones' : `network ${network}`;
}
