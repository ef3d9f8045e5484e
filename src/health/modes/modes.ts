import { type OperatorAction, operatorAction } from '../choose/operator-action.ts';
import type { RoundFacts } from '../choose/round.ts';
import type { Mode } from '../judge/edge.ts';
import type { EdgeRecord } from '../state/edge-store.ts';

/**
 * What an operator asks for. `comment` null: none was given. `until` null: until the next change. Epoch seconds. `by`: who
 * asks; null: not known.
 */
export type ModeChange = {
  readonly mode: Mode;
  readonly comment: string | null;
  readonly until: number | null;
  readonly by: string | null;
};

/**
 * Applies an operator's change (specification section 10): the time of entry moves only with the mode itself, a comment
 * is taken even where the mode stays, and `available` without a comment clears the old one.
 */
export function withMode(record: EdgeRecord, { mode, comment, until, by }: ModeChange, now: number): EdgeRecord {
  return {
    ...record,
    mode,
    modeSince: mode === record.mode ? record.modeSince : now,
    modeUntil: mode === 'available' ? null : until,
    modeBy: by,
    comment: comment ?? (mode === 'available' ? '' : record.comment),
  };
}

/** The record with a mode whose time is over gone back to available; the record itself where none is. */
export function expireMode(record: EdgeRecord, now: number): EdgeRecord {
  const until = record.modeUntil;
  if (until === null || until > now) return record;
  return { ...withMode(record, { mode: 'available', comment: null, until: null, by: null }, until) };
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
  return changedModes(records, seen, lastRun).next().done !== true;
}

function* changedModes(
  records: ReadonlyMap<string, EdgeRecord>,
  seen: ReadonlyMap<string, Mode> | null,
  lastRun: number | null,
): Generator<readonly [string, EdgeRecord]> {
  for (const [edge, record] of records) {
    const { mode, modeSince } = record;
    const isChanged =
      seen !== null
        ? mode !== (seen.get(edge) ?? 'available')
        : lastRun !== null && modeSince !== null && modeSince > lastRun;
    if (isChanged) yield [edge, record];
  }
}

/**
 * The changes of modes since the last decision, with their authors, as that decision is to be recorded. `before`: what
 * this process decided upon last, which tells a mode whose time was over; null: it has decided nothing yet.
 */
export function modeActions(
  records: ReadonlyMap<string, EdgeRecord>,
  { modes, lastRun }: { readonly modes: ReadonlyMap<string, Mode> | null; readonly lastRun: number | null },
  before: Pick<RoundFacts, 'edges' | 'canaries'> | null,
): readonly OperatorAction[] {
  const changed = [...changedModes(records, modes, lastRun)];
  if (changed.length === 0) return [];
  const ends = new Map([...(before?.edges ?? []), ...(before?.canaries ?? [])].map((one) => [one.name, one.modeUntil]));
  return changed.map(([edge, { mode, modeUntil, modeSince, modeBy, comment }]) => {
    const until = ends.get(edge) ?? null;
    if (mode === 'available' && modeBy === null && until !== null && until === modeSince)
      return operatorAction({ action: 'mode_end', by: null, edge });
    const { by, reason } = authorOf(comment);
    return operatorAction({ action: 'mode', by: by ?? modeBy, reason, edge, mode, until: modeUntil });
  });
}

/** Of `[alice] new disk`, as edgemanage's tools and ours write it. */
function authorOf(comment: string): Pick<OperatorAction, 'by' | 'reason'> {
  const [, by = null, text = comment] = /^\[([^\]]+)\] ?(.*)$/s.exec(comment) ?? [];
  return { by, reason: text === '' ? null : text };
}

/** Modes other than available, for the next decision's `operatorChanged`. */
export function notedModes(records: ReadonlyMap<string, EdgeRecord>): ReadonlyMap<string, Mode> {
  return new Map([...records].flatMap(([edge, { mode }]) => (mode === 'available' ? [] : [[edge, mode] as const])));
}
