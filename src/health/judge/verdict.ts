/** What judging gives, and what a judge is: a pure function of one edge. Times are epoch seconds, durations seconds. */

import type { EdgeFacts } from './edge.ts';

/** edgemanage's words, from best to worst (specification section 5). */
export type Judgement = 'pass_threshold' | 'pass_window' | 'pass_average' | 'pass' | 'fail';

/**
 * The judgement of one edge. `judgement` null: unavailable, or never fetched. `why` is one plain sentence with figures.
 */
export type Verdict = {
  readonly edge: string;
  readonly judgement: Judgement | null;
  readonly last: number | null;
  readonly windowAverage: number | null;
  readonly average: number | null;
  readonly why: string;
};

/** What a judge compares with. */
export type JudgeRules = {
  readonly goodenough: number;
  readonly timeout: number; // a fetch of this length or more fails
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

/**
 * A way to judge: the facts of one edge and the rules give a verdict with its reason. Pure. `before`: what is
 * remembered of the edge's unsteadiness, for judges that count results in a row; null: it was steady.
 */
export type Judge = (facts: EdgeFacts, rules: JudgeRules, before: Unsteady | null) => Verdict;
