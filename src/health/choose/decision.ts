/** What a round decides: who is live, why, and what keeps a change back. Times are epoch seconds. */

import type { Family } from '../judge/edge.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { LiveMember } from './live-member.ts';
import type { ActiveCanary, Memory } from './memory.ts';
import type { OperatorAction } from './operator-action.ts';
import type { SafetyState } from './safety.ts';

export type { LiveMember };

/** Everything one round decided, with reasons. Logs, `explain`, the API and the tests print this value. */
export type Decision = {
  readonly at: number;
  readonly network: string;
  readonly outcome: Outcome;
  /** What operators did before it. */
  readonly actions: readonly OperatorAction[];
  /**
   * Set whenever the rotation limit kept a wanted change back, also where a vanished member had to leave all the same.
   */
  readonly hold: Hold | null;
  /** Members that fail and would not be live without the hold. */
  readonly heldFailing: readonly string[];
  /** Changes that were made in spite of the hold. */
  readonly replaced: readonly Replacement[];
  readonly families: Readonly<Record<Family, FamilyState>>;
  /** Sorted by edge name. */
  readonly live: readonly LiveMember[];
  /** How many edges the configuration wants. */
  readonly wanted: number;
  readonly verdicts: readonly Verdict[];
  /** For every listed edge, and those that were live until now: whether it is live and the sentence that says why. */
  readonly reasons: ReadonlyMap<string, { readonly live: boolean; readonly why: string }>;
  readonly canaryVerdicts: readonly Verdict[];
  readonly canaries: readonly CanaryDecision[];
  /** Names whose object did not match its checksum this round, canaries included, sorted. */
  readonly verificationFailures: readonly string[];
  readonly safety: SafetyState;
  /** Warnings about the set as a whole: shortfall, retained failing members, limit reached. */
  readonly notes: readonly string[];
  readonly memory: Memory;
};

/** What became of what is answered: members, and their addresses. */
export type Outcome =
  | { readonly kind: 'unchanged' }
  | {
      readonly kind: 'changed';
      readonly added: readonly string[];
      readonly removed: readonly string[];
      /** Members before and after that are answered with other addresses now. */
      readonly moved: readonly string[];
    }
  /** The rotation limit keeps the old set until `until`; `wanted` is what would be live. */
  | { readonly kind: 'held'; readonly until: number; readonly wanted: readonly string[] }
  /** No edge is fit to be live: `live` is empty and nothing is published; what was published before stays as it is. */
  | { readonly kind: 'empty' };

/** The rotation limit at work: `recent` changes within 600 s, `limit` allowed; it binds until `until`. */
export type Hold = { readonly until: number; readonly recent: number; readonly limit: number };

/** An exception to a hold: `edge` had failed three times in a row, so `by`, which passes, is answered instead of it. */
export type Replacement = { readonly edge: string; readonly by: string };

/** See `families.ts`. */
export type FamilyState = 'passing' | 'failing' | 'unanswered' | 'none';

export type CanaryDecision = {
  readonly zone: string;
  readonly address: string;
  readonly active: ActiveCanary | null;
  /**
   * What this zone publishes changed apart from the live set: canary used, dropped, replaced, or its victim redrawn.
   */
  readonly changed: boolean;
  readonly held: boolean;
  readonly why: string;
};
