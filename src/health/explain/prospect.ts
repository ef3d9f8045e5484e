import { byName, moment } from '../judge/reason.ts';
import type { Change, NextRound } from './suppose.ts';

/**
 * One thing that would change whether an edge is live (or a canary used), found by deciding supposed next rounds.
 * `live`: what it would be then. `edges`: others that take part, as the text says.
 */
export type Prospect = {
  readonly kind: 'list' | 'mode' | 'hold' | 'address' | 'fetch' | 'others' | 'stays';
  readonly live: boolean;
  /** Fetch time in seconds at which it turns; null where no fetch time decides. */
  readonly seconds: number | null;
  readonly edges: readonly string[];
  readonly text: string;
};

export function prospect(
  kind: Prospect['kind'],
  live: boolean,
  at: number | null,
  edges: readonly string[],
  text: string,
): Prospect {
  return { kind, live, seconds: at, edges, text };
}

/** One edge changed, the others as they are. */
export function supposed(name: string, change: Change): ReadonlyMap<string, Change> {
  return new Map([[name, change]]);
}

export const NOTHING: ReadonlyMap<string, Change> = new Map();

/** Those of `names` that `others` does not have, sorted. */
export function without(names: ReadonlySet<string>, others: Iterable<string>): string[] {
  const gone = new Set(others);
  return [...names].filter((name) => !gone.has(name)).sort(byName);
}

/** `its next fetch succeeds`, or of a judge that counts `each of its next 2 fetches succeeds`. `verb` in the singular. */
export function nextFetches(results: number, whose: string): string {
  return results === 1 ? `${whose} next fetch` : `each of ${whose} next ${results} fetches`;
}

/** What to add to a sentence about a round that the rotation limit puts off. */
export function afterHold({ heldUntil }: NextRound): string {
  return heldUntil === null ? '' : `, not before the rotation limit allows it at ${moment(heldUntil)}`;
}
