import type { Fetched, FetchTarget } from './attempts.ts';
import { type Place, SLOW_AFTER_MS } from './lanes.ts';
import { NetworkTargets } from './network-targets.ts';
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
  /** What this turn shares with the others of its network; unless given, it stands alone. */
  readonly targets?: NetworkTargets;
};

/** Starts follow each other no faster on average; 2,000 edges then take a little over two seconds. */
const MIN_GAP_MS = 1;
/**
 * Starts that would come within one turn of TURN_MS are made together, a handful at most: waking up for each alone
 * costs a third more in all, and a larger burst would be a stall for the fetches that are under way.
 */
const TURN_MS = 8;
const HANDFUL = 8;
/** Up to this long, a round is a burst: who comes first matters more than when. */
const BURST_SECONDS = 1;

/** How often a fetch that the prober's own stall has spoilt is made again. */
const REFETCHES = 2;
/** It waits for the stall to pass, but not longer than this. */
const CALM_MS = 250;

/**
 * Fetches every target once: starts spread over `request.spread` seconds or more, as many at a time as the lanes have
 * places, a sample reported as soon as a target's addresses are done. Where all are asked within a second, live members
 * come first; over a longer time each keeps its own moment. Never rejects unless `report` throws.
 */
export async function runRound(request: RoundRequest, tools: RoundTools): Promise<RoundEnd> {
  const startedAt = Date.now() / 1000;
  const started = performance.now();
  const round = new Round(request, tools);
  const gapMs = (request.spread * 1000) / Math.max(1, request.targets.length);
  const together = Math.min(HANDFUL, Math.max(1, Math.floor(TURN_MS / gapMs)));
  const isLive = ({ live = false }: ProbeTarget): boolean => live;
  const inOrder =
    request.spread > BURST_SECONDS
      ? request.targets
      : [...request.targets].sort((a, b) => Number(isLive(b)) - Number(isLive(a)));
  for (const [i, target] of inOrder.entries()) {
    if (i > 0 && i % together === 0) {
      const early = Math.max(together * MIN_GAP_MS, started + i * gapMs - performance.now());
      await pause(early, tools.signal);
    }
    if (tools.signal.aborted) break;
    round.next(target);
  }
  const end = await round.ended();
  return { startedAt, seconds: (performance.now() - started) / 1000, ...end };
}

/** One turn of a network's targets while it goes on. */
class Round {
  private readonly request: RoundRequest;
  private readonly tools: RoundTools;
  private readonly targets: NetworkTargets;
  private readonly killer: CanaryKiller;
  private readonly asked = new Set<string>();
  private readonly overdue: string[] = [];
  private readonly unknown: { readonly edge: string; readonly why: string }[] = [];
  private readonly running = new Set<Promise<void>>();
  private loopDelayMs = 0;
  private isRushing = false;

  constructor(request: RoundRequest, tools: RoundTools) {
    this.request = request;
    this.tools = tools;
    this.targets = tools.targets ?? new NetworkTargets();
    this.targets.begin(request);
    this.killer = new CanaryKiller(request.canaryKiller);
  }

  /** The target's moment has come. */
  next(target: ProbeTarget): void {
    const underWayMs = this.targets.underWayMs(target.name);
    if (underWayMs === null) this.ask(target);
    else if (!this.asked.has(target.name) && underWayMs >= this.request.spread * 1000) this.overdue.push(target.name);
  }

  /** Resolved when everything that was begun has ended, what was begun meanwhile included. */
  async ended(): Promise<Pick<RoundEnd, 'cancelled' | 'unknown' | 'overdue' | 'loopDelayMs'>> {
    for (const one of this.running) await one;
    const { unknown, overdue, loopDelayMs } = this;
    return { cancelled: this.killer.cancelled, unknown, overdue, loopDelayMs };
  }

  private ask(target: ProbeTarget): void {
    this.asked.add(target.name);
    this.running.add(this.probe(target));
  }

