import type { WireName } from '../../dns/name.ts';
import { type Arrival, losesMuch, type SettleTimes, Settling, sameFileStamp } from '../../system/settling.ts';
import type { FileCache, FileHash, Stamp } from './file-cache.ts';
import type { StoreFault, ZoneTarget } from './types.ts';

/** What the files of a zone are like, beside what they were when it was last loaded. */
export type FileState =
  | { readonly kind: 'unchanged' | 'changed' }
  /** Some are still being written; to be asked again after so long. */
  | { readonly kind: 'unsettled'; readonly waitMs: number; readonly overdue: boolean };

export type HoldOptions = {
  readonly files: FileCache;
  /** Files of so many octets are compared beside the main thread. */
  readonly largeOctets: number;
  readonly times?: SettleTimes | undefined;
  readonly arrival: (path: string) => Arrival;
};

/**
 * Holds changed files back until they are whole: a copy in place is seen while it lasts, and half a zone must not be
 * served in the place of a good one, least of all under the serial that the whole one will have.
 */
export class Hold {
  private readonly options: HoldOptions;
  private readonly settling: Settling;
  /** Zones of which a version looks cut off, and until when it is not taken over (`performance.now()`). */
  private readonly doubted = new Map<WireName, number>();

  constructor(options: HoldOptions) {
    this.options = options;
    this.settling = new Settling(options.times);
  }

  /** Compares the files that a zone was made from with what there is now. */
  stateOf(origin: WireName, from: ReadonlyMap<string, FileHash>): FileState {
    const { files, largeOctets } = this.options;
    let changed = false;
    let waitMs = 0;
    let overdue = false;
    for (const [path, hash] of from) {
      if (files.isUntouched(path)) {
        if (files.known.get(path)?.hash !== hash) changed = true;
        continue;
      }
      const stamp = files.stampOf(path);
      const wait = this.waitFor(path, stamp);
      if (wait > 0) {
        waitMs = Math.max(waitMs, wait);
        overdue ||= this.settling.isOverdue(path);
      } else if (stamp !== null && stamp.size >= largeOctets) changed = true;
      else if (files.look(path) !== hash) changed = true;
      else this.settling.forget(path);
    }
    if (waitMs === 0) return { kind: changed ? 'changed' : 'unchanged' };
    this.doubted.delete(origin);
    return { kind: 'unsettled', waitMs, overdue };
  }

  /** `stateOf` for a file that no zone was made from so far. */
  stateOfNew(path: string): FileState {
    const waitMs = this.settling.waitMs(path, this.options.files.stampOf(path), null, this.options.arrival(path));
    return waitMs === 0 ? { kind: 'changed' } : { kind: 'unsettled', waitMs, overdue: this.settling.isOverdue(path) };
  }

  /** Milliseconds for which a version that was doubted is not to be loaded again; 0: it may be. */
  doubtLeft(origin: WireName): number {
    return Math.max(0, Math.ceil((this.doubted.get(origin) ?? 0) - performance.now()));
  }

  /**
   * Why a version that was loaded should not be taken over yet; null: take it. `before`: what the zone in use was made
   * from; `records`: of that and of the new one.
   */
  doubt(
    origin: WireName,
    before: ReadonlyMap<string, FileHash>,
    after: ReadonlyMap<string, FileHash>,
    records: { readonly before: number; readonly after: number },
  ): string | null {
    const { files, arrival } = this.options;
    const changed = [...after].filter(([path, hash]) => before.get(path) !== hash).map(([path]) => path);
    const cut = changed.filter((path) => files.known.get(path)?.ended === false);
    const lossy = losesMuch(records.before, records.after);
    const suspects = lossy ? changed : cut;
    let waitMs = 0;
    for (const path of suspects) {
      const { stamp = null } = files.known.get(path) ?? {};
      waitMs = Math.max(waitMs, this.settling.doubtMs(path, stamp, arrival(path)));
    }
    if (waitMs === 0) return null;
    const why = lossy
      ? `has ${records.after} records instead of ${records.before}`
      : `${cut[0]} ends in the middle of a line`;
    return this.hold(origin, waitMs, why);
  }

  /** Of the first version after a start, whose content is another one than what earlier runs served. */
  firstDoubt(origin: WireName, after: ReadonlyMap<string, FileHash>): string | null {
    const { files, arrival } = this.options;
    let waitMs = 0;
    let why = 'changed a moment ago';
    for (const path of after.keys()) {
      const { stamp = null, ended = true } = files.known.get(path) ?? {};
      if (stamp === null) continue;
      const wait = ended
        ? this.settling.waitMs(path, stamp, stamp, arrival(path))
        : this.settling.doubtMs(path, stamp, arrival(path));
      if (wait > waitMs && !ended) why = `${path} ends in the middle of a line`;
      waitMs = Math.max(waitMs, wait);
    }
    return waitMs === 0 ? null : this.hold(origin, waitMs, why);
  }

  /** A version was taken over, or the zone is gone: what was known of its files' changes is of no use. */
  release(origin: WireName, from: Iterable<string>): void {
    this.doubted.delete(origin);
    for (const path of from) this.settling.forget(path);
  }

  private waitFor(path: string, stamp: Stamp | null): number {
    const known = this.options.files.known.get(path);
    if (known === undefined) return 0;
    // Read before it could be trusted, and it looks the same: only reading it again shows a change.
    if (sameFileStamp(known.stamp, stamp)) return 0;
    return this.settling.waitMs(path, stamp, known.stamp, this.options.arrival(path));
  }

  private hold(origin: WireName, waitMs: number, why: string): string {
    this.doubted.set(origin, performance.now() + waitMs);
    return why;
  }
}

export function unsettledFault(severity: StoreFault['severity'], { file }: ZoneTarget, message: string): StoreFault {
  return { severity, code: 'zone-unsettled', at: { file, line: 1, col: 1, text: '' }, message };
}
