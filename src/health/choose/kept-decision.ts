import { FAMILIES, type Family } from '../judge/edge.ts';
import { answeredBefore } from './candidates.ts';
import type { Decision, FamilyState } from './decision.ts';
import { judgeEdges } from './judge-edges.ts';
import { vantageNotes } from './reason-notes.ts';
import type { RoundFacts, RoundViews } from './round.ts';
import { uplinkState } from './safety-uplink.ts';

/**
 * The decision that there is none: too few views count, so that all that is answered stays as it is, whatever the lists
 * say and whatever an operator set. What is remembered stays, too.
 */
export function keptDecision(facts: RoundFacts, views: RoundViews): Decision {
  const { now, network, memory, rules, edges, canaries } = facts;
  const lastLive = new Set(memory.lastLive);
  const answered = answeredBefore(facts);
  const said = noDecisionText(views);
  const judged = judgeEdges(edges, rules, memory.judged, null).verdicts;
  const verdicts = judged.map((verdict) => ({ ...verdict, judgement: null, why: `${said}; ${verdict.why}` }));
  const distinct = [...new Map(canaries.map((canary) => [canary.name, canary])).values()];
  const names = [...new Set([...edges.map(({ name }) => name), ...lastLive])];
  const whyOf = new Map(verdicts.map(({ edge, why }) => [edge, why]));
  const active = new Map(memory.activeCanaries.map((one) => [one.zone, one]));
  const familyOf = (family: Family): FamilyState => {
    if ([...answered.values()].some((addresses) => addresses[family] !== null)) return 'passing';
    return memory.unanswered === family ? 'unanswered' : 'none';
  };
  const [v4, v6] = FAMILIES.map(familyOf);
  return {
    at: now,
    network,
    outcome: lastLive.size === 0 ? { kind: 'empty' } : { kind: 'unchanged' },
    actions: facts.actions ?? [],
    hold: null,
    heldFailing: [],
    replaced: [],
    families: { v4, v6 },
    // A member that is known by its name only is answered as before, which an empty set stands for.
    live: memory.lastLive.every((edge) => answered.has(edge))
      ? [...answered].map(([edge, addresses]) => ({ edge, ...addresses, why: `kept: ${said}` }))
      : [],
    wanted: Math.max(1, rules.edgeCount),
    verdicts,
    reasons: new Map(
      names.map((name) => {
        const live = lastLive.has(name);
        return [name, { live, why: `${live ? 'kept' : 'not live'}: ${whyOf.get(name) ?? said}` }];
      }),
    ),
    canaryVerdicts: judgeEdges(distinct, rules, memory.judged, null).verdicts.map((verdict) => ({
      ...verdict,
      judgement: null,
      why: `${said}; ${verdict.why}`,
    })),
    canaries: [...new Set([...active.keys(), ...canaries.map(({ zone }) => zone)])].sort().map((zone) => {
      const one = active.get(zone) ?? null;
      const address = one?.address ?? canaries.find((canary) => canary.zone === zone)?.name ?? '';
      return { zone, address, active: one, changed: false, held: false, why: said };
    }),
    verificationFailures: [],
    safety: { unfilled: 0, minUp: null, uplink: uplinkState(facts.references), heldUp: [] },
    notes: [`${said}; what was answered stays`, ...vantageNotes(facts), ...(facts.troubles ?? [])],
    memory,
  };
}

/** `no decision: 1 of 3 vantages counts, 2 must` */
export function noDecisionText({ counting, needed }: RoundViews): string {
  return `no decision: ${counting} ${counting === 1 ? 'vantage counts' : 'vantages count'}, ${needed} must`;
}
