import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config, NetworkFiles } from '../../../src/config/types.ts';
import { serialCompare } from '../../../src/dns/serial.ts';
import type { Sample } from '../../../src/health/checks/sample.ts';
import { NetworkRounds } from '../../../src/health/pools/network-rounds.ts';
import type { LiveUpdate, RoundReport, RoundTools } from '../../../src/health/pools/round-types.ts';
import type { NetworkState } from '../../../src/health/state/network-state.ts';
import { stateSink } from '../../../src/publish/state.ts';
import { Locks } from '../../../src/system/lock.ts';
import { Installation } from '../../support/installation.ts';
import { MemoryStore, MemoryVantage } from '../../support/memory-vantage.ts';

const NET = 'mynet';
const EDGES = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
const NAMES = ['ams1', 'fra1', 'lon1'];
const FILES: NetworkFiles = { name: NET, edges: EDGES, canaries: new Map() };
const INTERVAL = 10;

/** Of the vantages with the same store. */
let store: MemoryStore;
let clock = 1_700_000_000;
let nodes: readonly Node[] = [];
const sites: { readonly site: Installation; readonly locks: Locks }[] = [];

/** What one answer is, so that two with the same serial can be compared. */
function answerOf({ live, memory }: NetworkState): string {
  return JSON.stringify([live.map(({ edge, v4, v6 }) => [edge, v4, v6]), memory.unanswered]);
}

/** One vantage: its rounds with files of its own, and what it sees of the edges. */
class Node {
  readonly name: string;
  readonly vantage: MemoryVantage;
  readonly answers: { readonly serial: number; readonly answer: string }[] = [];
  readonly updates: LiveUpdate[] = [];
  readonly log: string[] = [];
  /** Edges that fail as seen from here. */
  failing: ReadonlySet<string> = new Set();
  private readonly config: Config;
  private readonly locks: Locks;
  private opened: NetworkRounds | null = null;
  private boots = 0;

  private constructor(name: string, config: Config, locks: Locks) {
    this.name = name;
    this.vantage = new MemoryVantage(name, store, NAMES);
    this.config = config;
    this.locks = locks;
  }

  static async make(name: string): Promise<Node> {
    const keys = { edge_count: 2, run_frequency: INTERVAL, dnschange_maxfreq: 1000 };
    const site = await Installation.make({ edges: EDGES, keys });
    const { config, faults } = loadConfig(site.path('edgemanage.yaml'));
    if (config === null) throw new Error(JSON.stringify(faults));
    const locks = Locks.open(config.lockfile);
    sites.push({ site, locks });
    const node = new Node(name, config, locks);
    await node.open();
    return node;
  }

  /** Opens its rounds, as at a start of the process, which knows nothing of another one's views and roles. */
  async open(): Promise<void> {
    await this.opened?.idle();
    this.vantage.boot = `${this.name}-${++this.boots}`;
    this.opened = await NetworkRounds.open(NET, this.config, this.locks, this.tools());
    this.note(this.rounds.state);
  }

  get rounds(): NetworkRounds {
    if (this.opened === null) throw new Error('not open');
    return this.opened;
  }

  get state(): NetworkState {
    return this.rounds.state;
  }

  get live(): readonly string[] {
    return this.state.live.map(({ edge }) => edge);
  }

  async turn(): Promise<RoundReport> {
    const report = await this.rounds.round({ config: this.config, files: FILES });
    if ('failure' in report) throw new Error(report.failure.message);
    return report;
  }

  /** What it does when the store, or another's view, has changed. */
  async notice(isRole = false): Promise<RoundReport | null> {
    this.vantage.look();
    return this.rounds.review({ config: this.config }, { isRole });
  }

  private tools(): RoundTools {
    return {
      kind: 'server',
      prober: {
        round: async ({ targets }) => {
          const samples = new Map(targets.map(({ name }) => [name, this.sample(name)]));
          const rest = { cancelled: [], unknown: [], overdue: [], loopDelayMs: 0 };
          return { samples, startedAt: clock, seconds: 1, ...rest };
        },
      },
      begin: () => undefined,
      save: (state) => stateSink(this.config.statefile).apply(NET, state),
      publish: (update) => {
        this.updates.push(update);
        this.note(update.state);
        return [];
      },
      floorSerial: () => 0,
      vantage: () => this.vantage.vantage(),
      now: () => clock,
      log: (level, text) => this.log.push(`${level} ${text}`),
    };
  }

