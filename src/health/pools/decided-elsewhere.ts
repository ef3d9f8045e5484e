/** A decision whose answer is not the one that is served: another vantage decides, or none may. Pure. */
import type { DecidedSet } from '../agreement/decided-set.ts';
import type { CanaryDecision, Decision, Outcome } from '../choose/decision.ts';
import type { LiveMember } from '../choose/live-member.ts';
import type { NetworkState } from '../state/network-state.ts';

/**
 * What was decided, with what is served instead of its answer. `why`: a sentence for the notes; null: the answer is the
 * same.
 */
export function uncarriedDecision(decision: Decision, kept: NetworkState, why: string | null): Decision {
  if (why === null) return { ...decision, memory: kept.memory };
  const outcome: Outcome = kept.live.length === 0 ? { kind: 'empty' } : { kind: 'unchanged' };
  return { ...served(decision, kept, why), outcome, hold: null, heldFailing: [], replaced: [] };
}

/** A set that another vantage decided, as a decision. `base`: what this vantage found of the edges last. */
export function adoptedDecision(set: DecidedSet, base: Decision, { before, state, now }: Adoption): Decision {
  const why = `${set.by} decided so`;
  const outcome = outcomeOf(before.live, state.live);
  const { notes } = base;
  return { ...served(base, state, why), notes, at: now, outcome, hold: null, heldFailing: [], replaced: [] };
}

/** The states before and after, and now in epoch seconds. */
export type Adoption = { readonly before: NetworkState; readonly state: NetworkState; readonly now: number };

function served(decision: Decision, { live, memory }: NetworkState, why: string): Decision {
  const members = new Map(live.map((member) => [member.edge, member.why]));
  const reasons = new Map(
    [...decision.reasons].map(([edge, reason]) => {
      if (reason.live === members.has(edge)) return [edge, reason] as const;
      return [edge, { live: members.has(edge), why: `${members.get(edge) ?? why} (here: ${reason.why})` }] as const;
    }),
  );
  for (const [edge, reason] of members) if (!reasons.has(edge)) reasons.set(edge, { live: true, why: reason });
  const active = new Map(memory.activeCanaries.map((canary) => [canary.zone, canary]));
  const canaries = decision.canaries.map((canary): CanaryDecision => {
    const own = active.get(canary.zone) ?? null;
    return { ...canary, active: own, changed: false };
  });
  return { ...decision, live, reasons, canaries, memory, notes: [...decision.notes, why] };
}

function outcomeOf(before: readonly LiveMember[], after: readonly LiveMember[]): Outcome {
  const old = new Map(before.map((member) => [member.edge, member]));
  const now = new Set(after.map(({ edge }) => edge));
  const added = [...now].filter((edge) => !old.has(edge));
  const removed = [...old.keys()].filter((edge) => !now.has(edge));
  const moved = after
    .filter(({ edge, v4, v6 }) => {
      const was = old.get(edge);
      return was !== undefined && (was.v4 !== v4 || was.v6 !== v6);
    })
    .map(({ edge }) => edge);
  const isSame = added.length + removed.length + moved.length === 0;
  return isSame ? { kind: 'unchanged' } : { kind: 'changed', added, removed, moved };
}
