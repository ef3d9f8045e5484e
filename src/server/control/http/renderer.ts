import { setTimeout as pause } from 'node:timers/promises';
import type { Guard } from '../../../system/guard.ts';
import { clientPrefix } from './client-prefix.ts';

/** Of a lane's time so much is spent rendering, the rest is the main thread's own: one part in four. */
const REST = 3;
/** A rest is never longer, milliseconds. */
const REST_MAX_MS = 2000;
/** Clients of which it is kept when they were served last. */
const CLIENTS_MAX = 1000;

/** Who waits. `author`: by name, null for a stranger. `gone`: aborted when the client has hung up; left out: never. */
export type Asker = {
  readonly client: string;
  readonly author: string | null;
  readonly gone?: AbortSignal | undefined;
};

type Waiter<Rendered> = {
  readonly prefix: string;
  readonly isNamed: boolean;
  readonly resolve: (reply: Promise<Rendered> | null) => void;
};
type Waiting<Rendered> = {
  readonly key: string;
  readonly render: () => Promise<Rendered> | Rendered;
  readonly waiters: Set<Waiter<Rendered>>;
};

/**
 * Renders answers one after the other. Requests for the same thing that wait at the same time share one rendering, made
 * after the last of them came, so nobody gets an older view than he asked for. After each rendering the lane rests
 * three times as long as that took: however many ask however often, a quarter of the main thread is the most that they
 * cost.
 *
 * What nobody waits for any more is not rendered. Those with a name go before strangers, and then whoever was served
 * longest ago: one client that asks for hundreds of different things delays another by one rendering.
 */
export class Renderer<Rendered> {
  private readonly waiting = new Map<string, Waiting<Rendered>>();
  /** The number of the turn in which a client was served last. */
  private readonly lastTurns = new Map<string, number>();
  private turn = 0;
  private running = false;
  private readonly guard: Guard;

  constructor(guard: Guard) {
    this.guard = guard;
  }

  /** Renderings that wait. */
  get size(): number {
    return this.waiting.size;
  }

  /**
   * `key` names the rendering; requests with the same key are answered with the same reply. Null: the client has hung up
   * before it was made.
   */
  reply(key: string, asker: Asker, render: () => Promise<Rendered> | Rendered): Promise<Rendered | null> {
    const { client, author, gone } = asker;
    if (gone?.aborted === true) return Promise.resolve(null);
    return new Promise((resolve) => {
      const waiting = this.waiting.get(key) ?? { key, render, waiters: new Set() };
      this.waiting.set(key, waiting);
      const leave = this.guard.protect('http', () => this.leave(waiting, waiter));
      const waiter: Waiter<Rendered> = {
        prefix: clientPrefix(client),
        isNamed: author !== null,
        resolve: (reply) => {
          gone?.removeEventListener('abort', leave);
          resolve(reply);
        },
      };
      waiting.waiters.add(waiter);
      gone?.addEventListener('abort', leave, { once: true });
      if (this.running) return;
      this.running = true;
      this.guard.run('http', this.work());
    });
  }

  private leave(waiting: Waiting<Rendered>, waiter: Waiter<Rendered>): void {
    if (!waiting.waiters.delete(waiter)) return;
    if (waiting.waiters.size === 0 && this.waiting.get(waiting.key) === waiting) this.waiting.delete(waiting.key);
    waiter.resolve(null);
  }

  private async work(): Promise<void> {
    for (let next = this.next(); next !== null; next = this.next()) {
      const { key, render, waiters } = next;
      this.waiting.delete(key);
      for (const { prefix } of waiters) this.served(prefix);
      const started = performance.now();
      const reply = (async () => render())();
      // Those who asked see what it rejects with; the lane goes on.
      await reply.then(
        () => undefined,
        () => undefined,
      );
      for (const { resolve } of waiters) resolve(reply);
      await pause(Math.min(REST * (performance.now() - started), REST_MAX_MS));
    }
    this.running = false;
  }

  /** There are never more than connections, so that looking at all of them costs less than any rendering. */
  private next(): Waiting<Rendered> | null {
    let chosen: Waiting<Rendered> | null = null;
    let best = Number.POSITIVE_INFINITY;
    for (const each of this.waiting.values()) {
      const rank = this.rank(each);
      if (rank >= best) continue;
      chosen = each;
      best = rank;
    }
    return chosen;
  }

  /** The lower the earlier: negative while somebody with a name waits for it. */
  private rank({ waiters }: Waiting<Rendered>): number {
    let rank = Number.POSITIVE_INFINITY;
    for (const { prefix, isNamed } of waiters) {
      const last = this.lastTurns.get(prefix) ?? 0;
      rank = Math.min(rank, isNamed ? last - Number.MAX_SAFE_INTEGER : last);
    }
    return rank;
  }

  private served(prefix: string): void {
    this.turn += 1;
    this.lastTurns.delete(prefix);
    this.lastTurns.set(prefix, this.turn);
    if (this.lastTurns.size <= CLIENTS_MAX) return;
    const [oldest] = this.lastTurns.keys();
    if (oldest !== undefined) this.lastTurns.delete(oldest);
  }
}
