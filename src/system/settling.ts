import { statSync } from 'node:fs';

/**
 * Whether a file that changed has been written to its end. A copy that takes its time looks like a finished file
 * whenever its writer rests, and half a zone or half a list is worse than the one before: whoever has a good version
 * waits.
 */

/** What tells one state of a file from another without reading it. Times are epoch milliseconds. */
export type FileStamp = {
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly size: number;
  readonly ino: number;
};

/** How a file came under its name, as the system's notifications tell; null: there were none. */
export type Arrival = 'renamed' | 'written' | null;

export type SettleTimes = {
  /** Without a change for so long, a file that is written in place is whole. Changes are seen within two seconds. */
  readonly quietMs: number;
  /** The same for another file under the name, which most likely came by renaming or through a link. */
  readonly swapMs: number;
  /** The same where its contents look cut off: no line feed at the end, or much less than before. */
  readonly doubtMs: number;
  /** A file that does not settle for so long is reported. */
  readonly reportMs: number;
};

export const SETTLE: SettleTimes = { quietMs: 1700, swapMs: 500, doubtMs: 10_000, reportMs: 30_000 };

/** `whole`: the file came under its name as it is. */
type Seen = {
  readonly stamp: FileStamp;
  readonly seenAt: number;
  readonly changingSince: number;
  readonly whole: boolean;
};

/** Follows files from the moment they are seen to have changed until they are taken over. */
export class Settling {
  private readonly times: SettleTimes;
  private readonly seen = new Map<string, Seen>();

  constructor(times: SettleTimes = SETTLE) {
    this.times = times;
  }

  /**
   * Milliseconds until the file may be read; 0: now. `stamp` null: there is none at the moment. `before`: of the
   * version in use.
   */
  waitMs(path: string, stamp: FileStamp | null, before: FileStamp | null, arrival: Arrival): number {
    const seen = this.look(path, stamp ?? ABSENT, stamp !== null && cameWhole(stamp, before, arrival));
    if (seen.whole) return 0;
    const swapped = stamp === null || before === null || (stamp.ino !== before.ino && arrival !== 'written');
    return left(seen, swapped && before !== null ? this.times.swapMs : this.times.quietMs);
  }

  /** The same of a file that was read and whose contents look cut off. */
  doubtMs(path: string, stamp: FileStamp | null, arrival: Arrival): number {
    const seen = this.look(path, stamp ?? ABSENT, stamp !== null && cameWhole(stamp, null, arrival));
    return seen.whole ? 0 : left(seen, this.times.doubtMs);
  }

  /** Whether the file has been changing for so long that it is worth a warning. */
  isOverdue(path: string): boolean {
    const known = this.seen.get(path);
    return known !== undefined && performance.now() - known.changingSince >= this.times.reportMs;
  }

  /** The file was taken over, or is of no interest any more. */
  forget(path: string): void {
    this.seen.delete(path);
  }

  private look(path: string, stamp: FileStamp, whole: boolean): Seen {
    const known = this.seen.get(path);
    if (known !== undefined && sameFileStamp(known.stamp, stamp)) return known;
    const now = performance.now();
    const seen = { stamp, seenAt: now, changingSince: known?.changingSince ?? now, whole };
    this.seen.set(path, seen);
    return seen;
  }
}

/** Milliseconds until the file will have been quiet for so long. */
function left({ stamp, seenAt }: Seen, quietMs: number): number {
  const seenMs = performance.now() - seenAt;
  // Its own time tells more where it changed unseen. One in the future tells nothing.
  const ageMs = stamp === ABSENT ? 0 : Math.max(0, Date.now() - stamp.mtimeMs);
  return Math.max(0, Math.ceil(quietMs - Math.max(seenMs, ageMs)));
}

const ABSENT: FileStamp = { mtimeMs: 0, ctimeMs: 0, size: -1, ino: 0 };

/**
 * Another file under the name whose last change was no write: the time of its last change of any kind (renaming is one,
 * so are the copied times of `cp -p`) is later than that of its last write.
 */
function cameWhole(stamp: FileStamp, before: FileStamp | null, arrival: Arrival): boolean {
  if (arrival === 'renamed' && stamp.size > 0) return true;
  return before !== null && stamp.ino !== before.ino && stamp.ctimeMs > stamp.mtimeMs;
}

export function sameFileStamp(a: FileStamp | null, b: FileStamp | null): boolean {
  if (a === null || b === null) return a === b;
  return a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.size === b.size && a.ino === b.ino;
}

/** How long a command waits for a file that is being written. */
const WAIT_MAX_MS = 10_000;
const WAIT_STEP_MS = 50;

/**
 * Resolves once a file that a command is about to read is whole: at once where it is as it was `before`, came by
 * renaming or has been quiet. False: it was still changing after ten seconds.
 */
export async function untilSettled(
  path: string,
  before: FileStamp | null,
  times: Pick<SettleTimes, 'quietMs'> = SETTLE,
): Promise<boolean> {
  const settling = new Settling({ ...SETTLE, ...times });
  const end = performance.now() + WAIT_MAX_MS;
  for (;;) {
    const stamp = stampOf(path);
    if (stamp === null || sameFileStamp(stamp, before) || settling.waitMs(path, stamp, before, null) === 0) return true;
    if (performance.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, WAIT_STEP_MS));
  }
}

/** Null: there is no such file, or it may not be looked at. */
export function stampOf(path: string): FileStamp | null {
  try {
    const { mtimeMs, ctimeMs, size, ino } = statSync(path);
    return { mtimeMs, ctimeMs, size, ino };
  } catch {
    return null;
  }
}

/** Records or lines that may go at once without a doubt whether all of the file is there. */
const LOSS_MIN = 3;
const LOSS_SHARE = 3;

/** Whether a version has lost so much, a third or more, that it may be half a file. */
export function losesMuch(before: number, after: number): boolean {
  const lost = before - after;
  return lost >= LOSS_MIN && lost * LOSS_SHARE >= before;
}
