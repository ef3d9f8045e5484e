/**
 * One round of a network, from fetching to hooks: used by the one-shot command and by the server alike. Nothing is
 * decided here; what is, is in the pure modules beside it. The order makes a kill at any moment harmless:
 *
 * ```
 * probe → decide → health records durable → state durable → publish → zone times durable → live list → hooks
 * ```
 *
 * A record without its state is an ordinary sample; a state that was not published is published by the next round.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sweepTemporaries, systemCode } from '../atomic-write.ts';
import { forNetwork } from '../config/paths.ts';
import type { Config, NetworkFiles } from '../config/types.ts';
import { type Fault, formatFault } from '../fault.ts';
import { serialCompare } from '../zones/serial.ts';
import { decideFacts, factsOf } from './decide.ts';
import { type EdgeRecord, type RoundNews, withRound } from './edge-store.ts';
import { EdgeStores } from './edge-store-files.ts';
import { appendRound, historyLogPath } from './history-log.ts';
import type { Hooks } from './hooks.ts';
import { writeLiveList } from './live-list.ts';
import type { Locks } from './lock.ts';
import { expireMode, nextExpiry } from './modes.ts';
import type { Prober, RoundResult } from './prober.ts';
import { writePrometheusFile } from './prometheus-file.ts';
import { probeTargets, probeTest, roundInput } from './run-round-input.ts';
import { decisionLines, type RoundLog, sampleLine } from './run-round-log.ts';
import { nextState, openingState, type StateChange, type ZoneNews } from './run-round-state.ts';
import type { NetworkState } from './state-file.ts';
import { readState, writeState } from './state-file-io.ts';
import type { Decision, LiveMember, Sample } from './types.ts';

/** What to publish. `liveChanged` and `canaryZones` tell what differs from what was published last by this process. */
export type LiveUpdate = StateChange & { readonly decision: Decision };

export type Published = {
  /** Zone files were written: a change for the hooks, even where the live set is the same. */
  readonly wrote: boolean;
  /** State of the zone files after it, for all zones; null: as before, or not looked after here. */
  readonly files: Pick<NetworkState, 'zoneMtimes' | 'pendingZones'> | null;
  readonly faults: readonly Fault[];
};

export type RoundTools = {
  /** A server has serials of its own for zone files, which go on from those that single runs gave. */
  readonly kind: 'run' | 'server';
  readonly prober: Pick<Prober, 'round'>;
  readonly hooks: Pick<Hooks, 'start'>;
  readonly publish: (update: LiveUpdate) => Promise<Published>;
  /** A serial that the network's zones already use; 0: none. */
  readonly floorSerial: () => number;
  /** For a single run, which writes zone files itself: what became of their include files. */
  readonly zoneNews?: (state: NetworkState) => Promise<ZoneNews>;
  /** Epoch seconds. */
  readonly now: () => number;
  readonly log: RoundLog;
};

/** What may differ from round to round. */
export type RoundOrder = {
  readonly config: Config;
  readonly files: NetworkFiles;
  /** Publish under a new serial whether or not anything changed. */
  readonly forceUpdate?: boolean;
  /** Seconds over which the fetches' starts are spread; unless given, a hundredth for each and one at most. */
  readonly spread?: number;
};

export type RoundReport = {
  readonly decision: Decision;
  readonly state: NetworkState;
  readonly liveChanged: boolean;
  readonly canaryZones: readonly string[];
  /** Anything that `run_after_changes` was started for. */
  readonly changed: boolean;
  /** Null: decided between two rounds. */
  readonly probe: RoundResult | null;
  readonly faults: readonly Fault[];
};

/** The round could not be made: nothing was decided and everything stays as it is. */
export type RoundFailure = { readonly failure: Fault<'test-object' | 'prober'> };

/** Files written at the same time; each waits for its own fsync. */
const WRITERS = 16;

const DRY_PUBLISHED: Published = { wrote: false, files: null, faults: [] };

