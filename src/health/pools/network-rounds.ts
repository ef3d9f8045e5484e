/**
 * One round of a network, from fetching to publishing: used by the one-shot command and by the server alike. Edges are
 * asked here, and decided upon in turn (`decisions.ts`). A state that was not published is published by the next round;
 * samples that were not written yet are lost.
 */
import { dirname } from 'node:path';
import { forNetwork } from '../../config/paths.ts';
import type { Config, NetworkFiles } from '../../config/types.ts';
import { sweepTemporaries } from '../../system/atomic-write.ts';
import type { Fault } from '../../system/fault.ts';
import type { Locks } from '../../system/lock.ts';
import { makeFolder } from '../../system/make-folder.ts';
import { Turns } from '../../system/turns.ts';
import type { ProbeTarget } from '../checks/protocol.ts';
import type { Sample } from '../checks/sample.ts';
import { type OperatorAction, operatorAction } from '../choose/operator-action.ts';
import type { RoundFacts } from '../choose/round.ts';
import { nextExpiry } from '../modes/modes.ts';
import type { EdgeRecord } from '../state/edge-store.ts';
import { EdgeStores } from '../state/edge-store-files.ts';
import { historyLogPath } from '../state/history-log.ts';
import type { NetworkState } from '../state/network-state.ts';
import { readState } from '../state/state-file-io.ts';
import type { AgreementStatus } from './agreed-decisions.ts';
import { Decisions } from './decisions.ts';
import { EarlyDecisions } from './early-decisions.ts';
import type { EdgeCounters } from './edge-counters.ts';
import { reportFaults } from './faults.ts';
import { FetchCounters } from './fetch-counters.ts';
import { KnownTargets } from './known-targets.ts';
import { NetworkProbes } from './network-probes.ts';
import { openingState } from './next-state.ts';
import { knownTargets, lastAddresses, probeTargets } from './probe-targets.ts';
import { RecordsBehind } from './records-behind.ts';
import { roundInput } from './round-input.ts';
import type { RoundFailure, RoundOrder, RoundReport, RoundTools, WrittenZone } from './round-types.ts';
import { SavedState } from './saved-state.ts';

export class NetworkRounds {
  readonly network: string;
  readonly fetches: FetchCounters;
  private readonly tools: RoundTools;
  private readonly dryRun: boolean;
  private readonly known: KnownTargets;
  private readonly behind: RecordsBehind;
  private readonly saved: SavedState;
  private readonly decisions: Decisions;
  private readonly early: EarlyDecisions;
  private readonly probes: NetworkProbes;
  /** Rounds that are being fetched; several only of a server, whose turns may overlap. */
  private probing = 0;
  /** Of the round that began last; what it says is in force. */
  private newestOrder: RoundOrder | null = null;
  private readonly turns = new Turns();

