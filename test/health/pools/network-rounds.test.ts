import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config, NetworkFiles } from '../../../src/config/types.ts';
import type { RoundResult } from '../../../src/health/checks/prober.ts';
import type { Sample } from '../../../src/health/checks/sample.ts';
import { decideFacts } from '../../../src/health/choose/decide.ts';
import { appendModeChange } from '../../../src/health/modes/mode-changes.ts';
import { withMode } from '../../../src/health/modes/modes.ts';
import { NetworkRounds } from '../../../src/health/pools/network-rounds.ts';
import { type TemplateChanges, zoneSerial } from '../../../src/health/pools/next-state.ts';
import type {
  HookName,
  LiveUpdate,
  RoundFailure,
  RoundOrder,
  RoundReport,
  RoundTools,
  WrittenZone,
} from '../../../src/health/pools/round-types.ts';
import { type EdgeRecord, withRound } from '../../../src/health/state/edge-store.ts';
import { EdgeStores } from '../../../src/health/state/edge-store-files.ts';
import { historyLogPath, lastRounds } from '../../../src/health/state/history-log.ts';
import { withSample } from '../../../src/health/state/series.ts';
import { parseState } from '../../../src/health/state/state-file.ts';
import { hooksSink } from '../../../src/publish/hooks-sink.ts';
import { liveListSink } from '../../../src/publish/live-list.ts';
import type { Sink } from '../../../src/publish/sink.ts';
import { Sinks } from '../../../src/publish/sinks.ts';
import { stateSink } from '../../../src/publish/state.ts';
import { Locks } from '../../../src/system/lock.ts';
import { BASE, parse } from '../../config/config-fixture.ts';
import { Installation } from '../../support/installation.ts';

const NET = 'mynet';
const EDGES = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
const CANARY = '127.0.1.1';

let site: Installation;
let config: Config;
let locks: Locks;
const opened: Sinks[] = [];
const openedRounds: NetworkRounds[] = [];

beforeEach(async () => {
  site = await Installation.make({
    edges: EDGES,
    keys: {
      edge_count: 2,
      run_frequency: 60,
      commands: { run_before: ['b'], run_after: ['a'], run_after_changes: ['c'] },
    },
  });
  const loaded = loadConfig(site.path('edgemanage.yaml'));
  if (loaded.config === null) throw new Error(JSON.stringify(loaded.faults));
  config = loaded.config;
  locks = Locks.open(config.lockfile);
});
afterEach(async () => {
  for (const sinks of opened.splice(0)) await sinks.close();
  for (const rounds of openedRounds.splice(0)) {
    rounds.cutShort(); // nothing that settles is written while the folder is removed
    await rounds.idle();
  }
  locks.close();
  await site.remove();
});

const FILES: NetworkFiles = { name: NET, edges: EDGES, canaries: new Map() };
const WITH_CANARY: NetworkFiles = { ...FILES, canaries: new Map([['x.test', CANARY]]) };

/** Fetch times by edge in the next round; 10: it fails. */
type Times = Readonly<Record<string, number>>;
const USUAL: Times = { '127.0.0.1': 0.1, '127.0.0.2': 0.2, '127.0.0.3': 0.3 };

/** A network whose prober, clock, hooks, slots and zone files are ours; everything in between and the files are real. */
class Bench {
  readonly hooks: string[] = [];
  readonly log: string[] = [];
  readonly updates: LiveUpdate[] = [];
  readonly order: string[] = [];
  readonly spreads: number[] = [];
  clock = 1_700_000_000;
  times: Times = USUAL;
  onProbe: () => Promise<void> = async () => {};
  /** A turn whose samples come one by one. */
  onTurn: ((onSample: (sample: Sample) => void) => Promise<RoundResult>) | null = null;
  readonly liveSets: (readonly string[])[] = [];
  onPublish: (update: LiveUpdate) => void = () => undefined;
  /** The zone files that are written after a decision. */
  onFiles: (update: LiveUpdate) => readonly WrittenZone[] = () => [];
  sinks = this.makeSinks();
  rounds: NetworkRounds | null = null;
  kind: RoundTools['kind'] = 'server';
  templateChanges: TemplateChanges | null = null;
  /** What zones use at each time they are asked, and ever after. */
  floors: number[] = [];
  lastFloor = 0;
  stores: EdgeStores | null = null;

  tools(): RoundTools {
    const { templateChanges, stores } = this;
    return {
      ...(stores === null ? {} : { stores }),
      ...(templateChanges === null ? {} : { templateChanges: async () => this.templateChanges ?? templateChanges }),
      kind: this.kind,
      prober: {
        setLive: (_, names) => this.liveSets.push(names),
        round: ({ targets, spread }, onSample = () => undefined) => {
          this.spreads.push(spread);
          if (this.onTurn !== null) return this.onTurn(onSample);
          return this.#probe(targets.map(({ name }) => name));
        },
      },
      begin: ({ commands }) => this.startHook('run_before', commands.runBefore),
      save: (state) => this.sinks.save(NET, state),
      publish: (update, inForce) => {
        const faults = this.sinks.serve(NET, update);
        this.sinks.follow({ network: NET, config: inForce, update, zones: [], filesWritten: false });
        return faults;
      },
      floorSerial: () => this.floors.shift() ?? this.lastFloor,
      now: () => this.clock,
      log: (level, text) => this.log.push(`${level} ${text}`),
    };
  }

  async open(withLocks: Locks | null = locks): Promise<NetworkRounds> {
    this.rounds = await NetworkRounds.open(NET, config, withLocks, this.tools());
    openedRounds.push(this.rounds);
    return this.rounds;
  }

  /** Whatever follows the decisions so far has been done; whether that was a change for the hooks. */
  async followed(): Promise<{ readonly changed: boolean }> {
    for (const name of ['zone-files', 'live-list', 'hooks']) await this.sinks.idleOf(name);
    const changed = this.order.lastIndexOf('run_after_changes') > this.order.lastIndexOf('publish');
    return { changed };
  }

  private startHook(hook: HookName, commands: readonly string[]): void {
    this.hooks.push(...commands.map((command) => `${hook} ${command}`));
    this.order.push(hook);
  }

