/**
 * The uplink guard: when what must answer does not answer either, it is our own line that fails, not the edges. What
 * fails then is not believed, and the set is kept.
 */

import { list } from '../judge/reason.ts';
import type { Verdict } from '../judge/verdict.ts';

/** What asking one reference came to. `passes` null: not known, because of trouble of our own. */
export type ReferenceFact = { readonly name: string; readonly passes: boolean | null; readonly detail: string };

/** Of `known` references that were asked, these fail. `inDoubt`: they are more than half. */
export type UplinkState = { readonly inDoubt: boolean; readonly known: number; readonly failing: readonly string[] };

/** Null: there are no references. */
export function uplinkState(references: readonly ReferenceFact[] = []): UplinkState | null {
  if (references.length === 0) return null;
  const known = references.filter(({ passes }) => passes !== null);
  const failing = known.filter(({ passes }) => passes === false).map(({ name }) => name);
  return { inDoubt: failing.length * 2 > known.length, known: known.length, failing };
}

/**
 * The state by which a round is decided. Where several vantages judge, doubt has silenced our own view already, and the
 * set follows the others.
 */
export function decidingUplink({
  references,
  views,
}: {
  readonly references?: readonly ReferenceFact[] | undefined;
  readonly views?: unknown;
}): UplinkState | null {
  return views === undefined ? uplinkState(references) : null;
}

/** The verdict as it can be believed: with the line in doubt, that an edge fails says nothing of it. */
export function believed(verdict: Verdict, uplink: UplinkState | null): Verdict {
  if (uplink?.inDoubt !== true || verdict.judgement !== 'fail') return verdict;
  return { ...verdict, judgement: null, why: `unknown, because ${doubtText(uplink)}: ${verdict.why}` };
}

/** "our own line is in doubt (2 of 3 references fail: gateway and resolver)". */
export function doubtText({ known, failing }: UplinkState): string {
  const many = known === 1 ? 'the only reference fails' : `${failing.length} of ${known} references fail`;
  return `our own line is in doubt (${many}: ${list(failing)})`;
}
