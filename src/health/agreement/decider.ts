/**
 * What a vantage does with the stored set, and what the decider may store. Pure: whoever calls it brings what the store
 * and the views say at that moment. Its rules keep these promises whatever is lost: a serial never goes back on any
 * vantage, one serial is one set, and nothing changes without enough views.
 */
import { serialAfterAll, serialCompare, serialMax } from '../../dns/serial.ts';
import type { Decision } from '../choose/decision.ts';
import type { Memory } from '../choose/memory.ts';
import type { RoundFacts, RoundViews } from '../choose/round.ts';
import { type DecidedSet, decidedPart, otherCanaries, type Served, sameLive } from './decided-set.ts';
import { mayDecide } from './merge.ts';
import { FRESH_INTERVALS, type ReceivedView } from './view.ts';

/** Our state against the stored set. `stored` null: there is none. */
export type Standing = {
  readonly own: Served;
  readonly stored: DecidedSet | null;
  /** We decide alone, because an operator said so. */
  readonly isOverride: boolean;
};

/**
 * - `apply`: it is later than ours and becomes ours.
 * - `current`: it is what we serve already.
 * - `behind`: it would take a serial back, or is another set under ours. Our view reports our serial (`reportedSerial`),
 *   and the decider stores a later set.
 * - `none`: nothing is stored, or an operator's override keeps us from following.
 */
export type Follow =
  | { readonly kind: 'apply' | 'current' | 'none' }
  | { readonly kind: 'behind'; readonly why: string };

export function follow({ own, stored, isOverride }: Standing): Follow {
  if (stored === null || isOverride) return { kind: 'none' };
  if (own.serial === 0) return { kind: 'apply' };
  const order = stored.serial === own.serial ? 0 : serialCompare(stored.serial, own.serial);
  if (order < 0) return { kind: 'behind', why: `its serial ${stored.serial} is before ours, ${own.serial}` };
  const isLive = sameLive(stored, own);
  if (order === 0 && !isLive) return { kind: 'behind', why: `it is another set under our serial ${own.serial}` };
  // Each zone's answers have the later of the two serials.
  const zones = isLive ? otherCanaries(stored, own) : [...own.canarySerials.keys(), ...otherCanaries(stored, own)];
  for (const zone of zones) {
    const [theirs, ours] = [zoneSerialOf(stored, zone), zoneSerialOf(own, zone)];
    if (theirs === ours || serialCompare(theirs, ours) < 0)
      return { kind: 'behind', why: `its serial ${theirs} of ${zone} is not after ours, ${ours}` };
  }
  const rises = [...stored.canarySerials.keys()].some(
    (zone) => serialCompare(zoneSerialOf(stored, zone), zoneSerialOf(own, zone)) > 0,
  );
  return { kind: order > 0 || zones.length > 0 || rises ? 'apply' : 'current' };
}

function zoneSerialOf({ serial, canarySerials }: Served, zone: string): number {
  return serialMax(serial, canarySerials.get(zone) ?? 0);
}

/** The serial that our view reports: a set is taken if it is later, so one more where another set has the same. */
export function reportedSerial(standing: Standing): number {
  const { own, stored } = standing;
  const highest = [...own.canarySerials.values(), own.serial].reduce(serialMax, 0);
  if (follow(standing).kind !== 'behind' || stored === null) return own.serial;
  return serialMax(highest, stored.serial) === stored.serial ? serialAfterAll([stored.serial], 0) : highest;
}

export type DeciderInput = Standing & {
  readonly self: string;
  readonly members: readonly string[];
  /** Of our role: null unless we decide. */
  readonly token: string | null;
  readonly isConnected: boolean;
  readonly views: RoundViews;
  readonly received: readonly ReceivedView[];
  /** Seconds between two views. */
  readonly interval: number;
  /** Our own decision, from the stored set's memory: what it would change. */
  readonly decision: {
    /** There is a set at all. */
    readonly hasLive: boolean;
    readonly liveChanged: boolean;
    readonly canaryZones: readonly string[];
  };
};

/**
 * - `propose`: store our decision, with a new serial for the live set where `live`, and for each of `zones`.
 * - `restore`: store the set in force once more, as it is, under a later serial: some vantage is ahead of the stored one.
 *   `of`: whether that is what we serve or what is stored.
 * - `wait`: nothing is to be done.
 */
export type DeciderStep =
  | { readonly kind: 'propose'; readonly live: boolean; readonly zones: readonly string[] }
  | { readonly kind: 'restore'; readonly of: 'own' | 'stored'; readonly why: string }
  | { readonly kind: 'wait'; readonly why: string };

/** `isOwnAgreed`: what we serve comes from a stored set, not from an override. */
export function deciderStep(input: DeciderInput, isOwnAgreed: boolean): DeciderStep {
  const { token, isConnected, isOverride, stored, own, views, received, decision, interval } = input;
  if (token === null) return { kind: 'wait', why: 'another vantage decides' };
  if (isOverride) return { kind: 'wait', why: 'this vantage decides for itself alone, by an override' };
  if (!isConnected) return { kind: 'wait', why: 'the store does not answer' };
  if (!mayDecide(views)) return { kind: 'wait', why: noMajority(views) };
  const following = follow(input);
  if (following.kind === 'apply') return { kind: 'wait', why: 'the stored set is not in force here yet' };
  if (following.kind === 'behind') {
    return { kind: 'restore', of: isOwnAgreed ? 'own' : 'stored', why: following.why };
  }
  if (stored === null) {
    return decision.hasLive
      ? { kind: 'propose', live: true, zones: [] }
      : { kind: 'wait', why: 'no edge is fit to be live' };
  }
  const ahead = received.find(
    ({ view, age }) => age <= interval * FRESH_INTERVALS && isMember(input, view.vantage) && isLater(view.serial, own),
  );
  if (decision.liveChanged) return { kind: 'propose', live: true, zones: [] };
  if (ahead !== undefined) {
    const { vantage, serial } = ahead.view;
    return { kind: 'restore', of: 'own', why: `${vantage} is at serial ${serial}` };
  }
  if (decision.canaryZones.length > 0) return { kind: 'propose', live: false, zones: decision.canaryZones };
  return { kind: 'wait', why: 'the set is as it should be' };
}

