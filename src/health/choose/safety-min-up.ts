/**
 * `min_up`: when too few edges pass, it is more likely that the checks err, or that the edges are overloaded, than that
 * a handful of edges can carry the traffic of all. What is answered then is chosen here.
 */

import type { EdgeFacts } from '../judge/edge.ts';
import { passes } from '../judge/judge.ts';
import { count } from '../judge/reason.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { MinUpState, SafetyRules } from './safety.ts';
import { byState, byTrust, type Candidate, forcedPlace, type Selected } from './select.ts';

/** As many edges as can be live: the configuration's `LIVE_MAX`, which decisions do not know. */
export const SET_MAX = 64;

/**
 * How many of the edges that an operator lets answer do not fail, and how many must not; null: no number is set. Edges
 * that were not asked yet do not count as failing, blindforced ones never do. `verdicts` in the order of `edges`.
 */
export function minUpState(
  edges: readonly EdgeFacts[],
  verdicts: readonly Verdict[],
  { minUp, below }: Pick<SafetyRules, 'minUp' | 'below'>,
): MinUpState | null {
  if (minUp === null) return null;
  const listed = edges.filter(({ mode }) => mode !== 'unavailable').length;
  const up = edges.filter(
    ({ mode }, i) => mode === 'blindforce' || (mode !== 'unavailable' && verdicts[i].judgement !== 'fail'),
  ).length;
  const needed = minUp.percent ? Math.ceil((listed * minUp.value) / 100) : minUp.value;
  return { needed, up, below: up < needed ? below : null };
}

/**
 * The set while fewer than `min_up` edges pass; null: there is no last set to keep. In the order of choice: forced
 * edges, then
 *
 * - `keep`: the last set. Only where none of it passes do passing edges join it (if it `joins`), up to `edgeCount`.
 * - `all`: every edge, those that pass first, as many as can be live at all.
 */
export function selectBelow(
  candidates: readonly Candidate[],
  lastLive: ReadonlySet<string>,
  edgeCount: number,
  below: 'keep' | 'all',
  joins: boolean,
): readonly Selected[] | null {
  const isLast = ({ facts }: Candidate): boolean => lastLive.has(facts.name);
  if (below === 'keep' && !candidates.some(isLast)) return null;
  const forced = candidates.flatMap((candidate): readonly Selected[] => {
    const place = forcedPlace(candidate);
    return place === null ? [] : [{ candidate, place }];
  });
  const rest = candidates.filter((candidate) => forcedPlace(candidate) === null);
  const passing = rest.filter(isPassing).sort(byState);
  if (below === 'all') {
    const failing = rest.filter((candidate) => !isPassing(candidate)).sort(byTrust);
    const all = [...passing, ...failing].map((candidate): Selected => ({ candidate, place: 'all' }));
    return [...forced, ...all].slice(0, Math.max(SET_MAX, forced.length));
  }
  const kept = rest.filter(isLast).map((candidate): Selected => ({ candidate, place: 'kept' }));
  const members = [...forced, ...kept];
  if (!joins || members.some(({ candidate }) => isPassing(candidate))) return members;
  const joining = passing.slice(0, Math.min(edgeCount, Math.max(0, SET_MAX - members.length)));
  return [...members, ...joining.map((candidate): Selected => ({ candidate, place: 'filled' }))];
}

function isPassing({ verdict }: Candidate): boolean {
  return passes(verdict.judgement);
}

const ANSWERED = { keep: 'the last set is kept', all: 'all are answered' } as const;

/** "only 1 of at least 3 edges (min_up) passes: the last set is kept". */
export function minUpText({ needed, up }: MinUpState, below: 'keep' | 'all'): string {
  return `only ${up} of at least ${count(needed, 'edge')} (min_up) ${up === 1 ? 'passes' : 'pass'}: ${ANSWERED[below]}`;
}
