import type { Attempt, ProbeTools } from './check.ts';
import type { ProbeTest } from './protocol.ts';
import { checkOf } from './registry.ts';
import type { FailReason, Fetch } from './sample.ts';

/** One address of one edge. `resolve`: seconds its name took to look up, null when it is an address itself. */
export type FetchTarget = { readonly edge: string; readonly address: string; readonly resolve: number | null };

/** `stalledMs`: by how much its last try may be too long because our own loop stood still. */
export type Fetched = { readonly fetch: Fetch; readonly stalledMs: number };

/** Pause before the second try; each further one doubles, up to the longest. A server that restarts needs this long. */
const PAUSE_MS = 100;
const PAUSE_MAX_MS = 1000;

/**
 * Puts the test to one address, again after connection errors; never rejects. One deadline, `test.timeout` less the
 * time the name took, covers all tries and the pauses between them. The figures are those of the last try. `seconds`
 * leaves out the name's look-up, which says nothing about the edge; `phases.total` has it.
 */
export async function probeAddress(target: FetchTarget, test: ProbeTest, tools: ProbeTools): Promise<Fetched> {
  try {
    return await tries(target, test, tools);
  } catch (error) {
    // A bug or a test that cannot be turned into a request; one edge's trouble must not end the round of all.
    const detail = `the fetch could not be made: ${String(error)}`;
    return fetched(target, test, { ...NOTHING, fail: { reason: 'other', detail, retry: false } }, 1);
  }
}

const NOTHING: Omit<Attempt<FailReason>, 'fail'> = {
  seconds: 0,
  phases: { connect: null, tls: null, firstByte: null },
  hops: 0,
  stalledMs: 0,
};

async function tries(target: FetchTarget, test: ProbeTest, tools: ProbeTools): Promise<Fetched> {
  const { probe } = checkOf(test);
  const asked = { edge: target.edge, address: target.address, test };
  const deadline = performance.now() + (test.timeout - (target.resolve ?? 0)) * 1000;
  for (let attempts = 1, pauseMs = PAUSE_MS; ; attempts++, pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS)) {
    const attempt = await probe(asked, deadline, tools);
    const again = attempt.fail?.retry === true && attempts < test.retry && !tools.signal.aborted;
    // A pause that would end after the deadline leaves no time for a try.
    if (!again || performance.now() + pauseMs >= deadline) return fetched(target, test, attempt, attempts);
    await tools.pause(pauseMs);
  }
}

function fetched(target: FetchTarget, test: ProbeTest, attempt: Attempt<FailReason>, attempts: number): Fetched {
  const fail = attempt.fail ?? lateFail(attempt, test.timeout);
  const fetch: Fetch = {
    address: target.address,
    seconds: fail === null ? attempt.seconds : test.timeout,
    fail: fail === null ? null : { reason: fail.reason, detail: fail.detail },
    phases: { resolve: target.resolve, ...attempt.phases, total: (target.resolve ?? 0) + attempt.seconds },
    attempts,
    hops: attempt.hops,
  };
  return { fetch, stalledMs: attempt.stalledMs };
}

/** The deadline's timer and the last octet can fall into one turn of the loop; a success that is too late is none. */
function lateFail({ seconds }: Attempt<FailReason>, timeout: number): Attempt<FailReason>['fail'] {
  if (seconds < timeout) return null;
  return { reason: 'timeout', detail: `took ${seconds.toFixed(3)} s`, retry: false };
}
