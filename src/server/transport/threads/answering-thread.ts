import type { Worker } from 'node:worker_threads';
import type { Endpoint } from '../../../system/address.ts';
import type { Log } from '../../../system/log-events.ts';
import { SupervisedThread } from '../../../system/supervised-thread.ts';
import { workerUrl } from '../../../system/worker-url.ts';
import { type ListenFault, listenFault } from './bind-sockets.ts';
import type { DnsMessage, DnsReport, DnsThreadData } from './protocol.ts';

export type ThreadKind = 'udp' | 'tcp';

export type AnsweringThreadOptions = {
  readonly kind: ThreadKind;
  /** Its row in the statistics, and its socket's number for UDP. */
  readonly row: number;
  /** Asked at each start. */
  readonly data: (name: string) => DnsThreadData;
  /** What a thread that starts must know first. */
  readonly firstMessages: () => readonly DnsMessage[];
  /** The thread has taken over everything before the `sync` message of this number. */
  readonly onSynced: (id: number) => void;
  /** The thread is gone, for whatever reason: time to close what it left open. */
  readonly onEnd: () => void;
  /** Gets what the callbacks above throw. */
  readonly onBug: (error: unknown) => void;
  readonly log: Log;
};

/**
 * One thread that answers, seen from the main thread. It is bound (its sockets are there), then answering, and started
 * again when it dies after it was bound once.
 */
export class AnsweringThread {
  readonly name: string;
  /** Where it listens, with the real ports, or why it cannot. Settled by its first start. */
  readonly bound: Promise<readonly Endpoint[] | ListenFault>;
  /** Resolves when it, or the one that took over, answers. */
  readonly answering: Promise<void>;
  private readonly thread: SupervisedThread<DnsMessage, DnsReport>;
  private wasBound = false;
  private settleBound: (result: readonly Endpoint[] | ListenFault) => void = () => {};
  private setAnswering: () => void = () => {};

  constructor({ kind, row, data, firstMessages, onSynced, onEnd, onBug, log }: AnsweringThreadOptions) {
    const name = kind === 'udp' ? `udp-${row}` : 'tcp';
    this.name = name;
    this.bound = new Promise((resolve) => {
      this.settleBound = resolve;
    });
    this.answering = new Promise((resolve) => {
      this.setAnswering = resolve;
    });
    this.thread = new SupervisedThread<DnsMessage, DnsReport>({
      name,
      entry: workerUrl(import.meta.url, kind === 'udp' ? '../udp/worker.ts' : '../tcp/worker.ts'),
      // Sockets are handed over: that a thread closes what it did not open is nothing to warn of.
      workerOptions: () => ({ workerData: data(name), trackUnmanagedFds: false }),
      onStart: (post) => {
        for (const message of firstMessages()) post(message);
      },
      isReady: ({ kind }) => kind === 'bound',
      onReport: (report) => {
        switch (report.kind) {
          case 'bound':
            this.wasBound = true;
            return this.settleBound(report.endpoints);
          case 'failed': {
            const fault = listenFault(report.endpoint, kind.toUpperCase(), report.code);
            if (this.wasBound) log('error', fault.message, 'dns.listen_failed');
            return this.settleBound(fault);
          }
          case 'answering':
            return this.setAnswering();
          case 'log':
            return log(report.level, report.message, 'dns.thread_message');
          case 'synced':
            return onSynced(report.id);
        }
      },
      onDeath: (error, restarts) => {
        onEnd();
        if (restarts) log('error', `${name}: starting the thread again: ${error.message}`, 'dns.thread_restarted');
        this.settleBound(listenFault(data(name).sockets[0].endpoint, `${name}:`, 'thread died'));
      },
      onCallbackError: onBug,
      restart: 'once-ready',
      stopMessage: { kind: 'stop' },
    });
  }

  launch(): void {
    this.thread.ready().catch(() => {}); // `bound` says so
  }

  post(message: DnsMessage): void {
    this.thread.post(message);
  }

  /** Answers what has come, then ends. */
  stop(): Promise<void> {
    this.setAnswering(); // `run` must not wait for it any more
    return this.thread.stop();
  }

  /** For tests that let it die. */
  get worker(): Worker | null {
    return this.thread.current;
  }
}
