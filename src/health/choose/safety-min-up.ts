/**
 * `min_up`: when too few edges pass, it is more likely that the checks err, or that the edges are overloaded, than that
 * a handful of edges can carry the traffic of all. What is answered then is chosen here.
 */

import type { EdgeFacts } from '../judge/edge.ts';
import { passes } from '../judge/judge.ts';
import { count } from '../judge/reason.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { LiveMember } from './live-member.ts';
import type { Memory } from './memory.ts';
import type { Below, MinUpState, SafetyRules } from './safety.ts';
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
  { minUp, below, fallback }: Pick<SafetyRules, 'minUp' | 'below' | 'fallback'>,
): MinUpState | null {
  if (minUp === null) return null;
  const listed = edges.filter(({ mode }) => mode !== 'unavailable').length;
  const up = edges.filter(
    ({ mode }, i) => mode === 'blindforce' || (mode !== 'unavailable' && verdicts[i].judgement !== 'fail'),
  ).length;
  const needed = minUp.percent ? Math.ceil((listed * minUp.value) / 100) : minUp.value;
  return { needed, up, below: up < needed ? below : null, ...(fallback ? { fallback } : {}) };
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
  if (!joins || members.some(({ candidate }) => isPassing(candidate) || candidate.isHeld === true)) return members;
  const joining = passing.slice(0, Math.min(edgeCount, Math.max(0, SET_MAX - members.length)));
  return [...members, ...joining.map((candidate): Selected => ({ candidate, place: 'filled' }))];
}

function isPassing({ verdict }: Candidate): boolean {
  return passes(verdict.judgement);
}

const ANSWERED = { keep: 'the last set is kept', all: 'all are answered' } as const;

/** The members of another network's set as candidates that pass, after the forced edges of this one. */
export function selectFallback(
  candidates: readonly Candidate[],
  members: readonly LiveMember[],
  minUp: MinUpState,
): readonly Selected[] {
  const own = new Map(candidates.map((candidate) => [candidate.facts.name, candidate]));
  const forced = candidates.flatMap((candidate): readonly Selected[] => {
    const place = forcedPlace(candidate);
    return place === null ? [] : [{ candidate, place }];
  });
  const names = new Set(forced.map(({ candidate }) => candidate.facts.name));
  const others = members
    .filter(({ edge }) => !names.has(edge))
    .map(
      (member): Selected => ({
        candidate: own.get(member.edge) ?? borrowedCandidate(member, minUp),
        place: 'fallback',
      }),
    );
  return [...forced, ...others].slice(0, Math.max(SET_MAX, forced.length));
}

/** Members of another network's set as they are answered now. */
export function borrowedCandidates({ borrowed = [], answered }: Pick<Memory, 'borrowed' | 'answered'>): Candidate[] {
  return borrowed.flatMap((edge) => {
    const addresses = answered.get(edge);
    return addresses === undefined ? [] : [borrowedCandidate({ edge, ...addresses, why: 'answered until now' }, null)];
  });
}

/** Nothing but its network knows how it does: it is taken to pass. */
function borrowedCandidate({ edge, v4, v6, why }: LiveMember, minUp: MinUpState | null): Candidate {
  const figures = { last: null, windowAverage: null, windowCount: 0, average: null, count: 0 };
  const verdict = { edge, judgement: 'pass_threshold', last: null, windowAverage: null, average: null } as const;
  const fixed = { mode: 'available', modeUntil: null, comment: '', sample: null, verificationFailed: false } as const;
  return {
    facts: { name: edge, v4, v6, figures, ...fixed },
    verdict: { ...verdict, why: `live in ${minUp?.fallback ?? 'another network'}: ${why}` },
    works: { v4: v4 !== null, v6: v6 !== null },
    waitsUntil: null,
    fails: 0,
    answered: null,
  };
}

/** "only 1 of at least 3 edges (min_up) passes: the last set is kept". */
export function minUpText({ needed, up, fallback, doubt }: MinUpState, below: Below | null): string {
  const other = fallback ?? 'another network';
  const despite = below === 'fallback' ? 'although' : `${other} does not answer instead, because`;
  const answered = below === null ? null : below === 'fallback' ? `${other} answers instead` : ANSWERED[below];
  const parts = [answered, doubt === undefined ? null : `${despite} ${doubt}`].filter((part) => part !== null);
  return `only ${up} of at least ${count(needed, 'edge')} (min_up) ${up === 1 ? 'passes' : 'pass'}: ${parts.join(', ')}`;
}