  private makeSinks(): Sinks {
    const list: readonly Sink[] = [
      stateSink(config.statefile),
      {
        name: 'publish',
        phase: 'serve',
        apply: (_, update) => {
          this.updates.push(update);
          this.order.push('publish');
          this.onPublish(update);
        },
      },
      {
        name: 'zone-files',
        phase: 'follow',
        apply: async (change) => {
          const written = change.update === null ? [] : this.onFiles(change.update);
          if (written.length === 0) return [];
          await this.rounds?.noteWritten(written);
          this.sinks.follow({ ...change, update: null, filesWritten: true }, 'hooks');
          return [];
        },
      },
      liveListSink,
      hooksSink({ start: (hook, commands) => this.startHook(hook, commands) }),
    ];
    const sinks = new Sinks(list, { log: (level, _, text) => this.log.push(`${level} ${text}`) });
    opened.push(sinks);
    return sinks;
  }

  async #probe(names: readonly string[]): Promise<RoundResult> {
    await this.onProbe();
    this.clock += 60;
    const samples = new Map(names.map((name) => [name, sampleOf(name, this.times[name] ?? 0.1, this.clock - 1)]));
    return { samples, startedAt: this.clock - 60, seconds: 1, cancelled: [], unknown: [], overdue: [], loopDelayMs: 0 };
  }
}

function sampleOf(edge: string, seconds: number, at: number): Sample {
  const fail = seconds >= 10 ? ({ reason: 'refused', detail: '' } as const) : null;
  const phases = { resolve: null, connect: 0.01, tls: null, firstByte: 0.02, total: seconds };
  const primary = { address: edge, seconds, fail, phases, attempts: 1, hops: 0, check: 'http', checks: [] };
  return { edge, at, seconds, fail, primary, others: [], stalledMs: 0 };
}

function done(result: RoundReport | RoundFailure | null): RoundReport {
  if (result === null || 'failure' in result) throw new Error(JSON.stringify(result));
  return result;
}

const names = (report: RoundReport): readonly string[] => report.decision.live.map(({ edge }) => edge);

async function savedState() {
  const parsed = parseState(await readFile(site.path(`${NET}.state`), 'utf8'));
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.state;
}

function change(edge: string, mode: EdgeRecord['mode'], now: number, until: number | null = null) {
  return new EdgeStores(config.healthdataStore, locks).update(edge, now, (record) =>
    withMode(record, { mode, comment: '[a] b', until, by: 'a' }, now),
  );
}