  private note(state: NetworkState): void {
    if (state.serial !== 0) this.answers.push({ serial: state.serial, answer: answerOf(state) });
  }

  private sample(edge: string): Sample {
    const fail = this.failing.has(edge) ? ({ reason: 'refused', detail: '' } as const) : null;
    const seconds = 0.1 * (1 + EDGES.indexOf(edge));
    const phases = { resolve: null, connect: 0.01, tls: null, firstByte: 0.02, total: seconds };
    const primary = { address: edge, seconds, fail, phases, attempts: 1, hops: 0, check: 'http', checks: [] };
    return { edge, at: clock, seconds, fail, primary, others: [], stalledMs: 0 };
  }
}

async function begin(): Promise<void> {
  clock = 1_700_000_000;
  store = new MemoryStore(() => clock);
  nodes = await Promise.all(NAMES.map((name) => Node.make(name)));
}

async function end(): Promise<void> {
  for (const { rounds } of nodes) await rounds.idle();
  nodes = [];
  for (const { site, locks } of sites.splice(0)) {
    locks.close();
    await site.remove();
  }
}

beforeEach(begin);
afterEach(end);

/** An interval: all are asked by each, views reach the others, and what is stored reaches all. */
async function interval(): Promise<void> {
  clock += INTERVAL;
  for (const node of nodes) {
    node.vantage.look();
    await node.turn();
  }
  await notices();
}

/** Until nobody has anything to do. */
async function notices(): Promise<void> {
  for (let left = 5; left > 0; left--) for (const node of nodes) await node.notice();
}

function fail(edge: string, ...at: readonly string[]): void {
  for (const node of nodes) if (at.length === 0 || at.includes(node.name)) node.failing = new Set([edge]);
}

const serials = (): readonly number[] => nodes.map(({ state }) => state.serial);
const lives = (): readonly (readonly string[])[] => nodes.map(({ live }) => live);

/** The promises: one serial, one answer, and none goes back. */
function check(): void {
  const known = new Map<number, string>();
  for (const { name, answers } of nodes) {
    let last = 0;
    for (const { serial, answer } of answers) {
      expect(known.get(serial) ?? answer, `${name}: the answer of serial ${serial}`).toBe(answer);
      known.set(serial, answer);
      if (last !== 0 && serial !== last) expect(serialCompare(serial, last), `${name} goes back`).toBeGreaterThan(0);
      last = serial;
    }
  }
}

