import { setTimeout as pause } from 'node:timers/promises';
import type { Guard } from '../../../system/guard.ts';

/** Of a lane's time so much is spent rendering, the rest is the main thread's own: one part in four. */
const REST = 3;
/** A rest is never longer, milliseconds. */
const REST_MAX_MS = 2000;

type Waiting<Rendered> = {
  readonly render: () => Promise<Rendered> | Rendered;
  readonly replies: ((reply: Promise<Rendered>) => void)[];
};

/**
 * Renders answers one after the other. Requests for the same thing that wait at the same time share one rendering, made
 * after the last of them came, so nobody gets an older view than he asked for. After each rendering the lane rests
 * three times as long as that took: however many ask however often, a quarter of the main thread is the most that they
 * cost.
 */
export class Renderer<Rendered> {
  private readonly waiting = new Map<string, Waiting<Rendered>>();
  private running = false;
  private readonly guard: Guard;

  constructor(guard: Guard) {
    this.guard = guard;
  }

  /** `key` names the rendering; requests with the same key are answered with the same reply. */
  reply(key: string, render: () => Promise<Rendered> | Rendered): Promise<Rendered> {
    return new Promise((resolve) => {
      const waiting = this.waiting.get(key);
      if (waiting === undefined) this.waiting.set(key, { render, replies: [resolve] });
      else waiting.replies.push(resolve);
      if (this.running) return;
      this.running = true;
      this.guard.run('http', this.work());
    });
  }

  private async work(): Promise<void> {
    for (const [key, { render, replies }] of this.waiting) {
      this.waiting.delete(key);
      const started = performance.now();
      const reply = (async () => render())();
      // Those who asked see what it rejects with; the lane goes on.
      await reply.then(
        () => undefined,
        () => undefined,
      );
      for (const resolve of replies) resolve(reply);
      await pause(Math.min(REST * (performance.now() - started), REST_MAX_MS));
    }
    this.running = false;
  }
}
