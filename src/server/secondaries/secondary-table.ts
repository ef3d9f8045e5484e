/**
 * Who carries which serial, and since when not ours: pure, so that lag can be tested without waiting. Times in seconds.
 */
import type { WireName } from '../../dns/name.ts';
import { serialCompare } from '../../dns/serial.ts';
import { DueQueue } from './due-queue.ts';

/**
 * A secondary with another serial is asked after so long, and each time after twice as long: while a flip of a thousand
 * zones is on its way, questions would only keep both sides from it.
 */
const BEHIND_SECONDS = 1;

/** A secondary that is behind or silent is reported after so long: a flip takes less. */
export const REPORT_SECONDS = 10;

/**
 * How a secondary has a zone. `ahead`: its serial comes after ours (RFC 1982), or is not comparable with it, so that it
 * takes no version from here. `unknown`: it has never answered.
 */
export type SecondaryState = 'current' | 'behind' | 'ahead' | 'unknown';

/** Why an operator should look: it gives no serial, or the wrong one. */
export type SecondaryTrouble = 'silent' | 'behind' | 'ahead';

export type WatchRow = {
  /** The secondary's place in the configuration. */
  readonly target: number;
  readonly zone: WireName;
  ourSerial: number;
  serial: number | null;
  error: string | null;
  /** When it is asked again, and how long after that where it still has another serial. */
  nextAt: number;
  wait: number;
  checkedAt: number | null;
  /** Since when it has not had our serial; null: it had it when it last answered. */
  differsSince: number | null;
  /** Since when it gives no serial; null: it gave one when it was last asked. */
  silentSince: number | null;
  notifiedAt: number;
  asking: boolean;
  /** What was reported last; null: nothing, or that all is well again. */
  reported: SecondaryTrouble | null;
};

/** Rows of one secondary: those with another serial go first. */
type Queues = { readonly differing: DueQueue<WatchRow>; readonly current: DueQueue<WatchRow> };

export class SecondaryTable {
  private readonly byZone = new Map<WireName, Map<number, WatchRow>>();
  private readonly queues = new Map<number, Queues>();
  private readonly intervalSeconds: number;

  constructor(intervalSeconds: number) {
    this.intervalSeconds = intervalSeconds;
  }

  /** Our serial of a zone, for one secondary. */
  expect(target: number, zone: WireName, serial: number, now: number): void {
    const rows = this.byZone.get(zone) ?? new Map<number, WatchRow>();
    this.byZone.set(zone, rows);
    const row = rows.get(target);
    if (row === undefined) {
      const fresh: WatchRow = {
        target,
        zone,
        ourSerial: serial,
        serial: null,
        error: null,
        nextAt: now,
        wait: BEHIND_SECONDS,
        checkedAt: null,
        differsSince: now,
        silentSince: null,
        notifiedAt: now,
        asking: false,
        reported: null,
      };
      rows.set(target, fresh);
      this.schedule(fresh, now);
      return;
    }
    if (row.ourSerial === serial) return;
    row.ourSerial = serial;
    row.notifiedAt = now;
    row.differsSince ??= now;
    row.wait = BEHIND_SECONDS;
    this.schedule(row, now + Math.min(row.wait, this.intervalSeconds));
  }

  /** The zone concerns none but these secondaries any more. */
  retain(zone: WireName, targets: ReadonlySet<number>): void {
    const rows = this.byZone.get(zone);
    for (const target of rows?.keys() ?? []) if (!targets.has(target)) rows?.delete(target);
  }

  /** The zone is gone. */
  forget(zone: WireName): void {
    this.byZone.delete(zone);
  }

  /**
   * What to ask now, of each secondary at most so many: those with another serial first, then those asked longest ago.
   * One secondary that answers for none of its zones takes no other's turn.
   */
  due(now: number, most: number | ((target: number) => number)): readonly WatchRow[] {
    const picked: WatchRow[] = [];
    for (const [target, { differing, current }] of this.queues) {
      const end = picked.length + (typeof most === 'number' ? most : most(target));
      for (const queue of [differing, current]) {
        while (picked.length < end) {
          const row = queue.take(now, (candidate) => !candidate.asking && this.has(candidate));
          if (row === null) break;
          row.asking = true;
          picked.push(row);
        }
      }
    }
    return picked;
  }

  /** What a question brought. True: it has had another serial for so long that it should be notified again. */
  record(row: WatchRow, result: { readonly serial: number } | { readonly error: string }, now: number): boolean {
    row.asking = false;
    row.checkedAt = now;
    let nextAt = now + this.intervalSeconds;
    if ('error' in result) {
      row.error = result.error;
      row.silentSince ??= now;
    } else {
      row.error = null;
      row.silentSince = null;
      row.serial = result.serial;
      const differs = result.serial !== row.ourSerial;
      row.differsSince = differs ? (row.differsSince ?? now) : null;
      if (differs) nextAt = now + Math.min(row.wait, this.intervalSeconds);
      row.wait = differs ? 2 * row.wait : BEHIND_SECONDS;
    }
    if (!this.has(row)) return false;
    this.schedule(row, nextAt);
    if (row.differsSince === null || now - row.notifiedAt < Math.max(this.intervalSeconds, 1)) return false;
    // It looks at the serial and goes: only its operator can help.
    if (stateOf(row) === 'ahead') return false;
    row.notifiedAt = now;
    return true;
  }

  /**
   * Whether something about the row is to be reported now: its trouble, or 'well' when it is over. Each is reported
   * once; a serial ahead of ours at once, everything else when it lasts longer than a flip takes.
   */
  report(row: WatchRow, now: number): SecondaryTrouble | 'well' | null {
    const trouble = troubleOf(row, now);
    if (trouble === row.reported) return null;
    // Not well yet, only not for long enough.
    if (trouble === null && (row.error !== null || row.differsSince !== null)) return null;
    row.reported = trouble;
    return trouble ?? 'well';
  }

  *all(): Iterable<WatchRow> {
    for (const rows of this.byZone.values()) yield* rows.values();
  }

  private has(row: WatchRow): boolean {
    return this.byZone.get(row.zone)?.get(row.target) === row;
  }

  private schedule(row: WatchRow, nextAt: number): void {
    row.nextAt = nextAt;
    let queues = this.queues.get(row.target);
    if (queues === undefined) {
      queues = { differing: new DueQueue(), current: new DueQueue() };
      this.queues.set(row.target, queues);
    }
    queues[row.differsSince === null ? 'current' : 'differing'].add(row);
  }
}

export function stateOf({ serial, ourSerial }: Pick<WatchRow, 'serial' | 'ourSerial'>): SecondaryState {
  if (serial === null) return 'unknown';
  if (serial === ourSerial) return 'current';
  // RFC 1982 leaves two serials half the circle apart undefined: a secondary does not follow there either.
  return serialCompare(ourSerial, serial) < 0 ? 'ahead' : 'behind';
}

function troubleOf(row: WatchRow, now: number): SecondaryTrouble | null {
  const state = stateOf(row);
  if (state === 'ahead') return 'ahead';
  if (row.silentSince !== null && now - row.silentSince >= REPORT_SECONDS) return 'silent';
  const lag = row.differsSince === null ? 0 : now - row.differsSince;
  return state === 'behind' && lag >= REPORT_SECONDS ? 'behind' : null;
}

/** How long a secondary has not had our serial; null: it never answered. */
export function lagOf({ serial, differsSince }: WatchRow, now: number): number | null {
  if (serial === null) return null;
  return differsSince === null ? 0 : Math.max(0, now - differsSince);
}
