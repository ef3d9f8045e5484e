import { errorText } from '../../system/error-text.ts';
import type { Log } from '../../system/log-events.ts';
import type { Sample } from '../checks/sample.ts';

/** Samples that no decision has seen: of each target at least one, the newest last. */
export type FreshByTarget = ReadonlyMap<string, readonly Sample[]>;

type Waiting = {
  timer: NodeJS.Timeout;
  isLoss: boolean;
  readonly over: Promise<void>;
  readonly end: () => void;
};

/** All but the newest of each target, without those that have no other. */
export function earlierOf(fresh: FreshByTarget): FreshByTarget {
  const earlier = new Map<string, readonly Sample[]>();
  for (const [name, samples] of fresh) if (samples.length > 1) earlier.set(name, samples.slice(0, -1));
  return earlier;
}

/** Samples of one target that wait for a decision; of more, the oldest are lost. */
const SAMPLES_MAX = 100;

/** How long before a decision its records are looked at, milliseconds. */
const AHEAD_MS = 1000;

/**
 * Samples that no decision has seen yet, and the wait until one does: `settle` seconds from the first of them that may
 * change the answer, so that what belongs to one event is decided upon together.
 */
export class FreshSamples {
  /** By target, the newest last. */
  private samples = new Map<string, readonly Sample[]>();
  private waiting: Waiting | null = null;
  private readonly decide: () => Promise<void>;
  private readonly lookAhead: () => void;
  private readonly log: Log;

  /** `decide` takes the samples. `lookAhead` is called at most a second before it. */
  constructor(decide: () => Promise<void>, lookAhead: () => void, log: Log) {
    this.decide = decide;
    this.lookAhead = lookAhead;
    this.log = log;
  }

  /** Each counts, unless it was added before. */
  add(sample: Sample): void {
    const others = (this.samples.get(sample.edge) ?? []).filter(({ at }) => at !== sample.at);
    this.samples.set(sample.edge, [...others, sample].slice(-SAMPLES_MAX));
  }

  /** The newest of a target. */
  get(name: string): Sample | undefined {
    return this.samples.get(name)?.at(-1);
  }

  /** The newest of each target. */
  values(): Iterable<Sample> {
    return [...this.samples.values()].flatMap((samples) => samples.slice(-1));
  }

  /** For a decision: of each target at least one, the newest last. */
  take(): FreshByTarget {
    const taken = this.samples;
    this.samples = new Map();
    return taken;
  }

  /**
   * Has them decided upon in `seconds`, unless that is under way. `isLoss`: a live member failed; the wait for those that
   * died with it begins anew where it had begun for another reason.
   */
  settle(seconds: number, isLoss: boolean): void {
    const { waiting } = this;
    if (waiting === null) {
      let end: () => void = () => undefined;
      const over = new Promise<void>((resolve) => {
        end = resolve;
      });
      this.waiting = { timer: this.timer(seconds), isLoss, over, end };
    } else if (isLoss && !waiting.isLoss) {
      clearTimeout(waiting.timer);
      waiting.timer = this.timer(seconds);
      waiting.isLoss = true;
    }
  }

  /** Resolved when nothing is settling. */
  async settled(): Promise<void> {
    await this.waiting?.over;
  }

  private timer(seconds: number): NodeJS.Timeout {
    const ms = seconds * 1000;
    if (ms > AHEAD_MS) {
      return setTimeout(() => {
        const timer = this.timer(AHEAD_MS / 1000);
        if (this.waiting !== null) this.waiting.timer = timer;
      }, ms - AHEAD_MS);
    }
    this.lookAhead();
    return setTimeout(() => {
      const end = this.waiting?.end;
      this.waiting = null;
      this.decide()
        .catch((error: unknown) =>
          this.log('error', `a decision between two turns failed: ${errorText(error)}`, 'round.failed'),
        )
        .finally(end);
    }, ms);
  }

  /** Nothing that settles is decided upon any more. */
  cancel(): void {
    if (this.waiting === null) return;
    clearTimeout(this.waiting.timer);
    this.waiting.end();
    this.waiting = null;
  }
}
