import { bugText, errorText } from './error-text.ts';

/** A part of which something was thrown where only a bug throws. */
export type GuardFault = {
  readonly part: string;
  /** How often, since the start. */
  readonly count: number;
  /** The newest one's message. */
  readonly message: string;
  /** When it was, epoch seconds. */
  readonly at: number;
};

export type GuardOptions = {
  /** One line; after `REPORTS_MAX` of a part only every hundredth is reported. */
  readonly report: (part: string, text: string) => void;
  /** Epoch seconds. */
  readonly now: () => number;
};

/** Stack traces of one part that are reported in full. */
const REPORTS_MAX = 20;

/**
 * The boundary between the event loop and us. Whatever the loop calls (a socket's or a timer's callback, a watch, a
 * signal handler) and every promise that nobody awaits passes through a guard: what it throws is reported with the name
 * of its part, counted, shown by `/healthz`, and does not end the process, whose other threads go on answering.
 */
export class Guard {
  private readonly options: GuardOptions;
  private readonly seen = new Map<string, GuardFault>();

  constructor(options: GuardOptions) {
    this.options = options;
  }

  /** The function with a boundary around it, for use as a callback; a promise that it returns is guarded, too. */
  protect<Args extends readonly unknown[]>(part: string, work: (...args: Args) => unknown): (...args: Args) => void {
    return (...args) => this.run(part, () => work(...args));
  }

  /** Calls `work` now, or takes a promise that nobody is going to await. Never throws. */
  run(part: string, work: Promise<unknown> | (() => unknown)): void {
    try {
      const result = typeof work === 'function' ? work() : work;
      if (result instanceof Promise) result.catch((error: unknown) => this.note(part, error));
    } catch (error) {
      this.note(part, error);
    }
  }

  /** Records what was thrown elsewhere (the process's last resort, a thread's report). Never throws. */
  note(part: string, error: unknown): void {
    const count = (this.seen.get(part)?.count ?? 0) + 1;
    this.seen.set(part, { part, count, message: errorText(error), at: this.options.now() });
    if (count > REPORTS_MAX && count % 100 !== 0) return;
    try {
      this.options.report(part, `a bug in ${part} was contained (number ${count}): ${bugText(error)}`);
    } catch {
      // The log itself may be what fails.
    }
  }

  /** Every part that threw since the start, in the order of their first fault. */
  faults(): readonly GuardFault[] {
    return [...this.seen.values()];
  }
}
