import type { CanaryFacts, EdgeFacts, EdgeInput } from '../judge/edge.ts';
import { figuresOf } from '../judge/history.ts';
import { byName } from '../judge/reason.ts';
import { decideCanaries } from './canary.ts';
import { judgeCanaries } from './canary-judge.ts';
import { type CandidatePool, candidatePool } from './candidates.ts';
import type { Decision, Outcome } from './decision.ts';
import { familyStates } from './families.ts';
import { judgeEdges } from './judge-edges.ts';
import { keptDecision } from './kept-decision.ts';
import { type Answers, type Limited, limitLive, sameAnswers } from './limit-live.ts';
import type { Memory } from './memory.ts';
import { isDead, missKey, worksAt } from './misses.ts';
import { reasonsOf } from './reason-live.ts';
import { notesOf, vantageNotes } from './reason-notes.ts';
import type { RoundFacts, RoundInput } from './round.ts';
import { safetyState } from './safety.ts';
import { decidingUplink, uplinkState } from './safety-uplink.ts';

const ROTATIONS_MAX = 100; // entries of edgemanage's rotation_list

/** Decides one round: judge → select → limit → canaries, with the reasons and the memory for the next round. */
export function decide(input: RoundInput): Decision {
  return decideFacts(factsOf(input));
}

/** The round with its histories summed up. */
export function factsOf(input: RoundInput): RoundFacts {
  return {
    ...input,
    edges: input.edges.map((edge) => sumUp(edge, input.now)),
    canaries: input.canaries.map((canary): CanaryFacts => ({ ...sumUp(canary, input.now), zone: canary.zone })),
  };
}

function sumUp({ history, ...rest }: EdgeInput, now: number): EdgeFacts {
  return { ...rest, figures: figuresOf(history, now) };
}

/** `decide` for a round whose histories are summed up already: a recorded one, or a supposed one. */
export function decideFacts(facts: RoundFacts): Decision {
  if (facts.views !== undefined && facts.views.counting < facts.views.needed) return keptDecision(facts, facts.views);
  const { now, network, memory, rules } = facts;
  const uplink = decidingUplink(facts);
  const { verdicts, judged } = judgeEdges(facts.edges, rules, memory.judged, uplink);
  const pool = candidatePool(facts, verdicts, judged);
  const limited = limitLive(facts, pool);
  const { answers, hold, replaced } = limited;
  const outcome = outcomeOf(pool, limited);
  const reasons = reasonsOf(pool, limited);
  const families = familyStates(answers, pool);

  const listed = new Map(facts.edges.map((edge) => [edge.name, edge]));
  const { verdicts: canaryVerdicts, killed, judged: judgedCanaries } = judgeCanaries(facts);
  const canaries = decideCanaries(
    facts,
    new Map(canaryVerdicts.map((verdict) => [verdict.edge, verdict])),
    [...answers].map(([edge, { v4, v6 }]) => ({
      edge,
      passing: pool.passing.has(edge),
      forced: isForced(listed.get(edge)),
      v4: v4 !== null,
      v6: v6 !== null,
    })),
  );
  const isChange = outcome.kind === 'changed';
  const safety = { ...safetyState(pool, answers), uplink: uplinkState(facts.references) };

  return {
    at: now,
    network,
    outcome,
    actions: facts.actions ?? [],
    hold,
    heldFailing: hold === null ? [] : heldFailing(pool, answers),
    replaced,
    families,
    live: [...answers].map(([edge, { v4, v6 }]) => ({ edge, v4, v6, why: reasons.get(edge)?.why ?? '' })),
    wanted: pool.edgeCount,
    verdicts,
    reasons,
    canaryVerdicts,
    canaries: canaries.canaries,
    verificationFailures: verificationFailures(facts),
    safety,
    notes: [
      ...vantageNotes(facts),
      ...notesOf({ pool, limited, families, safety, killed, canaryKiller: rules.canaryKiller }),
      ...(facts.troubles ?? []),
    ],
    memory: {
      ...(outcome.kind === 'empty' ? memory : answeredMemory(pool, answers, families)),
      unsteady: pool.unsteady,
      ...agreedMemory(facts),
      judged: new Map([...judged, ...judgedCanaries]),
      rotations: isChange ? [...memory.rotations, now].slice(-ROTATIONS_MAX) : memory.rotations,
      activeCanaries: canaries.active,
      canaryRotations: canaries.rotations,
    },
  };
}

