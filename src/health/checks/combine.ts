import type { CheckOutcome } from './sample.ts';

/** Whether all checks of an address must pass, or one is enough. */
export type Combine = 'all' | 'any';

/**
 * The check that decides about an address. `all`: the first that failed in configured order, else the slowest. `any`:
 * the fastest that passed, else the first. What is unknown leaves it to the others where they decide whatever it would
 * have been, else the address is unknown. Null for no outcomes.
 */
export function decisive<Outcome extends Pick<CheckOutcome, 'seconds' | 'fail'>>(
  outcomes: readonly Outcome[],
  combine: Combine,
): Outcome | null {
  const passed = outcomes.filter(({ fail }) => fail === null);
  const unknown = outcomes.find(({ fail }) => fail?.unknown === true);
  if (combine === 'all' && passed.length < outcomes.length) {
    return outcomes.find(({ fail }) => fail !== null && fail.unknown !== true) ?? unknown ?? null;
  }
  if (passed.length === 0) return unknown ?? outcomes[0] ?? null;
  const sign = combine === 'all' ? -1 : 1;
  // Of equals the first, as sorting is stable.
  return [...passed].sort((a, b) => sign * (a.seconds - b.seconds))[0];
}
