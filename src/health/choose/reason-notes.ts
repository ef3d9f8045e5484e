import { FAMILIES } from '../judge/edge.ts';
import { isSuspect, saysText } from '../judge/quorum.ts';
import { count, list } from '../judge/reason.ts';
import type { CandidatePool } from './candidates.ts';
import type { Decision } from './decision.ts';
import { FAMILY_NAME, RECORD_TYPE } from './families.ts';
import { holdText } from './limit.ts';
import type { Limited } from './limit-live.ts';
import type { RoundFacts } from './round.ts';
import type { SafetyState } from './safety.ts';
import { minUpText } from './safety-min-up.ts';
import { doubtText, uplinkState } from './safety-uplink.ts';

export type NotesInput = {
  readonly pool: CandidatePool;
  readonly limited: Limited;
  readonly families: Decision['families'];
  readonly safety: SafetyState;
  /** Failing canaries when `canary_killer` struck, else null. */
  readonly killed: number | null;
  readonly canaryKiller: number;
};

/** What an operator should know about the round as a whole, worst first; empty in a normal round. */
export function notesOf({ pool, limited, families, safety, killed, canaryKiller }: NotesInput): readonly string[] {
  const { edgeCount } = pool;
  // An edge that works in one family is answered there; of the other its family speaks.
  const working = new Set(pool.candidates.filter(({ works }) => works.v4 || works.v6).map(({ facts }) => facts.name));
  const { hold, replaced } = limited;
  const live = [...limited.answers.keys()];
  const notes: string[] = [];
  const { minUp } = safety;
  const { uplink } = pool;
  const isDoubtful = uplink?.inDoubt === true;
  if (isDoubtful) notes.push(`${doubtText(uplink)}: what fails is not believed, the set is kept`);
  if (minUp !== null && (minUp.below !== null || minUp.doubt !== undefined)) notes.push(minUpText(minUp, minUp.below));
  const failing = live.filter((name) => !working.has(name));
  if (live.length === 0) {
    const stays = pool.lastLive.size === 0 ? 'none ever was' : `what was published stays: ${list([...pool.lastLive])}`;
    notes.push(`no edge is fit to be live; ${stays}`);
  } else if (isDoubtful) {
    // Nothing is known of those that fail.
  } else if (failing.length === live.length) {
    notes.push(`no live edge passes: ${list(failing)} kept so that the zones have an answer`);
  } else if (failing.length > 0) {
    notes.push(`${count(failing.length, 'live edge')} not passing: ${list(failing)}`);
  }
  if (!isDoubtful) notes.push(...familyNotes(pool, limited, families));
  if (live.length > 0 && live.length < edgeCount) {
    const why = safety.unfilled === 0 ? '' : '; by "fill: none" failing edges do not take the other places';
    notes.push(`only ${live.length} of ${edgeCount} wanted edges are live${why}`);
  }
  if (hold !== null) notes.push(`wanted ${list(pool.wanted)}, but ${holdText(hold)}`);
  for (const { edge, by } of replaced) {
    if (edge === by) notes.push(`${edge} is answered at its new address in spite of the rotation limit`);
    else notes.push(`${edge} failed three times in a row: ${by} took its place in spite of the rotation limit`);
  }
  if (safety.heldUp.length > 0) notes.push(`not live yet by hold_up, although they pass: ${list(safety.heldUp)}`);
  const forced = pool.chosen.filter(({ place }) => place === 'forced' || place === 'blindforced');
  if (forced.length > edgeCount) notes.push(`${forced.length} edges are forced, ${edgeCount} wanted: all are live`);
  if (killed !== null) notes.push(`no canary is used: ${killed} fail, canary_killer is ${canaryKiller}`);
  const doubles = pool.refused.filter(({ refusal }) => refusal.kind === 'canary').map(({ edge }) => edge.name);
  if (doubles.length > 0) notes.push(`edge and canary at once, used as canary only: ${list(doubles)}`);
  if (pool.unlisted.length > 0) notes.push(`no longer in the edge list: ${list(pool.unlisted)}`);
  return notes;
}

/** Vantages and edges that are shown by name. */
const NAMED_MAX = 5;

/** Vantages that do not count, and edges that some of them see down. */
export function vantageNotes({ views, edges, canaries, references }: RoundFacts): readonly string[] {
  if (views === undefined) return [];
  const uplink = uplinkState(references);
  const targets = new Map([...edges, ...canaries].map((edge) => [edge.name, edge]));
  const suspects = [...targets.values()].flatMap(({ name, quorum }) =>
    quorum !== undefined && isSuspect(quorum) ? [`suspect: ${name}, ${saysText(quorum.says, false)}`] : [],
  );
  const more = suspects.length - NAMED_MAX;
  return [
    ...(uplink?.inDoubt === true ? [`${doubtText(uplink)}: what fails here is no vote`] : []),
    ...views.excluded.slice(0, NAMED_MAX).map(({ vantage, why }) => `vantage ${vantage} does not count: ${why}`),
    ...suspects.slice(0, NAMED_MAX),
    ...(more > 0 ? [`${count(more, 'edge')} more ${more === 1 ? 'is' : 'are'} suspect`] : []),
  ];
}

/** Families that are not answered as they should be. A set without any member has a note of its own. */
function familyNotes(
  { candidates, before }: CandidatePool,
  { answers }: Limited,
  families: Decision['families'],
): string[] {
  if (answers.size === 0) return [];
  const anyPasses = FAMILIES.some((family) => families[family] === 'passing');
  const notes: string[] = [];
  for (const family of FAMILIES) {
    const [name, type] = [FAMILY_NAME[family], RECORD_TYPE[family]];
    const edges = [...answers].filter(([, addresses]) => addresses[family] !== null).map(([edge]) => edge);
    const had = [...before].filter(([, addresses]) => addresses[family] !== null).map(([edge]) => edge);
    const known = candidates.filter(({ facts }) => facts[family] !== null).map(({ facts }) => facts.name);
    switch (families[family]) {
      case 'passing':
        break;
      case 'failing':
        // Where nothing passes at all, that is said once.
        if (anyPasses)
          notes.push(`no live edge passes over ${name}: ${list(edges)} kept so that ${type} has an answer`);
        break;
      case 'unanswered':
        notes.push(`no edge passes over ${name} and no answer is left to keep: ${type} is SERVFAIL until one passes`);
        break;
      case 'none':
        if (had.length > 0) notes.push(`${type} is no longer answered: ${list(had)} had the last ${name} addresses`);
        else if (known.length > 0) notes.push(`no edge passes over ${name}, so ${type} has no answer: ${list(known)}`);
        break;
    }
  }
  return notes;
}
