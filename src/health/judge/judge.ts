import type { Fetch } from '../checks/sample.ts';
import type { EdgeFacts } from './edge.ts';
import { goodenough } from './goodenough.ts';
import { quorumVerdict } from './quorum-verdict.ts';
import { resultAfter, riseFall } from './rise-fall.ts';
import type { Judged, JudgeRules, JudgeWords } from './verdict.ts';

export { passes } from './verdict.ts';

/**
 * Judges one edge or canary by its network's rules. `before`: what its judge remembers of it; null: nothing. The ways to
 * judge have one file each. What several vantages say of an edge comes first, and leaves what is remembered as it is: the
 * sample may be another's, and our own was counted when our view was made.
 */
export function judge(facts: EdgeFacts, rules: JudgeRules, before: Judged | null = null): JudgeWords {
  const { judge: how } = rules;
  if (facts.quorum !== undefined) return { verdict: quorumVerdict(facts, facts.quorum, rules), judged: before };
  if (how?.kind === 'rise_fall') return riseFall(facts, rules, before, how);
  return { verdict: goodenough(facts, rules), judged: null };
}

/** What is remembered of an address that an edge has besides its primary one. `at`: of the sample, epoch seconds. */
export function judgeAddress(
  fetch: Pick<Fetch, 'fail' | 'seconds'>,
  at: number,
  rules: JudgeRules,
  before: Judged | null,
): Judged | null {
  if (rules.judge?.kind !== 'rise_fall') return null;
  return resultAfter(before, at, fetch.fail === null && fetch.seconds < rules.timeout, rules.judge);
}

/**
 * How many results in a row, passing or not, it takes from here on to change what an edge is judged to be; 1 where its
 * judge does not count, or where they change nothing.
 */
export function resultsNeeded(rules: JudgeRules, judged: Judged | null, passing: boolean): number {
  const { judge: how } = rules;
  if (how?.kind !== 'rise_fall' || judged === null || judged.up === passing) return 1;
  return Math.max(1, (passing ? how.rise : how.fall) - judged.count);
}
