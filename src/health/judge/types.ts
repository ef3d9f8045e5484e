/**
 * The values that flow through the health room: probe → history → judge → select → limit → canaries → live set.
 * Times are epoch seconds (fractions allowed), durations seconds, unless a name says otherwise.
 */

import type { Sample } from '../checks/sample.ts';

export type { FailReason, Fetch, Phases, Sample } from '../checks/sample.ts';

/** Set by an operator. `force`: live while it passes; `blindforce`: live whatever it does; `unavailable`: never live. */
export type Mode = 'available' | 'force' | 'blindforce' | 'unavailable';

/** edgemanage's words, from best to worst (specification section 5). */
export type Judgement = 'pass_threshold' | 'pass_window' | 'pass_average' | 'pass' | 'fail';

/** One edge as the judge sees it. `samples`: newest last; at most 2000. */
export type History = { readonly times: readonly number[]; readonly seconds: readonly number[] };

/** What decides, from configuration. */
export type Rules = {
  readonly goodenough: number;
  readonly timeout: number; // a fetch of this length or more fails
  readonly edgeCount: number; // N
  readonly maxfreq: number; // dnschange_maxfreq: rotations allowed in 600 s
  readonly canaryKiller: number; // 0: off
};

/** The judgement of one edge. `judgement` null: unavailable, or never fetched. `why` is one plain sentence with figures. */
export type Verdict = {
  readonly edge: string;
  readonly judgement: Judgement | null;
  readonly last: number | null;
  readonly windowAverage: number | null;
  readonly average: number | null;
  readonly why: string;
};

/**
 * A way to judge: the facts of one edge and the rules give a verdict with its reason. Pure. `before`: what is remembered
 * of the edge's unsteadiness, for judges that count results in a row; null: it was steady.
 */
export type Judge = (
  facts: EdgeFacts,
  rules: Pick<Rules, 'goodenough' | 'timeout'>,
  before: Unsteady | null,
) => Verdict;

export const FAMILIES = ['v4', 'v6'] as const;
export type Family = (typeof FAMILIES)[number];
/** One address a family; null: none. */
export type Addresses = Readonly<Record<Family, string | null>>;

export type EdgeInput = {
  readonly name: string;
  readonly mode: Mode;
  /** When the mode goes back to available by itself; null: it does not. */
  readonly modeUntil: number | null;
  readonly comment: string;
  /** This round's sample is in it already (`withSample`). */
  readonly history: History;
  /** The newest sample; null when the edge was never fetched by this process. */
  readonly sample: Sample | null;
  /** The edge's addresses, whether they work or not; both null: none is known, so the edge cannot be live. */
  readonly v4: string | null;
  readonly v6: string | null;
  /** It served another object than the reference, a part of it, or more (`hasBadObject` in round-input.ts). */
  readonly verificationFailed: boolean;
};

/** One zone's configured canary. */
export type CanaryInput = EdgeInput & { readonly zone: string };

export type LiveMember = {
  readonly edge: string;
  readonly v4: string | null;
  readonly v6: string | null;
  /** Why this edge is live: "still healthy: last 0.201 s < goodenough 0.700 s". */
  readonly why: string;
};

/** A canary that is in use: it stands in for `victim` in its zone only. */
export type ActiveCanary = { readonly zone: string; readonly address: string; readonly victim: string | null };

/** What the decision needs to remember from round to round (kept in the state file). */
export type Memory = {
  /** Names of the edges live after the last round, sorted. */
  readonly lastLive: readonly string[];
  /** What was answered of each of them; one that is missing was taken over by its name only. */
  readonly answered: ReadonlyMap<string, Addresses>;
  /** A family that is answered with SERVFAIL, because no address of it has worked since the first live set. */
  readonly unanswered: Family | null;
  /** Edges that failed lately, by name. */
  readonly unsteady: ReadonlyMap<string, Unsteady>;
  /** Addresses that are answered and do not work, by edge and address (`missKey`). */
  readonly misses: ReadonlyMap<string, Misses>;
  /** When what is answered changed, epoch seconds, newest last; at most 100. */
  readonly rotations: readonly number[];
  readonly activeCanaries: readonly ActiveCanary[];
  /** Per zone: when its canary changed, for the per-zone limit. */
  readonly canaryRotations: ReadonlyMap<string, readonly number[]>;
};

/**
 * An edge that failed within the last hour. `falls`: how often it began to fail. `fails`: failed samples in a row.
 * `passingSince` null: it fails. `at`: the sample that was counted last.
 */
export type Unsteady = {
  readonly falls: number;
  readonly fails: number;
  readonly passingSince: number | null;
  readonly at: number;
};

/** Rounds in a row in which an answered address did not work, or its edge was at another one; `at` as in `Unsteady`. */
export type Misses = { readonly count: number; readonly at: number };

export type RoundInput = {
  readonly now: number;
  readonly network: string;
  readonly rules: Rules;
  /** In list order, duplicates removed. */
  readonly edges: readonly EdgeInput[];
  readonly canaries: readonly CanaryInput[];
  readonly memory: Memory;
  /** An operator changed a mode since the last decision: the rotation limit does not apply this once. */
  readonly operatorChange: boolean;
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
  /** What this zone publishes changed apart from the live set: canary used, dropped, replaced, or its victim redrawn. */
  readonly changed: boolean;
  readonly held: boolean;
  readonly why: string;
};

/** Everything one round decided, with reasons. Logs, `explain`, the API and the tests print this value. */
export type Decision = {
  readonly at: number;
  readonly network: string;
  readonly outcome: Outcome;
  /** Set whenever the rotation limit kept a wanted change back, also where a vanished member had to leave all the same. */
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
  /** Warnings about the set as a whole: shortfall, retained failing members, limit reached. */
  readonly notes: readonly string[];
  readonly memory: Memory;
};

/** A history summed up to what judging compares; null where no sample is behind it. */
export type Figures = {
  readonly last: number | null;
  /** Over samples aged 300 s or less. */
  readonly windowAverage: number | null;
  readonly windowCount: number;
  /** Over all stored samples. */
  readonly average: number | null;
  readonly count: number;
};

/** An edge with its history summed up: what the history log keeps, so that a round can be decided again. */
export type EdgeFacts = Omit<EdgeInput, 'history'> & { readonly figures: Figures };
export type CanaryFacts = EdgeFacts & { readonly zone: string };
export type RoundFacts = Omit<RoundInput, 'edges' | 'canaries'> & {
  readonly edges: readonly EdgeFacts[];
  readonly canaries: readonly CanaryFacts[];
};
