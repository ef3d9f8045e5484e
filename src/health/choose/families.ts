/**
 * Address families. A client asks for A or for AAAA, so a live set is answered family by family: an edge may work over
 * IPv4 and fail over IPv6, or have one of them only. Selection by places alone could leave a family without an answer
 * although an edge passes there; this completes it.
 */

import type { Fetch } from '../checks/sample.ts';
import { type Addresses, type EdgeFacts, FAMILIES, type Family } from '../judge/edge.ts';
import { passes } from '../judge/judge.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { FamilyState } from './decision.ts';
import type { JudgedAddresses } from './judge-edges.ts';
import { missKey } from './misses.ts';
import { byState, byTrust, type Candidate, type Place } from './select.ts';

/** An edge of the wanted set with the addresses it is to be answered with, at least one. */
export type Chosen = { readonly candidate: Candidate; readonly place: Place } & Addresses;

export const FAMILY_NAME: Readonly<Record<Family, string>> = { v4: 'IPv4', v6: 'IPv6' };
export const RECORD_TYPE: Readonly<Record<Family, string>> = { v4: 'A', v6: 'AAAA' };

export type FamilyInput = {
  readonly candidates: readonly Candidate[];
  /** Selection by places, in the order of choice. */
  readonly selected: readonly { readonly candidate: Candidate; readonly place: Place }[];
  /** What was answered until now, by edge; empty before the first live set. */
  readonly before: ReadonlyMap<string, Addresses>;
  readonly edgeCount: number;
  /** The selected edges are kept as they are, and nothing joins them in a family in which they are answered. */
  readonly isKept?: boolean;
};

/**
 * Completes the selected edges, for each family in this order: the addresses of theirs that work; else one more edge
 * that works there, beyond `edgeCount` where need be; else the addresses that were answered so far, as the set itself
 * keeps failing members. A family that some candidate can answer with a working address is therefore never empty. In
 * the order of choice; those that only complete a family come last.
 */
export function completeFamilies(input: FamilyInput): readonly Chosen[] {
  const { candidates, selected, before } = input;
  const members = new Map<string, Chosen>(
    selected.map(({ candidate, place }) => {
      if (place === 'kept')
        return [candidate.facts.name, { candidate, place, ...keptAddresses(candidate.facts, candidate.answered) }];
      const kept = place === 'retained' ? before.get(candidate.facts.name) : undefined;
      return [candidate.facts.name, { candidate, place, ...fitAddresses(candidate, kept) }];
    }),
  );
  for (const family of FAMILIES) {
    const answering = [...members.values()].filter((member) => member[family] !== null);
    if (input.isKept === true && answering.length > 0) continue;
    if (answering.some(({ candidate, place }) => candidate.works[family] || place === 'blindforced')) continue;
    const joins = candidates
      .filter(({ works }) => works[family])
      .sort((a, b) => Number(wasAnswered(b, family, input)) - Number(wasAnswered(a, family, input)) || byState(a, b))
      .at(0);
    if (joins !== undefined) {
      // What fails gives way in this family, now that something passes, unless the set is kept whatever its members do.
      for (const member of answering) if (member.place !== 'kept') put(members, { ...member, [family]: null });
      answerWith(members, joins, family);
    } else if (answering.length === 0) keepFamily(members, family, input);
  }
  return [...members.values()];
}

/**
 * The addresses to answer while the edge is live: those that work, or all of an edge that fails altogether. Of a member
 * that is only kept, those that were answered: it must not come into a family in which it fails.
 */
function fitAddresses({ facts, works }: Candidate, kept: Addresses | undefined): Addresses {
  if (works.v4 || works.v6) return { v4: works.v4 ? facts.v4 : null, v6: works.v6 ? facts.v6 : null };
  return keptAddresses(facts, kept);
}

/** The families in which a member was answered, whether they work or not; all where none is left of those. */
function keptAddresses(facts: EdgeFacts, answered: Addresses | null | undefined): Addresses {
  const v4 = (answered?.v4 ?? null) === null ? null : facts.v4;
  const v6 = (answered?.v6 ?? null) === null ? null : facts.v6;
  return v4 === null && v6 === null ? { v4: facts.v4, v6: facts.v6 } : { v4, v6 };
}