  private async probe(target: ProbeTarget): Promise<void> {
    const { targets, tools, killer } = this;
    const { plan, settle } = this.request;
    const meter = tools.watch.open();
    targets.asks(target.name);
    const isNews = settle !== undefined && targets.isLive(target.name) && !targets.hasFailed(target.name);
    const suspicion = isNews ? setTimeout(() => this.rush(), settle * 500) : undefined;
    try {
      const probed = await probeTarget(target, plan, targets, killer, tools);
      if (probed === null) return;
      if ('unknown' in probed) {
        this.unknown.push({ edge: probed.edge, why: probed.unknown });
        return;
      }
      tools.report(probed);
      targets.sampled(probed);
      if (isNews && probed.fail !== null) this.rush();
    } finally {
      clearTimeout(suspicion);
      targets.done(target.name);
      tools.watch.close(meter);
      this.loopDelayMs = Math.max(this.loopDelayMs, meter.maxMs);
    }
  }

  /** Asks the live members now, and those that pass once more: they may be about to die of the same cause. */
  private rush(): void {
    if (!this.isRushing) this.running.add(this.askTogether());
  }

  private async askTogether(): Promise<void> {
    const { settle = 0 } = this.request;
    this.isRushing = true;
    for (let left = 2; left > 0; left--) {
      this.askLive();
      await pause(settle * 500, this.tools.signal);
    }
    this.isRushing = false;
  }

  private askLive(): void {
    if (this.tools.signal.aborted) return;
    for (const target of this.request.targets) {
      const { name } = target;
      const { targets } = this;
      if (targets.isLive(name) && !targets.hasFailed(name) && targets.underWayMs(name) === null) this.ask(target);
    }
  }
}

/** Waits `ms`, or until the round is cut short. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

/** A sample, or why there is none: trouble of our own. */
type Probed = Sample | { readonly edge: string; readonly unknown: string };

/** Null: it was cancelled. */
async function probeTarget(
  target: ProbeTarget,
  plan: ProbePlan,
  targets: NetworkTargets,
  killer: CanaryKiller,
  tools: RoundTools,
): Promise<Probed | null> {
  const how = { waitMs: plan.timeout * 1000, again: false };
  const resolution = await tools.resolve(target.name, how);
  if (!resolution.ok) {
    const fail = { reason: 'resolve', detail: `${target.name}: ${resolution.why}` } as const;
    const sample = { seconds: plan.timeout, fail, primary: null, others: [], stalledMs: 0 };
    killer.count(target, true);
    return { edge: target.name, at: Date.now() / 1000, ...sample };
  }
  let probed = await probeAddresses(target, resolution, plan, targets, killer, tools);
  if (probed === null) return null;
  if (resolution.cached && 'fail' in probed && probed.fail !== null && !tools.signal.aborted) {
    // Its address may have changed since it was looked up.
    const again = await tools.resolve(target.name, { ...how, again: true });
    if (again.ok && !sameAddresses(again.addresses, resolution.addresses)) {
      probed = await probeAddresses(target, again, plan, targets, killer, tools);
    }
  }
  return tools.signal.aborted ? null : probed;
}

/** Fetches from the target's addresses, one a family; null: it was cancelled. */
async function probeAddresses(
  target: ProbeTarget,
  { addresses: { v4, v6 }, seconds }: Extract<Resolution, { readonly ok: true }>,
  plan: ProbePlan,
  targets: NetworkTargets,
  killer: CanaryKiller,
  tools: RoundTools,
): Promise<Probed | null> {
  const first = v4 ?? v6;
  if (first === null) return null;
  const place = await takePlace(target.name, targets);
  if (tools.signal.aborted || killer.cancels(target)) {
    place.release();
    return null;
  }
  const other = v4 !== null && v6 !== null ? v6 : null;
  const fetchAt = (address: string): Promise<Fetched> =>
    fetchUnstalled({ edge: target.name, address, resolve: seconds, lane: targets.laneOf(target.name) }, plan, tools);
  const [primary, second] = await Promise.all([
    fetchAt(first).then((fetched) => {
      killer.count(target, fetched.fetch.fail !== null && !isUnknown(fetched)); // before the place goes to the next canary
      place.release();
      return fetched;
    }),
    // The second family is a fetch like any other and waits for its own place.
    other === null ? null : takePlace(target.name, targets).then((own) => fetchAt(other).finally(own.release)),
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

/** A place, left for one in the slow lane when it is held for long. */
async function takePlace(name: string, targets: NetworkTargets): Promise<Place> {
  const { slow, release } = await targets.place(name);
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
