import type { Fetched, FetchTarget } from './attempts.ts';
import { type Lane, Lanes, type Place, SLOW_AFTER_MS } from './lanes.ts';
import type { ProbePlan, ProbeTarget, RoundEnd, RoundRequest } from './protocol.ts';
import type { Resolution, Resolve, Resolved } from './resolve.ts';
import type { Sample } from './sample.ts';
import { isDoubtful, type LoopWatch } from './stall.ts';

/** What a round needs from outside; the tests give their own. */
export type RoundTools = {
  readonly resolve: Resolve;
  readonly fetch: (target: FetchTarget, plan: ProbePlan) => Promise<Fetched>;
  readonly watch: LoopWatch;
  readonly report: (sample: Sample) => void;
  /** Aborted when nobody waits for the round any more: it ends at once, with samples missing. */
  readonly signal: AbortSignal;
};

/** Starts follow each other no faster on average; 2,000 edges then take a little over two seconds. */
const MIN_GAP_MS = 1;
/**
 * Starts that would come within one turn of TURN_MS are made together, a handful at most: waking up for each alone
 * costs a third more in all, and a larger burst would be a stall for the fetches that are under way.
 */
const TURN_MS = 8;
const HANDFUL = 8;

/** How often a fetch that the prober's own stall has spoilt is made again. */
const REFETCHES = 2;
/** It waits for the stall to pass, but not longer than this. */
const CALM_MS = 250;

/**
 * Fetches every target once, live members first: starts spread over `request.spread` seconds or more, as many at a time
 * as the lanes have places, a sample reported as soon as a target's addresses are done. Never rejects unless `report`
 * throws.
 */
export async function runRound(request: RoundRequest, tools: RoundTools): Promise<RoundEnd> {
  const startedAt = Date.now() / 1000;
  const started = performance.now();
  const meter = tools.watch.open();
  const lanes = new Lanes(request.plan.workers);
  const killer = new CanaryKiller(request.canaryKiller);
  const unknown: { edge: string; why: string }[] = [];
  const note = (probed: Probed): void => {
    if ('unknown' in probed) unknown.push({ edge: probed.edge, why: probed.unknown });
    else tools.report(probed);
  };

  const running: Promise<void>[] = [];
  const gapMs = (request.spread * 1000) / Math.max(1, request.targets.length);
  const together = Math.min(HANDFUL, Math.max(1, Math.floor(TURN_MS / gapMs)));
  const liveFirst = [...request.targets].sort((a, b) => Number(isLive(b)) - Number(isLive(a)));
  for (const [i, target] of liveFirst.entries()) {
    if (tools.signal.aborted) break;
    if (i > 0 && i % together === 0) {
      const early = Math.max(together * MIN_GAP_MS, started + i * gapMs - performance.now());
      await new Promise((resolve) => setTimeout(resolve, early));
    }
    running.push(probeTarget(target, request.plan, lanes, killer, note, tools));
  }
  await Promise.all(running);
  tools.watch.close(meter);
  return {
    startedAt,
    seconds: (performance.now() - started) / 1000,
    cancelled: killer.cancelled,
    unknown,
    loopDelayMs: meter.maxMs,
  };
}

/** A sample, or why there is none: trouble of our own. */
type Probed = Sample | { readonly edge: string; readonly unknown: string };

async function probeTarget(
  target: ProbeTarget,
  plan: ProbePlan,
  lanes: Lanes,
  killer: CanaryKiller,
  note: (probed: Probed) => void,
  tools: RoundTools,
): Promise<void> {
  const how = { waitMs: plan.timeout * 1000, again: false };
  const resolution = await tools.resolve(target.name, how);
  if (!resolution.ok) {
    const fail = { reason: 'resolve', detail: `${target.name}: ${resolution.why}` } as const;
    const sample = { seconds: plan.timeout, fail, primary: null, others: [], stalledMs: 0 };
    killer.count(target, true);
    note({ edge: target.name, at: Date.now() / 1000, ...sample });
    return;
  }
  let probed = await probeAddresses(target, resolution, plan, lanes, killer, tools);
  if (probed === null) return;
  if (resolution.cached && 'fail' in probed && probed.fail !== null && !tools.signal.aborted) {
    // Its address may have changed since it was looked up.
    const again = await tools.resolve(target.name, { ...how, again: true });
    if (again.ok && !sameAddresses(again.addresses, resolution.addresses)) {
      probed = await probeAddresses(target, again, plan, lanes, killer, tools);
    }
  }
  if (probed !== null && !tools.signal.aborted) note(probed);
}

