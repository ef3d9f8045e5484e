import { type Addresses, type EdgeFacts, FAMILIES, type Family } from '../judge/edge.ts';
import { passes } from '../judge/judge.ts';
import { list, moment, seconds } from '../judge/reason.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { CandidatePool, Refusal } from './candidates.ts';
import type { Hold } from './decision.ts';
import { type Chosen, FAMILY_NAME, fetchOf } from './families.ts';
import { holdText } from './limit.ts';
import type { Limited } from './limit-live.ts';
import { keepsPlace } from './safety.ts';
import { minUpText } from './safety-min-up.ts';
import { doubtText } from './safety-uplink.ts';
import { type Candidate, isBetween, isStillHealthy, type Selected } from './select.ts';
import { waitAfter } from './steadiness.ts';

export type Reason = { readonly live: boolean; readonly why: string };

/** Says of every edge whether it is live and why. `answers`: what the rotation limit made of the wanted set. */
export function reasonsOf(pool: CandidatePool, { answers, hold, replaced }: Limited): ReadonlyMap<string, Reason> {
  const places = new Map(pool.chosen.map((chosen, i) => [chosen.candidate.facts.name, { chosen, place: i + 1 }]));
  const reasons = new Map<string, Reason>();
  for (const candidate of pool.candidates) {
    const { name } = candidate.facts;
    const found = places.get(name);
    const answered = answers.get(name);
    const wanted = found === undefined ? passedOverWhy(candidate, pool) : selectedWhy(found.chosen, found.place, pool);
    const detail = answered === undefined ? '' : familyDetail(candidate, answered, found?.chosen, hold);
    const live = answered !== undefined;
    // Answered and wanted differ only where the limit holds the set.
    if (hold === null || live === (found !== undefined)) reasons.set(name, { live, why: `${wanted}${detail}` });
    else if (live) reasons.set(name, { live, why: `${heldInWhy(candidate, hold)}${detail}` });
    else {
      const left = replaced.find(({ edge }) => edge === name);
      const why = left === undefined ? '' : `; it failed three times in a row, so ${left.by} took its place`;
      reasons.set(name, { live, why: `held out, would be live: ${wanted}; ${holdText(hold)}${why}` });
    }
  }
  for (const { edge, by } of replaced) {
    const reason = reasons.get(edge);
    if (reason?.live !== false || reason.why.includes(' took its place')) continue;
    const why = `${reason.why}; it failed three times in a row, so ${by} took its place in spite of the rotation limit`;
    reasons.set(edge, { live: false, why });
  }
  for (const { edge, refusal } of pool.refused) {
    reasons.set(edge.name, {
      live: false,
      why: `${refusedWhy(edge, refusal)}${stillAnswered(edge.name, pool, answers)}`,
    });
  }
  for (const name of pool.unlisted) {
    reasons.set(name, { live: false, why: `no longer in the edge list${stillAnswered(name, pool, answers)}` });
  }
  return reasons;
}

/** Where no edge at all may be live, the last set stays answered, whatever was said of its members since. */
function stillAnswered(name: string, { lastLive }: CandidatePool, answers: Limited['answers']): string {
  if (answers.size > 0 || !lastLive.has(name)) return '';
  return '; it is still answered, because no edge is fit to take its place';
}

/** What is not as usual with the addresses of a live edge: one that is left out, kept though it fails, or held. */
function familyDetail(
  candidate: Candidate,
  answered: Addresses,
  wanted: Chosen | undefined,
  hold: Hold | null,
): string {
  const { facts, works } = candidate;
  const details = FAMILIES.flatMap((family) => {
    const name = FAMILY_NAME[family];
    const address = answered[family];
    if (hold !== null && wanted !== undefined && address !== wanted[family]) {
      if (address === null) return [`its ${name} address is held out by the rotation limit`];
      const now = wanted[family] === null ? '' : ` (it is at ${wanted[family]} now)`;
      return [`${address} is held in by the rotation limit${now}`];
    }
    if (facts.v4 === null || facts.v6 === null) return [];
    if (address === null) return [`not answered over ${name}${works[family] ? '' : failText(candidate, family)}`];
    return works[family] || (!works.v4 && !works.v6)
      ? []
      : [`kept over ${name} although it fails there${failText(candidate, family)}, for lack of passing edges`];
  });
  return details.map((detail) => `; ${detail}`).join('');
}

function failText({ facts }: Candidate, family: Family): string {
  const fail = fetchOf(facts, family)?.fail ?? null;
  return fail === null ? '' : ` (${fail.reason})`;
}

