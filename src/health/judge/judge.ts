import { goodenough } from './goodenough.ts';
import type { EdgeFacts, Judge, Judgement, Rules, Unsteady, Verdict } from './types.ts';

/** The ways to judge an edge, one file each. A further one is a line here and a key of the configuration. */
const JUDGES = { goodenough } satisfies Readonly<Record<string, Judge>>;

/** Judges one edge or canary by its network's rules. `before`: what is remembered of its unsteadiness, if anything. */
export function judge(
  facts: EdgeFacts,
  rules: Pick<Rules, 'goodenough' | 'timeout'>,
  before: Unsteady | null = null,
): Verdict {
  return JUDGES.goodenough(facts, rules, before);
}

/** Whether a judgement lets an edge or canary serve: anything but `fail`. */
export function passes(judgement: Judgement | null): boolean {
  return judgement !== null && judgement !== 'fail';
}
