/** What a round decides from: rules, edges, canaries and memory. Times are epoch seconds, durations seconds. */

import type { CanaryFacts, CanaryInput, EdgeFacts, EdgeInput } from '../judge/edge.ts';
import type { JudgeRules } from '../judge/verdict.ts';
import type { LiveMember } from './live-member.ts';
import type { Memory } from './memory.ts';
import type { OperatorAction } from './operator-action.ts';
import type { SafetyRules } from './safety.ts';
import type { ReferenceFact } from './safety-uplink.ts';

/** What decides, from configuration. */
export type Rules = JudgeRules & {
  readonly edgeCount: number; // N
  readonly maxfreq: number; // dnschange_maxfreq: rotations allowed in 600 s
  readonly canaryKiller: number; // 0: off
  /** Unless given, edgemanage's own rules (`NO_SAFETY`). */
  readonly safety?: SafetyRules | undefined;
};

/**
 * What a decision may change. `turn`: everything, as at the end of a full turn in which each edge was asked. `event`:
 * only what does not pass any more; members that pass stay, however fast they are.
 */
export type Scope = 'turn' | 'event';

export type RoundInput = {
  readonly now: number;
  readonly network: string;
  readonly scope: Scope;
  readonly rules: Rules;
  /** In list order, duplicates removed. */
  readonly edges: readonly EdgeInput[];
  readonly canaries: readonly CanaryInput[];
  readonly memory: Memory;
  /** An operator changed a mode since the last decision: the rotation limit does not apply this once. */
  readonly operatorChange: boolean;
  /** What operators did since the decision before; absent: nothing. Recorded only. */
  readonly actions?: readonly OperatorAction[] | undefined;
  /** The live set of the network that answers where too few edges pass (`below: fallback`); null: it has none. */
  readonly fallback?: readonly LiveMember[] | null;
  /** Why none of them may be taken to pass (`FallbackSet`); absent: one does. */
  readonly fallbackDoubt?: string | undefined;
  /** What must answer as long as our own line works, and whether it did; absent: nothing is asked. */
  readonly references?: readonly ReferenceFact[];
  /** Sentences on trouble with the checks themselves (late, silent), for whoever reads the decision; unless given, none. */
  readonly troubles?: readonly string[] | undefined;
};

/**
 * Whose views a round rests on. `counting` of the vantages, our own included, of which `needed` must count, or nothing is
 * decided. `excluded`: those that do not count, with the reason.
 */
export type RoundViews = {
  readonly counting: number;
  readonly needed: number;
  readonly excluded: readonly { readonly vantage: string; readonly why: string }[];
};

/** A round with histories summed up: what the history log keeps. */
export type RoundFacts = Omit<RoundInput, 'edges' | 'canaries'> & {
  readonly edges: readonly EdgeFacts[];
  readonly canaries: readonly CanaryFacts[];
  /** Absent: this server decides by its own samples alone, and no edge has a `quorum`. */
  readonly views?: RoundViews | undefined;
};
