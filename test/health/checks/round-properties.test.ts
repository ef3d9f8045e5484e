import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LIVE_PLACES, SLOW_PLACES } from '../../../src/health/checks/lanes.ts';
import { NetworkTargets } from '../../../src/health/checks/network-targets.ts';
import type { ProbeTarget } from '../../../src/health/checks/protocol.ts';
import { type RoundTools, runRound } from '../../../src/health/checks/round.ts';
import type { Fetch, Sample } from '../../../src/health/checks/sample.ts';
import { LoopWatch } from '../../../src/health/checks/stall.ts';
import { httpPlan } from '../../support/probe-plan.ts';

/** Turns that follow one upon another, in a time of our own: what holds whatever the edges do. */

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Seconds that each answer of an edge takes, in turn; at the timeout or above it hangs. Negative: it fails after so many. */
type Behaviour = readonly number[];

const INTERVAL = 10; // seconds
const TURNS = 4;
/** A burst of starts, and timers that come a little late. */
const SLACK_MS = 1500;

const behaviour = fc.array(
  fc.oneof(fc.constant(0.01), fc.double({ min: 0.01, max: 3, noNaN: true }), fc.constant(1000), fc.constant(-0.01)),
  { minLength: 1, maxLength: TURNS },
);
const world = fc.record({
  workers: fc.integer({ min: 1, max: 3 }),
  timeout: fc.constantFrom(2, 5, 9, 15),
  settle: fc.constantFrom(0.5, 1),
  live: fc.array(behaviour, { minLength: 1, maxLength: 5 }),
  others: fc.array(behaviour, { maxLength: 12 }),
  hanging: fc.integer({ min: 0, max: 160 }),
});

type World = typeof world extends fc.Arbitrary<infer T> ? T : never;
type Seen = { readonly askedAt: Map<string, number[]>; readonly samples: Sample[]; most: number; twice: boolean };

/** The clock's turns: one every INTERVAL, whatever hangs of the last. */
async function turns({ workers, timeout, settle, live, others, hanging }: World): Promise<Seen> {
  const behaviours = new Map<string, Behaviour>([
    ...live.map((one, i) => [`live${i}`, one] as const),
    ...others.map((one, i) => [`other${i}`, one] as const),
    ...Array.from({ length: hanging }, (_, i) => [`hanging${i}`, [1000]] as const),
  ]);
  const targets = [...behaviours.keys()].map(
    (name): ProbeTarget => ({ name, canary: false, ...(name.startsWith('live') ? { live: true } : {}) }),
  );
  const seen: Seen = { askedAt: new Map(), samples: [], most: 0, twice: false };
  const open = new Set<string>();
  const shared = new NetworkTargets();
  const fetch: RoundTools['fetch'] = async ({ edge, address }) => {
    const asked = seen.askedAt.get(edge) ?? [];
    seen.askedAt.set(edge, [...asked, performance.now()]);
    seen.twice ||= open.has(edge);
    open.add(edge);
    seen.most = Math.max(seen.most, open.size);
    const does = behaviours.get(edge) ?? [];
    const takes = does[asked.length % does.length];
    const seconds = Math.min(Math.abs(takes), timeout);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    open.delete(edge);
    const fail = takes < 0 || takes >= timeout ? ({ reason: 'timeout', detail: '' } as const) : null;
    const phases = { resolve: null, connect: null, tls: null, firstByte: null, total: seconds };
    const fetched: Fetch = { address, seconds, fail, phases, attempts: 1, hops: 0, check: 'http', checks: [] };
    return { fetch: fetched, stalledMs: 0 };
  };
  const controller = new AbortController();
  const tools: RoundTools = {
    resolve: async (edge) => ({ ok: true, addresses: { v4: edge, v6: null }, seconds: null, cached: false }),
    fetch,
    watch: new LoopWatch(),
    report: (sample) => seen.samples.push(sample),
    signal: controller.signal,
    targets: shared,
  };
  const request = {
    kind: 'round',
    network: 'net',
    plan: httpPlan({ workers, timeout, retry: 1 }),
    targets,
    canaryKiller: 0,
    settle,
  } as const;
  const running: Promise<unknown>[] = [];
  for (let id = 0; id < TURNS; id++) {
    running.push(runRound({ ...request, id, spread: INTERVAL - 1 }, tools));
    await vi.advanceTimersByTimeAsync(INTERVAL * 1000);
  }
  await vi.advanceTimersByTimeAsync(timeout * 1000 + SLACK_MS);
  controller.abort();
  await vi.advanceTimersByTimeAsync(2 * timeout * 1000);
  await Promise.all(running);
  return seen;
}

test('no live edge waits longer than its interval and its timeout, and no more are open than have places', async () => {
  await fc.assert(
    fc.asyncProperty(world, async (words) => {
      const began = performance.now();
      const seen = await turns(words);
      const { workers, timeout } = words;
      expect(seen.twice).toBe(false);
      expect(seen.most).toBeLessThanOrEqual(workers + LIVE_PLACES + Math.max(workers, SLOW_PLACES));
      for (let i = 0; i < words.live.length; i++) {
        const asked = [began, ...(seen.askedAt.get(`live${i}`) ?? []), began + TURNS * INTERVAL * 1000];
        const gaps = asked.slice(1).map((at, n) => at - asked[n]);
        // One that hangs is not asked twice at a time, so that it may miss its moment: the next is an interval later.
        const longest = (INTERVAL + timeout) * 1000 + SLACK_MS;
        expect(Math.max(...gaps)).toBeLessThanOrEqual(longest);
      }
      // Every check that began within the turns has its sample, however the turns overlap.
      const checks = [...seen.askedAt.values()].flat().filter((at) => at < began + TURNS * INTERVAL * 1000);
      expect(seen.samples.length).toBeGreaterThanOrEqual(checks.length);
    }),
    { numRuns: 15 },
  );
}, 120_000);
