import { SupervisedThread } from '../../system/supervised-thread.ts';
import { workerUrl } from '../../system/worker-url.ts';
import type { LoadOrder, LoadReport } from './loader-worker.ts';

/** The thread is given back, and its memory with it, when it had nothing to do for so long. */
const IDLE_MS = 5000;

type Waiting = { readonly resolve: (report: LoadReport) => void; readonly reject: (error: Error) => void };

/**
 * Loads large zones in a thread of its own, one after another: a zone of a million records takes seconds, in which the
 * main thread has live sets to publish. The thread exists only while it is needed.
 */
export class ZoneLoader {
  private readonly thread: SupervisedThread<LoadOrder, LoadReport>;
  private readonly waiting = new Map<number, Waiting>();
  private orders = 0;
  private idle: NodeJS.Timeout | undefined;
  private closed = false;

  constructor() {
    this.thread = new SupervisedThread({
      name: 'zone-loader',
      entry: workerUrl(import.meta.url, './loader-worker.ts'),
      restart: 'never',
      onReport: (report) => this.loaded(report),
      onDeath: (error) => this.fail(error),
    });
  }

  /** Rejects when the thread cannot be started or dies (out of memory). */
  load(order: Omit<LoadOrder, 'id'>): Promise<LoadReport> {
    if (this.closed) return Promise.reject(new Error('the server is stopping'));
    clearTimeout(this.idle);
    const id = this.orders++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.thread.ready().catch((error: unknown) => {
        this.fail(error instanceof Error ? error : new Error(String(error)));
      });
      this.thread.ref(true);
      this.thread.post({ ...order, id });
    });
  }

  /** Ends the thread; what it has not loaded by then is rejected. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.idle);
    await this.thread.stop();
    this.fail(new Error('the server is stopping'));
  }

  private loaded(report: LoadReport): void {
    this.waiting.get(report.id)?.resolve(report);
    this.waiting.delete(report.id);
    if (this.waiting.size > 0) return;
    this.thread.ref(false);
    this.idle = setTimeout(() => void this.thread.release(), IDLE_MS);
    this.idle.unref();
  }

  private fail(error: Error): void {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
