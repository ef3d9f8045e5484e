/** What the decider of several vantages stores, and every one of them serves. Times are epoch seconds. */
import type { LiveMember } from '../choose/live-member.ts';
import type { Memory } from '../choose/memory.ts';
import type { Say } from '../judge/quorum.ts';

/**
 * The part of a network's memory that belongs to the answer and so is the same everywhere. The rest (who failed how
 * often) each vantage works out by itself from everybody's views.
 */
export type DecidedMemory = Pick<
  Memory,
  'lastLive' | 'borrowed' | 'answered' | 'unanswered' | 'rotations' | 'activeCanaries' | 'canaryRotations'
>;

export type DecidedSet = {
  readonly network: string;
  /** Of the live set; later than any that any vantage reports. */
  readonly serial: number;
  /** Per zone whose canary changed since: its serial. */
  readonly canarySerials: ReadonlyMap<string, number>;
  readonly live: readonly LiveMember[];
  readonly memory: DecidedMemory;
  /** By the decider's clock. Shown, and nothing is decided by it. */
  readonly at: number;
  /** The vantage that decided, and the fencing token under which it did. */
  readonly by: string;
  readonly token: string;
  /** The turn of each vantage whose view it rests on. */
  readonly basis: ReadonlyMap<string, number>;
  /** Of the edges that joined or left: who says what of them. */
  readonly says: ReadonlyMap<string, readonly Say[]>;
};

/** The part of a memory that is stored with a set. */
export function decidedPart(memory: Memory): DecidedMemory {
  const { lastLive, borrowed, answered, unanswered, rotations, activeCanaries, canaryRotations } = memory;
  const own = { lastLive, answered, unanswered, rotations, activeCanaries, canaryRotations };
  return borrowed === undefined ? own : { ...own, borrowed };
}

/** One's own memory with what a set says of the answer. */
export function withDecided(memory: Memory, decided: DecidedMemory): Memory {
  const { borrowed: _, ...own } = memory;
  return { ...own, ...decided };
}

/** What a vantage serves of a network: what makes its answers. */
export type Served = {
  readonly serial: number;
  readonly canarySerials: ReadonlyMap<string, number>;
  readonly live: readonly LiveMember[];
  readonly memory: Pick<Memory, 'unanswered' | 'activeCanaries'>;
};

/** Whether live names are answered alike, zones' canaries aside. */
export function sameLive(a: Served, b: Served): boolean {
  const text = ({ live, memory }: Served): string =>
    JSON.stringify([memory.unanswered, live.map(({ edge, v4, v6 }) => [edge, v4, v6])]);
  return text(a) === text(b);
}

/** Zones that are answered with another canary, or whose canary stands in for another edge. */
export function otherCanaries(a: Served, b: Served): readonly string[] {
  const text = ({ memory }: Served): ReadonlyMap<string, string> =>
    new Map(memory.activeCanaries.map(({ zone, address, victim }) => [zone, `${address} ${victim ?? ''}`]));
  const [left, right] = [text(a), text(b)];
  return [...new Set([...left.keys(), ...right.keys()])].filter((zone) => left.get(zone) !== right.get(zone));
}
