/**
 * A network's decisions, from what is known to what is served. Nothing is decided here; what is, is in the pure modules
 * beside it. The order makes a kill at any moment harmless:
 *
 * ```
 * decide → (with other vantage points: agree) → state durable → publish
 *   (→ whoever follows → zone times with the next state; health records and history log, `records-behind.ts`)
 * ```
 */
import type { Config } from '../../config/types.ts';
import type { RoundResult } from '../checks/prober.ts';
import { decideFacts } from '../choose/decide.ts';
import type { Decision } from '../choose/decision.ts';
import type { OperatorAction } from '../choose/operator-action.ts';
import type { RoundFacts } from '../choose/round.ts';
import { modeActions } from '../modes/modes.ts';
import { AgreedDecisions, type AgreementStatus } from './agreed-decisions.ts';
import { BorrowedSet } from './borrowed-set.ts';
import { versionSerial } from './decided-state.ts';
import { EdgeCounters } from './edge-counters.ts';
import type { FreshByTarget } from './fresh-samples.ts';
import { type Gathered, gather } from './gathered.ts';
import type { KnownTargets } from './known-targets.ts';
import type { NetworkProbes } from './network-probes.ts';
import { nextState } from './next-state.ts';
import { lastAddresses } from './probe-targets.ts';
import { Publication } from './publication.ts';
import { RecentFacts } from './recent-facts.ts';
import type { RecordsBehind } from './records-behind.ts';
import { decisionLines, logLine, movedLines } from './round-log.ts';
import type { RoundOrder, RoundReport, RoundTools } from './round-types.ts';
import type { SavedState } from './saved-state.ts';
import { StandingLog } from './standing-log.ts';

/**
 * Why it is decided: a round has ended, samples may change the answer, a mode, the configuration, a borrowed set or
 * another vantage's view changed.
 */
export type Cause = 'turn' | 'event' | 'operator' | 'reload' | 'fallback' | 'view';

/** Thousands of files take tens of milliseconds to be looked at: those of the last two seconds are not, between sample and answer. */
const DECISION_AGE_MS = 2000;
/** Actions of operators that wait for a decision: there may be none for long. */
const ACTIONS_MAX = 20;

export type DecisionParts = {
  readonly network: string;
  readonly tools: RoundTools;
  readonly dryRun: boolean;
  readonly known: KnownTargets;
  readonly probes: NetworkProbes;
  readonly saved: SavedState;
  readonly behind: RecordsBehind;
  /** The samples that no decision has seen. */
  readonly takeFresh: () => FreshByTarget;
  /** The live set is another. */
  readonly onLive: () => void;
};

/** Its callers take turns. */
export class Decisions {
  readonly counters: EdgeCounters;
  /** Another network's set, where fewer edges pass than `min_up` wants. */
  readonly borrowed: BorrowedSet;
  readonly recent = new RecentFacts();
  private readonly parts: DecisionParts;
  private readonly standing: StandingLog;
  private readonly publication: Publication;
  private readonly agreed: AgreedDecisions;
  /** How long before a decision a record's file may have been looked at; 0 outside of a server. */
  private readonly maxAgeMs: number;
  private last: Decision | null = null;
  /** What operators did since the last decision; `isTurns`: what follows from it shows at the end of a turn only. */
  private actions: readonly { readonly action: OperatorAction; readonly isTurns: boolean }[] = [];

  constructor(parts: DecisionParts) {
    this.parts = parts;
    const { network, tools } = parts;
    this.counters = new EdgeCounters(network);
    this.borrowed = new BorrowedSet(network, tools);
    this.standing = new StandingLog(tools.log);
    this.publication = new Publication({ ...parts, standing: this.standing });
    this.agreed = new AgreedDecisions(network, tools);
    this.maxAgeMs = tools.kind === 'server' ? DECISION_AGE_MS : 0;
  }

  get hasDecided(): boolean {
    return this.last !== null;
  }

  /** Whether other vantages' views make another quorum of an edge than the last decision saw. */
  isViewChanged(order: RoundOrder): boolean {
    return this.agreed.isChanged(order);
  }

  /** See `AgreedDecisions.status`. */
  get agreement(): AgreementStatus | null {
    return this.agreed.status;
  }

  /** See `AgreedDecisions.notStored`. */
  get notStored(): string | null {
    return this.agreed.notStored;
  }

