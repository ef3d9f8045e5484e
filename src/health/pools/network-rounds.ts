/**
 * One round of a network, from fetching to publishing: used by the one-shot command and by the server alike. Nothing is
 * decided here; what is, is in the pure modules beside it. The order makes a kill at any moment harmless:
 *
 * ```
 * probe → decide → state durable → publish
 *   (→ whoever follows → zone times with the next state; health records and history log, `records-behind.ts`)
 * ```
 *
 * A state that was not published is published by the next round; samples that were not written yet are lost.
 */
import { dirname } from 'node:path';
import { forNetwork } from '../../config/paths.ts';
import type { Config, NetworkFiles } from '../../config/types.ts';
import { serialCompare, serialMax } from '../../dns/serial.ts';
import { sweepTemporaries } from '../../system/atomic-write.ts';
import type { Fault } from '../../system/fault.ts';
import type { Locks } from '../../system/lock.ts';
import { makeFolder } from '../../system/make-folder.ts';
import { Turns } from '../../system/turns.ts';
import type { RoundResult } from '../checks/prober.ts';
import type { ProbeTarget } from '../checks/protocol.ts';
import type { Sample } from '../checks/sample.ts';
import { decideFacts, factsOf } from '../choose/decide.ts';
import { judgedAfter } from '../choose/judge-edges.ts';
import type { LiveMember } from '../choose/live-member.ts';
import type { RoundInput, Scope } from '../choose/round.ts';
import { uplinkState } from '../choose/safety-uplink.ts';
import { nextExpiry } from '../modes/modes.ts';
import type { EdgeRecord } from '../state/edge-store.ts';
import { EdgeStores } from '../state/edge-store-files.ts';
import { historyLogPath } from '../state/history-log.ts';
import type { NetworkState } from '../state/network-state.ts';
import { readState } from '../state/state-file-io.ts';
import { reachOf } from '../state/uptime.ts';
import { EdgeCounters } from './edge-counters.ts';
import { changesAnswer, isReady, type Standing, standingOf } from './events.ts';
import { reportFaults } from './faults.ts';
import { type FreshByTarget, FreshSamples } from './fresh-samples.ts';
import { NetworkProbes } from './network-probes.ts';
import { nextState, openingState, type StateChange, zoneSerial } from './next-state.ts';
import { poolOf, rulesOf } from './pool.ts';
import { lastAddresses, probeTargets } from './probe-targets.ts';
import { noteRecords, readRecords, SampleFolds } from './records.ts';
import { RecordsBehind } from './records-behind.ts';
import { roundInput } from './round-input.ts';
import { decisionLines, movedLines, notesToLog } from './round-log.ts';
import type { RoundFailure, RoundOrder, RoundReport, RoundTools, WrittenZone } from './round-types.ts';

/**
 * How often a state is derived and written anew because a zone took a serial meanwhile. A zone whose contents are 68
 * years older than the live set has a serial that no later one exceeds (RFC 1982), so "until it fits" would never end.
 */
const WRITES_MAX = 5;

export class NetworkRounds {
  readonly network: string;
  readonly stores: EdgeStores;
  readonly counters: EdgeCounters;
  private readonly tools: RoundTools;
  private readonly dryRun: boolean;
  private readonly behind: RecordsBehind;
  private readonly folds = new SampleFolds();
  private currentState: NetworkState;
  private newestSamples: ReadonlyMap<string, Sample> = new Map();
  private currentRecords: ReadonlyMap<string, EdgeRecord> = new Map();
  /** The state knows of zone files what its file does not say yet. */
  private isAhead = false;
  /** Rounds that are being fetched; several only of a server, whose turns may overlap. */
  private probing = 0;
  /** Of the round that began last; what it says is in force. */
  private newestOrder: RoundOrder | null = null;
  private readonly fresh: FreshSamples;
  /** Whether one of the fresh samples may change the answer. */
  private mayChange = false;
  private standing: { readonly key: readonly unknown[]; readonly standing: Standing } | null = null;
  /** Of the last decision. */
  private lastNotes: readonly string[] = [];
  private readonly probes: NetworkProbes;
  private readonly turns = new Turns();