describe('a round', () => {
  test('saves the state before it publishes; health records, history and hooks come after', async () => {
    const bench = new Bench();
    bench.onPublish = ({ state }) => {
      const parsed = parseState(readFileSync(site.path(`${NET}.state`), 'utf8'));
      expect(parsed).toMatchObject({ ok: true, state });
      expect(readdirSync(config.healthdataStore)).toEqual([]);
      expect(readdirSync(site.folder)).not.toContain(`${NET}.rounds.jsonl`);
    };
    const rounds = await bench.open();
    const report = done(await rounds.round({ config, files: FILES }));
    expect(report.faults).toEqual([]);
    expect(names(report)).toEqual(['127.0.0.1', '127.0.0.2']);
    expect(report).toMatchObject({ liveChanged: true, canaryZones: [] });
    expect(await bench.followed()).toEqual({ changed: true });
    expect(bench.order).toEqual(['run_before', 'publish', 'run_after', 'run_after_changes']);
    expect(await site.read(`${NET}.live`)).toBe('127.0.0.1\n127.0.0.2\n');
    await rounds.idle();
    expect(readdirSync(config.healthdataStore).sort()).toEqual(EDGES.map((edge) => `${edge}.edgestore`));
    expect(await readdir(site.folder)).toContain(`${NET}.rounds.jsonl`);
  });

  test('without news publishes the same serial and starts no run_after_changes', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    const first = done(await rounds.round({ config, files: FILES }));
    await bench.followed();
    const second = done(await rounds.round({ config, files: FILES }));
    expect(second.state.serial).toBe(first.state.serial);
    expect(await bench.followed()).toEqual({ changed: false });
    expect(bench.hooks).toEqual(['run_before b', 'run_after a', 'run_after_changes c', 'run_before b', 'run_after a']);
    expect(rounds.records.get('127.0.0.1')?.history.seconds).toEqual([0.1, 0.1]);
  });

  test('changes that come faster than the clock still get rising serials', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    const serials: number[] = [];
    for (const times of [USUAL, { ...USUAL, '127.0.0.1': 10 }, USUAL]) {
      bench.clock = 1_600_000_000 - 60; // the same second each time, and years before the first
      bench.times = times;
      serials.push(done(await rounds.round({ config, files: FILES, forceUpdate: true })).state.serial);
    }
    expect(serials).toEqual([1_600_000_000, 1_600_000_001, 1_600_000_002]);
  });

  test('a serial that a zone takes while the state is written is not given to the live set too', async () => {
    const bench = new Bench();
    const at = 1_700_000_060; // when the round's fetches have ended
    bench.floors = [0]; // while the serial is chosen; by the time it is on disk, a zone has the same one
    bench.lastFloor = at;
    const rounds = await bench.open();
    const { state } = done(await rounds.round({ config, files: FILES }));
    expect(state.serial).toBe(at + 1);
    expect(bench.updates.map((update) => update.state.serial)).toEqual([at + 1]);
    expect((await savedState()).serial).toBe(at + 1);
  });

  test('a set that is live again after a restart is the same set under the same serial', async () => {
    const bench = new Bench();
    const before = done(await (await bench.open()).round({ config, files: FILES }));
    const rounds = await bench.open();
    expect(rounds.state).toEqual(before.state);
    expect(done(await rounds.round({ config, files: FILES })).state.serial).toBe(before.state.serial);
  });

  test('an installation of the original serves its last live set at once, and goes on from there', async () => {
    await site.write(`${NET}.state`, JSON.stringify({ last_live: ['127.0.0.3', '127.0.0.2'], rotation_list: [] }));
    const bench = new Bench();
    const rounds = await bench.open();
    expect(rounds.state.live.map(({ v4 }) => v4)).toEqual(['127.0.0.2', '127.0.0.3']);
    expect(rounds.state.serial).toBe(1_700_000_000);
    const report = done(await rounds.round({ config, files: FILES }));
    expect(names(report)).toEqual(['127.0.0.2', '127.0.0.3']);
    expect(report.liveChanged).toBe(false);
  });

  test('a server goes on from the serials that a run could note in no file of serials, and so does the next run', async () => {
    const bench = new Bench();
    bench.kind = 'run';
    bench.templateChanges = { all: ['x.test'], changed: ['x.test'] };
    const given = 1_700_000_500;
    bench.onFiles = ({ state }) => [{ name: 'x.test', mtime: 5, serial: zoneSerial(state, 'x.test'), unsaved: given }];
    const rounds = await bench.open();
    const first = done(await rounds.round({ config, files: FILES }));
    expect(first.state.serial).toBeLessThan(given);
    await bench.followed();
    await rounds.idle();
    expect(zoneSerial((await bench.open()).state, 'x.test')).toBe(given);
    bench.kind = 'server';
    expect((await bench.open()).state).toMatchObject({
      serial: given,
      zoneSerials: new Map(),
      pendingZones: new Set(),
    });
  });

  test('zones stay noted as out of date until the publisher says they are written', async () => {
    const bench = new Bench();
    bench.kind = 'run';
    bench.templateChanges = { all: ['x.test', 'y.test'], changed: ['x.test', 'y.test'] };
    const rounds = await bench.open();
    bench.onFiles = () => {
      throw new Error('killed');
    };
    await rounds.round({ config, files: FILES });
    await bench.followed();
    expect(bench.log.join('\n')).toContain('error zone-files: error: failed: killed');
    expect((await savedState()).pendingZones).toEqual(new Set(['x.test', 'y.test']));
    bench.templateChanges = { all: ['x.test', 'y.test'], changed: [] };
    bench.onFiles = ({ state }) => {
      expect(state.pendingZones).toEqual(new Set(['x.test', 'y.test']));
      return [{ name: 'x.test', mtime: 5, serial: zoneSerial(state, 'x.test') }];
    };
    done(await rounds.round({ config, files: FILES }));
    expect(await bench.followed()).toEqual({ changed: true });
    await rounds.idle();
    expect(await savedState()).toMatchObject({
      zoneMtimes: new Map([['x.test', 5]]),
      pendingZones: new Set(['y.test']),
    });
  });

  test('the state is written once a round, also where zone files are; what became of them with the next, or at the end', async () => {
    const statefile = site.path(`${NET}.state`);
    const bench = new Bench();
    bench.kind = 'run';
    bench.templateChanges = { all: ['x.test'], changed: ['x.test'] };
    const published: number[] = [];
    bench.onFiles = ({ state }) => {
      published.push(statSync(statefile).ino);
      return [{ name: 'x.test', mtime: 5, serial: zoneSerial(state, 'x.test') }];
    };
    const rounds = await bench.open();
    for (const turn of [0, 1]) {
      await rounds.round({ config, files: FILES });
      await bench.followed();
      expect((await stat(statefile)).ino).toBe(published[turn]);
      bench.templateChanges = { all: ['x.test'], changed: [] };
    }
    expect((await savedState()).zoneMtimes).toEqual(new Map([['x.test', 5]])); // from the first round
    await bench.open().then((again) => expect(again.state.pendingZones).toEqual(new Set()));
    await rounds.idle();
    expect(await savedState()).toEqual(rounds.state);
    const { ino } = await stat(statefile);
    await rounds.idle();
    expect((await stat(statefile)).ino).toBe(ino); // nothing new to say
  });

  test('a canary changes its zone only: a serial of its own, no rotation, victim remembered', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    const plain = done(await rounds.round({ config, files: FILES }));
    await bench.followed();
    const withCanary = done(await rounds.round({ config, files: WITH_CANARY }));
    expect(withCanary).toMatchObject({ liveChanged: false, canaryZones: ['x.test'] });
    expect(await bench.followed()).toEqual({ changed: true });
    expect(withCanary.state.serial).toBe(plain.state.serial);
    expect(withCanary.state.canarySerials.get('x.test')).toBeGreaterThan(plain.state.serial);
    expect((await savedState()).memory.activeCanaries).toEqual(withCanary.state.memory.activeCanaries);
    expect((await rounds.stores.read(CANARY, bench.clock)).record.state).toBe('out');

    const quiet = done(await rounds.round({ config, files: WITH_CANARY }));
    expect(quiet).toMatchObject({ canaryZones: [] });
    expect(await bench.followed()).toEqual({ changed: false });
    const without = done(await rounds.round({ config, files: FILES }));
    expect(without.canaryZones).toEqual(['x.test']);
  });

  test('a failure to publish is a fault, and the round goes on', async () => {
    const bench = new Bench();
    bench.onPublish = () => {
      throw new Error('no room');
    };
    const report = done(await (await bench.open()).round({ config, files: FILES }));
    expect(report.faults).toMatchObject([{ code: 'publish', message: 'no room' }]);
    await bench.followed();
    expect(bench.hooks).toContain('run_after a');
    expect(bench.log.join('\n')).toContain('error error: publish: no room');
  });

  test('a state that cannot be written is a fault, and the decision is published all the same', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    await writeFile(site.path('blocked'), '');
    const blocked = { ...config, statefile: site.path('blocked', 'x.state') };
    await expect(NetworkRounds.open(NET, blocked, locks, bench.tools())).rejects.toThrow(/ENOTDIR|EEXIST/);
    await rm(config.healthdataStore, { recursive: true });
    const report = done(await rounds.round({ config, files: FILES }));
    expect(report.faults).toEqual([]);
    expect(bench.updates).toHaveLength(1);
    await rounds.idle();
    expect(new Set(rounds.unwritten.map(({ code }) => code))).toContain('edge-store-write');
    expect(bench.log.filter((line) => line.includes('cannot be written (ENOENT)'))).toHaveLength(EDGES.length);

    await mkdir(config.healthdataStore);
    await rounds.idle(); // tries once more
    expect(rounds.unwritten).toEqual([]);
    expect((await rounds.stores.read('127.0.0.1', bench.clock)).record.history.seconds).toEqual([0.1]);
    expect(readdirSync(config.healthdataStore)).toHaveLength(EDGES.length);
  });

  test("another process's change of a record that waits to be written is seen, and kept with ours", async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    await rounds.round({ config, files: FILES });
    await rounds.idle();
    await rounds.round({ config, files: FILES });
    await change('127.0.0.1', 'unavailable', bench.clock); // perhaps before ours is written
    expect(names(done(await rounds.redecide({ config, files: FILES })))).toEqual(['127.0.0.2', '127.0.0.3']);
    await rounds.idle();
    const { record } = await new EdgeStores(config.healthdataStore, null).read('127.0.0.1', bench.clock);
    expect(record).toMatchObject({ mode: 'unavailable', comment: '[a] b', state: 'out' });
    expect(record.history.seconds).toEqual([0.1, 0.1]);
    expect(record.rotations).toHaveLength(2);
  });

  test('networks that share their records see what each other noted before it is on disk', async () => {
    const bench = new Bench();
    bench.stores = new EdgeStores(config.healthdataStore, locks);
    const rounds = await bench.open();
    await rounds.round({ config, files: FILES });
    const other = await bench.open();
    await other.round({ config, files: FILES });
    expect(other.records.get('127.0.0.1')?.history.seconds).toEqual([0.1, 0.1]);
  });

  test('without the reference object nothing is decided', async () => {
    await rm(config.testobject.local);
    const bench = new Bench();
    const rounds = await bench.open();
    expect(await rounds.round({ config, files: FILES })).toMatchObject({ failure: { code: 'test-object' } });
    expect(bench.updates).toEqual([]);
    expect(bench.hooks).toEqual(['run_before b']);
  });

  test('a prober that dies fails the round, and the next one can be made', async () => {
    const bench = new Bench();
    bench.onProbe = () => Promise.reject(new Error('thread died'));
    const rounds = await bench.open();
    expect(await rounds.round({ config, files: FILES })).toMatchObject({ failure: { code: 'prober' } });
    bench.onProbe = async () => {};
    expect(names(done(await rounds.round({ config, files: FILES })))).toHaveLength(2);
  });

  test('starts are spread: as told, else over a hundredth of a second for each target and a second at most', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    await rounds.round({ config, files: FILES, spread: 0.25 });
    await rounds.round({ config, files: WITH_CANARY });
    const many = Array.from({ length: 150 }, (_, i) => `127.0.2.${i}`);
    await rounds.round({ config, files: { ...FILES, edges: many } });
    expect(bench.spreads).toEqual([0.25, 0.04, 1]);
  });

  test('two rounds never overlap', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    const first = rounds.round({ config, files: FILES });
    await expect(rounds.round({ config, files: FILES })).rejects.toThrow(/still running/);
    await first;
  });

  test('leavings of a writer that was killed are swept away', async () => {
    const bench = new Bench();
    await bench.open();
    await site.write('health/.e.edgestore.4194305-1.tmp', 'half'); // no process has this number (pid_max is 2^22)
    await site.write(`health/.e.edgestore.${process.pid}-1.tmp`, 'being written');
    await bench.open();
    expect(await site.list('health')).toEqual([`.e.edgestore.${process.pid}-1.tmp`]);
  });

  test('a dry run decides and touches nothing', async () => {
    const bench = new Bench();
    const before = await readdir(site.folder, { recursive: true });
    const report = done(await (await bench.open(null)).round({ config, files: FILES }));
    expect(names(report)).toEqual(['127.0.0.1', '127.0.0.2']);
    expect(report).toMatchObject({ liveChanged: true });
    expect(await bench.followed()).toEqual({ changed: false });
    expect(bench.order).toEqual([]);
    expect(await readdir(site.folder, { recursive: true })).toEqual(before);
  });

  test('rounds of a dry run follow upon one another, though nothing is written', async () => {
    const bench = new Bench();
    const before = await readdir(site.folder, { recursive: true });
    const rounds = await bench.open(null);
    await rounds.round({ config, files: FILES });
    bench.times = { ...USUAL, '127.0.0.3': 0.01 };
    const second = done(await rounds.round({ config, files: FILES }));
    expect(second.decision.outcome).toEqual({ kind: 'unchanged' });
    expect(rounds.records.get('127.0.0.3')?.history.seconds).toEqual([0.3, 0.01]);
    bench.times = { ...USUAL, '127.0.0.1': 10 };
    expect(names(done(await rounds.round({ config, files: FILES })))).toEqual(['127.0.0.2', '127.0.0.3']);
    expect(await readdir(site.folder, { recursive: true })).toEqual(before);
  });
});