export class NetworkRounds {
  readonly network: string;
  readonly stores: EdgeStores;
  readonly #tools: RoundTools;
  readonly #dryRun: boolean;
  readonly #statefile: string;
  readonly #historyLog: string;
  #state: NetworkState;
  #samples: ReadonlyMap<string, Sample> = new Map();
  #records: ReadonlyMap<string, EdgeRecord> = new Map();
  #probing = false;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(network: string, config: Config, locks: Locks | null, tools: RoundTools, state: NetworkState) {
    this.network = network;
    this.stores = new EdgeStores(config.healthdataStore, locks);
    this.#tools = tools;
    this.#dryRun = locks === null;
    this.#statefile = forNetwork(config.statefile, network);
    this.#historyLog = historyLogPath(config.stateDir, network);
    this.#state = state;
  }

  /**
   * Reads the network's state. The caller holds the network's lock in `locks`; null is a dry run, in which no file is
   * touched, no hook started and nothing published. Throws the system's error where the folders cannot be used.
   */
  static async open(network: string, config: Config, locks: Locks | null, tools: RoundTools): Promise<NetworkRounds> {
    const statefile = forNetwork(config.statefile, network);
    const now = tools.now();
    if (locks !== null) {
      for (const folder of new Set([config.healthdataStore, config.stateDir, dirname(statefile)])) {
        await mkdir(folder, { recursive: true });
        await sweepTemporaries(folder);
      }
    }
    const { state, faults } = await readState(statefile, now, locks === null);
    report(tools.log, faults);
    return new NetworkRounds(network, config, locks, tools, openingState(state, tools.kind, now));
  }

  /** As last saved, or as it was found. */
  get state(): NetworkState {
    return this.#state;
  }

  /** Health records as of the last decision; empty before the first. */
  get records(): ReadonlyMap<string, EdgeRecord> {
    return this.#records;
  }

  /** The newest sample of each target that this process fetched. */
  get samples(): ReadonlyMap<string, Sample> {
    return this.#samples;
  }

  /** When an edge goes back to available by itself, so that `redecide` should be called; null: no time is set. */
  get nextExpiry(): number | null {
    return nextExpiry(this.#records.values());
  }

  /** Fetches, decides, saves, publishes and starts the hooks. Rounds never overlap: a second one meanwhile is refused. */
  async round(order: RoundOrder): Promise<RoundReport | RoundFailure> {
    if (this.#probing) throw new Error(`a round of ${this.network} is still running`);
    this.#probing = true;
    try {
      const { commands } = order.config;
      if (!this.#dryRun) this.#tools.hooks.start('run_before', commands.runBefore);
      const probe = await this.#probe(order);
      if ('failure' in probe) return probe;
      const samples = new Map([...this.#samples, ...probe.samples]);
      const targets = new Set(probeTargets(order.files).map(({ name }) => name));
      this.#samples = new Map([...samples].filter(([name]) => targets.has(name)));
      return await this.#inTurn(() => this.#conclude(order, probe));
    } finally {
      this.#probing = false;
    }
  }

  /**
   * Decides again with what is known, because an operator may have changed a mode or its time is over; null when no mode
   * differs from what the last decision saw. May be called while a round is fetching.
   */
  redecide(order: RoundOrder): Promise<RoundReport | null> {
    return this.#inTurn(async () => {
      const records = await this.#readRecords(order.files, this.#tools.now());
      this.#records = records; // ends and comments change without the mode
      const parts = { ...order, now: this.#tools.now(), state: this.#state, samples: this.#samples, records };
      return roundInput(parts).operatorChange ? this.#conclude(order, null) : null;
    });
  }

  /** Resolved when no decision is being saved or published: the moment to give up the lock. */
  async idle(): Promise<void> {
    await this.#turn;
  }

  async #probe({ config, files, spread }: RoundOrder): Promise<RoundResult | RoundFailure> {
    const { local } = config.testobject;
    let object: Uint8Array;
    try {
      object = await readFile(local);
    } catch (error) {
      const message = `testobject.local cannot be read (${systemCode(error)}), so no edge can be judged`;
      return { failure: failure('test-object', message, local) };
    }
    const targets = probeTargets(files);
    const request = {
      network: this.network,
      test: probeTest(config, object),
      targets,
      spread: spread ?? Math.min(1, targets.length / 100),
      canaryKiller: config.canaryKiller,
    };
    try {
      return await this.#tools.prober.round(request, (sample) => {
        const { level, text } = sampleLine(sample);
        this.#tools.log(level, text);
      });
    } catch (error) {
      return { failure: failure('prober', error instanceof Error ? error.message : String(error), null) };
    }
  }

  async #conclude(order: RoundOrder, probe: RoundResult | null): Promise<RoundReport> {
    const { config, files, forceUpdate = false } = order;
    const { log, publish, hooks } = this.#tools;
    const now = this.#tools.now();
    const records = await this.#readRecords(files, now);
    const facts = factsOf(roundInput({ now, config, files, state: this.#state, records, samples: this.#samples }));
    const decision = decideFacts(facts);
    for (const { level, text } of decisionLines(decision)) log(level, text);

    const before = this.#state;
    const zones = (await this.#tools.zoneNews?.(before)) ?? null;
    const isRun = probe !== null;
    const derive = (): StateChange =>
      nextState(before, { decision, records, floorSerial: this.#tools.floorSerial(), forceUpdate, zones, isRun });
    const planned = derive();
    if (this.#dryRun) {
      const { state, liveChanged, canaryZones } = planned;
      this.#records = records;
      return { decision, state, liveChanged, canaryZones, changed: false, probe, faults: [] };
    }

    const faults: Fault[] = [];
    faults.push(...(await this.#saveRecords(decision, planned.state.live, probe)));
    faults.push(...(await this.#attempt('history-log', () => appendRound(this.#historyLog, facts, decision))));
    const { change, faults: stateFaults } = await this.#saveState(derive);
    const { liveChanged, canaryZones } = change;
    faults.push(...stateFaults);

    const published = await this.#publish({ ...change, decision }, publish);
    faults.push(...published.faults);
    faults.push(...(await this.#notePublished(published)));
    faults.push(...(await this.#writeLists(config, decision)));

    const changed = liveChanged || canaryZones.length > 0 || published.wrote;
    if (probe !== null) hooks.start('run_after', config.commands.runAfter);
    if (changed) hooks.start('run_after_changes', config.commands.runAfterChanges);
    report(log, faults);
    return { decision, state: this.#state, liveChanged, canaryZones, changed, probe, faults };
  }

  /**
   * Derives the next state and makes it durable. While it is written, a zone may take a serial of its own for new contents
   * that the live set's would equal: then it is derived and written again. Nothing comes between the end of this and
   * publishing, so no two versions of a zone ever share a serial.
   */
  async #saveState(derive: () => StateChange): Promise<{ change: StateChange; faults: readonly Fault[] }> {
    for (;;) {
      const change = derive();
      this.#state = change.state;
      const faults = await writeState(this.#statefile, change.state);
      const floor = this.#tools.floorSerial();
      if (floor === 0 || newSerials(change).every((serial) => serialCompare(serial, floor) > 0))
        return { change, faults };
    }
  }

  /** Records of every target with modes whose time is over already ended. */
  async #readRecords(files: NetworkFiles, now: number): Promise<ReadonlyMap<string, EdgeRecord>> {
    const names = probeTargets(files).map(({ name }) => name);
    const found = await inParallel(names, async (name) => {
      const { record, faults } = await this.stores.read(name, now);
      report(this.#tools.log, faults);
      return [name, expireMode(record, now)] as const;
    });
    return new Map(found);
  }

  /** `members`: as published, which is the old set where the decision found nothing fit to be. */
  async #saveRecords(
    decision: Decision,
    members: readonly LiveMember[],
    probe: RoundResult | null,
  ): Promise<readonly Fault[]> {
    const { at } = decision;
    const live = new Set(members.map(({ edge }) => edge));
    const verdicts = new Map(
      [...decision.canaryVerdicts, ...decision.verdicts].map((verdict) => [verdict.edge, verdict]),
    );
    const canaries = new Set(decision.canaries.map(({ address }) => address));
    const news = (name: string): RoundNews => ({
      at,
      isRun: probe !== null,
      sample: probe?.samples.get(name) ?? null,
      live: live.has(name) && !canaries.has(name),
      health: verdicts.get(name)?.judgement ?? null,
    });
    const saved = await inParallel([...verdicts.keys()], async (name) => {
      const stored = await this.stores.update(name, at, (old) => withRound(expireMode(old, at), news(name)));
      return { name, ...stored };
    });
    this.#records = new Map(saved.map(({ name, record }) => [name, record]));
    const faults = saved.flatMap(({ faults: found }) => found);
    return [...faults, ...(await this.#attempt('edge-store-write', () => this.stores.sync()))];
  }

  async #publish(update: LiveUpdate, publish: RoundTools['publish']): Promise<Published> {
    let published = DRY_PUBLISHED;
    const faults = await this.#attempt('publish', async () => {
      published = await publish(update);
    });
    return { ...published, faults: [...published.faults, ...faults] };
  }

  /** Written once more only when zone files were: their times may be noted no sooner than they stand (12.8). */
  async #notePublished({ files }: Published): Promise<readonly Fault[]> {
    if (files === null) return [];
    this.#state = { ...this.#state, ...files };
    return writeState(this.#statefile, this.#state);
  }

  async #writeLists(config: Config, decision: Decision): Promise<readonly Fault[]> {
    const { liveList, prometheusLogs } = config;
    const names = this.#state.live.map(({ edge }) => edge);
    const faults: Fault[] = [];
    if (liveList !== null && names.length > 0) {
      faults.push(
        ...(await this.#attempt('live-list', () => writeLiveList(forNetwork(liveList, this.network), names))),
      );
    }
    if (prometheusLogs !== null) {
      faults.push(
        ...(await this.#attempt('prometheus-file', () => writePrometheusFile(prometheusLogs, decision, names))),
      );
    }
    return faults;
  }

  /** What fails here must not keep a decision from being served, so it becomes a fault. */
  async #attempt(code: string, work: () => Promise<void>): Promise<readonly Fault[]> {
    try {
      await work();
      return [];
    } catch (error) {
      return [failure(code, error instanceof Error ? error.message : String(error), null)];
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

/** Serials that come into force with a change; none where nothing is published. */
function newSerials({ state, liveChanged, canaryZones }: StateChange): readonly number[] {
  if (liveChanged) return [state.serial];
  return canaryZones.map((zone) => state.canarySerials.get(zone) ?? 0).filter((serial) => serial !== 0);
}

function report(log: RoundLog, faults: readonly Fault[]): void {
  for (const fault of faults) log(fault.severity === 'error' ? 'error' : 'warn', formatFault(fault));
}

function failure<Code extends string>(code: Code, message: string, file: string | null): Fault<Code> {
  return { severity: 'error', code, at: file === null ? null : { file, line: 1, col: 1, text: '' }, message };
}

async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i]);
  };
  await Promise.all(Array.from({ length: Math.min(WRITERS, items.length) }, worker));
  return results;
}