function isMember({ members }: DeciderInput, vantage: string): boolean {
  return members.includes(vantage);
}

/** Later than everything that we serve, so that what we serve would not be taken. */
function isLater(serial: number, { serial: ours }: Served): boolean {
  return serial !== 0 && serial !== ours && serialCompare(serial, ours) > 0;
}

/** `only 1 of 3 vantages counts, 2 must: ams1 (its last view is 40 s old)` */
export function noMajority({ counting, needed, excluded }: RoundViews): string {
  const who = excluded.map(({ vantage, why }) => `${vantage} (${why})`).join(', ');
  const votes = `${counting} ${counting === 1 ? 'vantage counts' : 'vantages count'}, ${needed} must`;
  return `no decision: only ${votes}${who === '' ? '' : `: ${who}`}`;
}

/**
 * Whether we may be the decider at all: one that counts too few views could hold the role and decide nothing, where
 * others, whose configuration is not ours, could.
 */
export function isCandidate(views: RoundViews, isOverride: boolean): boolean {
  return mayDecide(views) && !isOverride;
}

export type SerialChoice = {
  /** See `knownSerials`. */
  readonly known: readonly number[];
  readonly now: number;
  readonly members: readonly string[];
  /** The vantage that overrides; null: the decider. */
  readonly by: string | null;
  /** The store lost sets, or they are before what is served: some that nobody here knows may be served elsewhere. */
  readonly isStoreLost: boolean;
};

/** Sets that may have been lost with a store: an hour's and more, where three vantages decide once a second. */
const LOST_SETS = 1024;

/**
 * A serial for a new set: later than all that are known and as near to the clock as can be. Every vantage has its own
 * class of numbers for an override, and the decider one, so that no two give the same serial to different sets while
 * they do not hear each other.
 */
export function setSerial({ known, now, members, by, isStoreLost }: SerialChoice): number {
  const classes = members.length + 1;
  const own = by === null ? 0 : [...members].sort().indexOf(by) + 1;
  let serial = serialAfterAll(known, now);
  if (isStoreLost) serial = (serial + LOST_SETS * classes) % 2 ** 32 || 1;
  while (serial % classes !== own) serial = (serial + 1) % 2 ** 32 || 1;
  return serial;
}

/** What a new set is made of. `serial`: by `setSerial`. */
export type NewSet = {
  readonly step: Extract<DeciderStep, { readonly kind: 'propose' | 'restore' }>;
  readonly serial: number;
  /** What we serve, with all that we remember of it. */
  readonly own: Served & { readonly memory: Memory };
  readonly stored: DecidedSet | null;
  readonly decision: Pick<Decision, 'live' | 'memory' | 'outcome'>;
  readonly facts: Pick<RoundFacts, 'network' | 'now' | 'edges'>;
  readonly basis: DecidedSet['basis'];
  readonly by: string;
  readonly token: string;
};

export function newSet({ step, serial, own, stored, decision, facts, basis, by, token }: NewSet): DecidedSet {
  const head = { network: facts.network, at: facts.now, by, token, basis, says: saysOf(decision, facts) };
  if (step.kind === 'restore') {
    const of = step.of === 'stored' && stored !== null ? stored : { ...own, memory: decidedPart(own.memory) };
    const { live, memory, canarySerials } = of;
    return { ...head, serial, canarySerials, live, memory, says: new Map() };
  }
  const { live, memory } = decision;
  const canarySerials = new Map(own.canarySerials);
  for (const zone of step.zones) canarySerials.set(zone, serial);
  return {
    ...head,
    serial: step.live ? serial : own.serial,
    canarySerials,
    live: step.live ? live : own.live,
    memory: decidedPart(memory),
  };
}

function saysOf({ outcome }: NewSet['decision'], { edges }: NewSet['facts']): DecidedSet['says'] {
  if (outcome.kind !== 'changed') return new Map();
  const moved = new Set([...outcome.added, ...outcome.removed]);
  return new Map(
    edges.flatMap(({ name, quorum }) =>
      quorum === undefined || !moved.has(name) ? [] : [[name, quorum.says] as const],
    ),
  );
}

/** Every serial that a new set must exceed: ours, those of the stored set and all that any view reports. */
export function knownSerials(
  own: Served,
  stored: DecidedSet | null,
  received: readonly ReceivedView[],
  others: readonly number[] = [],
): readonly number[] {
  const ofSet = (set: Served): readonly number[] => [set.serial, ...set.canarySerials.values()];
  return [
    ...ofSet(own),
    ...(stored === null ? [] : ofSet(stored)),
    ...received.flatMap(({ view }) => [view.serial, view.highestSerial]),
    ...others,
  ];
}
