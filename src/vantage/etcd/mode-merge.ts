/**
 * What becomes of an edge's mode that operators may set on any vantage: a merge of three, what was last the same here and
 * in the store, what is here now, and what the store has now. The last one to be stored wins. No clock of another machine
 * is compared with ours; when a mode ends, each vantage sees by its own.
 */
import { createHash } from 'node:crypto';
import type { Mode } from '../../health/judge/edge.ts';

/**
 * As an operator set it. `until`: epoch seconds; null: until the next change. `author`: who set it, shown only; absent: not
 * known.
 */
export type SetMode = {
  readonly mode: Mode;
  readonly until: number | null;
  readonly comment: string;
  readonly author?: string;
};

/** `by`: the vantage on which it was set. `at`: when, by its clock; shown only. `revision`: of the store. */
export type StoredMode = SetMode & { readonly by: string; readonly at: number; readonly revision: bigint };

/** What the store had when this vantage last had the same. `id`: which setting it was (`settingId`); empty: not known. */
export type SyncedMode = SetMode & { readonly revision: bigint; readonly id: string };

/** One setting of a mode, whichever store it is found in: 16 hex digits. */
export function settingId({ mode, until, comment, by, at }: Omit<StoredMode, 'revision'>): string {
  const text = JSON.stringify([mode, until, comment, by, at]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

export type ModeMerge =
  /** Here and in the store it is the same, or nothing is known of it. */
  | { readonly kind: 'same'; readonly synced: SyncedMode | null }
  /** The store's is to be set here. */
  | { readonly kind: 'apply'; readonly mode: SetMode; readonly by: string; readonly synced: SyncedMode }
  /** Ours is to be stored, if the store still has `expected` (0: nothing). `replaces`: what another set meanwhile. */
  | {
      readonly kind: 'store';
      readonly mode: SetMode;
      readonly expected: bigint;
      readonly replaces: StoredMode | null;
    };

const NONE: ReadonlySet<string> = new Set();
const AVAILABLE: SetMode = { mode: 'available', until: null, comment: '' };

/** Characters; what is longer is cut, here and in the store. */
export const COMMENT_MAX = 1000;

/** As it is now: one whose time is over is available. */
export function modeNow({ mode, until, comment, author }: SetMode, now: number): SetMode {
  if (until !== null && until <= now) return AVAILABLE;
  return { mode, until, comment: comment.slice(0, COMMENT_MAX), ...(author === undefined ? {} : { author }) };
}

/**
 * `local` null: nobody ever set a mode here, or the edge's record was lost, which is no wish to have it available.
 * `before` null: this vantage never had what the store has, or the store is another one than then (emptied, restored,
 * replaced); `wasShared`: in that case, whether it had a mode in common with the store before. `former`: settings that
 * this vantage had from another store: one that such a store's backup brings back is older than what is here.
 */
export function mergeMode(
  local: SetMode | null,
  stored: StoredMode | null,
  before: SyncedMode | null,
  wasShared: boolean,
  now: number,
  former: ReadonlySet<string> = NONE,
): ModeMerge {
  const here = modeNow(local ?? AVAILABLE, now);
  if (stored === null) {
    if (local === null) return { kind: 'same', synced: null };
    // An empty store knows nothing; it does not say that everything is available.
    const isWorthIt = here.mode !== 'available' || here.comment !== '' || before !== null || wasShared;
    return isWorthIt ? { kind: 'store', mode: here, expected: 0n, replaces: null } : { kind: 'same', synced: null };
  }
  const there = modeNow(stored, now);
  const synced = { ...there, revision: stored.revision, id: settingId(stored) };
  if (isSameMode(here, there)) return { kind: 'same', synced };
  const apply: ModeMerge = { kind: 'apply', mode: there, by: stored.by, synced };
  if (local === null) return apply;
  if (before === null) {
    if (!former.has(synced.id)) return apply;
    return { kind: 'store', mode: here, expected: stored.revision, replaces: null };
  }
  const isChangedHere = !isSameMode(here, modeNow(before, now));
  // An earlier revision than we had: the store was set back, and what is here is newer.
  if (!isChangedHere && stored.revision >= before.revision) return apply;
  const isChangedThere = stored.revision > before.revision;
  return { kind: 'store', mode: here, expected: stored.revision, replaces: isChangedThere ? stored : null };
}

export function isSameMode(one: SetMode, other: SetMode): boolean {
  return one.mode === other.mode && one.until === other.until && one.comment === other.comment;
}
