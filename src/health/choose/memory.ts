/** What a network's decisions remember from round to round; the state file keeps it. */

import type { Addresses, Family } from '../judge/edge.ts';
import type { Judged, Unsteady } from '../judge/verdict.ts';

export type Memory = {
  /** Names of the edges live after the last round, sorted. */
  readonly lastLive: readonly string[];
  /** Those of `lastLive` that are another network's, which answered instead (`below: fallback`). */
  readonly borrowed?: readonly string[];
  /** What was answered of each of them; one that is missing was taken over by its name only. */
  readonly answered: ReadonlyMap<string, Addresses>;
  /** A family that is answered with SERVFAIL, because no address of it has worked since the first live set. */
  readonly unanswered: Family | null;
  /** Edges that failed lately, by name. */
  readonly unsteady: ReadonlyMap<string, Unsteady>;
  /** What judges that count results in a row remember, by edge or canary; of an edge's second address by `missKey`. */
  readonly judged: ReadonlyMap<string, Judged>;
  /** Which edges and canaries the vantage points together last held to be up, or down; absent: never asked. */
  readonly agreed?: ReadonlyMap<string, boolean>;
  /** Addresses that are answered and do not work, by edge and address (`missKey`). */
  readonly misses: ReadonlyMap<string, Misses>;
  /** When what is answered changed, epoch seconds, newest last; at most 100. */
  readonly rotations: readonly number[];
  readonly activeCanaries: readonly ActiveCanary[];
  /** Per zone: when its canary changed, for the per-zone limit. */
  readonly canaryRotations: ReadonlyMap<string, readonly number[]>;
};

/** A canary that is in use: it stands in for `victim` in its zone only. */
export type ActiveCanary = { readonly zone: string; readonly address: string; readonly victim: string | null };

/** Samples in a row in which an answered address did not work, or its edge was at another one; `at` as in `Unsteady`. */
export type Misses = { readonly count: number; readonly at: number };

/** Nothing happened yet. */
export const NO_MEMORY: Memory = {
  lastLive: [],
  answered: new Map(),
  unanswered: null,
  unsteady: new Map(),
  judged: new Map(),
  misses: new Map(),
  rotations: [],
  activeCanaries: [],
  canaryRotations: new Map(),
};
