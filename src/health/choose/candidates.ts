import type { Addresses, EdgeFacts, Family } from '../judge/edge.ts';
import { passes } from '../judge/judge.ts';
import { byName } from '../judge/reason.ts';
import type { Unsteady, Verdict } from '../judge/verdict.ts';
import { type Chosen, completeFamilies, workingFamilies } from './families.ts';
import type { JudgedAddresses } from './judge-edges.ts';
import type { Misses } from './memory.ts';
import { missesAfter } from './misses.ts';
import type { RoundFacts, Rules, Scope } from './round.ts';
import { type Below, type MinUpState, NO_SAFETY, type SafetyRules } from './safety.ts';
import { borrowedCandidates, minUpState, selectBelow, selectFallback } from './safety-min-up.ts';
import { decidingUplink, type UplinkState } from './safety-uplink.ts';
import { type Candidate, select } from './select.ts';
import { returnsAt, steadinessAfter } from './steadiness.ts';

/** One round's edges sorted out: who may be published, who is wanted, and who is refused for what. */
export type CandidatePool = {
  /** Those that are borrowed from another network included, while it answers. */
  readonly candidates: readonly Candidate[];
  readonly borrowed: ReadonlySet<string>;
  /** Edges that may not be published, with the reason. */
  readonly refused: readonly { readonly edge: EdgeFacts; readonly refusal: Refusal }[];
  /** The wanted set, in the order of choice. */
  readonly chosen: readonly Chosen[];
  /** Names of the chosen, sorted. */
  readonly wanted: readonly string[];
  /** Names of the candidates that pass. */
  readonly passing: ReadonlySet<string>;
  readonly lastLive: ReadonlySet<string>;
  /** What was answered until now, by edge. */
  readonly before: ReadonlyMap<string, Addresses>;
  /** The family that was answered with SERVFAIL until now. */
  readonly unanswered: Family | null;
  readonly unsteady: ReadonlyMap<string, Unsteady>;
  readonly misses: ReadonlyMap<string, Misses>;
  /** Formerly live, no longer in the edge list and no canary. */
  readonly unlisted: readonly string[];
  /** An operator took a live edge out: made it unavailable or a canary, or removed it from the list. */
  readonly withdrawn: boolean;
  /** N: places to fill, at least 1, because nothing is never published. */
  readonly edgeCount: number;
  readonly scope: Scope;
  readonly safety: SafetyRules;
  /** Null: `min_up` is not set. */
  readonly minUp: MinUpState | null;
  /** Null: there are no references. */
  readonly uplink: UplinkState | null;
};

export type Refusal =
  | { readonly kind: 'canary'; readonly zone: string }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'no-address' };

