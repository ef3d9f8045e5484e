/** The contract of a kind of check: what it is asked with, and what one try of it comes back with. */
import type { SecureContext } from 'node:tls';
import type { z } from 'zod';
import type { Lane } from './lanes.ts';
import type { Programs } from './programs.ts';
import type { StallClock } from './stall.ts';

/** What every check has. `name`: unique in its network. `timeout`: seconds for one address, at most the network's. */
export type CheckHead = { readonly name: string; readonly timeout: number };

/** One address of one edge, and the test that is put to it. `lane`: whose places it may take; else the usual ones. */
export type Target<Test> = {
  readonly edge: string;
  readonly address: string;
  readonly test: Test;
  readonly lane?: Lane;
};

/** What all checks share. */
export type ProbeTools = {
  readonly userAgent: string;
  /** Whom certificates are believed from: the authorities in `ca` (PEM), or the usual ones for null. */
  readonly trust: (ca: string | null) => SecureContext;
  readonly stalls: StallClock;
  /** For checks that start programs; where it is missing, they cannot. */
  readonly programs?: Programs;
  /** Aborted when the result is not wanted any more: sockets close at once. */
  readonly signal: AbortSignal;
  /** Waits between two tries, milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
};

/**
 * `retry`: a connection error, which another try may not meet. `detail`: a sentence for people. `unknown`: trouble of our
 * own machine (no process, no descriptor), which says nothing about the edge: there is no sample, and its last state
 * stands.
 */
export type Failure<Reason extends string> = {
  readonly reason: Reason;
  readonly detail: string;
  readonly retry: boolean;
  readonly unknown?: boolean;
};

/** One try. Durations are seconds; a phase is null where it was not reached, or not needed. */
export type Attempt<Reason extends string> = {
  readonly fail: Failure<Reason> | null;
  readonly seconds: number;
  readonly phases: { readonly connect: number | null; readonly tls: number | null; readonly firstByte: number | null };
  /** Redirects followed, for kinds that have them. */
  readonly hops: number;
  /** By how much it may be too long because our own loop stood still, milliseconds. */
  readonly stalledMs: number;
};

export type Check<Test, Reason extends string> = {
  readonly kind: string;
  /** What the configuration says of it. */
  readonly schema: z.ZodType;
  /** Why it can fail; closed. */
  readonly reasons: readonly Reason[];
  /** One try. `deadline`: of `performance.now()`. May throw for a test that cannot be made. */
  readonly probe: (target: Target<Test>, deadline: number, tools: ProbeTools) => Promise<Attempt<Reason>>;
};