  private constructor(network: string, config: Config, locks: Locks | null, tools: RoundTools, state: NetworkState) {
    this.network = network;
    this.counters = new EdgeCounters(network);
    this.stores = tools.stores ?? new EdgeStores(config.healthdataStore, locks);
    this.tools = tools;
    this.dryRun = locks === null;
    const { log, now } = tools;
    const historyLog = historyLogPath(config.stateDir, network);
    this.behind = new RecordsBehind({ stores: this.stores, historyLog, log, now });
    this.currentState = state;
    this.fresh = new FreshSamples(() => this.decideEvent(), tools.log);
    this.probes = new NetworkProbes(network, tools);
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
        await makeFolder(folder);
        await sweepTemporaries(folder);
      }
    }
    const { state, faults } = await readState(statefile, now, locks === null);
    reportFaults(tools.log, faults);
    return new NetworkRounds(network, config, locks, tools, openingState(state, tools.kind, now));
  }

  /** As last saved, or as it was found. */
  get state(): NetworkState {
    return this.currentState;
  }

  /** Health records as of the last decision; empty before the first. */
  get records(): ReadonlyMap<string, EdgeRecord> {
    return this.currentRecords;
  }

  /** The newest sample of each target that this process fetched. */
  get samples(): ReadonlyMap<string, Sample> {
    return this.newestSamples;
  }

  /** When an edge goes back to available by itself, so that `redecide` should be called; null: no time is set. */
  get nextExpiry(): number | null {
    return nextExpiry(this.currentRecords.values());
  }

  /**
   * Fetches, decides, saves and publishes. Rounds never overlap: a second one meanwhile is refused, unless they are a
   * server's turns (`settle`), between whose ends it is decided too (`onEvent`).
   */
  async round(order: RoundOrder): Promise<RoundReport | RoundFailure> {
    if (this.probing > 0 && order.settle === undefined) throw new Error(`a round of ${this.network} is still running`);
    this.probing += 1;
    this.newestOrder = order;
    const turn = this.probes.begin(order);
    try {
      if (!this.dryRun) this.tools.begin(order.config);
      const probe = await this.probes.ask(order, {
        targets: () => this.targetsOf(order.files),
        onSample: (sample) => this.note(sample),
      });
      if ('failure' in probe) return probe;
      // What settles belongs together, and this would take it apart.
      await this.fresh.settled();
      return await this.turns.take(() => this.conclude(this.newestOrder ?? order, probe, 'turn'));
    } finally {
      turn.end();
      this.probing -= 1;
    }
  }

  /**
   * Decides again with what is known, because an operator may have changed a mode or its time is over; null when no
   * mode differs from what the last decision saw. May be called while a round is fetching.
   */
  redecide(order: RoundOrder): Promise<RoundReport | null> {
    return this.turns.take(async () => {
      const records = await this.readRecords(order.files, this.tools.now(), true);
      this.currentRecords = records; // ends and comments change without the mode
      const parts = { ...order, now: this.tools.now(), state: this.currentState, samples: this.newestSamples, records };
      return roundInput(parts).operatorChange ? this.conclude(order, null, 'turn') : null;
    });
  }

  /**
   * Zone files were written. That is saved with the next round, or at the end (`idle`): their times may be noted no
   * sooner than the files are there (12.8), and the state is written once a round. Until then its file calls them out
   * of date, so that after a kill they are looked at again, and found to be as they should.
   */
  noteWritten(written: readonly WrittenZone[]): Promise<void> {
    return this.turns.take(async () => {
      const zoneMtimes = new Map(this.currentState.zoneMtimes);
      const pendingZones = new Set(this.currentState.pendingZones);
      const zoneSerials = new Map(this.currentState.zoneSerials);
      for (const { name, mtime, serial, unsaved = 0 } of written) {
        if (mtime !== null) zoneMtimes.set(name, mtime);
        // Out of date again meanwhile, it has another serial by now, or its include file another time than `mtime`.
        if (serial === zoneSerial(this.currentState, name)) pendingZones.delete(name);
        if (unsaved !== 0) zoneSerials.set(name, serialMax(unsaved, zoneSerials.get(name) ?? 0));
      }
      this.currentState = { ...this.currentState, zoneMtimes, pendingZones, zoneSerials };
      this.isAhead = true;
    });
  }

  /**
   * Resolved when no decision is being saved or published and everything known is on disk: the moment to give up the
   * lock.
   */
  async idle(): Promise<void> {
    await this.turns.take(async () => {
      if (this.isAhead) reportFaults(this.tools.log, await this.writeState());
    });
    await this.flushRecords();
  }

  /** Resolves when health records and history log are on disk, as far as they can be written. */
  flushRecords(): Promise<void> {
    return this.behind.flush();
  }

  /** What of health records and history log could not be written last. */
  get unwritten(): readonly Fault[] {
    return this.behind.faults();
  }

  private async decideEvent(): Promise<void> {
    await this.turns.take(async () => {
      const order = this.newestOrder;
      // A turn that has ended meanwhile may have decided already.
      if (order === null || !this.mayChange) return;
      const report = await this.conclude(order, null, 'event');
      order.onEvent?.(report);
    });
  }

  private note(sample: Sample): void {
    this.folds.begin(this.stores.present(sample.edge), sample);
    this.fresh.add(sample);
    this.consider([sample]);
  }

  /** Whether fresh samples are to be decided upon before their turn ends. */
  private consider(samples: Iterable<Sample>): void {
    const { settle } = this.newestOrder ?? {};
    if (settle === undefined) return;
    const standing = this.standingNow();
    let isLoss = false;
    for (const sample of samples) {
      const mayChange = standing.live.size === 0 ? sample.fail === null : changesAnswer(sample, standing);
      this.mayChange ||= mayChange;
      isLoss ||= mayChange && sample.fail !== null && standing.live.has(sample.edge);
    }
    if (this.mayChange && isReady(standing)) this.fresh.settle(settle, isLoss);
  }

  /** What samples are compared with; made anew when the lists, the live set or modes are others. */
  private standingNow(): Standing {
    const { newestOrder: order, currentRecords: records } = this;
    if (order === null) throw new Error('no round has begun');
    const key = [order, this.currentState, records];
    if (this.standing?.key.every((one, i) => one === key[i])) return this.standing.standing;
    const standing = standingOf({
      pool: poolOf(order.config, order.files),
      canaries: order.files.canaries.values(),
      state: this.currentState,
      records,
      newest: (name) => this.fresh.get(name) ?? this.newestSamples.get(name),
      decided: (name) => this.newestSamples.get(name),
    });
    this.standing = { key, standing };
    return standing;
  }

  private targetsOf(files: NetworkFiles): readonly ProbeTarget[] {
    // Thousands of records take seconds to be read for the first time: while the edges are asked, not after it.
    this.readRecords(files, this.tools.now(), false).catch(() => undefined); // the decision reads them again
    const known = { live: this.liveNames(), failed: this.failedNames() };
    return probeTargets(files, lastAddresses(files, this.currentState, this.newestSamples), known);
  }

  private liveNames(): ReadonlySet<string> {
    return new Set(this.currentState.live.map(({ edge }) => edge));
  }

  /** By what this process saw, before that by their records. */
  private failedNames(): ReadonlySet<string> {
    const failing = (name: string): boolean => {
      const sample = this.newestSamples.get(name);
      return sample === undefined ? this.currentRecords.get(name)?.health === 'fail' : sample.fail !== null;
    };
    return new Set([...this.newestSamples.keys(), ...this.currentRecords.keys()].filter(failing));
  }

  /** Why the running round, or the last one, takes longer than `run_frequency`; null: it does not. */
  get overlong(): string | null {
    return this.probes.overlong;
  }

  /** Edges without a sample for three intervals, since they were listed or the process started. */
  get silent(): readonly string[] {
    return this.probes.silent;
  }

  /** The same as a sentence; null: there are none. */
  get silence(): string | null {
    return this.probes.silence;
  }

  /** Edges of which the last round has no sample because of trouble of our own; null: there are none. */
  get unchecked(): string | null {
    return this.probes.unchecked;
  }

  /** Ends the fetches of the running rounds at once; `round` then returns a failure. */
  cutShort(): void {
    this.fresh.cancel();
    this.probes.cancel();
  }

  /** The live set of the network that answers where too few edges pass; nothing where none is named. */
  private async fallbackOf({ safety }: Config): Promise<{ readonly fallback?: readonly LiveMember[] | null }> {
    const name = safety.get(this.network)?.fallback ?? null;
    return name === null ? {} : { fallback: (await this.tools.liveOf?.(name)) ?? null };
  }

  /**
   * Decides with every sample so far. `probe`: the round that has ended; null: none, which is no run for edgemanage's
   * tools. `scope` as in `RoundInput`.
   */
  private async conclude(order: RoundOrder, probe: RoundResult | null, scope: Scope): Promise<RoundReport> {
    const { config, files, forceUpdate = false } = order;
    const { log, publish } = this.tools;
    const references = await this.probes.askReferences(config);
    const fallback = await this.fallbackOf(config);
    const reach = reachOf(config.runFrequency);
    const now = this.tools.now();
    const isOperators = probe === null && scope === 'turn';
    const known = await this.readRecords(files, now, isOperators);
    const fresh = isOperators ? null : this.takeFresh(files);
    const folded = this.folds.end(known, fresh);
    const records = new Map([...folded].map(([name, { record }]) => [name, record]));
    const troubles = [this.overlong, this.silence].filter((sentence) => sentence !== null);
    const parts = {
      now,
      config,
      files,
      state: { ...this.currentState, memory: this.memoryWith(fresh, config, references) },
      records,
      samples: this.newestSamples,
      scope,
      troubles,
    };
    const facts = factsOf({ ...roundInput(parts), ...references, ...fallback });
    const decision = decideFacts(facts);
    const notes = notesToLog(decision.notes, this.lastNotes, scope);
    this.lastNotes = decision.notes;
    for (const { level, text } of decisionLines(decision, notes)) log(level, text);

    const before = { ...this.currentState, addresses: lastAddresses(files, this.currentState, this.newestSamples) };
    const zones = (await this.tools.templateChanges?.(before)) ?? null;
    const isRun = probe !== null;
    const derive = (): StateChange =>
      nextState(before, { decision, records, floorSerial: this.tools.floorSerial(), forceUpdate, zones, isRun });
    const planned = derive();
    for (const { level, text } of movedLines(before.live, planned.state.live)) log(level, text);
    if (this.dryRun) {
      const { state, liveChanged, canaryZones } = planned;
      // The rounds of a dry run follow upon one another like any others, in memory.
      this.currentState = state;
      this.currentRecords = noteRecords(this.stores, decision, state.live, folded, fresh, reach, isRun);
      return { decision, state, liveChanged, canaryZones, probe, faults: [] };
    }

    const { change, faults: stateFaults } = await this.saveState(planned, derive);
    const { liveChanged, canaryZones } = change;
    const faults = [...stateFaults, ...publish({ ...change, decision, isRun }, config)];
    if (liveChanged) {
      this.tools.prober.setLive?.(this.network, [...this.liveNames()]);
      // What came meanwhile was compared with the old set.
      this.mayChange = false;
      this.fresh.cancel();
      this.consider(this.fresh.values());
    }
    reportFaults(log, faults);

    this.currentRecords = noteRecords(this.stores, decision, change.state.live, folded, fresh, reach, isRun);
    this.counters.note(records, this.currentRecords, reach);
    this.behind.record(facts, decision);
    this.behind.save(this.currentRecords.keys(), (config.runFrequency * 1000) / 2);
    return { decision, state: this.currentState, liveChanged, canaryZones, probe, faults };
  }

  /** The samples that no decision has seen; from now on they are the newest of their targets. */
  private takeFresh(files: NetworkFiles): FreshByTarget {
    const fresh = this.fresh.take();
    const newest = [...fresh].flatMap(([name, samples]) => samples.slice(-1).map((sample) => [name, sample] as const));
    this.mayChange = false;
    const targets = new Set(probeTargets(files).map(({ name }) => name));
    this.newestSamples = new Map([...this.newestSamples, ...newest].filter(([name]) => targets.has(name)));
    return fresh;
  }

  /**
   * The memory in which all but the newest of an edge's samples are counted, for a decision that sees the newest. The
   * history log has it so, which is why `replay` counts them, too.
   */
  private memoryWith(
    fresh: FreshByTarget | null,
    config: Config,
    { references }: Pick<RoundInput, 'references'>,
  ): NetworkState['memory'] {
    const { memory } = this.currentState;
    const earlier = [...(fresh?.values() ?? [])].flatMap((samples) => samples.slice(0, -1));
    if (earlier.length === 0) return memory;
    const rules = rulesOf(config, this.network);
    return { ...memory, judged: judgedAfter(memory.judged, earlier, rules, uplinkState(references)) };
  }

  /**
   * Makes the next state durable. While it is written, a zone may take a serial of its own for new contents that the
   * live set's would equal: then it is derived anew and written again. Nothing comes between the end of this and
   * publishing, so no two versions of a zone ever share a serial.
   */
  private async saveState(
    planned: StateChange,
    derive: () => StateChange,
  ): Promise<{ change: StateChange; faults: readonly Fault[] }> {
    for (let change = planned, left = WRITES_MAX; ; left--, change = derive()) {
      this.currentState = change.state;
      const faults = await this.writeState();
      const floor = this.tools.floorSerial();
      if (left <= 1 || floor === 0 || newSerials(change).every((serial) => serialCompare(serial, floor) > 0))
        return { change, faults };
    }
  }

  private async writeState(): Promise<readonly Fault[]> {
    const faults = await this.tools.save(this.currentState);
    this.isAhead = faults.length > 0;
    return faults;
  }

  private async readRecords(
    files: NetworkFiles,
    now: number,
    exact: boolean,
  ): Promise<ReadonlyMap<string, EdgeRecord>> {
    const names = probeTargets(files).map(({ name }) => name);
    const { records, faults } = await readRecords(this.stores, names, now, exact);
    reportFaults(this.tools.log, faults);
    return records;
  }
}

/** Serials that come into force with a change; none where nothing is published. */
function newSerials({ state, liveChanged, canaryZones }: StateChange): readonly number[] {
  if (liveChanged) return [state.serial];
  return canaryZones.map((zone) => state.canarySerials.get(zone) ?? 0).filter((serial) => serial !== 0);
}
