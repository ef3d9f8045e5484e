/**
 * How a network's decisions are agreed upon with other vantage points: our own view is published, everybody's are merged,
 * and what is decided is carried out, stored first, or left to another vantage. Without vantage points it does nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/types.ts';
import { serialMax } from '../../dns/serial.ts';
import type { DecidedSet } from '../agreement/decided-set.ts';
import {
  deciderStep,
  follow,
  isStoreLost,
  knownSerials,
  noMajority,
  reportedSerial,
  setSerial,
} from '../agreement/decider.ts';
import { type Merged, mayDecide, mergeViews, type Receipts } from '../agreement/merge.ts';
import { type OwnView, ownView, type ReceivedView } from '../agreement/view.ts';
import { decideFacts } from '../choose/decide.ts';
import type { Decision } from '../choose/decision.ts';
import { NO_MEMORY } from '../choose/memory.ts';
import { operatorAction } from '../choose/operator-action.ts';
import type { RoundFacts, RoundViews } from '../choose/round.ts';
import type { EdgeQuorum } from '../judge/quorum.ts';
import type { NetworkState } from '../state/network-state.ts';
import { configHash } from './config-hash.ts';
import { adoptedDecision, uncarriedDecision } from './decided-elsewhere.ts';
import {
  adoptedChange,
  agreedChange,
  aloneChange,
  decidedSetOf,
  isChange,
  keptChange,
  sameBorrowed,
  versionSerial,
} from './decided-state.ts';
import type { StateChange, StateUpdate } from './next-state.ts';
import { rulesOf } from './pool.ts';
import type { RoundOrder, RoundTools } from './round-types.ts';
import type { RoundSets, RoundVantage } from './round-vantage.ts';
import { membersOf, othersCould, quorumsOf, ruleOf, saysOf } from './vantage-votes.ts';

/** What of a change differs from how it is made without vantage points. */
export type ChangeOptions = Pick<StateUpdate, 'floorSerial' | 'forceUpdate' | 'serialAfter'>;

/** What is decided from. `merged` null: our own view alone counts, as there is no `vantage` or an override. */
export type AgreedFacts = {
  readonly facts: RoundFacts;
  readonly merged: Merged | null;
  readonly vantage: RoundVantage | null;
};

export type SettleParts = {
  readonly order: RoundOrder;
  readonly before: NetworkState;
  readonly decision: Decision;
  readonly agreed: AgreedFacts;
  readonly forceUpdate: boolean;
  readonly derive: (options: ChangeOptions) => StateChange;
};

/**
 * What becomes of a decision. `derive`: makes the change anew where a zone took a serial meanwhile; null: it is as it
 * is. `decision`: with what is served instead where it is not carried out.
 */
export type Settled = {
  readonly planned: StateChange;
  readonly derive: (() => StateChange) | null;
  readonly decision: Decision;
};

type StoredParts = {
  /** At the round before, epoch seconds; null: there was nothing that we would have changed. */
  readonly differsSince: number | null;
  readonly name: string;
  readonly members: readonly string[];
  readonly received: readonly ReceivedView[];
  readonly derive: (force: boolean) => StateChange;
  readonly nextSerial: () => number;
};

/** What was merged last, so that a view that comes can be compared with it. */
type LastMerge = {
  readonly own: OwnView;
  readonly facts: RoundFacts;
  readonly merged: Merged;
  readonly quorums: unknown;
};

/** What the views together said at the last decision. */
export type AgreementStatus = RoundViews & {
  /** By edge. */
  readonly quorums: ReadonlyMap<string, EdgeQuorum>;
  /** Of what decides, as it is configured here (`configHash`). */
  readonly config: string;
};

type DecisionTools = Pick<RoundTools, 'vantage' | 'floorSerial' | 'zonesSerial' | 'now' | 'log'>;

/** Its callers take turns, but for `isChanged`. */
export class AgreedDecisions {
  private readonly network: string;
  private readonly tools: DecisionTools;
  private turn = 0;
  private receipts: Receipts = new Map();
  private last: LastMerge | null = null;
  /** The latest serial that any vantage ever reported, of any network, or that was proposed here; 0: none. */
  private highest = 0;
  private unstored: string | null = null;
  /** Since when we would change what another vantage decides, epoch seconds; null: we would not. */
  private differsSince: number | null = null;

  constructor(network: string, tools: DecisionTools) {
    this.network = network;
    this.tools = tools;
  }

  /** Why a change that is wanted could not be stored, so that it should be decided again soon; null: none is. */
  get notStored(): string | null {
    return this.unstored;
  }

  /** Null: this vantage's own view alone counts, or nothing was decided yet. */
  get status(): AgreementStatus | null {
    if (this.last === null) return null;
    const { merged, own } = this.last;
    const { views, edges } = merged.facts;
    const quorums = edges.flatMap(({ name, quorum }) => (quorum === undefined ? [] : [[name, quorum] as const]));
    return { ...views, quorums: new Map(quorums), config: own.view.config };
  }

