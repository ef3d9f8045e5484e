import { decideFacts } from '../choose/decide.ts';
import type { Decision } from '../choose/decision.ts';
import { sameNames } from '../choose/limit-live.ts';
import type { Memory } from '../choose/memory.ts';
import type { Rules } from '../choose/round.ts';
import { NO_SAFETY, type SafetyRules } from '../choose/safety.ts';
import { byName } from '../judge/reason.ts';
import type { RoundRecord } from '../state/history-log-record.ts';

/** How one way of deciding fared over the replayed rounds. */
export type Tally = {
  /** Changes of the live set: what DNS clients would have seen. */
  readonly rotations: number;
  /** Rounds in which the rotation limit kept a wanted change back. */
  readonly heldRounds: number;
  /** Members replaced in spite of the limit, because they failed three times in a row. */
  readonly holdExceptions: number;
  /** Rounds with fewer live edges than wanted. */
  readonly shortRounds: number;
  /** Rounds with no live edge at all. */
  readonly emptyRounds: number;
  /** A canary coming into use, going or replaced, zone by zone. */
  readonly canaryChanges: number;
  /** Rounds in which each edge was live, by name. */
  readonly roundsLive: ReadonlyMap<string, number>;
};

/** Consecutive rounds in which replaying gives the same live set instead of the same recorded one. */
export type Difference = {
  readonly from: number;
  readonly until: number;
  readonly rounds: number;
  readonly recorded: readonly string[];
  readonly replayed: readonly string[];
  /** Why, in the first of these rounds, for each edge that differs. */
  readonly why: ReadonlyMap<string, string>;
};

export type Replay = {
  readonly rounds: number;
  /** Of the first and last round; null when there is none. */
  readonly since: number | null;
  readonly until: number | null;
  readonly recorded: Tally;
  readonly replayed: Tally;
  readonly differingRounds: number;
  /** The first `DIFFERENCES_MAX`. */
  readonly differences: readonly Difference[];
  readonly differencesLeftOut: number;
  /** Places where the record does not continue the round before (lost lines, a new state file): taken up from there. */
  readonly breaks: number;
  /** A longer timeout than recorded was asked for; fetches were cut off at the recorded one, so that was used. */
  readonly timeoutCut: boolean;
};

const DIFFERENCES_MAX = 1000;

/**
 * Decides recorded rounds again under other rules, each from what replaying the one before remembered, and compares.
 * Fetches are the recorded ones, and so are modes, lists, canaries and averages. With no `rules` nothing may differ.
 */
export function replay(records: Iterable<RoundRecord>, rules: ReplayRules): Replay {
  const recorded = new TallyCount();
  const replayed = new TallyCount();
  const differences = new DifferenceList();
  let breaks = 0;
  let timeoutCut = false;
  let since: number | null = null;
  let before: { readonly record: RoundRecord; readonly decision: Decision } | null = null;

  for (const record of records) {
    const { facts, decided } = record;
    const follows = before !== null && continues(before.record, record);
    if (before !== null && !follows) breaks++;
    timeoutCut ||= (rules.timeout ?? 0) > facts.rules.timeout;
    const decision = decideFacts({
      ...facts,
      rules: rulesUnder(facts.rules, rules),
      memory: before !== null && follows ? before.decision.memory : facts.memory,
    });
    const live = decision.live.map(({ edge }) => edge);
    const startedFrom = follows ? null : facts.memory;

    since ??= facts.now;
    recorded.add({ ...decided, wanted: Math.max(1, facts.rules.edgeCount), startedFrom });
    replayed.add({
      kind: decision.outcome.kind,
      held: decision.hold !== null,
      replaced: decision.replaced.length,
      live,
      canaries: new Map(decision.memory.activeCanaries.map(({ zone, address }) => [zone, address])),
      wanted: decision.wanted,
      startedFrom,
    });
    differences.compare(record, decision, live);
    before = { record, decision };
  }

  return {
    rounds: recorded.rounds,
    since,
    until: before === null ? null : before.record.facts.now,
    recorded: recorded.tally(),
    replayed: replayed.tally(),
    differingRounds: differences.rounds,
    differences: differences.kept,
    differencesLeftOut: differences.leftOut,
    breaks,
    timeoutCut,
  };
}

/** Rules to decide by instead of the recorded ones, where they are given; of the safety rules each for itself. */
export type ReplayRules = Omit<Partial<Rules>, 'safety'> & { readonly safety?: Partial<SafetyRules> };

