/** What several vantage points say of one edge together, as a fact that judging goes by. */

import { list } from './reason.ts';

/** What one vantage says. `up` null: it has no opinion, or none that counts. `detail`: why, a short phrase. */
export type Say = { readonly vantage: string; readonly up: boolean | null; readonly detail: string };

/**
 * The outcome for one edge. `up` null: neither side has what it needs, so the edge stays as it is. `says`: every
 * configured vantage, in the configured order, our own included.
 */
export type EdgeQuorum = {
  readonly up: boolean | null;
  readonly says: readonly Say[];
  /** Votes that are needed to call it down, and those to call it up. */
  readonly needed: { readonly down: number; readonly up: number };
  /**
   * In which families it is held to work: by the same votes on each family's address, and where these decide nothing, as
   * it is answered.
   */
  readonly works: { readonly v4: boolean; readonly v6: boolean };
  /** The vantage whose sample and addresses the edge's facts are; null: our own. */
  readonly from: string | null;
};

/** How many votes there must be: `number` of the configured vantages, or their majority, any one or all of them. */
export type QuorumSize = 'majority' | 'any' | 'all' | number;

/** Of `members` vantages, votes that call an edge down, and those that call it up. The two exclude each other. */
export function votesNeeded(size: QuorumSize, members: number): EdgeQuorum['needed'] {
  const named = { majority: majorityOf(members), any: 1, all: members };
  const down = Math.min(members, Math.max(1, typeof size === 'number' ? size : named[size]));
  return { down, up: members - down + 1 };
}

export function majorityOf(members: number): number {
  return Math.floor(members / 2) + 1;
}

/** Null: neither side has the votes it needs. */
export function outcomeOf(
  votes: readonly { readonly up: boolean | null }[],
  needed: EdgeQuorum['needed'],
): boolean | null {
  if (votes.filter(({ up }) => up === false).length >= needed.down) return false;
  return votes.filter(({ up }) => up === true).length >= needed.up ? true : null;
}

/** Some vantage sees the edge down, and the quorum does not. */
export function isSuspect(quorum: EdgeQuorum | undefined): boolean {
  return quorum !== undefined && quorum.up !== false && quorum.says.some(({ up }) => up === false);
}

/** `down for 2 of 3: ams1 (refused), lon1 (timeout)`; those that say so, of all that could. */
export function saysText(says: readonly Say[], up: boolean): string {
  const same = says.filter((say) => say.up === up);
  const names = same.map(({ vantage, detail }) => (up || detail === '' ? vantage : `${vantage} (${detail})`));
  const who = same.length === 0 || (up && same.length === says.length) ? '' : `: ${names.join(', ')}`;
  return `${up ? 'up' : 'down'} for ${same.length} of ${says.length}${who}`;
}

/** What all of them say, with those that say nothing and why. */
export function allSaysText(says: readonly Say[]): string {
  const silent = says.filter(({ up }) => up === null);
  const nothing = silent.map(({ vantage, detail }) => (detail === '' ? vantage : `${vantage} (${detail})`));
  const parts = [false, true].filter((up) => says.some((say) => say.up === up)).map((up) => saysText(says, up));
  return [...parts, ...(silent.length === 0 ? [] : [`unknown for ${list(nothing)}`])].join('; ');
}
