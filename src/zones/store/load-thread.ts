import { Worker } from 'node:worker_threads';
import { workerUrl } from '../../system/worker-url.ts';
import type { LoadOrder, LoadReport } from './load-worker.ts';
import type { ZoneDns } from './network-zone.ts';
import type { ZoneTarget } from './types.ts';

/** The thread is given back, and its memory with it, when it had nothing to do for so long. */
const IDLE_MS = 5000;

type Waiting = { readonly resolve: (report: LoadReport) => void; readonly reject: (error: Error) => void };

/**
 * Loads large zones in a thread of its own, one after another: a zone of a million records takes seconds, in which the
 * main thread has live sets to publish. The thread exists only while it is needed.
 */
export class ZoneLoader {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private orders = 0;
  private idle: NodeJS.Timeout | null = null;

  /** Rejects when the thread cannot be started or dies (out of memory). */
  load(target: ZoneTarget, dns: ZoneDns): Promise<LoadReport> {
    if (this.idle !== null) clearTimeout(this.idle);
    const worker = this.worker ?? this.start();
    worker.ref();
    const order: LoadOrder = { id: this.orders++, target, dns };
    return new Promise((resolve, reject) => {
      this.waiting.set(order.id, { resolve, reject });
      worker.postMessage(order);
    });
  }

  async close(): Promise<void> {
    const { worker } = this;
    this.worker = null;
    if (this.idle !== null) clearTimeout(this.idle);
    await worker?.terminate();
  }

  private start(): Worker {
    const worker = new Worker(workerUrl(import.meta.url, './load-worker.ts'));
    this.worker = worker;
    let problem = new Error('the thread that loads zones ended');
    worker.on('message', (report: LoadReport) => {
      this.waiting.get(report.id)?.resolve(report);
      this.waiting.delete(report.id);
      if (this.waiting.size > 0) return;
      worker.unref();
      this.idle = setTimeout(() => void this.close(), IDLE_MS);
      this.idle.unref();
    });
    worker.on('error', (error: Error) => {
      problem = error;
    });
    worker.on('exit', () => {
      if (this.worker !== worker && this.worker !== null) return; // its orders were settled when it was closed
      this.worker = null;
      for (const { reject } of this.waiting.values()) reject(problem);
      this.waiting.clear();
    });
    return worker;
  }
}
