import { errorText } from '../../system/error-text.ts';
import { GroupTable } from '../../system/process-group.ts';
import { SupervisedThread } from '../../system/supervised-thread.ts';
import { workerUrl } from '../../system/worker-url.ts';
import { LIVE_PLACES, SLOW_PLACES } from './lanes.ts';
import type { ProbeReport, ProbeRequest, RoundEnd, RoundRequest } from './protocol.ts';
import { HUNG_MS, LOOK_MS, Pulse } from './pulse.ts';
import type { Sample } from './sample.ts';
import type { ProbeWorkerData } from './worker.ts';

/** `samples` by edge name; targets in `cancelled` have none. Seconds; `startedAt` is epoch. */
export type RoundResult = RoundEnd & { readonly samples: ReadonlyMap<string, Sample> };

/**
 * What edges see as our client (specification section 4): the original's, which their access rules and log filters may
 * know.
 */
export const USER_AGENT = 'Edgemanage v2 (https://github.com/equalitie/edgemanage)';

export type ProberOptions = {
  readonly userAgent: string;
  /** Gets one line whenever the thread was found in trouble and is replaced. */
  readonly onTrouble?: (message: string) => void;
  /** Gets the error when a callback of ours throws; without it, `onTrouble` does. */
  readonly onCallbackError?: (error: unknown) => void;
};

/** Why the thread was replaced last, epoch seconds. */
export type ProberTrouble = { readonly message: string; readonly at: number };

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
  /** Turns of the watchdog that it may still last, however much others of its network report. */
  left: number;
};

/** Collecting the garbage of V8's usual 16 MiB stops the loop for 10 to 30 ms; a few small ones are over sooner. */
const YOUNG_MB = 6;
/** The longest a target can take is two look-ups and six fetches (two repeats each); the rest is margin. */
const FETCHES = 6;
const MARGIN_MS = 15_000;

/**
 * The prober thread, seen from the main thread. Rounds of several networks may run side by side, of one network only
 * turns. When the thread dies or falls silent its rounds are rejected and another thread takes its place.
 */
export class Prober {
  private readonly options: ProberOptions;
  private readonly rounds = new Map<number, Round>();
  private readonly thread: SupervisedThread<ProbeRequest, ProbeReport>;
  private nextId = 1;
  private stopped = false;
  /** The thread reported a problem and is replaced once no round needs it. */
  private doubtful = false;
  /** Of the present thread's programs, which would outlive a thread that dies. */
  private groups = new GroupTable();
  private pulse = new Pulse();
  private readonly looking: NodeJS.Timeout;
  private troubleCount = 0;
  private lastTrouble: ProberTrouble | null = null;
  private readonly endPrograms = (): void => this.groups.close();

