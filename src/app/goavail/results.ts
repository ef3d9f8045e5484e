/** What results in a row make of goavail's addresses, and what should be published of them. Pure. */

import { countResult } from '../../health/judge/rise-fall.ts';

/** `against`: results in a row that contradict `up`. */
export type AddressState = { readonly up: boolean; readonly against: number };

/** goavail takes every address for live and published until results say otherwise. */
export const ASSUMED_UP: AddressState = { up: true, against: 0 };

/** The change comes with the `threshold`th result in a row, once an outage. Returns `was` itself if nothing changed. */
export function withResult(was: AddressState, passes: boolean, threshold: number): AddressState {
  const { up, count } = countResult({ up: was.up, count: was.against }, passes, { rise: threshold, fall: threshold });
  return up === was.up && count === was.against ? was : { up, against: count };
}

/**
 * The addresses that should be published, in their order: those that are up. When none is, what is published stays,
 * cut down to the last that failed; a name is never left without address.
 */
export function wantedAddresses(
  states: ReadonlyMap<string, AddressState>,
  published: ReadonlySet<string>,
): ReadonlySet<string> {
  const listed = [...states.keys()];
  const up = listed.filter((address) => states.get(address)?.up === true);
  if (up.length > 0) return new Set(up);
  const kept = listed.filter((address) => published.has(address));
  return new Set(kept.length > 0 ? kept : listed.slice(0, 1));
}

/** The states of the addresses in `listed`: known ones go on where they were, new ones are taken for live. */
export function withAddresses(
  states: ReadonlyMap<string, AddressState>,
  listed: readonly string[],
): ReadonlyMap<string, AddressState> {
  return new Map(listed.map((address) => [address, states.get(address) ?? ASSUMED_UP]));
}
