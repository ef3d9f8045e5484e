/** One vantage's view of a network: what it tells the others, and what it hears from them. Times are epoch seconds. */
import type { CanaryFacts, EdgeFacts } from '../judge/edge.ts';

/** What a vantage found of one edge or canary, and what its own judge makes of it. */
export type EdgeView = {
  readonly name: string;
  /** Judged by the vantage's own rules; null: never asked, unavailable, or its own line is in doubt. */
  readonly up: boolean | null;
  /** Why, at most 200 characters. */
  readonly detail: string;
  /** How many samples of it this process has taken: the same number, the same sample. */
  readonly samples: number;
  /** Addresses, newest sample and figures, without what an operator set. Its times are the vantage's own clock's. */
  readonly facts: Pick<EdgeFacts, 'sample' | 'figures' | 'v4' | 'v6' | 'verificationFailed'>;
};

export type CanaryView = EdgeView & Pick<CanaryFacts, 'zone'>;

export type VantageView = {
  readonly vantage: string;
  readonly network: string;
  /** Random, another one at each start of the process: turns are compared within one. */
  readonly boot: string;
  /** Goes up with each view of the network. */
  readonly turn: number;
  /** Of Edgewise. */
  readonly version: string;
  /** Of what decides in this network (`configHash`). */
  readonly config: string;
  /** The vantage's clock when it made this. Reported, and nothing is decided by it. */
  readonly clock: number;
  /** Of the network's live set as the vantage serves it, and the highest that it ever gave or saw in any network. */
  readonly serial: number;
  readonly highestSerial: number;
  readonly edges: readonly EdgeView[];
  readonly canaries: readonly CanaryView[];
};

/**
 * A view as it came. `age`: seconds since its boot or turn last changed, by the reader's monotonic clock. `at`: when that
 * was by the reader's own wall clock, which is what times of samples are compared with here.
 */
export type ReceivedView = { readonly view: VantageView; readonly age: number; readonly at: number };
