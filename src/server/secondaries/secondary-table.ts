/** Who carries which serial, and since when not ours: pure, so that lag can be tested without waiting. Times in seconds. */
import type { WireName } from '../../dns/name.ts';
import { serialCompare } from '../../dns/serial.ts';

/**
 * Where a secondary is behind it is asked after so long, and each time after twice as long: while a flip of a thousand
 * zones is on its way, questions would only keep both sides from it.
 */
const BEHIND_SECONDS = 1;

export type WatchRow = {
  /** The secondary's place in the configuration. */
  readonly target: number;
  readonly zone: WireName;
  ourSerial: number;
  serial: number | null;
  error: string | null;
  /** When it is asked again, and how long after that where it is still behind. */
  nextAt: number;
  wait: number;
  checkedAt: number | null;
  /** Null: it had our serial when it was last heard, or was never heard. */
  behindSince: number | null;
  notifiedAt: number;
  asking: boolean;
};

export class SecondaryTable {
  private readonly rows = new Map<string, WatchRow>();
  private readonly intervalSeconds: number;

  constructor(intervalSeconds: number) {
    this.intervalSeconds = intervalSeconds;
  }

  /** Our serial of a zone, for one secondary. */
  expect(target: number, zone: WireName, serial: number, now: number): void {
    const row = this.rows.get(keyOf(target, zone));
    if (row === undefined) {
      this.rows.set(keyOf(target, zone), {
        target,
        zone,
        ourSerial: serial,
        serial: null,
        error: null,
        nextAt: now,
        wait: BEHIND_SECONDS,
        checkedAt: null,
        behindSince: now,
        notifiedAt: now,
        asking: false,
      });
      return;
    }
    if (row.ourSerial === serial) return;
    row.ourSerial = serial;
    row.notifiedAt = now;
    row.behindSince ??= now;
    row.wait = BEHIND_SECONDS;
    row.nextAt = now + Math.min(row.wait, this.intervalSeconds);
  }

  /** The zone is gone. */
  forget(zone: WireName): void {
    for (const [key, row] of this.rows) if (row.zone === zone) this.rows.delete(key);
  }

  /**
   * What to ask now, of each secondary at most so many: those behind first, then those heard longest ago. One secondary
   * that answers nothing for any of its zones takes nobody else's turn.
   */
  due(now: number, most: number): readonly WatchRow[] {
    const due = new Map<number, WatchRow[]>();
    for (const row of this.rows.values()) {
      if (row.asking || row.nextAt > now) continue;
      const list = due.get(row.target);
      if (list === undefined) due.set(row.target, [row]);
      else list.push(row);
    }
    const rank = ({ behindSince, nextAt }: WatchRow): number => (behindSince === null ? 1e12 : 0) + nextAt;
    const picked = [...due.values()].flatMap((list) => {
      if (list.length > most) list.sort((a, b) => rank(a) - rank(b));
      return list.slice(0, most);
    });
    for (const row of picked) row.asking = true;
    return picked;
  }

  /** What came of asking. True: it is behind for so long that it should be told again. */
  heard(row: WatchRow, result: { readonly serial: number } | { readonly error: string }, now: number): boolean {
    row.asking = false;
    row.checkedAt = now;
    row.nextAt = now + this.intervalSeconds;
    if ('error' in result) row.error = result.error;
    else {
      row.error = null;
      row.serial = result.serial;
      const behind = serialCompare(result.serial, row.ourSerial) < 0;
      row.behindSince = behind ? (row.behindSince ?? now) : null;
      if (behind) row.nextAt = now + Math.min(row.wait, this.intervalSeconds);
      row.wait = behind ? 2 * row.wait : BEHIND_SECONDS;
    }
    if (row.behindSince === null || now - row.notifiedAt < Math.max(this.intervalSeconds, 1)) return false;
    row.notifiedAt = now;
    return true;
  }

  all(): Iterable<WatchRow> {
    return this.rows.values();
  }
}

/** How long a secondary has lacked our serial; null: it never answered. */
export function lagOf({ serial, behindSince }: WatchRow, now: number): number | null {
  if (serial === null) return null;
  return behindSince === null ? 0 : Math.max(0, now - behindSince);
}

function keyOf(target: number, zone: WireName): string {
  return `${target} ${zone}`;
}