function put(members: Map<string, Chosen>, member: Chosen): void {
  const { name } = member.candidate.facts;
  if (member.v4 === null && member.v6 === null) members.delete(name);
  else members.set(name, member);
}

/** Nothing works in this family: what was answered stays, at most `edgeCount` edges, members of the set first. */
function keepFamily(members: Map<string, Chosen>, family: Family, input: FamilyInput): void {
  const kept = input.candidates
    .filter((candidate) => wasAnswered(candidate, family, input))
    .sort((a, b) => Number(members.has(b.facts.name)) - Number(members.has(a.facts.name)) || byTrust(a, b));
  for (const candidate of kept.slice(0, input.edgeCount)) {
    answerWith(members, candidate, family);
  }
}

/** The candidate answers in this family, too; one that was not chosen answers in no other. */
function answerWith(members: Map<string, Chosen>, candidate: Candidate, family: Family): void {
  const member = members.get(candidate.facts.name) ?? { candidate, place: 'family' as const, v4: null, v6: null };
  put(members, { ...member, [family]: candidate.facts[family] });
}

function wasAnswered({ facts }: Candidate, family: Family, { before }: FamilyInput): boolean {
  return facts[family] !== null && (before.get(facts.name)?.[family] ?? null) !== null;
}

/** What each family is answered with in the end, after the limit. */
export function familyStates(
  answers: ReadonlyMap<string, Addresses>,
  {
    candidates,
    before,
    unanswered,
  }: Pick<FamilyInput, 'candidates' | 'before'> & { readonly unanswered: Family | null },
): Readonly<Record<Family, FamilyState>> {
  const known = new Map(candidates.map((candidate) => [candidate.facts.name, candidate]));
  const stateOf = (family: Family): FamilyState => {
    const answering = [...answers].filter(([, addresses]) => addresses[family] !== null);
    const works = answering.some(([name, addresses]) => {
      const candidate = known.get(name);
      return candidate?.works[family] === true && candidate.facts[family] === addresses[family];
    });
    if (works) return 'passing';
    if (answering.length > 0) return 'failing';
    // Resolvers would keep "no such record" for minutes, so it is not said of edges that may pass in the next round,
    // nor where the edges that answered are gone from the list or unavailable. A set that was answered without this
    // family stays so until an edge passes there.
    const wasAnswered = [...before.values()].some((addresses) => addresses[family] !== null);
    const isOpen = before.size === 0 || wasAnswered || unanswered === family;
    const hopeful = candidates.some(({ facts }) => facts[family] !== null && !isUnreachable(facts, family));
    return isOpen && hopeful ? 'unanswered' : 'none';
  };
  return { v4: stateOf('v4'), v6: stateOf('v6') };
}

/** This machine has no route to the address, as where it has no IPv6 at all: that says nothing about the edge. */
function isUnreachable(facts: EdgeFacts, family: Family): boolean {
  return fetchOf(facts, family)?.fail?.reason === 'unreachable';
}

/**
 * In which families an edge works: its judgement for the one that was judged; for the other what its judge remembers of
 * that address, else the fetch itself. What several vantages say of it comes first.
 */
export function workingFamilies(
  facts: EdgeFacts,
  { judgement }: Verdict,
  { timeout, judged }: { readonly timeout: number; readonly judged: JudgedAddresses },
): Readonly<Record<Family, boolean>> {
  const works = (family: Family): boolean => {
    const address = facts[family];
    if (address === null || facts.mode === 'unavailable') return false;
    if (facts.quorum !== undefined) return facts.quorum.works[family];
    if (judgement === null) return false;
    const fetch = fetchOf(facts, family);
    if (fetch !== null && fetch === facts.sample?.primary) return passes(judgement);
    const own = judged.get(missKey(facts.name, address));
    if (own !== undefined) return own.up;
    if (fetch === null) return passes(judgement);
    return fetch.fail === null && fetch.seconds < timeout;
  };
  return { v4: works('v4'), v6: works('v6') };
}

/** This round's fetch of one of the edge's addresses; null: none was made. */
export function fetchOf({ sample }: Pick<EdgeFacts, 'sample'>, family: Family): Fetch | null {
  if (sample === null || sample.primary === null) return null;
  return [sample.primary, ...sample.others].find(({ address }) => familyOf(address) === family) ?? null;
}

export function familyOf(address: string): Family {
  return address.includes(':') ? 'v6' : 'v4';
}
