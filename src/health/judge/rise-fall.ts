import type { EdgeFacts } from './edge.ts';
import { goodenough } from './goodenough.ts';
import { count } from './reason.ts';
import { type Judged, type JudgeRules, type JudgeWords, passes, type Verdict } from './verdict.ts';

/** How many results in a row change what an address is judged to be, and how many seconds lie between two that count. */
export type RiseFall = { readonly rise: number; readonly fall: number; readonly apart?: number | undefined };

/**
 * Judges by results in a row: an edge that is up is down after `fall` failures, one that is down is up after `rise`
 * passes; in between it stays what it was. The first result decides alone. While it passes its speed ranks it, as
 * `goodenough` would; between two states it counts as the slowest.
 */
export function riseFall(facts: EdgeFacts, rules: JudgeRules, before: Judged | null, needed: RiseFall): JudgeWords {
  // Results count while an operator has it unavailable, so that its state is known when it comes back.
  const own = goodenough({ ...facts, mode: 'available' }, rules);
  const passing = passes(own.judgement);
  const judged = own.judgement === null ? before : resultAfter(before, facts.sample?.at ?? null, passing, needed);
  if (facts.mode === 'unavailable') return { verdict: goodenough(facts, rules), judged };
  if (own.judgement === null || judged === null) return { verdict: own, judged };
  return { verdict: verdictOf(own, passing, judged, needed), judged };
}

function verdictOf(own: Verdict, passing: boolean, { up, count: results }: Judged, { rise, fall }: RiseFall): Verdict {
  if (up) {
    if (passing) return own;
    // After a restart the last stored result may have failed without being one in a row.
    const why = results === 0 ? 'up' : `${results} of ${count(fall, 'failure')} in a row (fall ${fall})`;
    const position = { count: results, of: fall, towards: 'down' } as const;
    return { ...own, judgement: 'pass', why: `${why}; ${own.why}`, position };
  }
  if (results === 0) {
    const until = `down until ${count(rise, 'result')} in a row ${rise === 1 ? 'passes' : 'pass'} (rise ${rise})`;
    return { ...own, judgement: 'fail', why: `${until}; ${own.why}` };
  }
  const why = `${results} of ${rise} passes in a row (rise ${rise}); ${own.why}`;
  return { ...own, judgement: 'fail', why, position: { count: results, of: rise, towards: 'up' } };
}

/**
 * What is remembered of an address after a result. `at`: of its sample, epoch seconds; one that was counted already
 * changes nothing, and neither does none (null). Nor does one to the contrary that comes too soon after another: live
 * edges are asked several times within a second when one of them fails, and that is not what "in a row" means.
 */
export function resultAfter(
  before: Judged | null,
  at: number | null,
  passing: boolean,
  needed: RiseFall,
): Judged | null {
  if (at === null || at === before?.at) return before === null ? null : { ...settled(before, needed), at: before.at };
  if (before === null) return { up: passing, count: 0, at };
  const isAgain = passing !== before.up && before.count > 0;
  // Either way: a clock that was set back must not keep results from counting.
  if (isAgain && Math.abs(at - before.at) < (needed.apart ?? 0)) return { ...settled(before, needed), at: before.at };
  return { ...countResult(before, passing, needed), at };
}

/** The change, once there are results enough; an operator may have lowered their number meanwhile. */
function settled({ up, count: results }: InARow, { rise, fall }: RiseFall): InARow {
  return results >= (up ? fall : rise) ? { up: !up, count: 0 } : { up, count: results };
}

/** `Judged` without its time. */
export type InARow = Pick<Judged, 'up' | 'count'>;

/** One result more: what contradicts the state is counted, what confirms it ends the count. */
export function countResult({ up, count: results }: InARow, passing: boolean, needed: RiseFall): InARow {
  return settled({ up, count: passing === up ? 0 : results + 1 }, needed);
}
