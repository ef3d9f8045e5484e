import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Config } from '../../../src/config/types.ts';
import type { Sample } from '../../../src/health/checks/sample.ts';
import { EarlyDecisions } from '../../../src/health/pools/early-decisions.ts';
import type { RoundOrder } from '../../../src/health/pools/round-types.ts';
import { NEW_STATE, type NetworkState } from '../../../src/health/state/network-state.ts';
import { BASE, parse } from '../../config/config-fixture.ts';
import { sample as sampleOf } from '../../support/round-input.ts';

/** Samples, turns and reloads in any order, in a time of our own. */

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const EDGES = ['a', 'b', 'c', 'd'];
const SETTLE = 1;
const CONFIG = parse(`${BASE}edge_count: 2\n`).config as Config;

class Network {
  readonly added: Sample[] = [];
  readonly taken: Sample[] = [];
  /** Decisions between two turns: how many samples each saw. */
  readonly events: number[] = [];
  /** When a decision became due and nothing was decided since, milliseconds. */
  dueSince: number | null = null;
  longestMs = 0;
  private order: RoundOrder;
  private state: NetworkState = { ...NEW_STATE, live: [member('a'), member('b')] };
  private readonly decided = new Map<string, Sample>();
  private readonly early: EarlyDecisions;
  private clock = 0;
  private readonly ends: Promise<void>[] = [];

  constructor() {
    this.order = this.orderOf(2);
    this.early = new EarlyDecisions({
      inForce: () => ({ order: this.order, state: this.state, records: new Map() }),
      decided: (name) => this.decided.get(name),
      lookAhead: () => undefined,
      decide: async () => {
        if (this.early.isDue) this.conclude(true);
      },
      log: (_, text) => {
        throw new Error(text);
      },
    });
    for (const edge of EDGES) this.sample(edge, true);
    this.conclude(false);
  }

  sample(edge: string, passes: boolean): void {
    this.clock += 1;
    const sample = sampleOf(edge, passes ? 0.1 : 10, this.clock);
    this.added.push(sample);
    this.early.add(sample);
    this.watch();
  }

  endTurn(): void {
    this.ends.push(this.early.settled().then(() => this.conclude(false)));
  }

  reload(wanted: number): void {
    this.order = this.orderOf(wanted);
  }

  /** What a reload that asks the edges anew does. */
  cutShort(): void {
    this.early.cancel();
    this.dueSince = null; // decided upon with the next sample, or at the end of the turn
  }

  async pass(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms);
    this.watch();
  }

  async finish(): Promise<void> {
    this.endTurn();
    await vi.advanceTimersByTimeAsync(10_000);
    await Promise.all(this.ends);
  }

  private conclude(isEvent: boolean): void {
    const fresh = [...this.early.take()];
    const samples = fresh.flatMap(([, all]) => all);
    if (isEvent) this.events.push(samples.length);
    this.note();
    this.taken.push(...samples);
    for (const [edge, all] of fresh) this.decided.set(edge, all[all.length - 1]);
    const passing = EDGES.filter((edge) => this.decided.get(edge)?.fail === null);
    const live = passing.slice(0, this.order.config.edgeCount);
    if (live.length === 0 || live.join() === this.state.live.map(({ edge }) => edge).join()) return;
    this.state = { ...this.state, live: live.map(member) };
    this.early.restart();
    this.watch();
  }

  private watch(): void {
    if (this.early.isDue) this.dueSince ??= performance.now();
    else this.note();
  }

  private note(): void {
    if (this.dueSince !== null) this.longestMs = Math.max(this.longestMs, performance.now() - this.dueSince);
    this.dueSince = null;
  }

  private orderOf(wanted: number): RoundOrder {
    const files = { name: 'net', edges: EDGES, canaries: new Map() };
    return { config: { ...CONFIG, edgeCount: wanted }, files, settle: SETTLE };
  }
}

function member(edge: string) {
  return { edge, v4: edge, v6: null, why: '' };
}

const act = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('sample' as const),
      edge: fc.constantFrom(...EDGES),
      passes: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 1500 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reload' as const), wanted: fc.integer({ min: 1, max: 4 }) }) },
);

test('each event is decided upon once, in time, and every sample is seen by exactly one decision', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 60 }), fc.boolean(), async (acts, isCutShort) => {
      const network = new Network();
      for (const one of acts) {
        if (one.kind === 'sample') network.sample(one.edge, one.passes);
        else if (one.kind === 'pass') await network.pass(one.ms);
        else if (one.kind === 'turn') network.endTurn();
        else network.reload(one.wanted);
      }
      if (isCutShort) network.cutShort();
      await network.finish();
      const byTime = (a: Sample, b: Sample): number => a.at - b.at;
      expect([...network.taken].sort(byTime)).toEqual(network.added);
      expect(network.events.every((samples) => samples > 0)).toBe(true);
      // The wait for those that died with a member begins anew once, where it had begun for another reason.
      expect(network.longestMs).toBeLessThanOrEqual(2 * SETTLE * 1000);
    }),
    { numRuns: 300 },
  );
}, 120_000);

test('four that die within the settling time are one event', async () => {
  const network = new Network();
  network.reload(4);
  for (const edge of EDGES) {
    network.sample(edge, false);
    await network.pass(200);
  }
  await network.pass(2 * SETTLE * 1000);
  expect(network.events).toEqual([4]);
});
