import type { Sample } from '../checks/sample.ts';
import { decideFacts } from '../choose/decide.ts';
import type { Decision } from '../choose/decision.ts';
import { recentChanges } from '../choose/limit.ts';
import type { OperatorAction } from '../choose/operator-action.ts';
import type { RoundFacts, Scope } from '../choose/round.ts';
import type { EdgeFacts, Mode } from '../judge/edge.ts';
import type { EdgeQuorum } from '../judge/quorum.ts';
import type { Verdict } from '../judge/verdict.ts';
import type { RoundRecord } from '../state/history-log-record.ts';
import { canaryProspectsOf } from './canary.ts';
import type { Prospect } from './prospect.ts';
import { prospectsOf } from './prospects.ts';

/** Why a network answers as it does at one moment, and what would change that. */
export type Explanation = {
  readonly network: string;
  readonly at: number;
  /** `event`: decided between two turns, for edges that failed. */
  readonly scope: Scope;
  readonly live: readonly string[];
  readonly wanted: number;
  readonly outcome: Decision['outcome'];
  /** What operators did before it. */
  readonly actions: readonly OperatorAction[];
  readonly hold: Decision['hold'];
  /** Changes of the live set in the 600 s before this round and in it. */
  readonly recentChanges: number;
  readonly maxfreq: number;
  readonly notes: readonly string[];
  readonly edges: readonly EdgeExplanation[];
  readonly canaries: readonly CanaryExplanation[];
};

export type EdgeExplanation = {
  readonly edge: string;
  readonly live: boolean;
  readonly why: string;
  readonly mode: Mode | null; // null: not listed
  /** Epoch seconds; null: the mode stays until somebody changes it. */
  readonly modeUntil: number | null;
  readonly comment: string;
  readonly verdict: Verdict | null;
  /** Who says what, where several vantages decide. */
  readonly quorum?: EdgeQuorum;
  /** Oldest first. */
  readonly samples: readonly Sample[];
  /** Null where they were not asked for. */
  readonly prospects: readonly Prospect[] | null;
};

export type CanaryExplanation = {
  readonly zone: string;
  readonly address: string;
  readonly used: boolean;
  readonly why: string;
  readonly verdict: Verdict | null;
  readonly quorum?: EdgeQuorum;
  readonly samples: readonly Sample[];
  readonly prospects: readonly Prospect[] | null;
};

/** What explaining needs of a recorded round. */
type Recorded = Pick<RoundRecord, 'facts'>;

export type ExplainOptions = {
  /** An edge, a canary's address or its zone; null: the whole network. */
  readonly only: string | null;
  /** Seconds from one round to the next, for what is supposed of the next one. */
  readonly interval: number;
};

/** Prospects are found by deciding again and again; beyond this many edges only live and single ones get theirs. */
const PROSPECTS_MAX = 200;

/**
 * Explains the last of `rounds` (consecutive records, oldest first; the others give earlier samples). Null when `only`
 * names nothing in that round.
 */
export function explain(rounds: readonly Recorded[], options: ExplainOptions): Explanation | null {
  if (rounds.length === 0) return null;
  const { facts } = rounds[rounds.length - 1];
  const decision = decideFacts(facts);
  const { only, interval } = options;
  const withProspects = only !== null || facts.edges.length <= PROSPECTS_MAX;

  const edges = [...decision.reasons]
    .filter(([edge]) => only === null || edge === only)
    .map(([edge, { live, why }]): EdgeExplanation => {
      const own = facts.edges.find(({ name }) => name === edge);
      return {
        edge,
        live,
        why,
        mode: own?.mode ?? null,
        modeUntil: own?.modeUntil ?? null,
        comment: own?.comment ?? '',
        verdict: decision.verdicts.find((verdict) => verdict.edge === edge) ?? null,
        ...(own?.quorum === undefined ? {} : { quorum: own.quorum }),
        samples: samplesOf(rounds, edge, (round) => round.edges),
        prospects: withProspects || live ? prospectsOf(facts, decision, edge, interval) : null,
      };
    });
  const canaries = explainCanaries(rounds, facts, decision, options);
  if (only !== null && edges.length === 0 && canaries.length === 0) return null;

  return {
    network: facts.network,
    at: facts.now,
    scope: facts.scope,
    live: decision.live.map(({ edge }) => edge),
    wanted: decision.wanted,
    outcome: decision.outcome,
    actions: decision.actions,
    hold: decision.hold,
    recentChanges: recentChanges(decision.memory.rotations, facts.now).length,
    maxfreq: facts.rules.maxfreq,
    notes: decision.notes,
    edges,
    canaries,
  };
}

function explainCanaries(
  rounds: readonly Recorded[],
  facts: RoundFacts,
  decision: Decision,
  { only, interval }: ExplainOptions,
): readonly CanaryExplanation[] {
  return decision.canaries
    .filter(({ zone, address }) => only === null || zone === only || address === only)
    .map(({ zone, address, active, why }) => {
      const own = facts.canaries.find((canary) => canary.zone === zone);
      return {
        zone,
        address,
        used: active !== null,
        why,
        verdict: own === undefined ? null : (decision.canaryVerdicts.find(({ edge }) => edge === own.name) ?? null),
        ...(own?.quorum === undefined ? {} : { quorum: own.quorum }),
        samples: samplesOf(rounds, address, (round) => round.canaries),
        prospects: own === undefined ? null : canaryProspectsOf(facts, decision, own, interval),
      };
    });
}

function samplesOf(
  rounds: readonly Recorded[],
  name: string,
  among: (facts: RoundFacts) => readonly EdgeFacts[],
): readonly Sample[] {
  // Decisions between two rounds, and cancelled fetches, come with an older sample once more: keep one of each moment.
  const distinct = new Map<number, Sample>();
  for (const { facts } of rounds) {
    const sample = among(facts).find((edge) => edge.name === name)?.sample ?? null;
    if (sample !== null) distinct.set(sample.at, sample);
  }
  return [...distinct.values()];
}