/**
 * What is remembered of the answer. With nothing to publish the old answer stays, and so does what is remembered of it.
 */
function answeredMemory(
  { misses, borrowed }: CandidatePool,
  answers: Answers,
  families: Decision['families'],
): Pick<Memory, 'lastLive' | 'borrowed' | 'answered' | 'unanswered' | 'misses'> {
  const keys = new Set(
    [...answers].flatMap(([edge, { v4, v6 }]) =>
      [v4, v6].flatMap((address) => (address === null ? [] : [missKey(edge, address)])),
    ),
  );
  return {
    lastLive: [...answers.keys()],
    ...(borrowed.size === 0 ? {} : { borrowed: [...answers.keys()].filter((name) => borrowed.has(name)) }),
    answered: answers,
    unanswered: families.v4 === 'unanswered' ? 'v4' : families.v6 === 'unanswered' ? 'v6' : null,
    misses: new Map([...misses].filter(([key]) => keys.has(key))),
  };
}

/** What the vantages together held of each edge and canary last. */
function agreedMemory({ views, memory, edges, canaries }: RoundFacts): Pick<Memory, 'agreed'> {
  if (views === undefined) return {};
  const agreed = [...edges, ...canaries].flatMap(({ name, quorum }) => {
    const up = quorum?.up ?? memory.agreed?.get(name);
    return up === undefined ? [] : [[name, up] as const];
  });
  return { agreed: new Map(agreed) };
}

/** Members that nothing but the hold keeps in some family, and that do not work there. */
function heldFailing({ candidates, chosen, misses }: CandidatePool, answers: Answers): readonly string[] {
  const wanted = new Map(chosen.map((one) => [one.candidate.facts.name, one]));
  return candidates.flatMap((candidate) => {
    const { name } = candidate.facts;
    const answered = answers.get(name);
    const fails = (['v4', 'v6'] as const).some((family) => {
      const address = answered?.[family] ?? null;
      if (address === null || wanted.get(name)?.[family] === address || worksAt(candidate, family, address))
        return false;
      return candidate.facts[family] === address || isDead(misses, name, address);
    });
    return fails ? [name] : [];
  });
}

function outcomeOf({ lastLive, before, wanted }: CandidatePool, { answers, hold }: Limited): Outcome {
  if (answers.size === 0) return { kind: 'empty' };
  const added = [...answers.keys()].filter((name) => !lastLive.has(name));
  const removed = [...lastLive].filter((name) => !answers.has(name));
  if (added.length > 0 || removed.length > 0 || !sameAnswers(answers, before)) {
    const moved = [...answers].filter(([name, addresses]) => {
      const old = before.get(name);
      return old !== undefined && (old.v4 !== addresses.v4 || old.v6 !== addresses.v6);
    });
    return { kind: 'changed', added, removed, moved: moved.map(([name]) => name) };
  }
  return hold === null ? { kind: 'unchanged' } : { kind: 'held', until: hold.until, wanted };
}

function isForced(edge: EdgeFacts | undefined): boolean {
  return edge !== undefined && (edge.mode === 'force' || edge.mode === 'blindforce');
}

function verificationFailures({ edges, canaries }: RoundFacts): readonly string[] {
  const names = [...edges, ...canaries].filter((edge) => edge.verificationFailed).map(({ name }) => name);
  return [...new Set(names)].sort(byName);
}
