import type { DnstapConfig } from '../config/section-dnstap.ts';
import type { Config } from '../config/types.ts';
import {
  createMemory,
  type DnstapCounts,
  type DnstapMemory,
  NO_COUNTS,
  OPEN,
  sumCounts,
} from '../server/dnstap/shared.ts';
import type { WriterMessage, WriterReport, WriterThreadData } from '../server/dnstap/writer-protocol.ts';
import { errorText } from '../system/error-text.ts';
import type { Guard } from '../system/guard.ts';
import type { Log } from '../system/log-events.ts';
import { SupervisedThread } from '../system/supervised-thread.ts';
import { workerUrl } from '../system/worker-url.ts';
import type { DnsPart } from './dns-part.ts';
import { type Part, part, ready } from './part.ts';

const NAME = 'dnstap';

export type DnstapPartOptions = {
  readonly config: Config;
  readonly dns: Pick<DnsPart, 'dns' | 'settled'>;
  readonly log: Log;
  readonly guard: Guard;
};

/**
 * Messages of dnstap while `server.dnstap` is set: the threads that answer sample and queue them, a thread of its own writes
 * them. Without it there is neither that thread nor memory for queues. Whatever is wrong with it is a warning: answers are
 * right without it.
 */
export class DnstapPart {
  /** Comes before the threads that answer, to stop after they have. */
  readonly last: Part;
  /** Starts once privileges are dropped: the socket or file is opened by the user that the server runs as. */
  readonly part: Part;
  private readonly options: DnstapPartOptions;
  private memory: DnstapMemory | null = null;
  private thread: SupervisedThread<WriterMessage, WriterReport> | null = null;
  private config: DnstapConfig | null = null;
  private problem: string | null = null;
  /** Settled when the last thread has ended: two must not read the same queues. */
  private ended: Promise<void> = Promise.resolve();

  constructor(options: DnstapPartOptions) {
    this.options = options;
    this.last = part(`${NAME} output`, {
      stop: async () => {
        this.config = null;
        await this.thread?.stop();
      },
    });
    this.part = part(NAME, {
      start: async () => {
        this.configure(options.config.server.dnstap);
        return null;
      },
      prepare: async ({ config }) =>
        ready(async () => {
          this.configure(config.server.dnstap);
          await options.dns.settled(); // "reloaded" means that every thread goes by it
        }),
    });
  }

  /** Since the start; null: it was never on. */
  counts(): DnstapCounts | null {
    if (this.memory !== null) return sumCounts(this.memory);
    return this.config === null ? null : NO_COUNTS;
  }

  /** Sentences for `/healthz`. */
  warnings(): readonly string[] {
    return this.problem === null ? [] : [this.problem];
  }

  private configure(config: DnstapConfig | null): void {
    const { dns } = this.options.dns;
    if (dns === null || JSON.stringify(config) === JSON.stringify(this.config)) return;
    const before = this.config;
    this.config = config;
    if (config === null) {
      dns.configureDnstap(null);
      this.problem = null;
      this.options.log('info', 'dnstap: off', 'dnstap.off');
      const { thread } = this;
      this.thread = null;
      if (thread !== null) this.ended = thread.stop();
      return;
    }
    const memory = this.memory ?? createMemory(dns.threadCount);
    this.memory = memory;
    if (this.thread === null) {
      this.options.guard.run(
        NAME,
        this.ended.then(() => this.start(memory)),
      );
    } else if (JSON.stringify(config.output) !== JSON.stringify(before?.output)) {
      this.problem = null;
      this.thread.post({ kind: 'configure', output: config.output });
    }
    dns.configureDnstap({ ...config, memory });
  }

  private start(memory: DnstapMemory): void {
    if (this.config === null || this.thread !== null) return;
    const { log, guard } = this.options;
    const thread: SupervisedThread<WriterMessage, WriterReport> = new SupervisedThread({
      name: NAME,
      entry: workerUrl(import.meta.url, '../server/dnstap/writer-thread.ts'),
      workerOptions: () => {
        const { config } = this;
        if (config === null) throw new Error('dnstap is off');
        const workerData: WriterThreadData = { memory, output: config.output };
        return { workerData };
      },
      onReport: (report) => {
        if (thread === this.thread && report.kind === 'state') this.state(report.problem);
      },
      onDeath: (error) => {
        // What is queued from now on would be old when the next thread comes.
        Atomics.store(new Int32Array(memory.state, 0, 2), OPEN, 0);
        log('error', `dnstap: starting the thread again: ${errorText(error)}`, 'dnstap.thread_restarted');
      },
      onCallbackError: (error) => guard.note(NAME, error),
      restart: 'always',
      stopMessage: { kind: 'stop' },
    });
    this.thread = thread;
    thread.ready().catch(() => {}); // `onDeath` says so
  }

  private state(problem: string | null): void {
    const { log } = this.options;
    const path = this.config?.output.path ?? '';
    if (problem === null) {
      this.problem = null;
      log('info', `dnstap: messages go to ${path}`, { event: 'dnstap.writing', file: path });
      return;
    }
    const text = `dnstap: ${path}: ${problem}; messages are dropped and counted meanwhile`;
    if (text !== this.problem) log('warn', text, { event: 'dnstap.failed', file: path });
    this.problem = text;
  }
}