describe('deciding between rounds', () => {
  test('nothing happens without a changed mode', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    await rounds.round({ config, files: FILES });
    expect(await rounds.redecide({ config, files: FILES })).toBeNull();
  });

  test("an operator's change is decided and published, but counts neither as run nor as fetch", async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    const before = done(await rounds.round({ config, files: FILES }));
    await bench.followed();
    bench.order.length = 0;
    bench.clock += 5;
    await change('127.0.0.1', 'unavailable', bench.clock);
    const report = done(await rounds.redecide({ config, files: FILES }));
    expect(names(report)).toEqual(['127.0.0.2', '127.0.0.3']);
    expect(report.probe).toBeNull();
    expect(report.state.serial).toBeGreaterThan(before.state.serial);
    expect(report.state.lastRun).toBe(before.state.lastRun);
    await bench.followed();
    expect(bench.order).toEqual(['publish', 'run_after_changes']);
    const { record } = await rounds.stores.read('127.0.0.1', bench.clock);
    expect(record).toMatchObject({ mode: 'unavailable', comment: '[a] b', state: 'out' });
    expect(record.history.times).toHaveLength(1);
    expect(await rounds.redecide({ config, files: FILES })).toBeNull();
  });

  test('also while a round is fetching, which then keeps the change', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    await rounds.round({ config, files: FILES });
    bench.onProbe = async () => {
      await change('127.0.0.1', 'unavailable', bench.clock);
      expect(names(done(await rounds.redecide({ config, files: FILES })))).toEqual(['127.0.0.2', '127.0.0.3']);
    };
    const report = done(await rounds.round({ config, files: FILES }));
    expect(names(report)).toEqual(['127.0.0.2', '127.0.0.3']);
    expect(report.liveChanged).toBe(false);
    expect((await rounds.stores.read('127.0.0.1', bench.clock)).record.mode).toBe('unavailable');
  });

  test('before the first round of a restarted server the saved addresses stay', async () => {
    const bench = new Bench();
    await (await bench.open()).round({ config, files: FILES });
    const rounds = await bench.open();
    await change('127.0.0.3', 'blindforce', bench.clock);
    const report = done(await rounds.redecide({ config, files: FILES }));
    expect(names(report)).toContain('127.0.0.3');
    expect(report.decision.live).toHaveLength(2);
  });

  test('an end that is set, moved or taken away later counts, though the mode stays', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    await rounds.round({ config, files: FILES });
    for (const until of [null, bench.clock + 30, bench.clock + 90, null]) {
      await change('127.0.0.1', 'unavailable', bench.clock, until);
      await rounds.redecide({ config, files: FILES });
      expect(rounds.nextExpiry).toBe(until);
      expect(rounds.records.get('127.0.0.1')?.modeUntil).toBe(until);
    }
  });

  test('a mode whose time is over ends, and the file says so', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    await rounds.round({ config, files: FILES });
    await change('127.0.0.1', 'unavailable', bench.clock, bench.clock + 30);
    done(await rounds.redecide({ config, files: FILES }));
    expect(rounds.nextExpiry).toBe(bench.clock + 30);
    bench.clock += 30;
    expect(done(await rounds.redecide({ config, files: FILES })).decision.live).toHaveLength(2);
    expect(rounds.nextExpiry).toBeNull();
    const { record } = await rounds.stores.read('127.0.0.1', bench.clock);
    expect(record).toMatchObject({ mode: 'available', modeUntil: null, comment: '', modeSince: bench.clock });
  });
});