  private constructor(options: ProberOptions) {
    this.options = options;
    this.thread = new SupervisedThread({
      name: 'prober',
      entry: workerUrl(import.meta.url, './worker.ts'),
      workerOptions: () => {
        this.endPrograms();
        this.groups = new GroupTable();
        this.pulse = new Pulse();
        const { groups, pulse } = this;
        const workerData: ProbeWorkerData = {
          userAgent: options.userAgent,
          groups: groups.memory,
          beats: pulse.memory,
        };
        return { workerData, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } };
      },
      onStart: () => {
        this.doubtful = false;
      },
      onReport: (report) => this.receive(report),
      isReady: ({ kind }) => kind === 'ready',
      onDeath: (error) => {
        this.endPrograms();
        this.rejectAll(error);
        this.noteTrouble(error.message);
      },
      restart: 'always',
      stopMessage: { kind: 'stop' },
      onCallbackError: (error) => this.note(error),
    });
    process.on('exit', this.endPrograms);
    this.looking = setInterval(() => this.look(), LOOK_MS).unref();
  }

  /** Its thread starts with `ready` or the first round. */
  static make(options: ProberOptions): Prober {
    return new Prober(options);
  }

  /** Starts the thread unless it was started. Rejected when it cannot be. */
  ready(): Promise<void> {
    if (this.stopped) return Promise.reject(new Error('the prober is stopped'));
    return this.thread.ready();
  }

  /** Whether its thread runs; false before `ready`, and from a death until the next thread is ready. */
  get alive(): boolean {
    return this.thread.alive;
  }

  /** How often its thread died, hung or was found in trouble since the start. */
  get troubles(): number {
    return this.troubleCount;
  }

  /** Null: there was none. */
  get trouble(): ProberTrouble | null {
    return this.lastTrouble;
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
   * One round; `onSample` is called as each sample comes. Rejected when the thread dies or falls silent, when the round
   * is cancelled or the prober stopped, and at once while the same network's last round is still running, unless they
   * are turns (`settle`): those may overlap.
   */
  round(request: ProbeRound, onSample?: (sample: Sample) => void): Promise<RoundResult> {
    if (this.stopped) return Promise.reject(new Error('the prober is stopped'));
    for (const { network } of this.rounds.values()) {
      if (network !== request.network || request.settle !== undefined) continue;
      return Promise.reject(new Error(`a probing round of ${network} is still running`));
    }
    const id = this.nextId++;
    const quietMs = (request.spread + FETCHES * request.plan.timeout) * 1000 + MARGIN_MS;
    const result = new Promise<RoundResult>((resolve, reject) => {
      const watchdog = setInterval(() => this.watch(id), quietMs / 2);
      const { network } = request;
      const left = Math.ceil(longestMs(request) / (quietMs / 2));
      this.rounds.set(id, { network, samples: new Map(), onSample, resolve, reject, watchdog, quiet: 0, left });
    });
    // A thread that is just being started takes the round when it is there; if it never is, its death rejects the
    // round.
    this.ready().then(
      () => {
        if (this.rounds.has(id)) this.thread.post({ kind: 'round', id, ...request });
      },
      () => {},
    );
    return result;
  }

  /** Another live set is in force: its members are asked without waiting, and together when one of them fails. */
  setLive(network: string, names: readonly string[]): void {
    this.thread.post({ kind: 'live', network, names });
  }

  /** Ends the network's rounds, if any are under way, whatever their fetches wait for: they are rejected at once. */
  cancel(network: string): void {
    for (const [id, round] of this.rounds) {
      if (round.network !== network) continue;
      this.forget(id, round);
      this.thread.post({ kind: 'cancel', id });
      round.reject(new Error(`the probing round of ${network} was cut short`));
    }
  }

  /** Ends the thread; rounds under way are rejected at once, whatever hangs. May be called twice. */
  stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.looking);
    this.rejectAll(new Error('the prober was stopped'));
    this.endPrograms();
    process.off('exit', this.endPrograms);
    return this.thread.stop();
  }

  private receive(report: ProbeReport): void {
    switch (report.kind) {
      case 'ready':
        return;
      case 'problem':
        this.doubtful = true;
        this.noteTrouble(`the prober met a problem and will be replaced after the round: ${report.message}`);
        this.replaceDoubtful();
        return;
      case 'samples': {
        const round = this.rounds.get(report.id);
        if (round === undefined) return;
        // A turn may wait long for places that the others have, though not for ever (`longestMs`).
        for (const other of this.rounds.values()) if (other.network === round.network) other.quiet = 0;
        for (const sample of report.samples) {
          round.samples.set(sample.edge, sample);
          this.guarded(() => round.onSample?.(sample));
        }
        return;
      }
      case 'done': {
        const { kind: _, id, ...end } = report;
        const round = this.rounds.get(id);
        if (round !== undefined) {
          this.forget(id, round);
          round.resolve({ samples: round.samples, ...end });
        }
        this.replaceDoubtful();
        return;
      }
      default:
        report satisfies never;
    }
  }

  private replaceDoubtful(): void {
    if (this.doubtful && this.rounds.size === 0) this.thread.replace('ask');
  }

  /**
   * The thread has its own deadline for every fetch; one that says nothing for this long hangs. Two turns, because
   * after a stall of the main thread the timer comes before the messages that waited behind it.
   */
  private watch(id: number): void {
    const round = this.rounds.get(id);
    if (round === undefined) return;
    round.quiet += 1;
    round.left -= 1;
    if (round.quiet < 3 && round.left > 0) return;
    const what = round.left > 0 ? 'the prober thread fell silent during a round' : 'the prober did not end a round';
    const error = new Error(`${what} of ${round.network}`);
    this.replaceHung(error);
  }

  /** A thread that is blocked replies to nothing. Its rounds would wait for it for minutes. */
  private look(): void {
    if (!this.thread.alive) {
      this.pulse.rest();
      return;
    }
    const quietMs = this.pulse.look();
    if (quietMs < HUNG_MS) return;
    this.pulse.rest();
    this.replaceHung(new Error(`the prober thread was blocked for ${Math.round(quietMs / 1000)} s and is replaced`));
  }

  private replaceHung(error: Error): void {
    this.rejectAll(error);
    this.guarded(() => {
      this.noteTrouble(error.message);
      // Its programs go with it; another thread cannot tell them from its own.
      this.thread.replace('terminate');
    });
  }

  private noteTrouble(message: string): void {
    this.troubleCount += 1;
    this.lastTrouble = { message, at: Date.now() / 1000 };
    this.options.onTrouble?.(message);
  }

  private rejectAll(error: Error): void {
    for (const [id, round] of this.rounds) {
      this.forget(id, round);
      round.reject(error);
    }
  }

  private forget(id: number, round: Round): void {
    clearInterval(round.watchdog);
    this.rounds.delete(id);
  }

  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.note(error);
    }
  }

  private note(error: unknown): void {
    const { onCallbackError, onTrouble } = this.options;
    if (onCallbackError !== undefined) onCallbackError(error);
    else onTrouble?.(`a callback of the prober failed: ${errorText(error)}`);
  }
}

/**
 * The longest that a round can take whose last target waits for a place until each of the others has been asked for as
 * long as one can be, with the fewest places that a lane has.
 */
function longestMs({ plan: { timeout, workers }, spread, targets }: ProbeRound): number {
  const places = Math.min(workers, LIVE_PLACES, SLOW_PLACES);
  const passes = 1 + Math.ceil(targets.length / places);
  return (spread + passes * FETCHES * timeout) * 1000 + 2 * MARGIN_MS;
}