  /** Publishes our own view of these facts, and merges it with the others'. */
  merge(
    { config, files }: RoundOrder,
    facts: RoundFacts,
    { numbers, state }: { readonly numbers: ReadonlyMap<string, number>; readonly state: NetworkState },
  ): AgreedFacts {
    const vantage = this.vantage();
    if (vantage === null) {
      this.last = null;
      return { facts, merged: null, vantage };
    }
    const received = this.received(vantage);
    const isOverride = vantage.override() !== null;
    this.turn += 1;
    const own = ownView(facts, numbers, config.runFrequency, {
      vantage: vantage.settings.name,
      boot: vantage.boot,
      turn: this.turn,
      version: vantage.version,
      config: configHash(config, files, vantage.settings),
      clock: this.tools.now(),
      serial: reportedSerial({
        own: state,
        stored: vantage.sets?.decided() ?? null,
        isOverride,
        ...this.zonesSerial(),
      }),
      highestSerial: [versionSerial(state), this.highest, this.tools.floorSerial()].reduce(serialMax, 0),
    });
    vantage.publishView(own.view);
    const override = vantage.override();
    if (override !== null) {
      this.last = null;
      const action = operatorAction({ action: 'override', by: override.by, reason: override.reason });
      return {
        facts: {
          ...facts,
          actions: [action, ...(facts.actions ?? [])],
          troubles: [...(facts.troubles ?? []), overrideText(override.reason)],
        },
        merged: null,
        vantage,
      };
    }
    const merged = mergeViews(facts, own, received, ruleOf(vantage.settings, config), this.receipts);
    this.receipts = merged.receipts;
    this.last = { own, facts, merged, quorums: quorumsOf(merged) };
    return { facts: merged.facts, merged, vantage };
  }

  /** Whether the others' views make another quorum than the last decision saw. Cheap where none came. */
  isChanged({ config }: RoundOrder): boolean {
    const vantage = this.vantage();
    const { last } = this;
    if (vantage === null || last === null || vantage.override() !== null) return false;
    const merged = mergeViews(
      last.facts,
      last.own,
      this.received(vantage),
      ruleOf(vantage.settings, config),
      this.receipts,
    );
    return !isDeepStrictEqual(quorumsOf(merged), last.quorums);
  }

  /** What becomes of a decision that was made from `agreed`. Stores it where several vantages serve one answer. */
  async settle(parts: SettleParts): Promise<Settled> {
    const { before, decision, agreed, derive } = parts;
    const { vantage } = agreed;
    const { floorSerial } = this.tools;
    this.unstored = null;
    const { differsSince } = this;
    this.differsSince = null;
    const sets = vantage?.sets ?? null;
    if (vantage === null || sets === null) {
      const again = (): StateChange => derive({ floorSerial: floorSerial(), forceUpdate: parts.forceUpdate });
      return { planned: again(), derive: again, decision };
    }
    const received = this.received(vantage);
    const { name } = vantage.settings;
    const members = membersOf(vantage.settings);
    const serialAfter = (isOverride: boolean) => (old: readonly number[], now: number) =>
      setSerial(
        [...old, ...knownSerials(before, sets.decided(), received, [this.highest, floorSerial()])],
        now,
        members,
        { name, isOverride },
        !isOverride && isStoreLost({ own: before, stored: sets.decided(), isOverride: false }),
      );
    const changeBy = (isOverride: boolean, forceUpdate: boolean): StateChange =>
      derive({ floorSerial: floorSerial(), forceUpdate, serialAfter: serialAfter(isOverride) });
    if (agreed.merged === null) {
      sets.setFit(false);
      const again = (): StateChange => aloneChange(changeBy(true, parts.forceUpdate));
      return { planned: again(), derive: again, decision };
    }
    return this.stored(parts, sets, agreed.merged, {
      differsSince,
      name,
      members,
      received,
      derive: (force) => changeBy(false, force),
      nextSerial: () => serialAfter(false)([], decision.at),
    });
  }

  /** The stored set, if it may be served instead of what is; null: nothing is to be done. */
  adoptable(
    before: NetworkState,
    last: Decision | null,
    config: Config,
  ): { readonly change: StateChange; readonly decision: Decision; readonly set: DecidedSet } | null {
    const vantage = this.vantage();
    const set = vantage?.sets?.decided() ?? null;
    if (vantage === null || set === null) return null;
    const isOverride = vantage.override() !== null;
    if (follow({ own: before, stored: set, isOverride, ...this.zonesSerial() }).kind !== 'apply') return null;
    const change = adoptedChange(before, set);
    const now = this.tools.now();
    const base = last ?? this.nothingDecided(config, now);
    return { change, decision: adoptedDecision(set, base, { before, state: change.state, now }), set };
  }

