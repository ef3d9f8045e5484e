import { Worker, type WorkerOptions } from 'node:worker_threads';
import { errorText } from './error-text.ts';
import { workerArguments } from './load-sparingly.ts';

/** A thread that lived at least this long is started again at once; one that died sooner waits, longer each time. */
const QUICK_DEATH_MS = 1000;
const BACKOFF_MAX_MS = 30_000;
/** How long a thread may take to end by itself, and then to be ended. */
const STOP_MS = 2000;
const TERMINATE_MS = 500;

export type ThreadOptions<Message, Report> = {
  /** In log lines, and the worker's name. */
  readonly name: string;
  /** Entry file of the thread, as `workerUrl` gives it. */
  readonly entry: URL;
  /** Asked at each start, so that a restarted thread gets the data of that moment. */
  readonly workerOptions?: () => Omit<WorkerOptions, 'name'>;
  /** Called in each start, before any report can arrive: for the messages that every new thread needs first. */
  readonly onStart?: (post: (message: Message) => void) => void;
  readonly onReport: (report: Report) => void;
  /** Whether this report means that the thread is ready. Left out: it is ready with its first report. */
  readonly isReady?: (report: Report) => boolean;
  /** The thread ended without being asked to; `restarts`: another one takes its place. */
  readonly onDeath?: (error: Error, restarts: boolean) => void;
  /** Whether a thread that died is started again; `once-ready`: only if one was ready before. */
  readonly restart: 'always' | 'once-ready' | 'never';
  /** Asks the thread to end by itself. Left out: it is terminated. */
  readonly stopMessage?: Message;
  /** Gets the error when one of the callbacks above throws. The process and the thread go on. */
  readonly onCallbackError?: (error: unknown) => void;
};

/**
 * A worker thread that is kept running. `ready` starts it; when it dies it is started again (`restart`), at once or
 * after a back-off of 1 to 30 seconds if it keeps dying young; `replace` puts another one in its place; `stop` ends it,
 * with a deadline. Callbacks belong to the present thread only: a thread that was replaced or stopped is no longer
 * heard.
 */
export class SupervisedThread<Message, Report> {
  private readonly options: ThreadOptions<Message, Report>;
  private worker: Worker | null = null;
  /** Of the present or the next thread; null: none was asked for. */
  private starting: Promise<void> | null = null;
  private restartTimer: NodeJS.Timeout | undefined;
  /** Rejects `starting` while no thread runs. */
  private abandonRestart: ((error: Error) => void) | null = null;
  private quickDeaths = 0;
  private wasReady = false;
  private isAlive = false;
  private stopped = false;

  constructor(options: ThreadOptions<Message, Report>) {
    this.options = options;
  }

  /** Starts the thread unless there is one. Resolves when it is ready; rejects when it dies before or is stopped. */
  ready(): Promise<void> {
    if (this.stopped) return Promise.reject(new Error(`the ${this.options.name} thread is stopped`));
    try {
      this.starting ??= this.launch();
      return this.starting;
    } catch (error) {
      return Promise.reject(error); // no thread can be made: no memory, no descriptors
    }
  }

  /** Sends to the present thread. False: there is none just now (`onStart` serves the next). */
  post(message: Message): boolean {
    this.worker?.postMessage(message);
    return this.worker !== null;
  }

  /** Whether the thread keeps the process alive. */
  ref(keepsAlive: boolean): void {
    if (keepsAlive) this.worker?.ref();
    else this.worker?.unref();
  }

  /** Puts another thread in the place of this one, which is asked to end or, if it no longer listens, terminated. */
  replace(how: 'ask' | 'terminate'): void {
    const { worker } = this;
    if (worker === null || this.stopped) return;
    if (how === 'terminate') this.isAlive = false;
    this.starting = this.launch();
    const ended = how === 'ask' ? this.retire(worker) : terminate(worker);
    ended.catch((error: unknown) => this.options.onCallbackError?.(error));
  }

