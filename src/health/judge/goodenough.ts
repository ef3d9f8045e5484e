import { decidingCheck } from '../checks/sample.ts';
import type { EdgeFacts } from './edge.ts';
import { compare, seconds } from './reason.ts';
import type { Judgement, JudgeRules, Verdict } from './verdict.ts';

/**
 * edgemanage's judge: the first row of section 5 that matches, with the comparison that decided it. Comparisons are
 * strict. An unavailable edge and one that was never fetched get no judgement. What was before does not matter.
 */
export function goodenough(facts: EdgeFacts, rules: JudgeRules): Verdict {
  const { last, windowAverage, average } = facts.figures;
  const found = facts.mode === 'unavailable' ? UNJUDGED : firstMatch(facts, rules);
  return { edge: facts.name, judgement: found.judgement, last, windowAverage, average, why: found.why };
}

type Found = { readonly judgement: Judgement | null; readonly why: string };

const UNJUDGED: Found = { judgement: null, why: 'unavailable, so not judged' };
const UNFETCHED: Found = { judgement: null, why: 'never fetched' };

function firstMatch({ figures, sample }: EdgeFacts, rules: JudgeRules): Found {
  const { last, windowAverage, average } = figures;
  const { goodenough, timeout } = rules;
  if (sample !== null && sample.fail !== null) {
    const { reason, detail } = sample.fail;
    const what = detail === '' || detail === reason ? reason : `${reason}: ${detail}`;
    const check = decidingCheck(sample);
    const failed = check === null ? 'fetch failed' : `check ${check} failed`;
    return { judgement: 'fail', why: `${failed} (${what}), counted as ${seconds(sample.seconds)}` };
  }
  if (last === null) return UNFETCHED;

  const check = sample === null ? null : decidingCheck(sample);
  const lastClause = `${compare('last', last, 'goodenough', goodenough)}${check === null ? '' : ` (check ${check})`}`;
  if (last < goodenough) return { judgement: 'pass_threshold', why: lastClause };
  if (last >= timeout) return { judgement: 'fail', why: compare('last', last, 'timeout', timeout) };

  // The last sample may be older than the window when an edge was not fetched this round.
  const windowClause =
    windowAverage === null ? 'no sample in the last 300 s' : compare('window average', windowAverage, '', goodenough);
  if (windowAverage !== null && windowAverage < goodenough) {
    return { judgement: 'pass_window', why: `${lastClause}; ${windowClause}` };
  }
  const averageClause = average === null ? 'no average' : compare('average', average, '', goodenough);
  const judgement = average !== null && average < goodenough ? 'pass_average' : 'pass';
  return { judgement, why: `${lastClause}; ${windowClause}; ${averageClause}` };
}
