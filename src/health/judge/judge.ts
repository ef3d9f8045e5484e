import type { EdgeFacts } from './edge.ts';
import { goodenough } from './goodenough.ts';
import type { Judge, Judgement, JudgeRules, Unsteady, Verdict } from './verdict.ts';

/** The ways to judge an edge, one file each. A further one is a line here and a key of the configuration. */
const JUDGES = { goodenough } satisfies Readonly<Record<string, Judge>>;

/** Judges one edge or canary by its network's rules. `before`: what is remembered of its unsteadiness, if anything. */
export function judge(facts: EdgeFacts, rules: JudgeRules, before: Unsteady | null = null): Verdict {
  return JUDGES.goodenough(facts, rules, before);
}

/** Whether a judgement lets an edge or canary serve: anything but `fail`. */
export function passes(judgement: Judgement | null): boolean {
  return judgement !== null && judgement !== 'fail';
}
