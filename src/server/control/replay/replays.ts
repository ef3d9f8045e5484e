import { Worker } from 'node:worker_threads';
import type { Guard } from '../../../system/guard.ts';
import { workerUrl } from '../../../system/worker-url.ts';
import type { ReplayAnswer, ReplayOrder } from './order.ts';

/** Longer than an answer may take, a client would have been cut off by then. */
const MOST_MS = 8_000;
const HEAP_MEBIBYTES = 384;
/** After a replay the next one waits so many times as long as it took: they take a quarter of one core at most. */
const REST = 3;

/**
 * Replays for whoever asks over HTTP, one at a time, each in a thread of its own that ends with it: neither answers nor
 * checks wait for one. Whoever asks for the same as the one that runs gets the same answer.
 */
export class Replays {
  private readonly guard: Guard;
  private running: { readonly key: string; readonly answer: Promise<ReplayAnswer> } | null = null;
  private restsUntilMs = 0;

  constructor(guard: Guard) {
    this.guard = guard;
  }

  /** Never rejects. */
  replay(order: ReplayOrder): Promise<ReplayAnswer> {
    const key = JSON.stringify(order);
    const { running } = this;
    if (running !== null && running.key === key) return running.answer;
    const beganMs = performance.now();
    if (running !== null) return busy('another replay is under way; try again soon');
    if (beganMs < this.restsUntilMs) {
      const seconds = Math.ceil((this.restsUntilMs - beganMs) / 1000);
      return busy(`another replay was just made, and they must leave time for other work; try again in ${seconds} s`);
    }
    const answer = this.inThread(order).finally(() => {
      this.running = null;
      this.restsUntilMs = performance.now() + REST * (performance.now() - beganMs);
    });
    this.running = { key, answer };
    return answer;
  }

  private inThread(order: ReplayOrder): Promise<ReplayAnswer> {
    return new Promise((resolve) => {
      const failed = (message: string): void => resolve({ ok: false, code: 'failed', message });
      const worker = new Worker(workerUrl(import.meta.url, './worker.ts'), {
        workerData: order,
        resourceLimits: { maxOldGenerationSizeMb: HEAP_MEBIBYTES },
      });
      const end = this.guard.protect('http', () => {
        failed('it takes too long: choose a shorter time');
        this.guard.run('http', worker.terminate());
      });
      const timer = setTimeout(end, MOST_MS);
      worker.once(
        'message',
        this.guard.protect('http', (answer: ReplayAnswer) => resolve(answer)),
      );
      worker.once(
        'error',
        this.guard.protect('http', (error: Error) => failed(error.message)),
      );
      worker.once(
        'exit',
        this.guard.protect('http', () => {
          clearTimeout(timer);
          failed('the thread ended without an answer');
        }),
      );
    });
  }
}

function busy(message: string): Promise<ReplayAnswer> {
  return Promise.resolve({ ok: false, code: 'busy', message });
}
