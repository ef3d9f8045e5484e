import { Worker } from 'node:worker_threads';
import { workerUrl } from '../../system/worker-url.ts';
import type { ProbeReport, Sample } from '../judge/types.ts';
import type { RoundEnd, RoundRequest } from './probe-round.ts';
import type { ProbeWorkerData } from './worker.ts';

/** `samples` by edge name; targets in `cancelled` have none. Seconds; `startedAt` is epoch. */
export type RoundResult = RoundEnd & { readonly samples: ReadonlyMap<string, Sample> };

/** What edges are told of us (specification section 4): the original's, which their access rules and log filters may know. */
export const USER_AGENT = 'Edgemanage v2 (https://github.com/equalitie/edgemanage)';

export type ProberOptions = {
  readonly userAgent: string;
  /** Gets one line whenever the thread was found in trouble and is replaced. */
  readonly onTrouble?: (message: string) => void;
};

/** What to fetch in one round. */
export type ProbeRound = Omit<RoundRequest, 'kind' | 'id'>;

type Round = {
  readonly network: string;
  readonly samples: Map<string, Sample>;
  readonly onSample: ((sample: Sample) => void) | undefined;
  readonly resolve: (result: RoundResult) => void;
  readonly reject: (error: Error) => void;
  readonly watchdog: NodeJS.Timeout;
  /** Turns of the watchdog since the thread last said something about this round. */
  quiet: number;
};

/** A thread that dies sooner than this after its start waits this long before it is started again. */
const RESTART_MS = 1000;
/** A thread that does not stop by itself by then is ended. */
const STOP_MS = 2000;
/** Collecting the garbage of V8's usual 16 MiB stops the loop for 10 to 30 ms; a few small ones are over sooner. */
const YOUNG_MB = 6;
/** The longest a target can take is one look-up and three fetches (two of them repeats); the rest is margin. */
const FETCHES = 3;
const MARGIN_MS = 15_000;

/**
 * The prober thread, seen from the main thread. Rounds of several networks may run side by side, two of one network may
 * not. When the thread dies or falls silent its rounds are rejected and another thread takes its place.
 */
export class Prober {
  readonly #options: ProberOptions;
  readonly #rounds = new Map<number, Round>();
  #worker: Worker | null = null;
  /** Null: the thread was not needed yet. */
  #ready: Promise<void> | null = null;
  #restart: NodeJS.Timeout | undefined;
  #nextId = 1;
  #stopped = false;
  /** The thread reported a problem and is replaced once no round needs it. */
  #doubtful = false;

  private constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Its thread starts with `ready` or the first round. */
  static make(options: ProberOptions): Prober {
    return new Prober(options);
  }

