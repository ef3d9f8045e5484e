/** What several vantage points say of one edge together, as a fact that judging goes by. */

/** What one vantage says. `up` null: it has no opinion, or none that counts. `detail`: why, a short phrase. */
export type Say = { readonly vantage: string; readonly up: boolean | null; readonly detail: string };

/**
 * The outcome for one edge. `up` null: neither side has what it needs, so the edge stays as it is. `says`: every
 * configured vantage, in the configured order, our own included.
 */
export type EdgeQuorum = {
  readonly up: boolean | null;
  readonly says: readonly Say[];
  /** Votes that are needed to call it down, and those to call it up. */
  readonly needed: { readonly down: number; readonly up: number };
};