  private constructor(network: string, config: Config, locks: Locks | null, tools: RoundTools, state: NetworkState) {
    this.network = network;
    this.fetches = new FetchCounters(network);
    this.tools = tools;
    this.dryRun = locks === null;
    const { log, now, stores = new EdgeStores(config.healthdataStore, locks) } = tools;
    const historyLog = historyLogPath(config.stateDir, network);
    this.known = new KnownTargets(network, stores, log);
    this.behind = new RecordsBehind({ stores, historyLog, log, now });
    this.saved = new SavedState(state, tools);
    this.early = new EarlyDecisions({
      inForce: () => ({ order: this.newestOrder, state: this.state, records: this.records }),
      decided: (name) => this.samples.get(name),
      decide: () => this.decideEvent(),
      lookAhead: () => this.lookAhead(),
      log,
    });
    this.probes = new NetworkProbes(network, tools);
    const { known, behind, saved, probes, early, dryRun } = this;
    this.decisions = new Decisions({
      network,
      tools,
      dryRun,
      known,
      behind,
      saved,
      probes,
      takeFresh: () => early.take(),
      onLive: () => early.restart(),
    });
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

  get stores(): EdgeStores {
    return this.known.stores;
  }

  get counters(): EdgeCounters {
    return this.decisions.counters;
  }

  /** Health records as of the last decision; empty before the first. */
  get records(): ReadonlyMap<string, EdgeRecord> {
    return this.known.records;
  }

  /** The newest sample of each target that this process fetched. */
  get samples(): ReadonlyMap<string, Sample> {
    return this.known.samples;
  }

  /** The facts of the last decisions of this process, oldest first. */
  get recentFacts(): readonly RoundFacts[] {
    return this.decisions.recent.all;
  }

  /** What is amiss with the asking itself. */
  get probeTroubles(): Pick<NetworkProbes, 'overlong' | 'unended' | 'unchecked' | 'silent' | 'silence'> {
    return this.probes;
  }

  /** When an edge goes back to available by itself, so that `redecide` should be called; null: no time is set. */
  get nextExpiry(): number | null {
    return nextExpiry(this.records.values());
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
      return await this.turns.take(() => this.decisions.conclude(this.newestOrder ?? order, 'turn', probe));
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
      const records = await this.known.readExactly(order.files, this.tools.now());
      const parts = { ...order, now: this.tools.now(), state: this.state, samples: this.samples, records };
      return roundInput(parts).operatorChange ? this.decisions.conclude(order, 'operator') : null;
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
      return order === null || !this.isKnown ? null : this.decisions.conclude(order, 'reload');
    });
  }

  /**
   * An operator wants it decided now, with what is known, and (`forced_update`) past the limit of rotations. Null where
   * nothing can be said yet.
   */
  async decideNow(action: OperatorAction): Promise<RoundReport | null> {
    await this.early.settled();
    return this.turns.take(async () => {
      const { newestOrder: order, decisions } = this;
      if (order === null || !this.isKnown) return null;
      decisions.note(action);
      return decisions.conclude({ ...order, isForced: action.action === 'forced_update' }, 'reload');
    });
  }

  /** An operator did this; what follows from it may show at the end of a turn only. */
  noteAction(action: OperatorAction): void {
    this.decisions.note(action, true);
  }

  /**
   * Asks one edge now, beside whatever turn is under way; its sample counts as any other. Null: the prober could not
   * tell, or there is no such edge. `by`: who asks.
   */
  async probeNow(edge: string, by: string): Promise<Sample | RoundFailure | null> {
    const { newestOrder: order } = this;
    const target = order === null ? undefined : this.targetsOf(order.files).find(({ name }) => name === edge);
    if (order === null || target === undefined) return null;
    return this.probes.askOne(order.config, target, (sample) => {
      this.decisions.note(operatorAction({ action: 'probe', by, edge }));
      this.note(sample, order.config);
    });
  }

  /**
   * Another vantage's view has come, or who decides has changed: serves the set that is stored, and decides again where
   * the views together say something else than at the last decision, or what was decided then is not stored yet. Null:
   * nothing of this is so.
   */
  review(order: Pick<RoundOrder, 'config'>, { isRole }: { readonly isRole: boolean }): Promise<RoundReport | null> {
    return this.turns.take(async () => {
      const { newestOrder, decisions } = this;
      const isDue =
        isRole || decisions.notStored !== null || (newestOrder !== null && decisions.isViewChanged(newestOrder));
      if (newestOrder !== null && this.isKnown && isDue) return decisions.conclude(newestOrder, 'view');
      return decisions.adopt(order.config);
    });
  }

  /** What the vantage points together said at the last decision; null: this one decides alone. */
  get agreement(): AgreementStatus | null {
    return this.decisions.agreement;
  }

  /** Why a change that is wanted is not stored for all vantage points; null: none is outstanding. */
  get notStored(): string | null {
    return this.decisions.notStored;
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
      const report = await this.decisions.conclude(order, 'event');
      order.onEvent?.(report);
    });
  }

  /** Whether it can be decided with what is known. */
  private get isKnown(): boolean {
    return this.early.isKnown(this.decisions.hasDecided);
  }

  /** `config`: by which it was asked. */
  private note(sample: Sample, config: Config): void {
    this.known.note(sample, config);
    this.fetches.note(sample, config);
    this.early.add(sample);
  }

  private targetsOf(files: NetworkFiles): readonly ProbeTarget[] {
    this.known.readAhead(files, this.tools.now());
    const { state, samples, records } = this;
    const targets = probeTargets(
      files,
      lastAddresses(files, state, samples),
      knownTargets({ network: this.network, state, samples, records }),
    );
    this.fetches.keep(targets);
    return targets;
  }

  private lookAhead(): void {
    if (this.newestOrder !== null) this.known.readAhead(this.newestOrder.files, this.tools.now());
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
      const { newestOrder: order, decisions } = this;
      if (order === null || !(await decisions.borrowed.isOther(order.config))) return null;
      return decisions.conclude(order, 'fallback');
    });
  }
}
