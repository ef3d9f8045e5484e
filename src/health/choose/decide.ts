import { addSample, figuresOf } from '../judge/history.ts';
import { judge } from '../judge/judge.ts';
import { byName } from '../judge/reason.ts';
import type { Decision, EdgeFacts, EdgeInput, Hold, Outcome, RoundFacts, RoundInput } from '../judge/types.ts';
import { decideCanaries } from './canary.ts';
import { judgeCanaries } from './canary-judge.ts';
import { candidatePool } from './candidates.ts';
import { limitField, sameNames } from './limit-live.ts';
import { reasonsOf } from './reason-live.ts';
import { notesOf } from './reason-notes.ts';

const ROTATIONS_MAX = 100; // entries of edgemanage's rotation_list

/** Decides one round: judge → select → limit → canaries, with the reasons and the memory for the next round. */
export function decide(input: RoundInput): Decision {
  return decideFacts(factsOf(input));
}

/** The round with its histories summed up, this round's samples included. */
export function factsOf(input: RoundInput): RoundFacts {
  return {
    ...input,
    edges: input.edges.map((edge) => sumUp(edge, input.now)),
    canaries: input.canaries.map((canary) => ({ ...sumUp(canary, input.now), zone: canary.zone })),
  };
}

function sumUp({ history, ...rest }: EdgeInput, now: number): EdgeFacts {
  const whole = rest.sample === null ? history : addSample(history, rest.sample.at, rest.sample.seconds);
  return { ...rest, figures: figuresOf(whole, now) };
}

/** `decide` for a round whose histories are summed up already: a recorded one, or a supposed one. */
export function decideFacts(facts: RoundFacts): Decision {
  const { now, network, memory, rules } = facts;
  const verdicts = facts.edges.map((edge) => judge(edge, rules));
  const field = candidatePool(facts, verdicts);
  const { live, hold } = limitField(facts, field);
  const names = [...live].sort(byName);
  const outcome = outcomeOf(names, memory.lastLive, field.wanted, hold);
  const reasons = reasonsOf(field, new Set(names), hold);

  const listed = new Map(facts.edges.map((edge) => [edge.name, edge]));
  const { verdicts: canaryVerdicts, killed } = judgeCanaries(facts.canaries, rules);
  const canaries = decideCanaries(
    facts,
    new Map(canaryVerdicts.map((verdict) => [verdict.edge, verdict])),
    names.map((edge) => ({ edge, passing: field.passing.has(edge), forced: isForced(listed.get(edge)) })),
  );

  return {
    at: now,
    network,
    outcome,
    hold,
    live: names.map((edge) => ({
      edge,
      v4: listed.get(edge)?.v4 ?? null,
      v6: listed.get(edge)?.v6 ?? null,
      why: reasons.get(edge)?.why ?? '',
    })),
    wanted: field.edgeCount,
    verdicts,
    reasons,
    canaryVerdicts,
    canaries: canaries.canaries,
    verificationFailures: verificationFailures(facts),
    notes: notesOf({ field, live: names, hold, killed, canaryKiller: rules.canaryKiller }),
    memory: {
      // With nothing to publish the old answer stays, so what is remembered must stay too.
      lastLive: outcome.kind === 'empty' ? memory.lastLive : names,
      rotations: outcome.kind === 'changed' ? [...memory.rotations, now].slice(-ROTATIONS_MAX) : memory.rotations,
      activeCanaries: canaries.active,
      canaryRotations: canaries.rotations,
    },
  };
}

function outcomeOf(
  live: readonly string[],
  lastLive: readonly string[],
  wanted: readonly string[],
  hold: Hold | null,
): Outcome {
  if (live.length === 0) return { kind: 'empty' };
  if (!sameNames(live, lastLive)) {
    const before = new Set(lastLive);
    const after = new Set(live);
    return {
      kind: 'changed',
      added: live.filter((name) => !before.has(name)),
      removed: lastLive.filter((name) => !after.has(name)),
    };
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
