import { passes } from '../judge/judge.ts';
import { byName } from '../judge/reason.ts';
import type { EdgeFacts, Judgement, Verdict } from '../judge/types.ts';

/** An edge that may be published: listed, not unavailable, no canary, with an address. */
export type Candidate = { readonly facts: EdgeFacts; readonly verdict: Verdict };

/** By which of selection's rules an edge is live, in the order in which the rules apply. */
export type Place = 'blindforced' | 'forced' | 'still-healthy' | 'filled' | 'retained';
export type Selected = { readonly candidate: Candidate; readonly place: Place };

/**
 * Selection of specification section 6 with the corrections of section 12: all forced edges, even beyond `edgeCount`;
 * then up to `edgeCount` the still-healthy, the best of the others that pass, and last live edges although they fail.
 * In the order of choice; empty only when no candidate passes, is blindforced or was live.
 */
export function select(
  candidates: readonly Candidate[],
  lastLive: ReadonlySet<string>,
  edgeCount: number,
): readonly Selected[] {
  const chosen: Selected[] = [];
  const rest: Candidate[] = [];
  for (const candidate of [...candidates].sort((a, b) => byName(a.facts.name, b.facts.name))) {
    const place = forcedPlace(candidate);
    if (place === null) rest.push(candidate);
    else chosen.push({ candidate, place });
  }

  const take = (from: readonly Candidate[], place: Place) => {
    for (const candidate of from) if (chosen.length < edgeCount) chosen.push({ candidate, place });
  };
  const stillHealthy = rest.filter((candidate) => isStillHealthy(candidate, lastLive)).sort(byAverage);
  const passing = rest.filter(({ verdict }) => passes(verdict.judgement));
  const others = passing.filter((candidate) => !isStillHealthy(candidate, lastLive)).sort(byState);
  const failing = rest.filter(({ facts, verdict }) => lastLive.has(facts.name) && !passes(verdict.judgement));
  take(stillHealthy, 'still-healthy');
  take(others, 'filled');
  take(failing.sort(byTrust), 'retained');
  return chosen;
}

/** Live last round and under `goodenough` now: a faster outsider does not displace it. */
export function isStillHealthy({ facts, verdict }: Candidate, lastLive: ReadonlySet<string>): boolean {
  return verdict.judgement === 'pass_threshold' && lastLive.has(facts.name);
}

function forcedPlace({ facts, verdict }: Candidate): Place | null {
  if (facts.mode === 'blindforce') return 'blindforced';
  return facts.mode === 'force' && passes(verdict.judgement) ? 'forced' : null;
}

const RANK: Readonly<Record<Judgement, number>> = {
  pass_threshold: 0,
  pass_window: 1,
  pass_average: 2,
  pass: 3,
  fail: 4,
};

function byAverage(a: Candidate, b: Candidate): number {
  const left = a.verdict.average ?? Number.MAX_VALUE;
  const right = b.verdict.average ?? Number.MAX_VALUE;
  return left - right || byName(a.facts.name, b.facts.name);
}

function byState(a: Candidate, b: Candidate): number {
  return rank(a) - rank(b) || byAverage(a, b);
}

function rank({ verdict }: Candidate): number {
  return verdict.judgement === null ? 5 : RANK[verdict.judgement];
}

/** Those whose object was wrong come last: a slow page is better than a foreign one. */
function byTrust(a: Candidate, b: Candidate): number {
  return Number(a.facts.verificationFailed) - Number(b.facts.verificationFailed) || byAverage(a, b);
}
