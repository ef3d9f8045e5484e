/** What the decider of several vantages stores, and every one of them serves. Times are epoch seconds. */
import type { LiveMember } from '../choose/live-member.ts';
import type { Memory } from '../choose/memory.ts';
import type { Say } from '../judge/quorum.ts';

/**
 * The part of a network's memory that belongs to the answer and so is the same everywhere. The rest (who failed how
 * often) each vantage works out by itself from everybody's views.
 */
export type DecidedMemory = Pick<
  Memory,
  'lastLive' | 'borrowed' | 'answered' | 'unanswered' | 'rotations' | 'activeCanaries' | 'canaryRotations'
>;

export type DecidedSet = {
  readonly network: string;
  /** Of the live set; later than any that any vantage reports. */
  readonly serial: number;
  /** Per zone whose canary changed since: its serial. */
  readonly canarySerials: ReadonlyMap<string, number>;
  readonly live: readonly LiveMember[];
  readonly memory: DecidedMemory;
  /** By the decider's clock. Shown, and nothing is decided by it. */
  readonly at: number;
  /** The vantage that decided, and the fencing token under which it did. */
  readonly by: string;
  readonly token: string;
  /** The turn of each vantage whose view it rests on. */
  readonly basis: ReadonlyMap<string, number>;
  /** Of the edges that joined or left: who says what of them. */
  readonly says: ReadonlyMap<string, readonly Say[]>;
};
