import { passes } from '../judge/judge.ts';
import { byName } from '../judge/reason.ts';
import type { EdgeFacts, RoundFacts, Verdict } from '../judge/types.ts';
import { type Candidate, type Selected, select } from './select.ts';

/** One round's edges sorted out: who may be published, who is wanted, and who is refused for what. */
export type CandidatePool = {
  readonly candidates: readonly Candidate[];
  /** Edges that may not be published, with the reason. */
  readonly refused: readonly { readonly edge: EdgeFacts; readonly refusal: Refusal }[];
  /** In the order of choice. */
  readonly selected: readonly Selected[];
  /** Names of the selected, sorted. */
  readonly wanted: readonly string[];
  /** Names of the candidates that pass. */
  readonly passing: ReadonlySet<string>;
  readonly lastLive: ReadonlySet<string>;
  /** Formerly live, no longer in the edge list and no canary. */
  readonly unlisted: readonly string[];
  /** An operator took a live edge out: made it unavailable or a canary, or removed it from the list. */
  readonly withdrawn: boolean;
  /** N: places to fill, at least 1, because nothing is never published. */
  readonly edgeCount: number;
};

export type Refusal =
  | { readonly kind: 'canary'; readonly zone: string }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'no-address' };

/** Sorts the round out. `verdicts` in the order of `facts.edges`. */
export function candidatePool(facts: RoundFacts, verdicts: readonly Verdict[]): CandidatePool {
  const canaryOf = new Map(facts.canaries.map(({ name, zone }) => [name, zone]));
  const lastLive = new Set(facts.memory.lastLive);
  const edgeCount = Math.max(1, facts.rules.edgeCount);

  const candidates: Candidate[] = [];
  const refused: { edge: EdgeFacts; refusal: Refusal }[] = [];
  for (const [i, edge] of facts.edges.entries()) {
    const refusal = refusalOf(edge, canaryOf.get(edge.name));
    if (refusal === null) candidates.push({ facts: edge, verdict: verdicts[i] });
    else refused.push({ edge, refusal });
  }

  const listed = new Set(facts.edges.map(({ name }) => name));
  const unlisted = facts.memory.lastLive.filter((name) => !listed.has(name) && !canaryOf.has(name));
  const selected = select(candidates, lastLive, edgeCount);
  return {
    candidates,
    refused,
    selected,
    wanted: selected.map(({ candidate }) => candidate.facts.name).sort(byName),
    passing: new Set(candidates.filter(({ verdict }) => passes(verdict.judgement)).map(({ facts: { name } }) => name)),
    lastLive,
    unlisted,
    withdrawn:
      unlisted.length > 0 ||
      facts.memory.lastLive.some((name) => canaryOf.has(name)) ||
      refused.some(({ edge, refusal }) => refusal.kind === 'unavailable' && lastLive.has(edge.name)),
    edgeCount,
  };
}

function refusalOf(edge: EdgeFacts, canaryOf: string | undefined): Refusal | null {
  if (canaryOf !== undefined) return { kind: 'canary', zone: canaryOf };
  if (edge.mode === 'unavailable') return { kind: 'unavailable' };
  return edge.v4 === null && edge.v6 === null ? { kind: 'no-address' } : null;
}
