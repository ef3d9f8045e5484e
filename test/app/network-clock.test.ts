import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NetworkClock } from '../../src/app/network-clock.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config, NetworkFiles } from '../../src/config/types.ts';
import type { NetworkRounds } from '../../src/health/pools/network-rounds.ts';
import type { RoundFailure, RoundOrder } from '../../src/health/pools/round-types.ts';
import { Guard } from '../../src/system/guard.ts';
import { Installation, NETWORK } from '../support/installation.ts';

/** When turns begin, with rounds of our own in a time of our own. */

const EDGES = ['127.0.0.1', '127.0.0.2'];
const FILES: NetworkFiles = { name: NETWORK, edges: EDGES, canaries: new Map() };
const INTERVAL = 60;

let site: Installation;
let config: Config;
let clock: NetworkClock;
let log: string[];
/** Ends the turns that are under way. */
let ends: (() => void)[];
let orders: RoundOrder[];
/** How many turns had begun when those under way were cut short. */
let cuts: number[];
let reconsidered: number;

beforeEach(async () => {
  site = await Installation.make({ edges: EDGES, keys: { run_frequency: INTERVAL } });
  const loaded = loadConfig(site.path('edgemanage.yaml'));
  if (loaded.config === null) throw new Error(JSON.stringify(loaded.faults));
  config = loaded.config;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  log = [];
  ends = [];
  orders = [];
  cuts = [];
  reconsidered = 0;
});
afterEach(async () => {
  const stopped = clock.stop();
  for (const end of ends) end();
  await stopped;
  vi.useRealTimers();
  await site.remove();
});

function start(round: () => Promise<RoundFailure>, more: Partial<Record<keyof NetworkRounds, unknown>> = {}): void {
  const rounds = {
    round: (order: RoundOrder) => {
      orders.push(order);
      return round();
    },
    cutShort: () => cuts.push(orders.length),
    adopt: () => undefined,
    reconsider: async () => {
      reconsidered += 1;
      return null;
    },
    idle: async () => undefined,
    nextExpiry: null,
    ...more,
  } as unknown as NetworkRounds;
  clock = new NetworkClock({
    network: NETWORK,
    config,
    list: { files: FILES, faults: [] },
    rounds,
    guard: new Guard({ report: (_, text) => log.push(text), now: () => 0 }),
    log: (level, text) => log.push(`${level} ${text}`),
    now: () => Date.now() / 1000,
    onReport: () => undefined,
  });
  clock.start();
}

const failure = (code: 'prober' | 'test-object'): RoundFailure => ({
  failure: { severity: 'error', code, at: null, message: 'as told' },
});
const hanging = (): Promise<RoundFailure> => new Promise((resolve) => ends.push(() => resolve(failure('test-object'))));
const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

test('when the prober fails the edges are asked anew at once, but once an interval', async () => {
  start(async () => failure('prober'));
  await pass(1.5);
  expect(orders.map(({ spread }) => spread)).toEqual([1, 1]);
  await pass(INTERVAL);
  expect(orders).toHaveLength(3);
});

test('a first turn that was broken off is none: the one that is begun at once is', async () => {
  let turns = 0;
  start(() => {
    turns += 1;
    return turns === 1 ? Promise.resolve(failure('prober')) : hanging();
  });
  let isOver = false;
  void clock.firstRound.then(() => {
    isOver = true;
  });
  await pass(1.5);
  expect([orders.length, isOver]).toEqual([2, false]);
  for (const end of ends) end();
  await pass(0.1);
  expect(isOver).toBe(true);
});

test.each(['prober', 'test-object'] as const)(
  'a first turn that cannot be made (%s) keeps no start waiting',
  async (code) => {
    start(async () => failure(code));
    let isOver = false;
    void clock.firstRound.then(() => {
      isOver = true;
    });
    await pass(1.5);
    expect(isOver).toBe(true);
  },
);

test('without the test object they are not: nothing has changed', async () => {
  start(async () => failure('test-object'));
  await pass(1.5);
  expect(orders).toHaveLength(1);
});

/** What a turn's beginning finds before the reload that should have brought it, or without one. */
test.each([
  ['a new edge: all are asked at once', [...EDGES, '127.0.0.3'], [1, INTERVAL - 1, 1], 1],
  ['another edge instead: all are asked at once', [EDGES[0], '127.0.0.3'], [1, INTERVAL - 1, 1], 1],
  ['one less: it is decided at once', [EDGES[0]], [1, INTERVAL - 1, INTERVAL - 1], 1],
  ['the same ones: nothing', EDGES, [1, INTERVAL - 1, INTERVAL - 1], 0],
])('lists that changed are found by a turn: %s', async (_, edges, spreads, decisions) => {
  start(hanging);
  await pass(3);
  const list = { files: { ...FILES, edges }, faults: [] };
  await site.replace(`edges/${NETWORK}`, `${edges.join('\n')}\n`);
  await pass(INTERVAL);
  expect(orders.map(({ spread }) => spread)).toEqual(spreads);
  expect(orders.at(-1)?.files.edges).toEqual(edges);
  expect([cuts.length, reconsidered]).toEqual([spreads.at(-1) === 1 ? 1 : 0, decisions]);
  // The reload that comes after it changes nothing any more.
  clock.configure(config, list);
  await pass(0.1);
  expect([orders.length, reconsidered]).toEqual([spreads.length, decisions]);
});

test('turns that do not end are said when that begins and when it is over, and a hundred are enough', async () => {
  start(hanging);
  await pass(4 * INTERVAL);
  const said = (): readonly string[] => log.filter((line) => line.includes(' in time'));
  expect(said()).toHaveLength(1);
  expect(said()[0]).toMatch(/^error mynet: turns do not end in time: \d are under way/);
  expect(clock.isOverdue).toBe(true);
  await pass(120 * INTERVAL);
  expect(orders).toHaveLength(100);
  expect(said()).toHaveLength(1);
  for (const end of ends) end();
  await pass(2 * INTERVAL);
  expect(said()[1]).toBe('info mynet: turns end in time again');
  expect(orders.length).toBeGreaterThan(100);
});

test('views that come while the store is slow make one look more, not one each', async () => {
  let reviews = 0;
  const waiting: (() => void)[] = [];
  start(hanging, {
    notStored: null,
    review: () => {
      reviews += 1;
      return new Promise((resolve) => waiting.push(() => resolve(null)));
    },
  });
  for (let i = 0; i < 30; i++) {
    clock.review();
    await pass(0.3);
  }
  expect(reviews).toBe(1);
  for (const end of waiting.splice(0)) end();
  await pass(0.5);
  expect(reviews).toBe(2);
  for (const end of waiting.splice(0)) end();
  await pass(0.5);
  expect(reviews).toBe(2);
});