describe('several vantage points', () => {
  test('without a decider nobody has an answer; with one all have the same under the same serial', async () => {
    await interval();
    expect(lives()).toEqual([[], [], []]);
    store.elect('fra1');
    await interval();
    expect(lives()).toEqual(nodes.map(() => ['127.0.0.1', '127.0.0.2']));
    expect(new Set(serials()).size).toBe(1);
    expect(store.history).toHaveLength(1);
    expect([...store.history[0].basis.keys()].sort()).toEqual(NAMES);
    check();
  });

  test('a false alarm at one changes nothing, a death seen by two is out everywhere', async () => {
    store.elect('fra1');
    await interval();
    const before = serials();
    fail('127.0.0.1', 'ams1');
    for (let i = 0; i < 4; i++) await interval();
    expect(serials()).toEqual(before);
    expect(nodes[0].log.filter((line) => line.includes('changed to'))).toHaveLength(1);
    fail('127.0.0.1', 'ams1', 'lon1');
    await interval();
    expect(lives()).toEqual(nodes.map(() => ['127.0.0.2', '127.0.0.3']));
    expect(store.history.at(-1)?.says.get('127.0.0.1')).toMatchObject([
      { vantage: 'ams1', up: false },
      { vantage: 'fra1', up: true },
      { vantage: 'lon1', up: false },
    ]);
    check();
  });

  test('that a decider decides otherwise is shown once it lasts longer than an interval', async () => {
    const [decider, ...others] = nodes;
    store.elect(decider.name);
    await interval();
    const before = lives();
    fail('127.0.0.1');
    const shown: boolean[] = [];
    for (let i = 0; i < 4; i++) {
      clock += INTERVAL;
      decider.vantage.look();
      for (const node of others) await node.turn();
      others[0].vantage.look();
      const { decision } = await others[0].turn();
      expect(decision.live.map(({ edge }) => edge)).toEqual(before[1]);
      shown.push(decision.notes.some((note) => note.includes(`${decider.name} decides, and has not decided so`)));
    }
    expect(shown[0]).toBe(false);
    expect(shown).toContain(true);
    await interval();
    const { decision } = await others[0].turn();
    expect(decision.live.map(({ edge }) => edge)).toEqual(['127.0.0.2', '127.0.0.3']);
    expect(decision.notes.join()).not.toContain('has not decided so');
    check();
  });

  test('views decide as they come, before a turn ends', async () => {
    store.elect('fra1');
    await interval();
    fail('127.0.0.1');
    clock += 1;
    await nodes[0].turn();
    expect(await nodes[1].notice()).toBeNull(); // one says so: nothing else
    await nodes[2].turn();
    const report = await nodes[1].notice();
    expect(report).toMatchObject({ liveChanged: true, probe: null });
    expect(nodes[1].live).toEqual(['127.0.0.2', '127.0.0.3']);
  });

  test('a majority without the store, and a minority with it, change nothing', async () => {
    store.elect('fra1');
    await interval();
    const before = serials();
    for (const node of nodes) node.vantage.isCutOff = true;
    fail('127.0.0.1');
    for (let i = 0; i < 5; i++) await interval();
    expect(serials()).toEqual(before);
    nodes[1].vantage.isCutOff = false;
    for (let i = 0; i < 5; i++) await interval();
    expect(serials()).toEqual(before);
    expect(nodes[1].updates.at(-1)?.decision.notes.join()).toContain('1 vantage counts, 2 must');
    for (const node of nodes) node.vantage.isCutOff = false;
    await interval();
    await interval();
    expect(lives()).toEqual(nodes.map(() => ['127.0.0.2', '127.0.0.3']));
    check();
  });

  test('a paused former decider cannot store', async () => {
    store.elect('fra1');
    await interval();
    const former = nodes[1];
    former.vantage.isCutOff = true;
    store.elect('ams1');
    fail('127.0.0.1');
    for (let i = 0; i < 4; i++) await interval();
    expect(nodes[0].live).toEqual(['127.0.0.2', '127.0.0.3']);
    expect(former.live).toEqual(['127.0.0.1', '127.0.0.2']);
    // It goes on with the token that it had.
    former.failing = new Set(['127.0.0.2']);
    clock += 1;
    await former.turn();
    expect(former.live).toEqual(['127.0.0.1', '127.0.0.2']);
    former.vantage.isCutOff = false;
    former.failing = new Set(['127.0.0.1']);
    await interval();
    expect(new Set(serials()).size).toBe(1);
    check();
  });

  test('an answer of the store that is lost is found out, whatever became of the set', async () => {
    store.elect('fra1');
    await interval();
    for (const losesAnswer of ['stored', 'lost'] as const) {
      const before = nodes[1].state.serial;
      nodes[1].vantage.losesAnswer = losesAnswer;
      fail(nodes[1].live[0]);
      clock += INTERVAL;
      for (const node of nodes) await node.turn();
      await nodes[1].notice(true);
      expect(nodes[1].rounds.notStored).toContain('not stored');
      expect(nodes[1].updates.at(-1)?.state.serial).toBe(before);
      nodes[1].vantage.losesAnswer = null;
      await notices();
      await interval();
      expect(nodes[1].state.serial).not.toBe(before);
      expect(nodes[1].rounds.notStored).toBeNull();
      expect(new Set(serials()).size).toBe(1);
    }
    check();
  });

  test('a store that was wiped, or set back, repeats no serial', async () => {
    store.elect('fra1');
    await interval();
    const backup = store.stored;
    fail('127.0.0.1');
    await interval();
    const later = Math.max(...serials());
    store.restore(backup);
    store.elect('lon1');
    await interval();
    await interval();
    expect(lives()).toEqual(nodes.map(() => ['127.0.0.2', '127.0.0.3']));
    expect(new Set(serials()).size).toBe(1);
    expect(serials()[0]).toBeGreaterThan(later);
    store.wipe();
    store.elect('ams1');
    await interval();
    await interval();
    expect(new Set(serials()).size).toBe(1);
    expect(store.stored?.serial).toBe(serials()[0]);
    check();
  });

  test('a first start from other sets on disk: one of them becomes later than both, and everybody has it', async () => {
    for (const [i, node] of nodes.entries()) {
      node.vantage.overrideReason = 'each for itself, as before there were several';
      fail(EDGES[i], node.name);
    }
    await interval();
    const before = Math.max(...serials());
    expect(new Set(lives().map((live) => live.join())).size).toBe(3);
    fail('none');
    store.wipe();
    for (const node of nodes) {
      node.vantage.overrideReason = null;
      await node.open();
    }
    store.elect('lon1');
    await interval();
    await interval();
    expect(new Set(serials()).size).toBe(1);
    expect(serials()[0]).toBeGreaterThan(before);
    expect(new Set(lives().map((live) => live.join())).size).toBe(1);
    check();
  });

  test('an override decides alone, and its end takes the store above it', async () => {
    store.elect('fra1');
    await interval();
    const [ams] = nodes;
    ams.vantage.isCutOff = true;
    fail('127.0.0.1', 'ams1');
    await interval();
    expect(ams.live).toEqual(['127.0.0.1', '127.0.0.2']);
    ams.vantage.overrideReason = 'the line is cut';
    await interval();
    expect(ams.live).toEqual(['127.0.0.2', '127.0.0.3']);
    expect(ams.vantage.isFit).toBe(false);
    const alone = ams.state.serial;
    expect(alone % (2 * NAMES.length)).toBe(NAMES.length); // of the first vantage, for an override
    ams.vantage.isCutOff = false;
    await interval();
    expect(ams.state.serial).toBe(alone); // it lasts until it is ended
    await ams.open();
    // A process that knows nothing of it takes what it serves for no set that was stored, whoever the members are by now.
    expect(ams.state.decidedAlone).toBe(true);
    await interval();
    expect([ams.state.serial, ams.state.decidedAlone]).toEqual([alone, true]);
    store.elect('ams1');
    ams.vantage.overrideReason = null;
    await interval();
    await interval();
    expect(new Set(serials()).size).toBe(1);
    expect(serials()[0]).toBeGreaterThan(alone);
    expect(ams.live).toEqual(['127.0.0.1', '127.0.0.2']);
    expect(nodes.map(({ state }) => state.decidedAlone)).toEqual([false, false, false]);
    check();
  });
});

