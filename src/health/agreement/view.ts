/** One vantage's view of a network: what it tells the others, and what it hears from them. Times are epoch seconds. */
import { workingFamilies } from '../choose/families.ts';
import { type JudgedAddresses, judgeEdges } from '../choose/judge-edges.ts';
import type { RoundFacts } from '../choose/round.ts';
import { uplinkState } from '../choose/safety-uplink.ts';
import type { CanaryFacts, EdgeFacts } from '../judge/edge.ts';
import { passes, type Verdict } from '../judge/verdict.ts';

/** What a vantage found of one edge or canary, and what its own judge makes of it. */
export type EdgeView = {
  readonly name: string;
  /**
   * Judged by the vantage's own rules, whatever mode an operator set; null: never asked, or it fails while the vantage's
   * own line is in doubt.
   */
  readonly up: boolean | null;
  /** Why, at most 200 characters. */
  readonly detail: string;
  /** How many samples of it this process has taken: the same number, the same sample. */
  readonly samples: number;
  /** In which families it works, by the vantage's own judge. */
  readonly works: { readonly v4: boolean; readonly v6: boolean };
  /** Addresses, newest sample and figures, without what an operator set. Its times are the vantage's own clock's. */
  readonly facts: Pick<EdgeFacts, 'sample' | 'figures' | 'v4' | 'v6' | 'verificationFailed'>;
};

export type CanaryView = EdgeView & Pick<CanaryFacts, 'zone'>;

export type VantageView = {
  readonly vantage: string;
  readonly network: string;
  /** Random, another one at each start of the process: turns are compared within one. */
  readonly boot: string;
  /** Goes up with each view of the network. */
  readonly turn: number;
  /** Of Edgewise. */
  readonly version: string;
  /** Of what decides in this network (`configHash`). */
  readonly config: string;
  /** The vantage's clock when it made this. Reported, and nothing is decided by it. */
  readonly clock: number;
  /** Of the network's live set as the vantage serves it (`reportedSerial`), and the highest that it ever gave or saw in any network. */
  readonly serial: number;
  readonly highestSerial: number;
  readonly edges: readonly EdgeView[];
  readonly canaries: readonly CanaryView[];
};

/**
 * A view as it came. `age`: seconds since its boot or turn last changed, by the reader's monotonic clock. `at`: when that
 * was by the reader's own wall clock, which is what times of samples are compared with here.
 */
export type ReceivedView = { readonly view: VantageView; readonly age: number; readonly at: number };

/** Intervals after which a view, or a sample, says nothing any more. */
export const FRESH_INTERVALS = 3;

/** Who makes a view, and when: what is in it besides edges. */
export type ViewHead = Omit<VantageView, 'edges' | 'canaries' | 'network'>;

const DETAIL_MAX = 200;

/** What our own samples say. `facts`: the round's by our own samples alone. `judged`: what our judges remember after them. */
export type OwnView = { readonly view: VantageView; readonly judged: JudgedAddresses };

/**
 * Makes our own view of a round. An operator's mode is no vote, so all are judged as if they were available. `samples`:
 * how many of each target this process has taken. `interval`: seconds between two of them.
 */
export function ownView(
  facts: RoundFacts,
  samples: ReadonlyMap<string, number>,
  interval: number,
  head: ViewHead,
): OwnView {
  const { rules, memory, network } = facts;
  const uplink = uplinkState(facts.references);
  const canaries = facts.canaries.map((canary) => ({ ...canary, mode: 'available' as const }));
  const edges = facts.edges.map((edge) => ({ ...edge, mode: 'available' as const }));
  const found = judgeEdges(edges, rules, memory.judged, uplink);
  // Several zones may share a canary, which is one address: judged once.
  const distinct = [...new Map(canaries.map((canary) => [canary.name, canary])).values()];
  const ofCanaries = judgeEdges(distinct, rules, memory.judged, uplink);
  const judged = new Map([...found.judged, ...ofCanaries.judged]);
  const viewOf = (edge: EdgeFacts, verdict: Verdict): EdgeView => ({
    name: edge.name,
    ...opinion(edge, verdict, facts.now - interval * FRESH_INTERVALS),
    samples: samples.get(edge.name) ?? 0,
    works: workingFamilies(edge, verdict, { timeout: rules.timeout, judged }),
    facts: factsOf(edge),
  });
  const verdictOf = new Map(ofCanaries.verdicts.map((verdict) => [verdict.edge, verdict]));
  const view: VantageView = {
    ...head,
    network,
    edges: edges.map((edge, i) => viewOf(edge, found.verdicts[i])),
    canaries: canaries.flatMap((canary) => {
      const verdict = verdictOf.get(canary.name);
      return verdict === undefined ? [] : [{ ...viewOf(canary, verdict), zone: canary.zone }];
    }),
  };
  return { view, judged };
}

function factsOf({ sample, figures, v4, v6, verificationFailed }: EdgeFacts): EdgeView['facts'] {
  return { sample, figures, v4, v6, verificationFailed };
}

/** What was stored before this process started, or was asked before `since`, is no opinion. */
function opinion({ sample }: EdgeFacts, { judgement, why }: Verdict, since: number): Pick<EdgeView, 'up' | 'detail'> {
  if (sample === null) return { up: null, detail: 'not asked yet' };
  if (sample.at < since) return { up: null, detail: 'not asked lately' };
  if (judgement === null) return { up: null, detail: why.slice(0, DETAIL_MAX) };
  // A word where one says it: `refused`, `timeout`.
  const reason = judgement === 'fail' ? sample.fail?.reason : undefined;
  return { up: passes(judgement), detail: (reason ?? why).slice(0, DETAIL_MAX) };
}
