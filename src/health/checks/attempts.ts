import { within } from '../../system/deadline.ts';
import type { Attempt, ProbeTools } from './check.ts';
import { decisive } from './combine.ts';
import type { Lane } from './lanes.ts';
import type { ProbePlan } from './protocol.ts';
import { type CheckTest, probeOnce } from './registry.ts';
import type { CheckOutcome, FailReason, Fetch } from './sample.ts';

/** One address of one edge. `resolve`: seconds its name took to look up, null when it is an address itself. */
export type FetchTarget = {
  readonly edge: string;
  readonly address: string;
  readonly resolve: number | null;
  /** Where it was given its place; `usual` unless said. */
  readonly lane?: Lane;
};

/** `stalledMs`: by how much its last try may be too long because our own loop stood still. */
export type Fetched = { readonly fetch: Fetch; readonly stalledMs: number };

/** Pause before the second try; each further one doubles, up to the longest. A server that restarts needs this long. */
const PAUSE_MS = 100;
const PAUSE_MAX_MS = 1000;

type Tried = CheckOutcome & { readonly stalledMs: number };

/** Puts all checks of the plan to one address, side by side; never rejects. The check that decides gives the figures. */
export async function probeAddress(target: FetchTarget, plan: ProbePlan, tools: ProbeTools): Promise<Fetched> {
  const all = await Promise.all(plan.checks.map((test) => probeCheck(target, test, plan, tools)));
  const decided = decisive(all, plan.combine);
  if (decided === null) throw new Error('a plan has at least one check');
  const { name, kind: _, stalledMs, ...figures } = decided;
  const checks = all.map(({ stalledMs: _stalled, ...outcome }) => outcome);
  return { fetch: { address: target.address, ...figures, check: name, checks }, stalledMs };
}

/**
 * Puts one check to one address, again after connection errors; never rejects. One deadline, the check's timeout less
 * the time the name took, covers all tries and the pauses between them. The figures are those of the last try.
 * `seconds` leaves out the name's look-up, which says nothing about the edge; `phases.total` has it.
 */
async function probeCheck(target: FetchTarget, test: CheckTest, plan: ProbePlan, tools: ProbeTools): Promise<Tried> {
  const hung = (): Tried => {
    const detail = `it has not ended ${HANG_MS / 1000} s after its timeout, which is a bug`;
    const fail = { reason: 'other', detail, unknown: true, retry: false } as const;
    return tried(target, test, plan, { ...NOTHING, fail }, 1);
  };
  try {
    return await within(test.timeout * 1000 + HANG_MS, tries(target, test, plan, tools), hung);
  } catch (error) {
    // A bug or a test that cannot be turned into a request; one edge's trouble must not end the round of all.
    const detail = `the fetch could not be made: ${String(error)}`;
    return tried(target, test, plan, { ...NOTHING, fail: { reason: 'other', detail, retry: false } }, 1);
  }
}

/** What is still not over so long after its deadline never ends, and would keep its place and its turn for ever. */
const HANG_MS = 5000;

const NOTHING: Omit<Attempt<FailReason>, 'fail'> = {
  seconds: 0,
  phases: { connect: null, tls: null, firstByte: null },
  hops: 0,
  stalledMs: 0,
};

async function tries(target: FetchTarget, test: CheckTest, plan: ProbePlan, tools: ProbeTools): Promise<Tried> {
  const { edge, address, lane = 'usual' } = target;
  const asked = { edge, address, test, lane };
  const deadline = performance.now() + (test.timeout - (target.resolve ?? 0)) * 1000;
  for (let attempts = 1, pauseMs = PAUSE_MS; ; attempts++, pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS)) {
    const attempt = await probeOnce(asked, deadline, tools);
    const again = attempt.fail?.retry === true && attempts < plan.retry && !tools.signal.aborted;
    // A pause that would end after the deadline leaves no time for a try.
    if (!again || performance.now() + pauseMs >= deadline) return tried(target, test, plan, attempt, attempts);
    await tools.pause(pauseMs);
  }
}

function tried(
  { resolve }: FetchTarget,
  { name, kind, timeout }: CheckTest,
  plan: ProbePlan,
  attempt: Attempt<FailReason>,
  attempts: number,
): Tried {
  const fail = attempt.fail ?? lateFail(attempt, timeout);
  return {
    name,
    kind,
    seconds: fail === null ? attempt.seconds : plan.timeout,
    fail: fail === null ? null : failOf(fail),
    phases: { resolve, ...attempt.phases, total: (resolve ?? 0) + attempt.seconds },
    attempts,
    hops: attempt.hops,
    stalledMs: attempt.stalledMs,
  };
}

function failOf({ reason, detail, unknown }: NonNullable<Attempt<FailReason>['fail']>): CheckOutcome['fail'] {
  return unknown === true ? { reason, detail, unknown } : { reason, detail };
}

/** The deadline's timer and the last octet can fall into one turn of the loop; a success that is too late is none. */
function lateFail({ seconds }: Attempt<FailReason>, timeout: number): Attempt<FailReason>['fail'] {
  if (seconds < timeout) return null;
  return { reason: 'timeout', detail: `took ${seconds.toFixed(3)} s`, retry: false };
}
