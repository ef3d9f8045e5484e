import { type Addresses, type EdgeFacts, FAMILIES, type Family } from '../judge/edge.ts';
import { passes } from '../judge/judge.ts';
import { byName } from '../judge/reason.ts';
import type { Judgement, Verdict } from '../judge/verdict.ts';
import type { Scope } from './round.ts';
import { keepsPlace, type SafetyRules } from './safety.ts';
import { DEAD_AFTER } from './steadiness.ts';

/** An edge that may be published: listed, not unavailable, no canary, with an address. */
export type Candidate = {
  readonly facts: EdgeFacts;
  readonly verdict: Verdict;
  /** Whether the address of that family works. */
  readonly works: Readonly<Record<Family, boolean>>;
  /** Until when it must have passed before it takes another's place again, epoch seconds; null: it may at once. */
  readonly waitsUntil: number | null;
  /** Failed samples in a row. */
  readonly fails: number;
  /** What was answered of it until now; null: it was not live. */
  readonly answered: Addresses | null;
  /** It is live and was up, and the vantages together cannot say what it is now: it stays. */
  readonly isHeld?: boolean;
};

/** By which of selection's rules an edge is live, in the order in which the rules apply. `family`: see families.ts. `kept`, `all`, `fallback`: see safety-min-up.ts. */
export type Place =
  | 'blindforced'
  | 'forced'
  | 'still-healthy'
  | 'filled'
  | 'retained'
  | 'family'
  | 'kept'
  | 'all'
  | 'fallback';
export type Selected = { readonly candidate: Candidate; readonly place: Place };

export type SelectionRules = {
  readonly edgeCount: number;
  readonly safety: Pick<SafetyRules, 'fill' | 'holdUp'>;
  readonly scope: Scope;
};

/**
 * Selection of specification section 6 with the corrections of section 12: all forced edges, even beyond `edgeCount`;
 * then up to `edgeCount` the still-healthy, the best of the others that pass, and last live edges although they fail
 * (`keepsPlace`). Edges that must pass longer (`waitsUntil`) come after last live ones that failed but once or twice. In
 * the order of choice; empty only when no candidate passes, is blindforced or was live.
 */
export function select(
  candidates: readonly Candidate[],
  lastLive: ReadonlySet<string>,
  { edgeCount, safety, scope }: SelectionRules,
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
  const stillHealthy = rest
    .filter((candidate) => isStillHealthy(candidate, lastLive, scope))
    .sort((a, b) => Number(isPart(a, a.works)) - Number(isPart(b, b.works)) || byState(a, b));
  const passing = rest.filter(({ verdict }) => passes(verdict.judgement));
  const others = passing.filter((candidate) => !isStillHealthy(candidate, lastLive, scope)).sort(byState);
  const failing = rest.filter(
    (one) => lastLive.has(one.facts.name) && !passes(one.verdict.judgement) && keepsPlace(one, candidates, safety),
  );
  const waits = ({ facts, waitsUntil }: Candidate): boolean => waitsUntil !== null && !lastLive.has(facts.name);
  const flapping = others.filter(waits);
  // Without an edge that passes in it, a set is replaced by whatever passes.
  const isSteady = (candidate: Candidate): boolean => passes(candidate.verdict.judgement) && !waits(candidate);
  const spared = flapping.length > 0 && candidates.some(isSteady) ? failing.filter(isFresh) : [];
  take(stillHealthy, 'still-healthy');
  take(
    others.filter((candidate) => !waits(candidate)),
    'filled',
  );
  take([...spared].sort(byTrust), 'retained');
  const dead = failing.filter((candidate) => !spared.includes(candidate));
  // With `hold_up` they take no empty place while another passes, only that of a member that fails for good.
  const isHeldUp = safety.holdUp !== null && candidates.some((one) => isSteady(one) || isPassingForced(one));
  take(isHeldUp ? flapping.slice(0, dead.length) : flapping, 'filled');
  take(dead.sort(byTrust), 'retained');
  return chosen;
}

/**
 * Whether it was answered in one family only, to complete that, although it `has` the other one too: such an edge takes
 * no place from one that is live by its own right.
 */
function isPart({ answered }: Candidate, has: Readonly<Record<Family, unknown>>): boolean {
  if (answered === null) return false;
  return FAMILIES.some((family) => Boolean(has[family]) && answered[family] === null);
}

function isPassingForced(candidate: Candidate): boolean {
  return passes(candidate.verdict.judgement) && forcedPlace(candidate) !== null;
}

function isFresh({ fails }: Candidate): boolean {
  return fails < DEAD_AFTER;
}

/**
 * Live last round and under `goodenough` now: a faster outsider does not displace it. Neither does it one that has not
 * failed often enough yet to be judged down, nor one on which several vantages do not agree, nor in an event one that passes: ranking waits for the turn.
 */
export function isStillHealthy(
  { facts, verdict, isHeld }: Candidate,
  lastLive: ReadonlySet<string>,
  scope: Scope,
): boolean {
  const { judgement } = verdict;
  return (
    lastLive.has(facts.name) &&
    (isHeld === true ||
      judgement === 'pass_threshold' ||
      (passes(judgement) && (scope === 'event' || isBetween(verdict))))
  );
}

/** The place of an edge that an operator forces; null: of any other. */
/** Judged up although its last results failed. */
export function isBetween({ position }: Verdict): boolean {
  return position?.towards === 'down';
}

export function forcedPlace({ facts, verdict }: Candidate): Place | null {
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

/** The best judgement first, then the best average. */
export function byState(a: Candidate, b: Candidate): number {
  return rank(a) - rank(b) || byAverage(a, b);
}

function rank({ verdict }: Candidate): number {
  return verdict.judgement === null ? 5 : RANK[verdict.judgement];
}

/**
 * Those that still work in one family come first, those whose object was wrong last: rather a slow page than a foreign
 * one.
 */
export function byTrust(a: Candidate, b: Candidate): number {
  return (
    Number(isPart(a, a.facts)) - Number(isPart(b, b.facts)) ||
    Number(worksSomewhere(b)) - Number(worksSomewhere(a)) ||
    Number(a.facts.verificationFailed) - Number(b.facts.verificationFailed) ||
    byAverage(a, b)
  );
}

function worksSomewhere({ works }: Candidate): boolean {
  return works.v4 || works.v6;
}