type Step =
  | {
      readonly kind: 'turn' | 'notice' | 'restart' | 'cut' | 'join' | 'elect' | 'override' | 'end';
      readonly at: number;
    }
  | { readonly kind: 'fail'; readonly at: number; readonly edges: readonly number[] }
  | { readonly kind: 'lose'; readonly at: number; readonly answer: 'stored' | 'lost' | null }
  | { readonly kind: 'interval' | 'second' };

const AT = fc.nat(NAMES.length - 1);
const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('turn' as const), at: AT }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('notice' as const), at: AT }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('fail' as const),
      at: AT,
      edges: fc.uniqueArray(fc.nat(EDGES.length - 1)),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('restart' as const, 'cut' as const, 'join' as const, 'elect' as const),
      at: AT,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('override' as const, 'end' as const), at: AT }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('lose' as const),
      at: AT,
      answer: fc.constantFrom('stored' as const, 'lost' as const, null),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('interval' as const, 'second' as const) }) },
);

async function take(step: Step): Promise<void> {
  if (!('at' in step)) {
    if (step.kind === 'interval') await interval();
    else clock += 1;
    return;
  }
  const node = nodes[step.at];
  switch (step.kind) {
    case 'turn':
      node.vantage.look();
      await node.turn();
      return;
    case 'notice':
      await node.notice();
      return;
    case 'restart':
      return node.open();
    case 'cut':
    case 'join':
      node.vantage.isCutOff = step.kind === 'cut';
      return;
    case 'elect':
      return store.elect(node.name);
    case 'override':
    case 'end':
      node.vantage.overrideReason = step.kind === 'override' ? 'a reason' : null;
      return;
    case 'fail':
      node.failing = new Set(step.edges.map((i) => EDGES[i]));
      return;
    case 'lose':
      node.vantage.losesAnswer = step.answer;
      return;
    default:
      step satisfies never;
  }
}

test('whatever is lost, one serial is one answer, none goes back, and all agree in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 40 }), async (steps) => {
      await end();
      await begin();
      for (const step of steps) await take(step);
      check();
      for (const node of nodes) {
        node.failing = new Set(['127.0.0.3']);
        node.vantage.isCutOff = false;
        node.vantage.overrideReason = null;
        node.vantage.losesAnswer = null;
      }
      store.elect('lon1');
      for (let i = 0; i < 3; i++) await interval();
      check();
      expect(new Set(serials()).size, 'serials in the end').toBe(1);
      expect(lives()).toEqual(nodes.map(() => ['127.0.0.1', '127.0.0.2']));
    }),
    { numRuns: 15 },
  );
});
