import type { Decision } from '../choose/decision.ts';
import type { RoundFacts } from '../choose/round.ts';
import { joining } from './joining.ts';
import { leaving } from './leaving.ts';
import { type Prospect, prospect } from './prospect.ts';
import { isDecided, nextRound } from './suppose.ts';

/** What would have to happen for `edge` to become live, or to stop being so. `interval`: seconds to the next round. */
export function prospectsOf(
  facts: RoundFacts,
  decision: Decision,
  edge: string,
  interval: number,
): readonly Prospect[] {
  const own = facts.edges.find(({ name }) => name === edge);
  if (own === undefined) return [prospect('list', true, null, [], 'considered again once the edge list names it')];
  const canaryOf = facts.canaries.find(({ name }) => name === edge);
  if (canaryOf !== undefined) {
    const text = `considered as an edge once it is no longer the canary of ${canaryOf.zone}`;
    return [prospect('list', true, null, [], text)];
  }
  if (!isDecided(facts)) {
    const isLive = decision.live.some((member) => member.edge === edge);
    return [prospect('stays', isLive, null, [], 'stays as it is until enough vantages count again')];
  }
  const next = nextRound(facts, decision, interval);
  const isLive = decision.live.some((member) => member.edge === edge);
  return isLive ? leaving(facts, decision, own, next) : joining(facts, decision, own, next);
}