describe('a turn that goes on', () => {
  /** A running turn: its samples are put in, and what was decided before its end comes out. */
  class Turn {
    readonly events: RoundReport[] = [];
    readonly report: Promise<RoundReport | RoundFailure>;
    readonly overdue: string[] = [];
    private onSample: (sample: Sample) => void = () => undefined;
    private finish: () => void = () => undefined;
    private waiting: (() => void)[] = [];
    private readonly bench: Bench;
    private readonly sampled = new Map<string, Sample>();

    constructor(bench: Bench, rounds: NetworkRounds, settle: number, files = FILES) {
      this.bench = bench;
      bench.onTurn = (onSample) => {
        this.onSample = onSample;
        return new Promise((resolve) => {
          this.finish = () =>
            resolve({
              samples: this.sampled,
              startedAt: 0,
              seconds: 1,
              cancelled: [],
              unknown: [],
              overdue: this.overdue,
              loopDelayMs: 0,
            });
        });
      };
      const onEvent = (report: RoundReport): void => {
        this.events.push(report);
        for (const wake of this.waiting.splice(0)) wake();
      };
      this.report = rounds.round({ config, files, settle, onEvent });
    }

    sample(...times: readonly (readonly [string, number])[]): void {
      for (const [name, seconds] of times) {
        this.bench.clock += 1;
        const sample = sampleOf(name, seconds, this.bench.clock);
        this.sampled.set(name, sample);
        this.onSample(sample);
      }
    }

    async event(): Promise<RoundReport> {
      if (this.events.length === 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
      return this.events[0];
    }

    async end(): Promise<RoundReport> {
      this.finish();
      return done(await this.report);
    }
  }

  const [ONE, TWO, THREE] = EDGES;
  /** Until the prober was asked. */
  const begun = async (bench: Bench, rounds: NetworkRounds, settle = 0.02): Promise<Turn> => {
    const before = bench.spreads.length;
    const turn = new Turn(bench, rounds, settle);
    await vi.waitFor(() => expect(bench.spreads.length).toBe(before + 1));
    return turn;
  };

  test('a cold start answers as soon as as many edges pass as are wanted', async () => {
    const bench = new Bench();
    const turn = await begun(bench, await bench.open());
    turn.sample([ONE, 0.1], [TWO, 0.1]);
    expect(names(await turn.event())).toEqual([ONE, TWO]);
    expect(bench.liveSets).toEqual([[ONE, TWO]]);
    turn.sample([THREE, 10]);
    const end = await turn.end();
    expect(end.decision.outcome).toEqual({ kind: 'unchanged' });
    expect(turn.events).toHaveLength(1);
  });

  test.each([
    ['as edge_conf does it', true],
    ['by hand, seconds before', false],
  ])('a mode that another process changes while samples settle is decided by: %s', async (_, isNoted) => {
    const bench = new Bench();
    const rounds = await bench.open();
    done(await rounds.round({ config, files: FILES }));
    const theirs = new EdgeStores(config.healthdataStore, locks);
    const unavailable = (): Promise<unknown> =>
      theirs.update(THREE, bench.clock, (record) => ({ ...record, mode: 'unavailable' }));
    if (!isNoted) await unavailable();
    if (!isNoted) vi.spyOn(performance, 'now').mockImplementation(() => Date.now() + 1e9); // the last look is long ago
    const turn = await begun(bench, rounds, 0.2);
    turn.sample([THREE, 0.1], [ONE, 10]);
    if (isNoted) {
      await unavailable();
      const change = { network: NET, edge: THREE, mode: 'unavailable', until: null, comment: '', by: null } as const;
      await appendModeChange(config.healthdataStore, { at: bench.clock, ...change });
    }
    const event = await turn.event();
    vi.restoreAllMocks();
    expect(rounds.records.get(THREE)?.mode).toBe('unavailable');
    expect(names(event)).not.toContain(THREE);
    await turn.end();
  });

  test('members that fail within the settling time cost one rotation, no run, and each sample counts once', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    done(await rounds.round({ config, files: FILES }));
    const turn = await begun(bench, rounds);
    turn.sample([ONE, 10], [THREE, 0.1], [TWO, 10]);
    const event = await turn.event();
    expect(names(event)).toContain(THREE);
    expect(names(event)).not.toContain(TWO); // the other one is kept for want of a third
    expect(event.state.memory.rotations).toHaveLength(2);
    expect(bench.updates.at(-1)?.isRun).toBe(false);
    const lastRun = event.state.lastRun;
    const end = await turn.end();
    expect(end.state.lastRun).not.toBe(lastRun);
    expect(end.state.memory.rotations).toHaveLength(2);
    expect(rounds.records.get(ONE)?.history.seconds).toEqual([0.1, 10]);
    expect(rounds.records.get(THREE)?.history.seconds).toEqual([0.3, 0.1]);
    expect(bench.updates.at(-1)?.isRun).toBe(true);
  });

  test('what settles is decided upon before the end of a turn', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    done(await rounds.round({ config, files: FILES }));
    const turn = await begun(bench, rounds);
    turn.sample([TWO, 0.2], [THREE, 0.3], [ONE, 10]);
    await turn.end();
    expect(turn.events).toHaveLength(1);
    expect(turn.events[0].decision.outcome).toMatchObject({ kind: 'changed', removed: [ONE] });
  });

  const withCount = (edgeCount: number): Pick<RoundOrder, 'config' | 'files'> => ({
    config: { ...config, edgeCount },
    files: FILES,
  });

  test('a changed rule is decided upon at once, with what no decision has seen yet, and holds for the running turn', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    done(await rounds.round({ config, files: FILES }));
    const turn = await begun(bench, rounds, 1000);
    turn.sample([THREE, 0.05]);
    rounds.adopt(withCount(3));
    const report = done(await rounds.reconsider());
    expect(names(report)).toEqual([ONE, TWO, THREE]);
    expect(rounds.samples.get(THREE)?.seconds).toBe(0.05);
    expect(bench.updates.at(-1)?.isRun).toBe(false);
    rounds.adopt(withCount(1));
    expect(names(await turn.end())).toHaveLength(1);
  });

  test('what settles is waited for, so that members that die together are seen together', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    done(await rounds.round({ config, files: FILES }));
    const turn = await begun(bench, rounds);
    turn.sample([TWO, 10]);
    rounds.adopt(withCount(1));
    const again = rounds.reconsider();
    turn.sample([ONE, 10], [THREE, 0.1]);
    done(await again);
    expect(turn.events).toHaveLength(1);
    expect(names(turn.events[0])).toEqual([THREE]);
    await turn.end();
  });

  test('before anything is known a changed rule waits for the first results', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    expect(await rounds.reconsider()).toBeNull();
    const turn = await begun(bench, rounds, 1000);
    turn.sample([ONE, 0.1]);
    rounds.adopt(withCount(3));
    expect(await rounds.reconsider()).toBeNull(); // one of three is not enough for a first decision
    turn.sample([TWO, 10], [THREE, 10]);
    rounds.cutShort();
    expect(names(await turn.end())).toEqual([ONE]);
    rounds.adopt({ config, files: { ...FILES, edges: ['127.0.0.9'] } });
    expect(await rounds.reconsider()).toBeNull();
  });

  test('an edge that passes or fails outside the set waits for the end', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    done(await rounds.round({ config, files: FILES }));
    const turn = await begun(bench, rounds, 0);
    turn.sample([ONE, 0.1], [TWO, 0.2], [THREE, 10]);
    await turn.end();
    expect(turn.events).toEqual([]);
  });

  test('flapping members stay within dnschange_maxfreq', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    done(await rounds.round({ config, files: FILES }));
    // Not three times in a row, after which a member may leave during a hold.
    for (let i = 0; i < 40; i++) {
      const turn = await begun(bench, rounds, 0);
      const [first] = rounds.state.live;
      turn.sample(...EDGES.map((name): [string, number] => [name, name === first.edge && i % 2 === 0 ? 10 : 0.1]));
      await turn.end();
    }
    expect(rounds.state.memory.rotations.length).toBeGreaterThan(1);
    const recent = rounds.state.memory.rotations.filter((at) => bench.clock - at < 600);
    expect(recent.length).toBeLessThanOrEqual(config.dnschangeMaxfreq);
  });

  test('a prober that brings nothing is an alarm after three intervals, and over with the first samples', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const bench = new Bench();
      const rounds = await bench.open();
      await begun(bench, rounds);
      expect(rounds.probeTroubles.silence).toBeNull();
      vi.advanceTimersByTime(3 * config.runFrequency * 1000 + 1);
      expect(rounds.probeTroubles.silent).toEqual(EDGES);
      const turn = await begun(bench, rounds);
      expect(bench.log.filter((line) => line.includes('no check of'))).toEqual([
        `error ${rounds.network}: ${rounds.probeTroubles.silence}`,
      ]);
      turn.sample([ONE, 0.1]);
      expect(rounds.probeTroubles.silent).toEqual([TWO, THREE]);
      const { decision } = await turn.end();
      expect(decision.notes.at(-1)).toBe(rounds.probeTroubles.silence);
      turn.sample([TWO, 0.1], [THREE, 0.1]);
      expect(rounds.probeTroubles.silence).toBeNull();
      await begun(bench, rounds);
      expect(bench.log).toContain(`info ${rounds.network}: every edge is checked again`);
    } finally {
      vi.useRealTimers();
    }
  });

  test('what is overdue is a note of the decision, for explain', async () => {
    const bench = new Bench();
    const turn = await begun(bench, await bench.open());
    turn.sample([ONE, 0.1], [TWO, 0.2]);
    turn.overdue.push(THREE);
    const { decision } = await turn.end();
    expect(decision.notes.at(-1)).toMatch(/^the turn takes longer than run_frequency .* 1 of 3 edges had not answered/);
    expect(bench.log).toContain(`warn ${decision.notes.at(-1)}`);
  });

  test('a turn that does not end is a note of the decisions meanwhile, with its cause', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    const turn = await begun(bench, rounds);
    turn.sample([ONE, 0.1], [TWO, 0.2]);
    expect((await turn.event()).decision.notes.join()).not.toContain('overdue');
    expect(rounds.probeTroubles.unended).toBeNull();
    const now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now + 1000_000);
    try {
      const note = `a turn is overdue: no answer of ${THREE}`;
      expect(rounds.probeTroubles.unended).toBe(note);
      turn.sample([TWO, 10]);
      await vi.waitFor(() => expect(turn.events).toHaveLength(2));
      expect(turn.events[1].decision.notes).toContain(note);
      await turn.end();
      expect(rounds.probeTroubles.unended).toBeNull();
    } finally {
      vi.restoreAllMocks();
    }
  });

  const counting = (rise: number, fall: number): Config => {
    const judges = parse(`${BASE}judges: {${NET}: {rise_fall: {rise: ${rise}, fall: ${fall}}}}\n`).config?.judges;
    if (judges === undefined) throw new Error('no configuration');
    return { ...config, judges };
  };

  // `before`: the results of earlier turns; `between`: those that come between two decisions. 10 fails.
  test.each([
    { why: 'two failures', rise: 2, fall: 2, before: [0.1], between: [10, 10], judged: { up: false, count: 0 } },
    {
      why: 'down, then a pass',
      rise: 2,
      fall: 2,
      before: [0.1],
      between: [10, 10, 0.1],
      judged: { up: false, count: 1 },
    },
    {
      why: 'a pass ends the count',
      rise: 2,
      fall: 2,
      before: [0.1, 10],
      between: [0.1, 10],
      judged: { up: true, count: 1 },
    },
    {
      why: 'up again by two passes',
      rise: 2,
      fall: 1,
      before: [10],
      between: [0.1, 0.2],
      judged: { up: true, count: 0 },
    },
    {
      why: 'a failure ends the count',
      rise: 2,
      fall: 3,
      before: [10],
      between: [0.1, 10, 0.1],
      judged: { up: false, count: 1 },
    },
    { why: 'of the first decision', rise: 2, fall: 2, before: [], between: [10, 0.1], judged: { up: false, count: 1 } },
  ])(
    'each of several samples between two decisions counts once: $why',
    async ({ rise, fall, before, between, judged }) => {
      // Samples come a second apart here, and each is to count.
      config = { ...counting(rise, fall), runFrequency: 2 };
      const bench = new Bench();
      const rounds = await bench.open();
      for (const seconds of before) {
        const turn = await begun(bench, rounds);
        turn.sample([ONE, seconds]);
        await turn.end();
      }
      const turn = await begun(bench, rounds);
      for (const seconds of between) turn.sample([ONE, seconds]);
      const { state } = await turn.end();
      expect(state.memory.judged.get(ONE)).toMatchObject(judged);
      const record = rounds.records.get(ONE);
      expect(record?.history.seconds).toEqual([...before, ...between]);
      expect(record?.networks.get(NET)?.stateSince).not.toBeNull();
      await rounds.flushRecords();
      const { record: saved } = await new EdgeStores(config.healthdataStore, null).read(ONE, bench.clock);
      expect(saved.history.seconds).toEqual([...before, ...between]);
      // What is recorded of the round comes to the same.
      const [recorded] = await lastRounds(historyLogPath(config.stateDir, NET), bench.clock, 1);
      expect(decideFacts(recorded.facts).memory.judged.get(ONE)).toMatchObject(judged);
    },
  );

  test('an edge that fails, passes and fails between two decisions fell twice, on disk and in the counters, too', async () => {
    config = { ...config, runFrequency: 60 };
    const bench = new Bench();
    const rounds = await bench.open();
    const first = await begun(bench, rounds);
    first.sample([ONE, 0.1], [TWO, 0.1]);
    await first.end();
    const turn = await begun(bench, rounds);
    turn.sample([ONE, 10], [ONE, 0.1], [ONE, 10]);
    const { state } = await turn.end();
    const { at } = state.memory.unsteady.get(ONE) ?? { at: 0 };
    expect(state.memory.unsteady.get(ONE)).toEqual({ falls: 2, fails: 1, passingSince: null, at });
    const transitions = [
      { at: at - 2, up: false },
      { at: at - 1, up: true },
      { at, up: false },
    ];
    expect(rounds.records.get(ONE)?.networks.get(NET)?.uptime?.transitions).toEqual(transitions);
    expect(rounds.counters.of(ONE)).toEqual({ transitions: 3, downSeconds: 1 });
    expect(rounds.counters.of(TWO)).toEqual({ transitions: 0, downSeconds: 0 });
    await rounds.flushRecords();
    const { record: saved } = await new EdgeStores(config.healthdataStore, null).read(ONE, bench.clock);
    expect(saved.networks.get(NET)?.uptime?.transitions).toEqual(transitions);
    const [recorded] = await lastRounds(historyLogPath(config.stateDir, NET), bench.clock, 1);
    expect(decideFacts(recorded.facts).memory.unsteady).toEqual(state.memory.unsteady);
  });

  test('a canary that fails and passes between two decisions went down and up', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    for (const seconds of [[0.1], [10, 0.1]]) {
      const before = bench.spreads.length;
      const turn = new Turn(bench, rounds, 0.02, WITH_CANARY);
      await vi.waitFor(() => expect(bench.spreads.length).toBe(before + 1));
      turn.sample([ONE, 0.1], ...seconds.map((one) => [CANARY, one] as const));
      await turn.end();
    }
    const transitions = rounds.records
      .get(CANARY)
      ?.networks.get(NET)
      ?.uptime?.transitions.map(({ up }) => up);
    expect(transitions).toEqual([false, true]);
    expect(rounds.counters.of(CANARY).transitions).toBe(2);
    expect(rounds.state.memory.unsteady.size).toBe(0);
  });

  const checking = (checks: string): Config => {
    const plans = parse(`${BASE}checks: {${NET}: ${checks}}\n`).config?.checks;
    if (plans === undefined) throw new Error('no configuration');
    return { ...config, checks: plans };
  };

  test('checks that a reload adds begin a series with their own first sample; until then the edge stays what it was', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    const before = await begun(bench, rounds);
    before.sample([ONE, 0.1], [TWO, 0.2], [THREE, 0.3]);
    await before.end();
    const old = await begun(bench, rounds);
    old.sample([ONE, 0.15]); // nobody decides on it before the reload
    config = checking('[{kind: tcp, port: 443}]');
    const turn = await begun(bench, rounds);
    turn.sample([ONE, 0.5]);
    const first = await turn.end();
    expect(names(first)).toEqual([ONE, TWO]);
    expect(first.decision.outcome).toEqual({ kind: 'unchanged' });
    const figures = first.decision.verdicts.map(({ edge, last, average }) => [edge, last, average]);
    expect(figures).toEqual([
      [ONE, 0.5, 0.5],
      [TWO, 0.2, 0.2],
      [THREE, 0.3, 0.3],
    ]);
    const record = rounds.records.get(ONE);
    expect(record?.series.get(NET)?.seconds).toEqual([0.5]);
    expect(record?.history.seconds).toEqual([0.1, 0.15, 0.5]);
    // And back again.
    config = { ...config, checks: new Map() };
    const last = await begun(bench, rounds);
    last.sample([ONE, 0.2]);
    const { decision } = await last.end();
    expect(decision.verdicts[0]).toMatchObject({ edge: ONE, last: 0.2, average: 0.2 });
    expect(names({ ...first, decision })).toEqual([ONE, TWO]);
    await rounds.flushRecords();
    const { record: saved } = await new EdgeStores(config.healthdataStore, null).read(ONE, bench.clock);
    expect([saved.history.seconds, saved.series.size]).toEqual([[0.2], 0]);
    expect((await new EdgeStores(config.healthdataStore, null).read(TWO, bench.clock)).record.history.seconds).toEqual([
      0.2,
    ]);
    await old.end();
  });

  test('what a judge is told is what its own checks measured, in the history log, too', async () => {
    const usual = config;
    config = checking('[{kind: tcp, port: 443}, {kind: icmp}]');
    const bench = new Bench();
    const rounds = await bench.open();
    const first = await begun(bench, rounds);
    first.sample([ONE, 0.1], [TWO, 0.2]);
    await first.end();
    // Another network, without `checks:`, has the edge, too.
    const others = new EdgeStores(usual.healthdataStore, locks);
    await rounds.flushRecords();
    await others.update(ONE, bench.clock, (known) => {
      const origin = { network: 'other', checks: null, seconds: [] };
      const sample = { at: bench.clock + 0.5, seconds: 3, origin, failure: null, reach: 180 };
      const news = { network: 'other', at: bench.clock + 0.6, isRun: true, live: false, position: null } as const;
      return withRound(withSample(known, sample), { ...news, sample, health: 'pass' });
    });
    const turn = await begun(bench, rounds);
    turn.sample([ONE, 0.3], [TWO, 0.2]);
    const { decision } = await turn.end();
    expect(decision.verdicts[0]).toMatchObject({ edge: ONE, last: 0.3, average: 0.2 });
    await rounds.flushRecords();
    const { record } = await new EdgeStores(config.healthdataStore, null).read(ONE, bench.clock);
    expect(record.history.seconds).toEqual([3]);
    expect(record.series.get(NET)?.seconds).toEqual([0.1, 0.3]);
    const [recorded] = await lastRounds(historyLogPath(config.stateDir, NET), bench.clock, 1);
    expect(recorded.facts.edges[0].figures).toMatchObject({ last: 0.3, average: 0.2, count: 2 });
    expect(decideFacts(recorded.facts).live).toEqual(decision.live);
  });

  test('a note that goes on is logged when it begins and once a turn, not with every decision', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    bench.times = { [ONE]: 0.1, [TWO]: 10, [THREE]: 10 };
    done(await rounds.round({ config, files: FILES }));
    const note = 'only 1 of 2 wanted edges are live';
    const logged = (): number => bench.log.filter((line) => line === `warn ${note}`).length;
    expect(logged()).toBe(1);
    const turn = await begun(bench, rounds);
    for (const decided of [1, 2]) {
      turn.sample([ONE, 10]);
      await vi.waitFor(() => expect(turn.events).toHaveLength(decided));
    }
    expect(turn.events.map(({ decision }) => decision.notes.includes(note))).toEqual([true, true]);
    expect(logged()).toBe(1);
    expect((await turn.end()).decision.notes).toContain(note);
    expect(logged()).toBe(2);
  });

  test('a set that is held is said when that begins, once a turn and when it is over, not with every decision', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    const limited = { ...config, dnschangeMaxfreq: 1 };
    done(await rounds.round({ config, files: FILES }));
    const turn = await begun(bench, rounds);
    rounds.adopt({ config: limited, files: FILES });
    const logged = (pattern: RegExp): number => bench.log.filter((line) => pattern.test(line)).length;
    const held = /^warn mynet: live set held as it is/;
    for (const decided of [1, 2]) {
      turn.sample([ONE, 10]);
      await vi.waitFor(() => expect(turn.events).toHaveLength(decided));
      expect(turn.events[decided - 1].decision.outcome.kind).toBe('held');
    }
    expect(logged(held)).toBe(1);
    turn.sample([ONE, 0.1]);
    await vi.waitFor(() => expect(turn.events).toHaveLength(3));
    expect(logged(/^info mynet: live set unchanged/)).toBe(1);
    expect(logged(/^info over: .*live set held/)).toBe(1);
    turn.sample([ONE, 10]);
    await vi.waitFor(() => expect(turn.events).toHaveLength(4));
    expect(logged(held)).toBe(2);
    await turn.end();
    expect(logged(held)).toBe(3);
  });

  test('two turns overlap; nothing is decided after they were cut short', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    const first = await begun(bench, rounds);
    const second = await begun(bench, rounds);
    first.sample([ONE, 0.1]);
    second.sample([TWO, 0.2], [THREE, 0.3]);
    expect(names(await second.end())).toEqual([ONE, TWO]);
    expect(names(await first.end())).toEqual([ONE, TWO]);
    const third = await begun(bench, rounds, 0);
    third.sample([ONE, 10]);
    rounds.cutShort();
    await rounds.idle();
    expect(third.events).toEqual([]);
    await third.end();
  });
});

