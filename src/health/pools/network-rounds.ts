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
import { sweepTemporaries } from '../../system/atomic-write.ts';
import type { Fault } from '../../system/fault.ts';
import type { Locks } from '../../system/lock.ts';
import { makeFolder } from '../../system/make-folder.ts';
import { Turns } from '../../system/turns.ts';
import type { RoundResult } from '../checks/prober.ts';
import type { ProbeTarget } from '../checks/protocol.ts';
import type { Sample } from '../checks/sample.ts';
import { decideFacts, factsOf } from '../choose/decide.ts';
import { countEarlier } from '../choose/earlier-samples.ts';
import type { Scope } from '../choose/round.ts';
import { nextExpiry } from '../modes/modes.ts';
import type { EdgeRecord, StoredSample } from '../state/edge-store.ts';
import { EdgeStores } from '../state/edge-store-files.ts';
import { historyLogPath } from '../state/history-log.ts';
import type { NetworkState } from '../state/network-state.ts';
import { readState } from '../state/state-file-io.ts';
import { reachOf } from '../state/uptime.ts';
import { BorrowedSet } from './borrowed-set.ts';
import { EarlyDecisions } from './early-decisions.ts';
import { EdgeCounters } from './edge-counters.ts';
import { reportFaults } from './faults.ts';
import { earlierOf, type FreshByTarget } from './fresh-samples.ts';
import { NetworkProbes } from './network-probes.ts';
import { nextState, openingState, type StateChange } from './next-state.ts';
import { knownTargets, lastAddresses, probeTargets } from './probe-targets.ts';
import { checksOf, judgedSamples, type Look, noteRecords, readRecords, SampleFolds } from './records.ts';
import { RecordsBehind } from './records-behind.ts';
import { roundInput, sampledEdges } from './round-input.ts';
import { decisionLines, movedLines } from './round-log.ts';
import type { RoundFailure, RoundOrder, RoundReport, RoundTools, WrittenZone } from './round-types.ts';
import { SavedState } from './saved-state.ts';
import { StandingLog } from './standing-log.ts';

/** Why it is decided: a round has ended, samples may change the answer, a mode, the configuration or a borrowed set changed. */
type Cause = 'turn' | 'event' | 'operator' | 'reload' | 'fallback';

/** Thousands of files take tens of milliseconds to be looked at: those of the last two seconds are not, between sample and answer. */
const DECISION_AGE_MS = 2000;
/** What is looked at in advance is the rest, and what would be too old by the decision a second later. */
const AHEAD_AGE_MS = 500;

export class NetworkRounds {
  readonly network: string;
  readonly stores: EdgeStores;
  readonly counters: EdgeCounters;
  private readonly tools: RoundTools;
  private readonly dryRun: boolean;
  /** How long before a decision a record's file may have been looked at; 0 outside of a server. */
  private readonly maxAgeMs: number;
  private readonly behind: RecordsBehind;
  private readonly folds = new SampleFolds();
  private readonly saved: SavedState;
  private newestSamples: ReadonlyMap<string, Sample> = new Map();
  private currentRecords: ReadonlyMap<string, EdgeRecord> = new Map();
  /** Rounds that are being fetched; several only of a server, whose turns may overlap. */
  private probing = 0;
  /** Of the round that began last; what it says is in force. */
  private newestOrder: RoundOrder | null = null;
  private readonly early: EarlyDecisions;
  private hasDecided = false;
  /** Fewer edges pass than `min_up` wants. */
  private readonly borrowed: BorrowedSet;
  private readonly standing: StandingLog;
  private readonly probes: NetworkProbes;
  private readonly turns = new Turns();

  private constructor(network: string, config: Config, locks: Locks | null, tools: RoundTools, state: NetworkState) {
    this.network = network;
    this.counters = new EdgeCounters(network);
    this.stores = tools.stores ?? new EdgeStores(config.healthdataStore, locks);
    this.tools = tools;
    this.dryRun = locks === null;
    this.maxAgeMs = tools.kind === 'server' ? DECISION_AGE_MS : 0;
    const { log, now } = tools;
    const historyLog = historyLogPath(config.stateDir, network);
    this.behind = new RecordsBehind({ stores: this.stores, historyLog, log, now });
    this.saved = new SavedState(state, tools);
    this.borrowed = new BorrowedSet(network, tools);
    this.early = new EarlyDecisions({
      inForce: () => ({ order: this.newestOrder, state: this.state, records: this.currentRecords }),
      decided: (name) => this.newestSamples.get(name),
      decide: () => this.decideEvent(),
      lookAhead: () => this.lookAhead(),
      log,
    });
    this.standing = new StandingLog(log);
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
    return this.saved.current;
  }

