import { type Addresses, FAMILIES, type Family } from '../judge/edge.ts';
import type { Misses } from './memory.ts';
import type { Candidate } from './select.ts';
import { DEAD_AFTER } from './steadiness.ts';

/** How an answered address is found in `Memory.misses`. */
export function missKey(edge: string, address: string): string {
  return `${edge} ${address}`;
}

/**
 * Counts, for each address that is answered, the samples in a row in which it did not work. An edge that is at another
 * address now misses at its old one: nobody fetches that any more. A sample counts once. `first`: failures in a row
 * behind the first that is judged as one.
 */
export function missesAfter(
  before: ReadonlyMap<string, Misses>,
  answered: ReadonlyMap<string, Addresses>,
  candidates: readonly Pick<Candidate, 'facts' | 'verdict' | 'works'>[],
  first: number,
): ReadonlyMap<string, Misses> {
  const after = new Map<string, Misses>();
  for (const candidate of candidates) {
    const { name, sample } = candidate.facts;
    for (const family of FAMILIES) {
      const address = answered.get(name)?.[family] ?? null;
      if (address === null || worksAt(candidate, family, address)) continue;
      const key = missKey(name, address);
      const known = before.get(key);
      // Of an edge without a judgement nothing is known, whatever its sample says.
      const isNew = candidate.verdict.judgement !== null && sample !== null && sample.at !== known?.at;
      const next = isNew ? { count: known === undefined ? first : known.count + 1, at: sample.at } : known;
      if (next !== undefined) after.set(key, next);
    }
  }
  return after;
}

export function worksAt(
  { facts, works }: Pick<Candidate, 'facts' | 'works'>,
  family: Family,
  address: string,
): boolean {
  return facts[family] === address && works[family];
}

/** Failed so often in a row that it may leave during a hold. */
export function isDead(misses: ReadonlyMap<string, Misses>, edge: string, address: string): boolean {
  return (misses.get(missKey(edge, address))?.count ?? 0) >= DEAD_AFTER;
}