/** Sorts the round out. `verdicts` in the order of `facts.edges`; `judged`: what their judges remember now. */
export function candidatePool(facts: RoundFacts, verdicts: readonly Verdict[], judged: JudgedAddresses): CandidatePool {
  const canaryOf = new Map(facts.canaries.map(({ name, zone }) => [name, zone]));
  const lastLive = new Set(facts.memory.lastLive);
  const { scope } = facts;
  const edgeCount = Math.max(1, facts.rules.edgeCount);
  const safety = facts.rules.safety ?? NO_SAFETY;

  const before = answeredBefore(facts);
  const unsteady = steadinessAfter(facts.memory.unsteady, facts.edges, verdicts, failuresBehind(facts.rules));
  const candidates: Candidate[] = [];
  const refused: { edge: EdgeFacts; refusal: Refusal }[] = [];
  const candidateOf = (edge: EdgeFacts, verdict: Verdict): Candidate => {
    const works = workingFamilies(edge, verdict, { timeout: facts.rules.timeout, judged });
    return {
      facts: edge,
      verdict,
      works,
      waitsUntil: returnsAt(unsteady.get(edge.name), facts.now, safety.holdUp),
      fails: unsteady.get(edge.name)?.fails ?? 0,
      answered: before.get(edge.name) ?? null,
      ...(edge.quorum?.up === null && lastLive.has(edge.name) && facts.memory.agreed?.get(edge.name) !== false
        ? { isHeld: true }
        : {}),
    };
  };
  for (const [i, edge] of facts.edges.entries()) {
    const refusal = refusalOf(edge, canaryOf.get(edge.name));
    if (refusal === null) candidates.push(candidateOf(edge, verdicts[i]));
    else refused.push({ edge, refusal });
  }

  const listed = new Set(facts.edges.map(({ name }) => name));
  const borrowedBefore = new Set(facts.memory.borrowed);
  const unlisted = facts.memory.lastLive.filter(
    (name) => !listed.has(name) && !canaryOf.has(name) && !borrowedBefore.has(name),
  );
  const edges = facts.edges.filter(({ name }) => !canaryOf.has(name));
  const minUp = minUpState(
    edges,
    verdicts.filter((_, i) => !canaryOf.has(facts.edges[i].name)),
    safety,
  );
  const uplink = decidingUplink(facts);
  const isDoubtful = uplink?.inDoubt === true;
  const members = facts.fallback ?? [];
  const isOursPassing = candidates.some(({ verdict }) => passes(verdict.judgement));
  // Without a set of the other network, or with one that is no better, ours is kept.
  const isNoHelp = members.length === 0 || (facts.fallbackDoubt !== undefined && isOursPassing);
  const given = minUp?.below === 'fallback' && isNoHelp ? 'keep' : (minUp?.below ?? null);
  const below = isDoubtful ? 'keep' : given;
  // What is borrowed is kept as well as what is ours.
  const keepable = isDoubtful
    ? [...candidates, ...borrowedCandidates(facts.memory).filter(({ facts: { name } }) => !listed.has(name))]
    : candidates;
  const inNeed =
    below === null || minUp === null
      ? isDoubtful
        ? selectBelow(keepable, lastLive, edgeCount, 'keep', false)
        : null
      : below === 'fallback'
        ? selectFallback(candidates, members, minUp)
        : selectBelow(keepable, lastLive, edgeCount, below, !isDoubtful);
  const selected = inNeed ?? select(candidates, lastLive, { edgeCount, safety, scope });
  const chosen = completeFamilies({
    candidates,
    selected,
    before,
    edgeCount,
    isKept: isDoubtful && inNeed !== null,
  });
  const own = new Set(candidates);
  const borrowed = selected.map(({ candidate }) => candidate).filter((candidate) => !own.has(candidate));
  return {
    candidates: [...candidates, ...borrowed],
    borrowed: new Set(borrowed.map(({ facts: { name } }) => name)),
    refused,
    chosen,
    wanted: chosen.map(({ candidate }) => candidate.facts.name).sort(byName),
    passing: new Set(candidates.filter(({ verdict }) => passes(verdict.judgement)).map(({ facts: { name } }) => name)),
    lastLive,
    before,
    unanswered: facts.memory.unanswered,
    unsteady,
    misses: missesAfter(facts.memory.misses, before, candidates, failuresBehind(facts.rules)),
    unlisted,
    withdrawn:
      unlisted.length > 0 ||
      facts.memory.lastLive.some((name) => canaryOf.has(name)) ||
      refused.some(({ edge, refusal }) => refusal.kind === 'unavailable' && lastLive.has(edge.name)),
    edgeCount,
    scope,
    safety,
    uplink,
    minUp: minUp === null ? null : answeredInNeed(minUp, inNeed === null || isDoubtful ? null : below, facts),
  };
}

/** What is answered because too few edges pass, and why it is not the other network's set. */
function answeredInNeed(minUp: MinUpState, below: Below | null, { fallbackDoubt }: RoundFacts): MinUpState {
  const { doubt: _, ...rest } = minUp;
  const isWanted = minUp.below === 'fallback' && fallbackDoubt !== undefined;
  return { ...rest, below, ...(isWanted ? { doubt: fallbackDoubt } : {}) };
}

/** How many failures in a row stand behind the first verdict of a failure. */
export function failuresBehind({ judge }: Rules): number {
  return judge?.kind === 'rise_fall' ? judge.fall : 1;
}

/** A member that was taken over by its name only counts as answered with all its addresses. */
export function answeredBefore({ memory, edges }: RoundFacts): ReadonlyMap<string, Addresses> {
  const listed = new Map(edges.map((edge) => [edge.name, edge]));
  return new Map(
    memory.lastLive.flatMap((name) => {
      const answered = memory.answered.get(name) ?? listed.get(name);
      return answered === undefined ? [] : [[name, { v4: answered.v4, v6: answered.v6 }] as const];
    }),
  );
}

/** Why an edge may not be published; null: it may. `canaryOf`: the zone whose canary it is. */
export function refusalOf(edge: EdgeFacts, canaryOf: string | undefined): Refusal | null {
  if (canaryOf !== undefined) return { kind: 'canary', zone: canaryOf };
  if (edge.mode === 'unavailable') return { kind: 'unavailable' };
  return edge.v4 === null && edge.v6 === null ? { kind: 'no-address' } : null;
}
