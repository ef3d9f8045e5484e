/**
 * Edges that come and go. Each edge that fails again soon after it has recovered must pass longer before it takes a
 * place from another one again: for itself, so that one flapping edge costs no other its place, and without a setting.
 * `hold_up` makes it wait after its first fall already, and keeps it out of empty places, too.
 */

import type { EdgeFacts } from '../judge/edge.ts';
import { passes } from '../judge/judge.ts';
import type { Unsteady, Verdict } from '../judge/verdict.ts';

/** An edge that has passed for so long is like one that never failed. `hold_up` may not be longer. */
const FORGET_SECONDS = 3600;
const FIRST_WAIT_SECONDS = 60;
const WAIT_MAX_SECONDS = 1800;

/**
 * How long an edge must pass before it may return after its `falls`th fall: at once after the first, then a minute,
 * doubled with each further one, at most half an hour. With `holdUp` (seconds; null: not set) that long after the first,
 * doubled in the same way; where `holdUp` is longer than half an hour, it is not doubled.
 */
export function waitAfter(falls: number, holdUp: number | null): number {
  if (holdUp === null) return falls < 2 ? 0 : Math.min(FIRST_WAIT_SECONDS * 2 ** (falls - 2), WAIT_MAX_SECONDS);
  return falls < 1 ? 0 : Math.min(holdUp * 2 ** (falls - 1), Math.max(WAIT_MAX_SECONDS, holdUp));
}

/** When the edge may return, epoch seconds; null: now. */
export function returnsAt(entry: Unsteady | undefined, now: number, holdUp: number | null): number | null {
  // A moment in the future is from before the clock was set back, and says nothing about how long it passes.
  if (entry === undefined || entry.passingSince === null || entry.passingSince > now) return null;
  const at = entry.passingSince + waitAfter(entry.falls, holdUp);
  return at > now ? at : null;
}

/**
 * What is remembered after a round: of each listed edge that failed within the last hour how often it fell and since
 * when it passes. A sample counts once, however many decisions are made on it. `first`: failures in a row
 * behind the first that is judged as one.
 */
export function steadinessAfter(
  before: ReadonlyMap<string, Unsteady>,
  edges: readonly EdgeFacts[],
  verdicts: readonly Verdict[],
  first: number,
): ReadonlyMap<string, Unsteady> {
  const after = new Map<string, Unsteady>();
  for (const [i, { name, sample }] of edges.entries()) {
    const entry = before.get(name);
    const { judgement } = verdicts[i];
    const isNew = sample !== null && sample.at !== entry?.at;
    const next = isNew && judgement !== null ? entryAfter(entry, passes(judgement), sample.at, first) : entry;
    if (next !== undefined) after.set(name, next);
  }
  return after;
}

function entryAfter(entry: Unsteady | undefined, passing: boolean, at: number, first: number): Unsteady | undefined {
  if (!passing) {
    const falls = entry === undefined ? 1 : entry.falls + (entry.passingSince === null ? 0 : 1);
    const fails = entry === undefined || entry.fails === 0 ? first : entry.fails + 1;
    return { falls, fails, passingSince: null, at };
  }
  if (entry === undefined) return undefined;
  const passingSince = entry.passingSince ?? at;
  return at - passingSince >= FORGET_SECONDS ? undefined : { falls: entry.falls, fails: 0, passingSince, at };
}

/** Failures in a row after which a member is no longer kept for the sake of steadiness (specification 12.9). */
export const DEAD_AFTER = 3;
