import type { Config } from '../config/types.ts';
import { errorText } from '../system/error-text.ts';
import type { Guard } from '../system/guard.ts';
import { Locks } from '../system/lock.ts';
import type { Log } from '../system/log-events.ts';
import { type Part, part } from './part.ts';

export type LockPartOptions = {
  readonly config: Config;
  readonly log: Log;
  readonly guard: Guard;
  /** Another process has this network's lock now. */
  readonly onLost: (network: string) => void;
};

/** How often the lock file is looked at. */
const LOOK_MS = 1000;

/** The lock file, held open, and watched: whoever removes it must not let a second server in. */
export class LockPart {
  readonly part: Part;
  private held: Locks | null = null;
  private timer: NodeJS.Timeout | undefined;

  constructor({ config, log, guard, onLost }: LockPartOptions) {
    let fault: string | null = null;
    const checkLocks = (locks: Locks): void => {
      try {
        const { retaken, lost } = locks.retake();
        const file = config.lockfile;
        if (retaken)
          log('warn', `${file} was removed or replaced: made and locked anew`, { event: 'lock.retaken', file });
        fault = null;
        for (const { kind, name } of lost) if (kind === 'network') onLost(name);
      } catch (error) {
        const text = `${config.lockfile} was removed and cannot be made anew: ${errorText(error)}`;
        if (fault !== text) log('error', text, { event: 'lock.lost', file: config.lockfile });
        fault = text;
      }
    };
    this.part = part('locks', {
      start: async () => {
        const locks = Locks.open(config.lockfile);
        this.held = locks;
        this.timer = setInterval(
          guard.protect('locks', () => checkLocks(locks)),
          LOOK_MS,
        );
        return null;
      },
      stop: async () => {
        clearInterval(this.timer);
        this.held?.close();
      },
      faults: () => (fault === null ? [] : [fault]),
    });
  }

  /** Null before the start, and in a dry run. */
  get locks(): Locks | null {
    return this.held;
  }
}
