import { count, list } from '../judge/reason.ts';
import type { Hold } from '../judge/types.ts';
import type { CandidatePool } from './candidates.ts';
import { holdText } from './limit.ts';

export type NotesInput = {
  readonly field: CandidatePool;
  /** Names published after the limit, sorted. */
  readonly live: readonly string[];
  readonly hold: Hold | null;
  /** Failing canaries when `canary_killer` struck, else null. */
  readonly killed: number | null;
  readonly canaryKiller: number;
};

/** What an operator should know about the round as a whole, worst first; empty in a normal round. */
export function notesOf({ field, live, hold, killed, canaryKiller }: NotesInput): readonly string[] {
  const { edgeCount, passing } = field;
  const notes: string[] = [];
  const failing = live.filter((name) => !passing.has(name));
  if (live.length === 0) {
    const stays =
      field.lastLive.size === 0 ? 'none ever was' : `what was published stays: ${list([...field.lastLive])}`;
    notes.push(`no edge is fit to be live; ${stays}`);
  } else if (failing.length === live.length) {
    notes.push(`no live edge passes: ${list(failing)} kept so that the zones have an answer`);
  } else if (failing.length > 0) {
    notes.push(`${count(failing.length, 'live edge')} not passing: ${list(failing)}`);
  }
  if (live.length > 0 && live.length < edgeCount)
    notes.push(`only ${live.length} of ${edgeCount} wanted edges are live`);
  if (hold !== null) notes.push(`wanted ${list(field.wanted)}, but ${holdText(hold)}`);
  const forced = field.selected.filter(({ place }) => place === 'forced' || place === 'blindforced');
  if (forced.length > edgeCount) notes.push(`${forced.length} edges are forced, ${edgeCount} wanted: all are live`);
  if (killed !== null) notes.push(`no canary is used: ${killed} fail, canary_killer is ${canaryKiller}`);
  const doubles = field.refused.filter(({ refusal }) => refusal.kind === 'canary').map(({ edge }) => edge.name);
  if (doubles.length > 0) notes.push(`edge and canary at once, used as canary only: ${list(doubles)}`);
  if (field.unlisted.length > 0) notes.push(`no longer in the edge list: ${list(field.unlisted)}`);
  return notes;
}
