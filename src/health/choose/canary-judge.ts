import { byName } from '../judge/reason.ts';
import type { Verdict } from '../judge/verdict.ts';
import { type JudgedAddresses, judgeEdges } from './judge-edges.ts';
import type { RoundFacts } from './round.ts';
import { decidingUplink } from './safety-uplink.ts';

/** `killed`: how many distinct canaries failed when `canary_killer` condemned them all; null when it did not. */
export type CanaryJudgement = {
  readonly verdicts: readonly Verdict[];
  readonly judged: JudgedAddresses;
  readonly killed: number | null;
};

/**
 * Judges the canaries, one verdict an address, by address. Canaries share a server, so when `canaryKiller` of them or
 * more fail this round, all are judged `fail`, also those whose fetch was cancelled for it (section 8). Unavailable
 * ones count among the failing (none does while our own line is in doubt): the prober fetches them too and cancels by the same count.
 */
export function judgeCanaries(facts: RoundFacts): CanaryJudgement {
  const { canaries, rules, memory } = facts;
  const distinct = new Map(canaries.map((canary) => [canary.name, canary]));
  const sorted = [...distinct.values()].sort((a, b) => byName(a.name, b.name));
  const failing = sorted.filter(({ sample, quorum }) =>
    quorum === undefined
      ? sample !== null && (sample.fail !== null || sample.seconds >= rules.timeout)
      : quorum.up === false,
  );
  const uplink = decidingUplink(facts);
  const { verdicts, judged } = judgeEdges(sorted, rules, memory.judged, uplink);
  if (uplink?.inDoubt === true) return { verdicts, judged, killed: null };
  if (rules.canaryKiller <= 0 || failing.length < rules.canaryKiller) return { verdicts, judged, killed: null };

  const why = `judged with all canaries: ${failing.length} fail ≥ canary_killer ${rules.canaryKiller}`;
  return {
    verdicts: verdicts.map((verdict) => ({ ...verdict, judgement: 'fail' as const, why: `${why}; ${verdict.why}` })),
    judged,
    killed: failing.length,
  };
}
