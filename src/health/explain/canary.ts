import { decideFacts } from '../choose/decide.ts';
import type { Decision } from '../choose/decision.ts';
import type { RoundFacts } from '../choose/round.ts';
import type { CanaryFacts } from '../judge/edge.ts';
import { resultsNeeded } from '../judge/judge.ts';
import { seconds } from '../judge/reason.ts';
import { nextFetches, type Prospect, prospect } from './prospect.ts';
import { beforeLast, boundaryOf, type Change, suppose } from './suppose.ts';

/** What would make a zone's canary serve, or stop. */
export function canaryProspectsOf(
  facts: RoundFacts,
  decision: Decision,
  canary: CanaryFacts,
  interval: number,
): readonly Prospect[] {
  const used = decision.memory.activeCanaries.some(({ zone }) => zone === canary.zone);
  const { memory } = decision;
  const own = memory.judged.get(canary.name) ?? null;
  const decided = (change: Change): Decision => {
    const now = facts.now + interval;
    const canaries = facts.canaries.map((one) =>
      one.name === canary.name ? suppose(one, change, now, facts.rules.timeout) : one,
    );
    const operatorChange = change.mode !== undefined;
    const before = beforeLast(facts.rules, own, change);
    const judged = before === null ? memory.judged : new Map(memory.judged).set(canary.name, before);
    return decideFacts({ ...facts, scope: 'turn', now, canaries, operatorChange, memory: { ...memory, judged } });
  };
  const after = (change: Change): boolean =>
    decided(change).memory.activeCanaries.some(({ zone }) => zone === canary.zone);

  if (canary.mode === 'unavailable') {
    const text = after({ mode: 'available' })
      ? 'will be used once an operator makes it available, if its next fetch is like its last'
      : 'would have to be made available by an operator, and that alone would not do';
    return [prospect('mode', true, null, [], text)];
  }
  const { timeout } = facts.rules;
  const failures = resultsNeeded(facts.rules, own, false);
  const boundary = boundaryOf((fetch) => after({ fetch }), facts.rules);
  switch (boundary.kind) {
    case 'always':
      return [
        prospect(
          'stays',
          true,
          null,
          [],
          `stays in use even if ${nextFetches(failures, 'its')} fails: ${stayText(decided({ fetch: timeout }), canary)}`,
        ),
      ];
    case 'never':
      return [prospect('stays', false, null, [], 'stays unused in the next round even if it is fetched at once')];
    case 'below': {
      const within =
        boundary.x >= timeout ? `succeeds within ${seconds(timeout)}` : `takes under ${seconds(boundary.x)}`;
      const more = used && failures > 1 ? `, or until ${failures} in a row do not` : '';
      const text = used
        ? `stays in use while its next fetch ${within}${more}`
        : `will be used when ${nextFetches(resultsNeeded(facts.rules, own, true), 'its')} ${within}`;
      return [prospect('fetch', !used, boundary.x, [], text)];
    }
  }
}

/** Why a canary that fails in `next` is used all the same. */
function stayText(next: Decision, { zone }: CanaryFacts): string {
  const decision = next.canaries.find((one) => one.zone === zone);
  if (decision?.held === true) return 'the rotation limit holds it';
  if (next.safety.uplink?.inDoubt === true) return 'the set is kept as it is';
  return decision?.why ?? 'nothing replaces it';
}