  private async stored(
    { order, before, decision, forceUpdate }: SettleParts,
    sets: RoundSets,
    merged: Merged,
    { differsSince, name, members, received, derive, nextSerial }: StoredParts,
  ): Promise<Settled> {
    const { network } = this;
    const { views } = merged.facts;
    const usual = derive(forceUpdate);
    const liveChanged = usual.liveChanged || !sameBorrowed(before.memory, decision.memory);
    const isWanted = isChange(usual);
    const kept = (why: string, isBrief = false): Settled => {
      const planned = keptChange(before, usual);
      const uncarried = uncarriedDecision(decision, planned.state, isWanted ? why : null);
      return { planned, derive: null, decision: isBrief ? { ...uncarried, notes: decision.notes } : uncarried };
    };
    const { decider, token, isOurs } = sets.role();
    const stored = sets.decided();
    const step = deciderStep(
      {
        own: before,
        stored,
        isOverride: false,
        ...this.zonesSerial(),
        members,
        token: isOurs ? token : null,
        isConnected: sets.isConnected(),
        views,
        received,
        interval: order.config.runFrequency,
        decision: { hasLive: usual.state.live.length > 0, liveChanged, canaryZones: usual.canaryZones },
      },
      !before.decidedAlone,
    );
    sets.setFit(
      mayDecide(views) ||
        !othersCould(received, { own: this.last?.own.view.config, members, interval: order.config.runFrequency }),
    );
    if (!mayDecide(views)) return kept(`${noMajority(views)}: the answer stays as it is`);
    if (!isOurs || token === null) {
      if (isWanted) this.differsSince = differsSince ?? decision.at;
      // Views reach nobody at the same time: at each change the decider is some moments before or behind us.
      const isBrief = decision.at - (this.differsSince ?? decision.at) <= order.config.runFrequency;
      return kept(followsText(decider), decider !== null && isBrief);
    }
    if (step.kind === 'wait') {
      if (isWanted) this.unstored = step.why;
      return kept(step.why);
    }
    const says = (state: NetworkState): DecidedSet['says'] => saysOf(merged, before, state);
    const origin = { network, at: decision.at, by: name, token, basis: merged.basis };
    if (step.kind === 'restore' && step.of === 'stored' && stored !== null) {
      const set = { ...stored, ...origin, serial: nextSerial() };
      const { state } = adoptedChange(before, set);
      const adopted = adoptedDecision(set, decision, { before, state, now: decision.at });
      return this.propose({ ...set, says: says(state) }, sets, kept, {
        planned: adoptedChange(before, set),
        derive: null,
        decision: adopted,
      });
    }
    const planned = agreedChange(step.kind === 'restore' || step.live ? derive(true) : usual);
    const set = decidedSetOf(planned.state, { ...origin, says: says(planned.state) });
    return this.propose(set, sets, kept, { planned, derive: null, decision });
  }

  private async propose(
    set: DecidedSet,
    sets: RoundSets,
    kept: (why: string) => Settled,
    settled: Settled,
  ): Promise<Settled> {
    // Whatever becomes of it, it may have been seen: no other set has its serial, though the store be wiped by then.
    this.highest = serialMax(this.highest, set.serial);
    const outcome = await sets.propose(set);
    if (outcome.kind === 'stored') return settled;
    const why = `what was decided is not stored: ${outcome.why}`;
    this.unstored = why;
    return kept(why);
  }

  private zonesSerial(): { readonly zonesSerial: number } {
    return { zonesSerial: this.tools.zonesSerial?.() ?? 0 };
  }

  private vantage(): RoundVantage | null {
    return this.tools.vantage?.() ?? null;
  }

  /** Views of configured vantages, with their serials noted. */
  private received({ settings, views }: RoundVantage): readonly ReceivedView[] {
    const members = new Set(membersOf(settings));
    const received = views();
    for (const { view } of received) {
      if (!members.has(view.vantage) || view.network !== this.network) continue;
      this.highest = [this.highest, view.serial, view.highestSerial].reduce(serialMax, 0);
    }
    return received;
  }

  private nothingDecided(config: Config, now: number): Decision {
    const { network } = this;
    const rules = rulesOf(config, network);
    const nothing = { edges: [], canaries: [], memory: NO_MEMORY, operatorChange: false };
    return decideFacts({ now, network, scope: 'turn', rules, ...nothing });
  }
}

function overrideText(reason: string): string {
  return `an operator has this vantage decide alone, by its own view: ${reason}`;
}

function followsText(decider: string | null): string {
  return decider === null ? 'no vantage point decides at present' : `${decider} decides, and has not decided so`;
}
