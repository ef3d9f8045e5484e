import type { RoundFacts } from '../choose/round.ts';

/** Decisions whose facts are kept: the newest and the turns before it. */
const KEPT = 10;

/** The facts of the last decisions, for explaining the newest one with the samples of those before. */
export class RecentFacts {
  private kept: readonly RoundFacts[] = [];

  /** Oldest first; what was decided between two turns is there only as the newest, for it has a turn's samples. */
  get all(): readonly RoundFacts[] {
    return this.kept;
  }

  add(facts: RoundFacts): void {
    const turns = this.kept.filter(({ scope }) => scope === 'turn');
    this.kept = [...turns.slice(1 - KEPT), facts];
  }
}