/** Why a selected edge is live; `place` counts from 1. */
function selectedWhy(chosen: Chosen, place: number, { edgeCount, minUp, uplink }: CandidatePool): string {
  const { candidate, place: rule } = chosen;
  const { facts, verdict, works } = candidate;
  switch (rule) {
    case 'blindforced':
      return `blindforced${quoted(facts.comment)}${until(facts)}, live whatever it does: ${verdict.why}`;
    case 'forced':
      return `forced${quoted(facts.comment)}${until(facts)} and passing: ${verdict.why}`;
    case 'still-healthy':
      if (isBetween(verdict)) return `still up: ${verdict.why}`;
      if (verdict.judgement === null) return `kept: ${verdict.why}`;
      return verdict.judgement === 'pass_threshold'
        ? `still healthy: ${verdict.why}`
        : `still passing; ranking waits for the turn: ${verdict.why}`;
    case 'filled':
      return `fills place ${place} of ${edgeCount}: ${standing(verdict)} (${verdict.why})`;
    case 'retained':
      return `kept although it does not pass, for lack of passing edges: ${verdict.why}`;
    case 'fallback':
      return `${minUp === null ? '' : `${minUpText(minUp, 'fallback')}; `}${verdict.why}`;
    case 'kept':
    case 'all':
      if (uplink?.inDoubt === true)
        return verdict.judgement === null
          ? `kept: ${verdict.why}`
          : `kept, because ${doubtText(uplink)}; ${verdict.why}`;
      return `${minUp === null ? '' : `${minUpText(minUp, rule === 'all' ? 'all' : 'keep')}; `}${verdict.why}`;
    case 'family': {
      const families = FAMILIES.filter((family) => chosen[family] !== null);
      const names = list(families.map((family) => FAMILY_NAME[family]));
      return families.every((family) => works[family])
        ? `answers over ${names}, where no edge of the ${edgeCount} wanted passes: ${verdict.why}`
        : `kept over ${names}, where no edge passes: ${verdict.why}`;
    }
  }
}

function heldInWhy({ verdict }: Candidate, hold: Hold): string {
  return `held in, would not be live: ${verdict.why}; ${holdText(hold)}`;
}

function passedOverWhy(candidate: Candidate, pool: CandidatePool): string {
  const { chosen, edgeCount, lastLive, minUp, scope } = pool;
  const { verdict, waitsUntil } = candidate;
  if (verdict.judgement === null) return verdict.why;
  const placed = chosen.filter(({ place }) => place !== 'family');
  const last = placed.at(-1) ?? chosen.at(-1);
  if (!passes(verdict.judgement)) {
    // Places left over go to failing edges of the last live set, and this one may have been of that set too.
    if (!keepsPlace(candidate, pool.candidates, pool.safety) && placed.length < edgeCount)
      return `fails: ${verdict.why}; by "fill: none" no failing edge takes an empty place`;
    const leftOut = lastLive.has(candidate.facts.name) && last?.place === 'retained';
    return leftOut
      ? `fails: ${verdict.why}; others are kept before it: ${named(last, verdict)}`
      : `fails: ${verdict.why}`;
  }
  if (pool.uplink?.inDoubt === true) return `passes (${verdict.why}), but ${doubtText(pool.uplink)}: the set is kept`;
  if (minUp !== null && minUp.below !== null) return `passes (${verdict.why}), but ${minUpText(minUp, minUp.below)}`;
  if (last === undefined) return verdict.why;
  if (waitsUntil !== null && !lastLive.has(candidate.facts.name)) {
    const { holdUp } = pool.safety;
    const why =
      holdUp === null ? 'has failed repeatedly' : `must pass for ${waitText(candidate, pool, holdUp)} (hold_up)`;
    return `passes again (${verdict.why}), but ${why}, so it returns at ${moment(waitsUntil)} if it goes on passing`;
  }
  // A passing edge is passed over only when every place is taken, so there is a last one.
  const full = `${standing(verdict)} (${verdict.why}), but all ${edgeCount} places are taken`;
  switch (last.place) {
    case 'blindforced':
    case 'forced':
      return `${full} by forced edges`;
    case 'still-healthy':
      if (isStillHealthy(candidate, lastLive, scope)) return `${full} by faster ones: ${named(last, verdict)}`;
      return scope === 'turn'
        ? `${full} by edges that are still healthy, which no other displaces`
        : `${full} by edges that still pass; ranking waits for the turn`;
    case 'filled':
    case 'retained':
    case 'family':
    case 'kept':
    case 'all':
    case 'fallback':
      return `${full} by better ones: ${named(last, verdict)}`;
  }
}

/** "60 s", "240 s after it fell 3 times". */
function waitText({ facts }: Candidate, { unsteady }: CandidatePool, holdUp: number): string {
  const falls = unsteady.get(facts.name)?.falls ?? 1;
  return `${waitAfter(falls, holdUp)} s${falls < 2 ? '' : ` after it fell ${falls} times`}`;
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

function named({ candidate }: Pick<Selected, 'candidate'>, other: Verdict): string {
  return `the last is ${candidate.facts.name} with ${standing(candidate.verdict, other)}`;
}

function until({ modeUntil }: EdgeFacts): string {
  return modeUntil === null ? '' : ` until ${moment(modeUntil)}`;
}

function quoted(comment: string): string {
  return comment === '' ? '' : ` (${comment})`;
}
