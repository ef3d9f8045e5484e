import type { Hold, RoundFacts } from '../judge/types.ts';
import type { CandidatePool } from './candidates.ts';
import { holdAt } from './limit.ts';

export type LimitInput = {
  readonly now: number;
  readonly rotations: readonly number[];
  readonly maxfreq: number;
  readonly lastLive: readonly string[];
  /** What selection wants live. */
  readonly wanted: readonly string[];
  /** Names that may be published at all. */
  readonly publishable: ReadonlySet<string>;
  /** Names whose judgement passes. */
  readonly passing: ReadonlySet<string>;
  /** An operator changed a mode, or took a live edge out: unavailable, unlisted, made a canary. */
  readonly operatorChange: boolean;
};

/** `limitLive` for a round that is sorted out. */
export function limitField(facts: RoundFacts, field: CandidatePool): ReturnType<typeof limitLive> {
  const { now, memory, rules } = facts;
  return limitLive({
    now,
    rotations: memory.rotations,
    maxfreq: rules.maxfreq,
    lastLive: memory.lastLive,
    wanted: field.wanted,
    publishable: new Set(field.candidates.map((candidate) => candidate.facts.name)),
    passing: field.passing,
    operatorChange: facts.operatorChange || field.withdrawn,
  });
}

/**
 * `dnschange_maxfreq` (section 12.9): the names to publish, and the hold when the limit keeps the old set. Members that
 * can no longer be published leave even then. No hold for an operator's change, nor where nothing or nothing that
 * passes would be kept while the wanted set has a passing member.
 */
export function limitLive(input: LimitInput): { readonly live: readonly string[]; readonly hold: Hold | null } {
  const { lastLive, wanted, publishable, passing } = input;
  const free = { live: wanted, hold: null };
  if (input.operatorChange || sameNames(lastLive, wanted)) return free;

  const kept = lastLive.filter((name) => publishable.has(name));
  if (kept.length === 0) return free;
  const anyPasses = (names: readonly string[]) => names.some((name) => passing.has(name));
  if (!anyPasses(kept) && anyPasses(wanted)) return free;

  const hold = holdAt(input.rotations, input.maxfreq, input.now);
  // Vanished members may have made the kept set the wanted one already: then nothing is held back.
  if (hold === null || sameNames(kept, wanted)) return free;
  return { live: kept, hold };
}

/** Whether two lists name the same edges, in whatever order. Neither repeats a name. */
export function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  const names = new Set(a);
  return b.every((name) => names.has(name));
}
