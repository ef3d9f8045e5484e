import type { EdgeFacts } from './edge.ts';
import { goodenough } from './goodenough.ts';
import { allSaysText, type EdgeQuorum, isSuspect, saysText } from './quorum.ts';
import { type JudgeRules, passes, type Verdict } from './verdict.ts';

/**
 * The verdict that several vantages come to. Up: its word is that of the figures, which are medians over those that see
 * it up. Undecided: no judgement, and the edge stays as it is. An operator's mode is no vote: an
 * unavailable edge has no judgement whatever is seen of it.
 */
export function quorumVerdict(facts: EdgeFacts, quorum: EdgeQuorum, rules: JudgeRules): Verdict {
  if (facts.mode === 'unavailable') return goodenough(facts, rules);
  const { says, needed } = quorum;
  // A single failure that a judge forgives is in the sample, and judged already.
  const sample = facts.sample?.fail == null ? facts.sample : null;
  const own = goodenough({ ...facts, mode: 'available', sample }, rules);
  if (quorum.up === false) return { ...own, judgement: 'fail', why: saysText(says, false) };
  if (quorum.up === null) {
    const why = `undecided (${needed.down} must see it down, ${needed.up} up), so it stays as it is: ${allSaysText(says)}`;
    return { ...own, judgement: null, why };
  }
  const judgement = passes(own.judgement) ? own.judgement : 'pass';
  const ups = saysText(says, true);
  const dissent = isSuspect(quorum) ? `; suspect: ${saysText(says, false)}` : '';
  return { ...own, judgement, why: `${own.why}; ${ups}${dissent}` };
}