/**
 * A recorded round's rules under settings. Its fetches ended at the recorded timeout, so that a longer one cannot hold;
 * and results in a row lie as far apart as they were asked for.
 */
export function rulesUnder(recorded: Rules, { judge, safety, ...set }: ReplayRules): Rules {
  const counted = recorded.judge?.kind === 'rise_fall' ? recorded.judge.apart : undefined;
  return {
    ...recorded,
    ...set,
    timeout: Math.min(set.timeout ?? Infinity, recorded.timeout),
    ...(judge === undefined
      ? {}
      : { judge: judge.kind === 'rise_fall' ? { ...judge, apart: counted ?? judge.apart } : judge }),
    ...(safety === undefined ? {} : { safety: { ...(recorded.safety ?? NO_SAFETY), ...safety } }),
  };
}

/** Whether `record` started from what `before` ended with. */
function continues(before: RoundRecord, { facts }: RoundRecord): boolean {
  const { decided } = before;
  const left = decided.kind === 'empty' ? before.facts.memory.lastLive : decided.live;
  const { activeCanaries } = facts.memory;
  return (
    facts.now >= before.facts.now &&
    sameNames(left, facts.memory.lastLive) &&
    activeCanaries.length === decided.canaries.size &&
    activeCanaries.every(({ zone, address }) => decided.canaries.get(zone) === address)
  );
}

/** Gathers differing rounds into spans; keeps the first thousand. */
class DifferenceList {
  rounds = 0;
  leftOut = 0;
  readonly kept: Difference[] = [];
  private open: Difference | null = null;

  compare({ facts, decided }: RoundRecord, decision: Decision, live: readonly string[]): void {
    if (sameNames(live, decided.live)) {
      this.open = null;
      return;
    }
    this.rounds++;
    const last = this.open;
    if (last !== null && sameNames(last.recorded, decided.live) && sameNames(last.replayed, live)) {
      this.open = { ...last, until: facts.now, rounds: last.rounds + 1 };
      if (this.kept[this.kept.length - 1] === last) this.kept[this.kept.length - 1] = this.open;
      return;
    }
    const differ = [...new Set([...live, ...decided.live])]
      .filter((name) => live.includes(name) !== decided.live.includes(name))
      .sort(byName);
    this.open = {
      from: facts.now,
      until: facts.now,
      rounds: 1,
      recorded: decided.live,
      replayed: live,
      why: new Map(differ.map((name) => [name, decision.reasons.get(name)?.why ?? 'not in the edge list'])),
    };
    if (this.kept.length < DIFFERENCES_MAX) this.kept.push(this.open);
    else this.leftOut++;
  }
}

type Tallied = RoundRecord['decided'] & {
  readonly wanted: number;
  /** What the round started from, where it does not continue the last. */
  readonly startedFrom: Memory | null;
};

/** Counts rounds of one way of deciding. */
class TallyCount {
  rounds = 0;
  private readonly roundsLive = new Map<string, number>();
  private canaries: ReadonlyMap<string, string> = new Map();
  private rotations = 0;
  private held = 0;
  private replaced = 0;
  private short = 0;
  private empty = 0;
  private canaryChanges = 0;

  add({ kind, held, replaced, live, canaries, wanted, startedFrom }: Tallied): void {
    this.rounds++;
    if (startedFrom !== null) {
      this.canaries = new Map(startedFrom.activeCanaries.map(({ zone, address }) => [zone, address]));
    }
    if (kind === 'changed') this.rotations++;
    if (held) this.held++;
    this.replaced += replaced;
    if (live.length === 0) this.empty++;
    else if (live.length < wanted) this.short++;
    for (const name of live) this.roundsLive.set(name, (this.roundsLive.get(name) ?? 0) + 1);
    for (const zone of new Set([...canaries.keys(), ...this.canaries.keys()])) {
      if (canaries.get(zone) !== this.canaries.get(zone)) this.canaryChanges++;
    }
    this.canaries = canaries;
  }

  tally(): Tally {
    return {
      rotations: this.rotations,
      heldRounds: this.held,
      holdExceptions: this.replaced,
      shortRounds: this.short,
      emptyRounds: this.empty,
      canaryChanges: this.canaryChanges,
      roundsLive: this.roundsLive,
    };
  }
}
