/** Safety rules beyond edgemanage's, each off unless the configuration has it (`safety:`). Pure. */

import type { EdgeFacts } from '../judge/edge.ts';
import { passes } from '../judge/judge.ts';
import { byName } from '../judge/reason.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { LiveMember } from './live-member.ts';
import type { UplinkState } from './safety-uplink.ts';

/** So many edges, or so many of a hundred. */
export type MinUp = { readonly value: number; readonly percent: boolean };

export type Below = 'keep' | 'all' | 'fallback';

export type SafetyRules = {
  /** Whether members that fail keep places for which no edge passes: edgemanage's rule, or not at all. */
  readonly fill: 'failing' | 'none';
  /** How many edges must pass for their verdicts to be believed; null: any number. */
  readonly minUp: MinUp | null;
  /** What is answered while fewer pass: the last set, all edges, or the set of another network. */
  readonly below: Below;
  /** The network whose set is answered with `fallback`. */
  readonly fallback?: string | null | undefined;
  /** Seconds that an edge must pass after it failed before it is live again; null: see `waitAfter`. */
  readonly holdUp: number | null;
};

/** The set of another network. `doubt`: why none of its members may be taken to pass; null: one does. */
export type FallbackSet = { readonly members: readonly LiveMember[]; readonly doubt: string | null };

/** An edge that may be answered, with its verdict. */
type Judged = { readonly verdict: Verdict };

/** What an undefined `Rules.safety` means: edgemanage's own rules. */
export const NO_SAFETY: SafetyRules = { fill: 'failing', minUp: null, below: 'keep', holdUp: null };

/** What the safety rules made of a round. */
export type SafetyState = {
  /** Places that stay empty because of `fill: none`, although the configuration wants an edge in each. */
  readonly unfilled: number;
  /** Null: `min_up` is not set. */
  readonly minUp: MinUpState | null;
  /** Null: there are no references. */
  readonly uplink: UplinkState | null;
  /** Edges that pass and are not live because of `hold_up`, sorted. */
  readonly heldUp: readonly string[];
};

/** `needed`: `min_up` in edges, of which `up` do not fail. `below`: what is answered because those are fewer, or null. */
export type MinUpState = {
  readonly needed: number;
  readonly up: number;
  readonly below: Below | null;
  readonly fallback?: string | null | undefined;
  /** While too few pass: why the other network is no better. */
  readonly doubt?: string | undefined;
};

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

/** What the safety rules made of a round in which `live` edges are answered. */
export function safetyState(pool: SafetyPool, live: ReadonlyMap<string, unknown>): SafetyState {
  const { candidates, edgeCount, safety, minUp, uplink, lastLive } = pool;
  const below = (minUp?.below ?? null) !== null || uplink?.inDoubt === true;
  const out = candidates.filter(({ facts }) => !live.has(facts.name));
  const isEmpty = safety.fill === 'none' && !below && candidates.some(isPassing);
  const failing = isEmpty ? out.filter(({ verdict }) => verdict.judgement === 'fail').length : 0;
  const waiting = safety.holdUp === null || below ? [] : out.filter((one) => isPassing(one) && one.waitsUntil !== null);
  return {
    unfilled: Math.max(0, Math.min(edgeCount - live.size, failing)),
    minUp,
    uplink,
    heldUp: waiting
      .map(({ facts }) => facts.name)
      .filter((name) => !lastLive.has(name))
      .sort(byName),
  };
}

type SafetyPool = {
  readonly candidates: readonly (Judged & { readonly facts: EdgeFacts; readonly waitsUntil: number | null })[];
  readonly edgeCount: number;
  readonly safety: SafetyRules;
  readonly minUp: MinUpState | null;
  readonly uplink: UplinkState | null;
  readonly lastLive: ReadonlySet<string>;
};

function isPassing({ verdict }: Judged): boolean {
  return passes(verdict.judgement);
}
