import type { Mode } from '../judge/edge.ts';
import type { EdgeRecord } from '../state/edge-store.ts';

/** What an operator asks for. `comment` null: none was given. `until` null: until the next change. Epoch seconds. */
export type ModeChange = {
  readonly mode: Mode;
  readonly comment: string | null;
  readonly until: number | null;
};

/** The text without control characters and line ends, which would forge lines of `edge_query` and of a syslog. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

/**
 * Applies an operator's change (specification section 10): the time of entry moves only with the mode itself, a comment
 * is taken even where the mode stays, and `available` without a comment clears the old one.
 */
export function withMode(record: EdgeRecord, { mode, comment, until }: ModeChange, now: number): EdgeRecord {
  return {
    ...record,
    mode,
    modeSince: mode === record.mode ? record.modeSince : now,
    modeUntil: mode === 'available' ? null : until,
    comment: comment ?? (mode === 'available' ? '' : record.comment),
  };
}

/** The record with a mode whose time is over gone back to available; the record itself where none is. */
export function expireMode(record: EdgeRecord, now: number): EdgeRecord {
  const until = record.modeUntil;
  if (until === null || until > now) return record;
  return { ...withMode(record, { mode: 'available', comment: null, until: null }, until) };
}

/** The next moment at which one of the records goes back to available by itself; null: none will. */
export function nextExpiry(records: Iterable<EdgeRecord>): number | null {
  let next: number | null = null;
  for (const { modeUntil } of records) {
    if (modeUntil !== null && (next === null || modeUntil < next)) next = modeUntil;
  }
  return next;
}

/**
 * Whether somebody changed an edge's mode since the last decision. `seen`: the modes other than available that it saw;
 * null where nobody noted them (an installation that was taken over), so that the times of entry must tell.
 */
export function operatorChanged(
  records: ReadonlyMap<string, EdgeRecord>,
  seen: ReadonlyMap<string, Mode> | null,
  lastRun: number | null,
): boolean {
  for (const [edge, { mode, modeSince }] of records) {
    if (seen !== null) {
      if (mode !== (seen.get(edge) ?? 'available')) return true;
    } else if (lastRun !== null && modeSince !== null && modeSince > lastRun) return true;
  }
  return false;
}

/** Modes other than available, for the next decision's `operatorChanged`. */
export function notedModes(records: ReadonlyMap<string, EdgeRecord>): ReadonlyMap<string, Mode> {
  return new Map([...records].flatMap(([edge, { mode }]) => (mode === 'available' ? [] : [[edge, mode] as const])));
}