test('a round that is cut short while it reads its files asks nobody; the next one does', async () => {
  const bench = new Bench();
  const rounds = await bench.open();
  const turn = rounds.round({ config, files: FILES });
  rounds.cutShort();
  expect(await turn).toMatchObject({ failure: { code: 'prober', message: expect.stringContaining('cut short') } });
  expect(bench.spreads).toEqual([]);
  expect(await rounds.round({ config, files: FILES })).not.toHaveProperty('failure');
  expect(bench.spreads).toHaveLength(1);
});

describe('references', () => {
  const [ONE, TWO, THREE] = EDGES;
  const REFERENCE = '127.0.2.1';
  const reference = `{${NET}: {reference: [{address: ${REFERENCE}, kind: tcp, port: 53}]}}`;
  const guarded = (): Config => {
    const safety = parse(`${BASE}safety: ${reference}\n`).config?.safety;
    if (safety === undefined) throw new Error('no configuration');
    return { ...config, safety };
  };

  test('while they fail the set is kept; once they answer again it is decided as ever', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    const order = { config: guarded(), files: FILES };
    expect(names(done(await rounds.round(order)))).toEqual([ONE, TWO]);
    bench.times = { [ONE]: 10, [TWO]: 10, [THREE]: 0.1, [REFERENCE]: 10 };
    const doubtful = done(await rounds.round(order));
    expect(names(doubtful)).toEqual([ONE, TWO]);
    expect(doubtful.liveChanged).toBe(false);
    expect(bench.log.filter((line) => line.startsWith('warn our own line is in doubt'))).toHaveLength(1);
    bench.times = { ...bench.times, [REFERENCE]: 0.1 };
    expect(names(done(await rounds.round(order)))).toContain(THREE);
  });

  test('they are asked for a decision between two turns, too', async () => {
    const bench = new Bench();
    const rounds = await bench.open();
    const order = { config: guarded(), files: FILES };
    done(await rounds.round(order));
    bench.times = { [ONE]: 10, [TWO]: 10, [THREE]: 0.1, [REFERENCE]: 10 };
    await change(THREE, 'force', bench.clock);
    const report = await rounds.redecide(order);
    expect(report?.decision.safety.uplink).toEqual({ inDoubt: true, known: 1, failing: ['tcp 127.0.2.1 port 53'] });
  });
});