  /** An operator did this: it is recorded with the next decision, and `isTurns` with those up to the end of a turn. */
  note(action: OperatorAction, isTurns = false): void {
    this.actions = [...this.actions, { action, isTurns }].slice(-ACTIONS_MAX);
  }

  /**
   * Decides with every sample so far; for an operator's mode, with those that were decided upon before. `probe`: the
   * round that has ended; null: none, which is no run for edgemanage's tools.
   */
  async conclude(order: RoundOrder, cause: Cause, probe: RoundResult | null = null): Promise<RoundReport> {
    const { tools, known, saved, behind, probes, takeFresh, dryRun } = this.parts;
    const { config, files, forceUpdate = false } = order;
    const adopted = await this.adopt(config);
    if (adopted !== null) order.onEvent?.(adopted);
    const isOperators = cause === 'operator';
    const repeats = cause === 'turn' || cause === 'operator' || cause === 'reload';
    const gathered = await gather(
      { known, probes, borrowed: this.borrowed, takeFresh, state: () => saved.current, now: tools.now },
      order,
      {
        scope: cause === 'event' || cause === 'view' ? 'event' : 'turn',
        look: isOperators ? 'exact' : this.maxAgeMs,
        takesFresh: !isOperators,
      },
    );
    const { records, fallback, reach } = gathered;
    const facts = this.withActions(gathered, cause);
    const agreed = this.agreed.merge(order, facts, { numbers: known.sampleNumbers, state: saved.current });
    const decided = decideFacts(agreed.facts);
    this.borrowed.decided(decided, fallback);
    this.recent.add(agreed.facts);

    const before = { ...saved.current, addresses: lastAddresses(files, saved.current, known.samples) };
    const zones = (await tools.templateChanges?.(before)) ?? null;
    const isRun = probe !== null;
    const settled = await this.agreed.settle({
      order,
      before,
      decision: decided,
      agreed,
      forceUpdate,
      derive: (options) => nextState(before, { decision: decided, records, zones, isRun, ...options }),
    });
    const { decision, planned } = settled;
    this.last = decision;
    this.standing.lines('decision', decisionLines(decision), repeats);
    for (const line of movedLines(before.live, planned.state.live)) logLine(tools.log, line);
    if (dryRun) {
      const { state, liveChanged, canaryZones } = planned;
      // The rounds of a dry run follow upon one another like any others, in memory.
      saved.keep(state);
      known.decided(decision, { ...gathered, isRun, members: state.live });
      return { decision, state, liveChanged, canaryZones, probe, faults: [] };
    }

    const how = { decision, config, isRun, repeats };
    const { change, faults } = await this.publication.publish(planned, settled.derive, how);
    const { liveChanged, canaryZones } = change;
    known.decided(decision, { ...gathered, isRun, members: change.state.live });
    this.counters.note(records, known.records, reach, gathered.earlier);
    behind.record(agreed.facts, decision);
    behind.save(known.records.keys(), (config.runFrequency * 1000) / 2);
    return { decision, state: saved.current, liveChanged, canaryZones, probe, faults };
  }

  private withActions({ facts, records }: Gathered, cause: Cause): RoundFacts {
    const modes = modeActions(records, this.parts.saved.current, this.recent.all.at(-1) ?? null);
    const actions = [...this.actions.map(({ action }) => action), ...modes];
    this.actions = cause === 'turn' ? [] : this.actions.filter(({ isTurns }) => isTurns);
    return actions.length === 0 ? facts : { ...facts, actions };
  }

  /** Serves the set that the vantages' decider stored, if it is later than what is served here; null: it is not. */
  async adopt(config: Config): Promise<RoundReport | null> {
    const { tools, saved, dryRun } = this.parts;
    const before = saved.current;
    const found = dryRun ? null : this.agreed.adoptable(before, this.last, config);
    if (found === null) return null;
    const { change: planned, decision, set } = found;
    const text = `serves what ${set.by} decided, under serial ${versionSerial(set)}`;
    tools.log('info', text, { event: 'live_set.adopted', by: set.by });
    this.standing.lines('decision', decisionLines(decision), false);
    for (const line of movedLines(before.live, planned.state.live)) logLine(tools.log, line);
    if (this.last !== null) this.last = decision;
    const options = { decision, config, isRun: false, repeats: false };
    const { change, faults } = await this.publication.publish(planned, null, options);
    const { liveChanged, canaryZones } = change;
    return { decision, state: saved.current, liveChanged, canaryZones, probe: null, faults };
  }
}
