/** What the threads that answer, the thread that writes dnstap and the main thread have in common. */

import { createRing } from './ring.ts';

/** Why messages were dropped. */
export const DROP_REASONS = ['rate_limit', 'queue_full', 'disconnected'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** Messages since the start: what was handed to the receiver or the file, and what was not. */
export type DnstapCounts = { readonly sent: number; readonly dropped: { readonly [reason in DropReason]: number } };

export const NO_COUNTS: DnstapCounts = { sent: 0, dropped: { rate_limit: 0, queue_full: 0, disconnected: 0 } };

/** Memory that lives as long as the server, however often settings change. */
export type DnstapMemory = {
  /** One queue for each thread that answers, by its row in the statistics. */
  readonly rings: readonly SharedArrayBuffer[];
  /** Words `OPEN` and `LIMIT`, then counters. */
  readonly state: SharedArrayBuffer;
};

/** What a thread that answers needs to know; null instead of it: nothing is reported. */
export type SamplerSettings = {
  /** One query in so many is reported. */
  readonly sampleRate: number;
  readonly queries: boolean;
  readonly responses: boolean;
  /** Messages of all threads together. */
  readonly maxPerSecond: number;
  /** Empty: left out. */
  readonly identity: string;
  readonly version: string;
  readonly memory: DnstapMemory;
};

/** Word: 1 while messages can be handed to somebody. */
export const OPEN = 0;
/** Word: the rate limit's, see `MessageLimit`. */
export const LIMIT = 1;
const COUNTERS_AT = 64;
const COUNTERS = 1 + DROP_REASONS.length;

/** Counters of a row: whole numbers, written by one thread alone. */
export const COUNTER: { readonly sent: number } & { readonly [reason in DropReason]: number } = {
  sent: 0,
  rate_limit: 1,
  queue_full: 2,
  disconnected: 3,
};

/** `threads`: how many answer. */
export function createMemory(threads: number): DnstapMemory {
  return {
    rings: Array.from({ length: threads }, () => createRing()),
    state: new SharedArrayBuffer(COUNTERS_AT + 8 * COUNTERS * (threads + 1)),
  };
}

/** The counters of one thread that answers, or with the row behind theirs of the one that writes. */
export function countersOf({ state }: DnstapMemory, row: number): Float64Array {
  return new Float64Array(state, COUNTERS_AT + 8 * COUNTERS * row, COUNTERS);
}

export function sumCounts(memory: DnstapMemory): DnstapCounts {
  const sum = (counter: number): number => {
    let total = 0;
    for (let row = 0; row <= memory.rings.length; row++) total += countersOf(memory, row)[counter];
    return total;
  };
  return {
    sent: sum(COUNTER.sent),
    dropped: {
      rate_limit: sum(COUNTER.rate_limit),
      queue_full: sum(COUNTER.queue_full),
      disconnected: sum(COUNTER.disconnected),
    },
  };
}
