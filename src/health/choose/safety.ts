/** Safety rules beyond edgemanage's, each off unless the configuration has it (`safety:`). Pure. */

import { passes } from '../judge/judge.ts';
import type { Verdict } from '../judge/verdict.ts';

/** So many edges, or so many of a hundred. */
export type MinUp = { readonly value: number; readonly percent: boolean };

export type SafetyRules = {
  /** Whether members that fail keep places for which no edge passes: edgemanage's rule, or not at all. */
  readonly fill: 'failing' | 'none';
  /** How many edges must pass for their verdicts to be believed; null: any number. */
  readonly minUp: MinUp | null;
  /** What is answered while fewer pass: the last set, or all edges. */
  readonly below: 'keep' | 'all';
};

/** An edge that may be answered, with its verdict. */
type Judged = { readonly verdict: Verdict };

/** What an undefined `Rules.safety` means: edgemanage's own rules. */
export const NO_SAFETY: SafetyRules = { fill: 'failing', minUp: null, below: 'keep' };

/** What the safety rules made of a round. */
export type SafetyState = {
  /** Places that stay empty because of `fill: none`, although the configuration wants an edge in each. */
  readonly unfilled: number;
  /** Null: `min_up` is not set. */
  readonly minUp: MinUpState | null;
};

/** `needed`: `min_up` in edges, of which `up` do not fail. `below`: what is answered because those are fewer, or null. */
export type MinUpState = { readonly needed: number; readonly up: number; readonly below: 'keep' | 'all' | null };

/**
 * Whether a member of the last set may keep its place although it does not pass. With `fill: none` it leaves, unless no
 * candidate passes at all: then the last set is kept, because a name without addresses helps nobody. A member that was
 * not asked yet is not failing.
 */
export function keepsPlace(
  member: Judged,
  candidates: readonly Judged[],
  { fill }: Pick<SafetyRules, 'fill'>,
): boolean {
  return fill === 'failing' || member.verdict.judgement === null || !candidates.some(isPassing);
}

/** How many places `fill: none` leaves empty in a set of `live` edges: failing candidates would have taken them. */
export function unfilledPlaces(
  {
    candidates,
    edgeCount,
    safety,
    minUp,
  }: {
    readonly candidates: readonly Judged[];
    readonly edgeCount: number;
    readonly safety: Pick<SafetyRules, 'fill'>;
    readonly minUp: MinUpState | null;
  },
  live: number,
): number {
  if (safety.fill === 'failing' || (minUp?.below ?? null) !== null || !candidates.some(isPassing)) return 0;
  return Math.max(0, Math.min(edgeCount, candidates.length) - live);
}

function isPassing({ verdict }: Judged): boolean {
  return passes(verdict.judgement);
}