  /** Health records as of the last decision; empty before the first. */
  get records(): ReadonlyMap<string, EdgeRecord> {
    return this.currentRecords;
  }

  /** The newest sample of each target that this process fetched. */
  get samples(): ReadonlyMap<string, Sample> {
    return this.newestSamples;
  }

  /** What is amiss with the asking itself. */
  get probeTroubles(): Pick<NetworkProbes, 'overlong' | 'unended' | 'unchecked' | 'silent' | 'silence'> {
    return this.probes;
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
        onSample: (sample) => this.note(sample, order.config),
      });
      if ('failure' in probe) return probe;
      // What settles belongs together, and this would take it apart.
      await this.early.settled();
      return await this.turns.take(() => this.conclude(this.newestOrder ?? order, 'turn', probe));
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
      const records = await this.readRecords(order.files, this.tools.now(), 'exact');
      this.currentRecords = records; // ends and comments change without the mode
      const parts = { ...order, now: this.tools.now(), state: this.state, samples: this.newestSamples, records };
      return roundInput(parts).operatorChange ? this.conclude(order, 'operator') : null;
    });
  }

  /**
   * Another configuration or other lists are in force: what is decided from now on goes by them, for the running round
   * as well.
   */
  adopt(order: Pick<RoundOrder, 'config' | 'files' | 'settle'>): void {
    if (this.newestOrder !== null) this.newestOrder = { ...this.newestOrder, ...order };
  }

  /**
   * Decides again with every sample so far, because rules or lists changed (`adopt`). What settles is waited for, since
   * it belongs together. Null where nothing can be said yet and the running round decides: before the first decision of
   * a cold start, or when none of the edges was asked.
   */
  async reconsider(): Promise<RoundReport | null> {
    await this.early.settled();
    return this.turns.take(async () => {
      const { newestOrder: order } = this;
      return order === null || !this.early.isKnown(this.hasDecided) ? null : this.conclude(order, 'reload');
    });
  }

  /** Zone files were written: `SavedState.noteWritten`. */
  noteWritten(written: readonly WrittenZone[]): Promise<void> {
    return this.turns.take(async () => this.saved.noteWritten(written));
  }

  /**
   * Resolved when no decision is being saved or published and everything known is on disk: the moment to give up the
   * lock.
   */
  async idle(): Promise<void> {
    await this.turns.take(async () => reportFaults(this.tools.log, await this.saved.flush()));
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
      if (order === null || !this.early.isDue) return;
      const report = await this.conclude(order, 'event');
      order.onEvent?.(report);
    });
  }

  /** `config`: by which it was asked. */
  private note(sample: Sample, config: Config): void {
    this.folds.begin(this.stores.present(sample.edge), sample, checksOf(config, this.network));
    this.early.add(sample);
  }

  private targetsOf(files: NetworkFiles): readonly ProbeTarget[] {
    // Thousands of records take seconds to be read for the first time: while the edges are asked, not after it.
    this.readAhead(files);
    const { state, newestSamples: samples, currentRecords: records } = this;
    return probeTargets(
      files,
      lastAddresses(files, state, samples),
      knownTargets({ network: this.network, state, samples, records }),
    );
  }

  private lookAhead(): void {
    if (this.newestOrder !== null) this.readAhead(this.newestOrder.files);
  }

  private readAhead(files: NetworkFiles): void {
    this.readRecords(files, this.tools.now(), AHEAD_AGE_MS).catch(() => undefined); // the decision reads them again
  }

  /** Ends the fetches of the running rounds at once; `round` then returns a failure. */
  cutShort(): void {
    this.early.cancel();
    this.probes.cancel();
  }

  /**
   * Decides again where another network's set is needed and is not as the last decision saw it; null: it is not.
   */
  followFallback(): Promise<RoundReport | null> {
    return this.turns.take(async () => {
      const { newestOrder: order } = this;
      return order !== null && (await this.borrowed.isOther(order.config)) ? this.conclude(order, 'fallback') : null;
    });
  }

  /**
   * Decides with every sample so far; for an operator's mode, with those that were decided upon before. `probe`: the
   * round that has ended; null: none, which is no run for edgemanage's tools.
   */
  private async conclude(order: RoundOrder, cause: Cause, probe: RoundResult | null = null): Promise<RoundReport> {
    const { config, files, forceUpdate = false } = order;
    const { log, publish } = this.tools;
    const references = await this.probes.askReferences(config);
    const fallback = await this.borrowed.facts(config);
    const reach = reachOf(config.runFrequency);
    const now = this.tools.now();
    const isOperators = cause === 'operator';
    const scope: Scope = cause === 'event' ? 'event' : 'turn';
    const repeats = cause !== 'event' && cause !== 'fallback';
    const known = await this.readRecords(files, now, isOperators ? 'exact' : this.maxAgeMs);
    const fresh = isOperators ? null : this.takeFresh(files);
    const folded = this.folds.end(known, fresh);
    const records = new Map([...folded].map(([name, { record }]) => [name, record]));
    const { overlong, unended, silence } = this.probes;
    const troubles = [overlong, unended, silence].filter((sentence) => sentence !== null);
    const parts = { now, config, files, state: this.state, records, samples: this.newestSamples, scope, troubles };
    const newest = factsOf({ ...roundInput(parts), ...references, ...fallback });
    // The decision sees the newest sample of each. The history log has it in its memory that the others are counted.
    const earlier = earlierOf(fresh ?? new Map());
    const counted = countEarlier(newest, sampledEdges(parts, earlier));
    const stored = (sample: Sample): StoredSample => this.folds.stored(sample, reach);
    const judged = judgedSamples(earlier, counted.verdicts, stored);
    const facts = { ...newest, memory: counted.memory };
    const decision = decideFacts(facts);
    this.hasDecided = true;
    this.borrowed.decided(decision, fallback);
    this.standing.lines('decision', decisionLines(decision), repeats);

    const before = { ...this.state, addresses: lastAddresses(files, this.state, this.newestSamples) };
    const zones = (await this.tools.templateChanges?.(before)) ?? null;
    const isRun = probe !== null;
    const decidedOn = { folded, fresh, earlier: judged, stored, isRun };
    const derive = (): StateChange =>
      nextState(before, { decision, records, floorSerial: this.tools.floorSerial(), forceUpdate, zones, isRun });
    const planned = derive();
    for (const { level, text } of movedLines(before.live, planned.state.live)) log(level, text);
    if (this.dryRun) {
      const { state, liveChanged, canaryZones } = planned;
      // The rounds of a dry run follow upon one another like any others, in memory.
      this.saved.keep(state);
      this.currentRecords = noteRecords(this.stores, decision, { ...decidedOn, members: state.live });
      return { decision, state, liveChanged, canaryZones, probe, faults: [] };
    }

    const { change, faults: stateFaults } = await this.saved.save(planned, derive);
    const { liveChanged, canaryZones } = change;
    const faults = [...stateFaults, ...publish({ ...change, decision, isRun }, config)];
    if (liveChanged) {
      this.tools.prober.setLive?.(
        this.network,
        change.state.live.map(({ edge }) => edge),
      );
      this.early.restart();
    }
    this.standing.faults('saving', faults, repeats);

    this.currentRecords = noteRecords(this.stores, decision, { ...decidedOn, members: change.state.live });
    this.counters.note(records, this.currentRecords, reach, judged);
    this.behind.record(facts, decision);
    this.behind.save(this.currentRecords.keys(), (config.runFrequency * 1000) / 2);
    return { decision, state: this.state, liveChanged, canaryZones, probe, faults };
  }

  /** The samples that no decision has seen; from now on they are the newest of their targets. */
  private takeFresh(files: NetworkFiles): FreshByTarget {
    const fresh = this.early.take();
    const newest = [...fresh].flatMap(([name, samples]) => samples.slice(-1).map((sample) => [name, sample] as const));
    const targets = new Set(probeTargets(files).map(({ name }) => name));
    this.newestSamples = new Map([...this.newestSamples, ...newest].filter(([name]) => targets.has(name)));
    return fresh;
  }

  private async readRecords(files: NetworkFiles, now: number, look: Look): Promise<ReadonlyMap<string, EdgeRecord>> {
    const names = probeTargets(files).map(({ name }) => name);
    const { records, faults } = await readRecords(this.stores, names, now, look);
    reportFaults(this.tools.log, faults); // said once for each state of a file
    return records;
  }
}