/** Fetches from the target's addresses, one a family; null: it was cancelled. */
async function probeAddresses(
  target: ProbeTarget,
  { addresses: { v4, v6 }, seconds }: Extract<Resolution, { readonly ok: true }>,
  plan: ProbePlan,
  lanes: Lanes,
  killer: CanaryKiller,
  tools: RoundTools,
): Promise<Probed | null> {
  const first = v4 ?? v6;
  if (first === null) return null;
  const lane = laneOf(target);
  const place = await takePlace(lanes, lane);
  if (tools.signal.aborted || killer.cancels(target)) {
    place.release();
    return null;
  }
  const other = v4 !== null && v6 !== null ? v6 : null;
  const fetchAt = (address: string): Promise<Fetched> =>
    fetchUnstalled({ edge: target.name, address, resolve: seconds }, plan, tools);
  const [primary, second] = await Promise.all([
    fetchAt(first).then((fetched) => {
      killer.count(target, fetched.fetch.fail !== null && !isUnknown(fetched)); // before the place goes to the next canary
      place.release();
      return fetched;
    }),
    // The second family is a fetch like any other and waits for its own place.
    other === null ? null : takePlace(lanes, lane).then((own) => fetchAt(other).finally(own.release)),
  ]);
  // A primary address that fails or is unknown decides alone; without a word on the other, one that passes is not enough.
  const deciding = primary.fetch.fail === null ? [primary, second] : [primary];
  const doubt = deciding.find((fetched) => fetched !== null && isUnknown(fetched)) ?? null;
  if (doubt !== null) return { edge: target.name, unknown: doubtOf(doubt) };
  return {
    edge: target.name,
    at: Date.now() / 1000,
    seconds: primary.fetch.seconds,
    fail: primary.fetch.fail,
    primary: primary.fetch,
    others: second === null || isUnknown(second) ? [] : [second.fetch],
    stalledMs: primary.stalledMs,
  };
}

function isUnknown({ fetch: { fail } }: Fetched): boolean {
  return fail?.unknown === true;
}

function doubtOf({ fetch: { address, check, fail } }: Fetched): string {
  return `check ${check} of ${address}: ${fail?.detail ?? ''}`;
}

function sameAddresses(a: Resolved, b: Resolved): boolean {
  return a.v4 === b.v4 && a.v6 === b.v6;
}

/** `stalledMs` of the result is 0 unless its figures are doubtful. */
async function fetchUnstalled(target: FetchTarget, plan: ProbePlan, tools: RoundTools): Promise<Fetched> {
  for (let left = REFETCHES; ; left--) {
    const { fetch, stalledMs } = await tools.fetch(target, plan);
    // Only what depends on time is in doubt: a refused connection is refused however late we hear of it.
    const timed = fetch.fail === null || fetch.fail.reason === 'timeout';
    if (!timed || tools.signal.aborted || !isDoubtful(stalledMs, fetch.seconds)) return { fetch, stalledMs: 0 };
    if (left === 0) return { fetch, stalledMs };
    await tools.watch.calm(CALM_MS);
  }
}

function isLive({ live = false }: ProbeTarget): boolean {
  return live;
}

function laneOf(target: ProbeTarget): Lane {
  if (isLive(target)) return 'live';
  return target.failed === true ? 'slow' : 'usual';
}

/** A place in that lane, which it leaves for the slow one when it is held for long. */
async function takePlace(lanes: Lanes, lane: Lane): Promise<Place> {
  const { slow, release } = await new Promise<Place>((resolve) => lanes.take(lane, resolve));
  const timer = setTimeout(slow, SLOW_AFTER_MS);
  return {
    slow,
    release: () => {
      clearTimeout(timer);
      release();
    },
  };
}

/**
 * Canaries of a network share one server, so that many failures mean that server is down: at `limit` distinct failing
 * canaries those not yet started are not fetched any more.
 */
class CanaryKiller {
  readonly cancelled: string[] = [];
  private readonly failing = new Set<string>();
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  count(target: ProbeTarget, failed: boolean): void {
    if (target.canary && failed) this.failing.add(target.name);
  }

  /** Asked when a target's turn comes; notes the ones it stops. */
  cancels(target: ProbeTarget): boolean {
    if (!target.canary || this.limit === 0 || this.failing.size < this.limit) return false;
    this.cancelled.push(target.name);
    return true;
  }
}
