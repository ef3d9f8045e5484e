import { passes } from '../judge/judge.ts';
import { moment, seconds } from '../judge/reason.ts';
import type { EdgeFacts, Hold, Verdict } from '../judge/types.ts';
import type { CandidatePool, Refusal } from './candidates.ts';
import { holdText } from './limit.ts';
import { type Candidate, isStillHealthy, type Selected } from './select.ts';

export type Reason = { readonly live: boolean; readonly why: string };

/** Says of every edge whether it is live and why. `live`: what the rotation limit made of `field.wanted`. */
export function reasonsOf(
  field: CandidatePool,
  live: ReadonlySet<string>,
  hold: Hold | null,
): ReadonlyMap<string, Reason> {
  const places = new Map(
    field.selected.map((selected, i) => [selected.candidate.facts.name, { selected, place: i + 1 }]),
  );
  const reasons = new Map<string, Reason>();
  for (const candidate of field.candidates) {
    const { name } = candidate.facts;
    const chosen = places.get(name);
    const wanted =
      chosen === undefined
        ? passedOverWhy(candidate, field)
        : selectedWhy(chosen.selected, chosen.place, field.edgeCount);
    // Live and chosen differ only where the limit holds the set.
    if (hold === null || live.has(name) === (chosen !== undefined))
      reasons.set(name, { live: live.has(name), why: wanted });
    else if (live.has(name)) reasons.set(name, { live: true, why: heldInWhy(candidate, hold) });
    else reasons.set(name, { live: false, why: `held out, would be live: ${wanted}; ${holdText(hold)}` });
  }
  for (const { edge, refusal } of field.refused)
    reasons.set(edge.name, { live: false, why: refusedWhy(edge, refusal) });
  for (const name of field.unlisted) reasons.set(name, { live: false, why: 'no longer in the edge list' });
  return reasons;
}

/** Why a selected edge is live; `place` counts from 1. */
function selectedWhy({ candidate, place: rule }: Selected, place: number, edgeCount: number): string {
  const { facts, verdict } = candidate;
  switch (rule) {
    case 'blindforced':
      return `blindforced${quoted(facts.comment)}${until(facts)}, live whatever it does: ${verdict.why}`;
    case 'forced':
      return `forced${quoted(facts.comment)}${until(facts)} and passing: ${verdict.why}`;
    case 'still-healthy':
      return `still healthy: ${verdict.why}`;
    case 'filled':
      return `fills place ${place} of ${edgeCount}: ${standing(verdict)} (${verdict.why})`;
    case 'retained':
      return `kept although it does not pass, for lack of passing edges: ${verdict.why}`;
  }
}

function heldInWhy({ verdict }: Candidate, hold: Hold): string {
  return `held in, would not be live: ${verdict.why}; ${holdText(hold)}`;
}

function passedOverWhy(candidate: Candidate, { selected, edgeCount, lastLive }: CandidatePool): string {
  const { verdict } = candidate;
  if (verdict.judgement === null) return verdict.why;
  const last = selected[selected.length - 1];
  if (!passes(verdict.judgement)) {
    // Places left over go to failing edges of the last live set, and this one may have been of that set too.
    const leftOut = lastLive.has(candidate.facts.name) && last?.place === 'retained';
    return leftOut
      ? `fails: ${verdict.why}; others are kept before it: ${named(last, verdict)}`
      : `fails: ${verdict.why}`;
  }
  // A passing edge is passed over only when every place is taken, so somebody is the last.
  const full = `${standing(verdict)} (${verdict.why}), but all ${edgeCount} places are taken`;
  switch (last.place) {
    case 'blindforced':
    case 'forced':
      return `${full} by forced edges`;
    case 'still-healthy':
      if (isStillHealthy(candidate, lastLive)) return `${full} by faster ones: ${named(last, verdict)}`;
      return `${full} by edges that are still healthy, which no other displaces`;
    case 'filled':
    case 'retained':
      return `${full} by better ones: ${named(last, verdict)}`;
  }
}

function refusedWhy(edge: EdgeFacts, refusal: Refusal): string {
  switch (refusal.kind) {
    case 'canary':
      return `is the canary of ${refusal.zone}, so never live as an edge`;
    case 'unavailable':
      return `unavailable${quoted(edge.comment)}: ${edge.modeUntil === null ? 'never live' : `not live${until(edge)}`}`;
    case 'no-address': {
      const fail = edge.sample?.fail ?? null;
      return `has no address to publish${fail === null ? '' : ` (${fail.reason}: ${fail.detail})`}`;
    }
  }
}

/** `pass_average, average 0.264 s`: what filling compares. `other` is who it is compared with. */
function standing({ judgement, average }: Verdict, other?: Verdict): string {
  const state = judgement ?? 'not judged';
  if (average === null) return state;
  const against = other === undefined || other.average === null ? [] : [other.average];
  return `${state}, average ${seconds(average, ...against)}`;
}

function named({ candidate }: Selected, other: Verdict): string {
  return `the last is ${candidate.facts.name} with ${standing(candidate.verdict, other)}`;
}

function until({ modeUntil }: EdgeFacts): string {
  return modeUntil === null ? '' : ` until ${moment(modeUntil)}`;
}

function quoted(comment: string): string {
  return comment === '' ? '' : ` (${comment})`;
}
