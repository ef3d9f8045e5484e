/** What judging gives, and what a judge is: a pure function of one edge. Times are epoch seconds, durations seconds. */

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
  /** Where a judge that counts results in a row is between two states. */
  readonly position?: Position;
};

/** `count` results in a row, of the `of` that are needed, speak for a change to `towards`. */
export type Position = { readonly count: number; readonly of: number; readonly towards: 'up' | 'down' };

/**
 * `rise_fall`: an edge that is up is down after `fall` failures in a row, one that is down is up after `rise` passes.
 * `apart`: seconds that lie between two of them at least; 0 unless given.
 */
export type JudgeChoice =
  | { readonly kind: 'goodenough' }
  | { readonly kind: 'rise_fall'; readonly rise: number; readonly fall: number; readonly apart?: number | undefined };

/** What a judge compares with. */
export type JudgeRules = {
  readonly goodenough: number;
  readonly timeout: number; // a fetch of this length or more fails
  /** Unless given, `goodenough`. */
  readonly judge?: JudgeChoice | undefined;
};

/**
 * What a judge that counts remembers of an address: `up` is what it is judged to be, and `count` results in a row
 * contradict that. `at`: the sample that was counted last, epoch seconds.
 */
export type Judged = { readonly up: boolean; readonly count: number; readonly at: number };

/** `judged` null: nothing is remembered. */
export type JudgeWords = { readonly verdict: Verdict; readonly judged: Judged | null };

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

/** Whether a judgement lets an edge or canary serve: anything but `fail`. */
export function passes(judgement: Judgement | null): boolean {
  return judgement !== null && judgement !== 'fail';
}