  /** Ends the thread. Unlike after `stop`, the next `ready` starts another one. */
  async release(): Promise<void> {
    const { worker } = this;
    this.worker = null;
    this.isAlive = false;
    this.starting = null;
    clearTimeout(this.restartTimer);
    this.abandonRestart?.(new Error(`the ${this.options.name} thread was stopped`));
    this.abandonRestart = null;
    if (worker !== null) await this.retire(worker);
  }

  /** Ends the thread for good. Resolves when it has ended or its deadline has passed. May be called twice. */
  stop(): Promise<void> {
    this.stopped = true;
    return this.release();
  }

  /**
   * Whether a thread is there that does its work: from its report that it is ready until it dies, is terminated or is
   * stopped. One that is only asked to make way counts until its successor is ready.
   */
  get alive(): boolean {
    return this.isAlive;
  }

  /** The thread itself, for tests that let it die. */
  get current(): Worker | null {
    return this.worker;
  }

  private launch(): Promise<void> {
    const { name, entry, workerOptions, onStart, onReport, isReady } = this.options;
    const execArgv = workerArguments();
    const worker = new Worker(entry, { ...(execArgv === undefined ? {} : { execArgv }), ...workerOptions?.(), name });
    const launchedAt = performance.now();
    this.worker = worker;
    let cause: string | null = null;
    const ready = new Promise<void>((resolve, reject) => {
      worker.on('message', (report: Report) => {
        if (worker !== this.worker) return;
        this.guarded(() => {
          if (isReady === undefined || isReady(report)) {
            this.wasReady = true;
            this.isAlive = true;
            resolve();
          }
          onReport(report);
        });
      });
      worker.on('error', (error: unknown) => {
        cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
      });
      worker.on('exit', (code) => {
        const error = new Error(`the ${name} thread died: ${cause ?? `exit code ${code}`}`);
        reject(error);
        if (worker === this.worker) this.died(error, performance.now() - launchedAt);
      });
    });
    ready.catch(() => {}); // reported by `ready` and `onDeath`
    this.guarded(() => onStart?.((message) => worker.postMessage(message)));
    return ready;
  }

  private died(error: Error, livedMs: number): void {
    const { restart, onDeath } = this.options;
    this.worker = null;
    this.isAlive = false;
    const restarts = restart === 'always' || (restart === 'once-ready' && this.wasReady);
    this.quickDeaths = livedMs < QUICK_DEATH_MS ? this.quickDeaths + 1 : 0;
    this.starting = restarts ? this.launchLater() : null;
    this.guarded(() => onDeath?.(error, restarts));
  }

  private launchLater(): Promise<void> {
    const { quickDeaths } = this;
    const waitMs = quickDeaths === 0 ? 0 : Math.min(QUICK_DEATH_MS * 2 ** (quickDeaths - 1), BACKOFF_MAX_MS);
    const next = new Promise<void>((resolve, reject) => {
      this.abandonRestart = reject;
      this.restartTimer = setTimeout(() => {
        this.abandonRestart = null;
        try {
          this.launch().then(resolve, reject);
        } catch (error) {
          reject(error);
          this.died(new Error(`the ${this.options.name} thread cannot be started: ${errorText(error)}`), 0);
        }
      }, waitMs);
    });
    next.catch(() => {});
    return next;
  }

  /** Lets a thread end by itself, or ends it. */
  private async retire(worker: Worker): Promise<void> {
    const { stopMessage } = this.options;
    if (stopMessage === undefined) return terminate(worker);
    worker.postMessage(stopMessage);
    if (!(await exitedWithin(worker, STOP_MS))) await terminate(worker);
  }

  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.options.onCallbackError?.(error);
    }
  }
}

async function terminate(worker: Worker): Promise<void> {
  const ended = exitedWithin(worker, TERMINATE_MS);
  worker.terminate().catch(() => undefined); // the deadline below covers it
  // A call that hangs in the system (a look-up) can hold a thread; the process need not wait for it.
  if (!(await ended)) worker.unref();
}

function exitedWithin(worker: Worker, milliseconds: number): Promise<boolean> {
  if (worker.threadId === -1) return Promise.resolve(true); // has exited already
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds);
    worker.once('exit', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
