/** An operator's override as a running server follows it: the file is watched, and its time ends by itself. */

import type { Guard } from '../../system/guard.ts';
import type { Log } from '../../system/log-events.ts';
import { isInForce, type Override, readOverride, watchOverride } from '../../vantage/override.ts';

export type OverrideWatchOptions = {
  readonly stateDir: string;
  /** It began, ended, or has another reason. */
  readonly onChange: () => void;
  readonly log: Log;
  readonly guard: Guard;
  /** Epoch seconds. */
  readonly now: () => number;
};

const PART = 'vantage';
/** A timer longer than this would fire at once (Node's limit is 2^31 - 1 ms). */
const TIMER_MAX_MS = 2_000_000_000;

export class OverrideWatch {
  private readonly options: OverrideWatchOptions;
  private inForce: Override | null = null;
  private unreadable: string | null = null;
  private timer: NodeJS.Timeout | undefined;
  private stopWatching = (): void => undefined;

  constructor(options: OverrideWatchOptions) {
    this.options = options;
  }

  /** Null: none is in force. */
  get override(): Override | null {
    return this.inForce;
  }

  start(): void {
    const { stateDir, guard } = this.options;
    const read = guard.protect(PART, () => this.read());
    this.stopWatching = watchOverride(stateDir, read);
    this.read();
  }

  stop(): void {
    this.stopWatching();
    clearTimeout(this.timer);
  }

  /** Sentences for `/healthz`. */
  faults(): readonly string[] {
    const { inForce, unreadable } = this;
    const text = inForce === null ? [] : [overrideText(inForce)];
    return unreadable === null ? text : [...text, unreadable];
  }

  private read(): void {
    const { stateDir, log, now, onChange, guard } = this.options;
    const { override, problem } = readOverride(stateDir);
    if (problem !== null && problem !== this.unreadable) log('error', problem, 'vantage.override_unreadable');
    this.unreadable = problem;
    const before = this.inForce;
    this.inForce = override !== null && isInForce(override, now()) ? override : null;
    clearTimeout(this.timer);
    const until = this.inForce?.until ?? null;
    if (until !== null) {
      const ms = Math.min(Math.max(0, until - now()) * 1000 + 10, TIMER_MAX_MS);
      this.timer = setTimeout(
        guard.protect(PART, () => this.read()),
        ms,
      );
      this.timer.unref();
    }
    if (JSON.stringify(before) === JSON.stringify(this.inForce)) return;
    if (this.inForce !== null) log('error', overrideText(this.inForce), 'vantage.override_set');
    else
      log(
        'warn',
        `the override has ended: this vantage agrees with the others again (it was: ${before?.reason ?? ''})`,
        'vantage.override_ended',
      );
    onChange();
  }
}

function overrideText({ reason, by, until }: Override): string {
  const end = until === null ? 'until it is ended' : `until ${new Date(until * 1000).toISOString()}`;
  return `override: this vantage decides alone, by its own view, ${end}; ${by} set it: ${reason}`;
}
