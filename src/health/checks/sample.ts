/** What checks make and judges take: one target's sample of one round, whatever the kind of check. */
import type { CHECK_SCHEMAS } from '../../config/section-checks.ts';
import { COMMAND_REASONS } from './command.ts';
import { DNS_REASONS } from './dns.ts';
import { HTTP_REASONS, HTTP_WRONG_CONTENT } from './http-fail.ts';
import { ICMP_REASONS } from './icmp.ts';
import { TCP_REASONS } from './tcp.ts';

export type CheckKind = keyof typeof CHECK_SCHEMAS;

/** Every kind's reasons to fail. */
export const REASONS = {
  http: HTTP_REASONS,
  tcp: TCP_REASONS,
  icmp: ICMP_REASONS,
  command: COMMAND_REASONS,
  dns: DNS_REASONS,
} as const satisfies { readonly [Kind in CheckKind]: readonly string[] };

/** Of a check, or `resolve`: the edge's name has no address, so that nothing could be asked. */
export type FailReason = 'resolve' | (typeof REASONS)[CheckKind][number];

export const FAIL_REASONS: readonly FailReason[] = [
  ...new Set<FailReason>(['resolve', ...Object.values(REASONS).flat()]),
];

export const CHECK_KINDS = Object.keys(REASONS) as readonly CheckKind[];

/**
 * Reasons that say an edge served something else than it should, cut short or too long included: what edgemanage notes
 * in `verification_failures` (specification section 4).
 */
export const WRONG_CONTENT: ReadonlySet<FailReason> = new Set<FailReason>(HTTP_WRONG_CONTENT);

/**
 * Seconds each phase of the last try took, summed over redirect hops; null where it was not reached (or not needed:
 * `tls` of http, `resolve` of an address). `total` is everything, the look-up and the body included.
 */
export type Phases = {
  readonly resolve: number | null;
  readonly connect: number | null;
  readonly tls: number | null;
  readonly firstByte: number | null;
  readonly total: number;
};

/** What one check of one address came to. */
export type CheckOutcome = {
  /** Of the check; unique in its network. */
  readonly name: string;
  readonly kind: CheckKind;
  /** Elapsed seconds, redirects and body included, the name's look-up not; the network's timeout when it failed. */
  readonly seconds: number;
  /** `unknown`: trouble of our own, of which no sample is made. */
  readonly fail: { readonly reason: FailReason; readonly detail: string; readonly unknown?: boolean } | null;
  readonly phases: Phases;
  /** Tries on connection errors, at least 1. */
  readonly attempts: number;
  /** Redirects followed, 0 for most. */
  readonly hops: number;
};

/** What all checks of one address came to: the figures are those of the check that decided. */
export type Fetch = Omit<CheckOutcome, 'name' | 'kind'> & {
  readonly address: string;
  /** Name of the check that decided. */
  readonly check: string;
  /** Every check's, in the configured order; at least one. */
  readonly checks: readonly CheckOutcome[];
};

/**
 * What one round learned of one edge or canary. `seconds` and `fail` are those of its primary address (IPv4 when it has
 * one); an edge with both families carries the other's fetch in `others`, and an address whose own fetch failed is not
 * published while the edge stays live by the other.
 */
export type Sample = {
  readonly edge: string;
  readonly at: number;
  readonly seconds: number;
  readonly fail: Fetch['fail'];
  readonly primary: Fetch | null; // null when no address was found
  readonly others: readonly Fetch[];
  /**
   * Taken while the prober itself stalled, and so marked; such a sample is retried, not judged, unless retries ran out.
   */
  readonly stalledMs: number;
};

/** Name of the check that decided about the sample's primary address; null where there was only one, or none. */
export function decidingCheck({ primary }: Pick<Sample, 'primary'>): string | null {
  return primary !== null && primary.checks.length > 1 ? primary.check : null;
}

/**
 * How long the check took in truth, seconds: `seconds` of a sample that failed is the timeout, as judges count it. Of several
 * tries the last one; null: there was no address to ask.
 */
export function takenSeconds({ fail, seconds, primary }: Pick<Sample, 'fail' | 'seconds' | 'primary'>): number | null {
  return fail === null ? seconds : (primary?.phases.total ?? null);
}
