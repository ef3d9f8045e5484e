/** Messages between the main thread and the prober's. */
import type { Combine } from './combine.ts';
import type { CheckTest } from './registry.ts';
import type { Sample } from './sample.ts';

/** What one network's targets are asked, and how. */
export type ProbePlan = {
  /** At least one; those of one address run side by side. */
  readonly checks: readonly CheckTest[];
  readonly combine: Combine;
  readonly timeout: number; // seconds, for everything
  readonly retry: number; // tries on connection errors
  readonly workers: number; // targets that pass, asked in parallel (lanes.ts)
};

export type ProbeTarget = {
  readonly name: string;
  readonly canary: boolean;
  /** A member of the live set: asked before the others, and waits for none of them. */
  readonly live?: boolean;
  /** It failed when it was asked last, and may hang again: the others do not wait for it. */
  readonly failed?: boolean;
  /** Of a named one, from earlier runs: tried where the resolver is in trouble. */
  readonly lastAddresses?: readonly string[];
};

export type RoundRequest = {
  readonly kind: 'round';
  readonly id: number;
  readonly network: string;
  readonly plan: ProbePlan;
  readonly targets: readonly ProbeTarget[];
  /** Starts are spread evenly over this many seconds. */
  readonly spread: number;
  /**
   * For turns that follow one upon another: a live member that fails, or is silent for half of this many seconds, has
   * the other live members asked at once and once more after as long; what died with it is seen with it. Unless given,
   * the round stands alone and asks each target once.
   */
  readonly settle?: number;
  /** Distinct failing canaries at which queued canary fetches are cancelled; 0: never. */
  readonly canaryKiller: number;
};

/** Main thread → prober. */
export type ProbeRequest =
  | RoundRequest
  /** Another live set is in force: who is asked without waiting. */
  | { readonly kind: 'live'; readonly network: string; readonly names: readonly string[] }
  /** Nobody waits for this round any more: its sockets close. */
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'stop' };

/** What a round says of itself when it has ended. */
export type RoundEnd = {
  /** Epoch seconds. */
  readonly startedAt: number;
  readonly seconds: number;
  /** Canaries that were not fetched because `canaryKiller` was reached. */
  readonly cancelled: readonly string[];
  /** Targets without a sample because of trouble of our own; what it was, for people. */
  readonly unknown: readonly { readonly edge: string; readonly why: string }[];
  /** Targets that an earlier turn was still asking, for longer than `spread`, when their place in this one came. */
  readonly overdue: readonly string[];
  /** Largest event-loop delay seen during the round, milliseconds. */
  readonly loopDelayMs: number;
};

/** Prober → main thread. */
export type ProbeReport =
  | { readonly kind: 'ready' }
  /** Something threw where nothing should; the round goes on, the thread is replaced after it. */
  | { readonly kind: 'problem'; readonly message: string }
  | { readonly kind: 'samples'; readonly id: number; readonly samples: readonly Sample[] }
  | ({ readonly kind: 'done'; readonly id: number } & RoundEnd);