  /** Starts the thread unless it was started. Rejected when it cannot be. */
  ready(): Promise<void> {
    if (this.#stopped) return Promise.reject(new Error('the prober is stopped'));
    this.#ready ??= this.#launch();
    return this.#ready;
  }

  /** `make`, and waits until the thread is ready. Rejected when it cannot be started. */
  static async start(options: ProberOptions): Promise<Prober> {
    const prober = Prober.make(options);
    try {
      await prober.ready();
    } catch (error) {
      await prober.stop();
      throw error;
    }
    return prober;
  }

  /**
   * One round; `onSample` is called as each sample comes. Rejected when the thread dies or falls silent, when the prober is
   * stopped, and at once while the same network's last round is still running.
   */
  round(request: ProbeRound, onSample?: (sample: Sample) => void): Promise<RoundResult> {
    if (this.#stopped) return Promise.reject(new Error('the prober is stopped'));
    for (const { network } of this.#rounds.values()) {
      if (network !== request.network) continue;
      return Promise.reject(new Error(`a probing round of ${network} is still running`));
    }
    const id = this.#nextId++;
    const patienceMs = (request.spread + FETCHES * request.test.timeout) * 1000 + MARGIN_MS;
    const result = new Promise<RoundResult>((resolve, reject) => {
      const watchdog = setInterval(() => this.#watch(id), patienceMs / 2);
      const { network } = request;
      this.#rounds.set(id, { network, samples: new Map(), onSample, resolve, reject, watchdog, quiet: 0 });
    });
    // A thread that is just being started takes the round when it is there; if it never is, its death rejects the round.
    this.ready().then(
      () => {
        if (this.#rounds.has(id)) this.#worker?.postMessage({ kind: 'round', id, ...request });
      },
      () => {},
    );
    return result;
  }

  /** Ends the thread; rounds under way are rejected. May be called twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#restart);
    this.#rejectAll(new Error('the prober was stopped'));
    const worker = this.#worker;
    this.#worker = null;
    if (worker !== null) await retire(worker);
  }

  /** Starts a thread; resolved when it is ready, rejected when it dies before. */
  #launch(): Promise<void> {
    const data: ProbeWorkerData = { userAgent: this.#options.userAgent };
    const worker = new Worker(workerUrl(import.meta.url, './worker.ts'), {
      workerData: data,
      name: 'prober',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    const launched = performance.now();
    this.#worker = worker;
    this.#doubtful = false;
    let cause: string | null = null;
    const ready = new Promise<void>((resolve, reject) => {
      worker.on('message', (report: ProbeReport) => {
        if (report.kind === 'ready') resolve();
        else if (worker === this.#worker) this.#receive(report);
      });
      worker.on('error', (error: unknown) => {
        cause = error instanceof Error ? error.message : String(error);
      });
      worker.on('exit', (code) => {
        const error = new Error(`the prober thread died: ${cause ?? `exit code ${code}`}`);
        reject(error);
        if (worker !== this.#worker) return; // replaced or stopped on purpose
        this.#worker = null;
        this.#replaceDead(error, performance.now() - launched < RESTART_MS ? RESTART_MS : 0);
      });
    });
    ready.catch(() => {}); // told through `start`, `round` and `onTrouble`
    return ready;
  }

  #replaceDead(error: Error, waitMs: number): void {
    this.#rejectAll(error);
    this.#options.onTrouble?.(error.message);
    this.#ready = new Promise<void>((resolve, reject) => {
      this.#restart = setTimeout(() => void this.#launch().then(resolve, reject), waitMs);
    });
    this.#ready.catch(() => {});
  }

  #receive(report: Exclude<ProbeReport, { kind: 'ready' }>): void {
    if (report.kind === 'problem') {
      this.#doubtful = true;
      this.#options.onTrouble?.(`the prober met a problem and will be replaced after the round: ${report.message}`);
      this.#replaceDoubtful();
      return;
    }
    const round = this.#rounds.get(report.id);
    if (round === undefined) return;
    round.quiet = 0;
    if (report.kind === 'samples') {
      for (const sample of report.samples) {
        round.samples.set(sample.edge, sample);
        round.onSample?.(sample);
      }
      return;
    }
    this.#forget(report.id, round);
    const { startedAt, seconds, cancelled, loopDelayMs } = report;
    round.resolve({ samples: round.samples, startedAt, seconds, cancelled, loopDelayMs });
    this.#replaceDoubtful();
  }

  #replaceDoubtful(): void {
    const worker = this.#worker;
    if (!this.#doubtful || this.#rounds.size > 0 || worker === null) return;
    this.#ready = this.#launch();
    void retire(worker);
  }

  /**
   * The thread has its own deadline for every fetch; one that says nothing for this long hangs. Two turns, because after a
   * stall of the main thread the timer comes before the messages that waited behind it.
   */
  #watch(id: number): void {
    const round = this.#rounds.get(id);
    if (round === undefined) return;
    round.quiet += 1;
    if (round.quiet < 3) return;
    const worker = this.#worker;
    this.#worker = null; // its end is no news then
    void worker?.terminate();
    this.#replaceDead(new Error(`the prober thread fell silent during a round of ${round.network}`), 0);
  }

  #rejectAll(error: Error): void {
    for (const [id, round] of this.#rounds) {
      this.#forget(id, round);
      round.reject(error);
    }
  }

  #forget(id: number, round: Round): void {
    clearInterval(round.watchdog);
    this.#rounds.delete(id);
  }
}

/** Lets a thread end by itself, or ends it. */
async function retire(worker: Worker): Promise<void> {
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.postMessage({ kind: 'stop' });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      // A look-up that hangs in the system holds the thread; the process need not wait for it.
      worker.unref();
      void worker.terminate();
      resolve();
    }, STOP_MS);
  });
  await Promise.race([exited, late]);
  clearTimeout(timer);
}
