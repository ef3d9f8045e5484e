/** An edge as a round finds it: its mode, its addresses, its samples. Times are epoch seconds (fractions allowed). */

import type { Sample } from '../checks/sample.ts';
import type { Figures, History } from './history.ts';
import type { EdgeQuorum } from './quorum.ts';

/**
 * Set by an operator. `force`: live while it passes; `blindforce`: live whatever it does; `unavailable`: never live.
 */
export type Mode = 'available' | 'force' | 'blindforce' | 'unavailable';

/** Address families, in the order in which they are reported. */
export const FAMILIES = ['v4', 'v6'] as const;
export type Family = (typeof FAMILIES)[number];
/** One address a family; null: none. */
export type Addresses = Readonly<Record<Family, string | null>>;

export type EdgeInput = {
  readonly name: string;
  readonly mode: Mode;
  /** When the mode goes back to available by itself; null: it does not. */
  readonly modeUntil: number | null;
  readonly comment: string;
  /** This round's sample is in it already (`withSample`). */
  readonly history: History;
  /** The newest sample; null when the edge was never fetched by this process. */
  readonly sample: Sample | null;
  /** The edge's addresses, whether they work or not; both null: none is known, so the edge cannot be live. */
  readonly v4: string | null;
  readonly v6: string | null;
  /** It served another object than the reference, a part of it, or more (`hasBadObject` in round-input.ts). */
  readonly verificationFailed: boolean;
};

/** One zone's configured canary. */
export type CanaryInput = EdgeInput & { readonly zone: string };

/** An edge with its history summed up: what the history log keeps, so that a round can be decided again. */
export type EdgeFacts = Omit<EdgeInput, 'history'> & {
  readonly figures: Figures;
  /** What the vantage points together make of it, which then judges; absent: nobody was asked. */
  readonly quorum?: EdgeQuorum | undefined;
};

export type CanaryFacts = EdgeFacts & { readonly zone: string };
