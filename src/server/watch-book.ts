/** Who carries which serial, and since when not ours: pure, so that lag can be tested without waiting. Times in seconds. */
import type { WireName } from '../zones/name.ts';
import { serialCompare } from '../zones/serial.ts';

/** Asked again so soon where a secondary is behind. */
const BEHIND_SECONDS = 1;

export type WatchRow = {
  /** The secondary's place in the configuration. */
  readonly target: number;
  readonly zone: WireName;
  ourSerial: number;
  serial: number | null;
  error: string | null;
  askedAt: number | null;
  checkedAt: number | null;
  /** Null: it had our serial when it was last heard, or was never heard. */
  behindSince: number | null;
  notifiedAt: number;
  asking: boolean;
};

export class WatchBook {
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
        askedAt: null,
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
  }

  /** The zone is gone. */
  forget(zone: WireName): void {
    for (const [key, row] of this.rows) if (row.zone === zone) this.rows.delete(key);
  }

  /** What to ask now, at most so many: those behind first, then those heard longest ago. */
  due(now: number, most: number): readonly WatchRow[] {
    const due = [...this.rows.values()].filter(({ asking, askedAt, behindSince, error }) => {
      if (asking) return false;
      const wait = behindSince !== null && error === null ? BEHIND_SECONDS : this.intervalSeconds;
      return askedAt === null || now - askedAt >= Math.min(wait, this.intervalSeconds);
    });
    const rank = ({ behindSince, askedAt }: WatchRow): number => (behindSince === null ? 1e12 : 0) + (askedAt ?? 0);
    if (due.length > most) due.sort((a, b) => rank(a) - rank(b));
    const picked = due.slice(0, most);
    for (const row of picked) {
      row.asking = true;
      row.askedAt = now;
    }
    return picked;
  }

  /** What came of asking. True: it is behind for so long that it should be told again. */
  heard(row: WatchRow, result: { readonly serial: number } | { readonly error: string }, now: number): boolean {
    row.asking = false;
    row.checkedAt = now;
    if ('error' in result) row.error = result.error;
    else {
      row.error = null;
      row.serial = result.serial;
      const behind = serialCompare(result.serial, row.ourSerial) < 0;
      row.behindSince = behind ? (row.behindSince ?? now) : null;
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
