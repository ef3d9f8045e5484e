/**
 * What a vantage does with the stored set, and what the decider may store. Pure: whoever calls it brings what the store
 * and the views say at that moment. Its rules keep these promises whatever is lost: a serial never goes back on any
 * vantage, one serial is one set, and nothing changes without enough views.
 */
import { type SerialClass, serialAfterAll, serialCompare, serialMax, serialOfClass } from '../../dns/serial.ts';
import type { RoundViews } from '../choose/round.ts';
import { type DecidedSet, otherCanaries, type Served, sameLive } from './decided-set.ts';
import { mayDecide } from './merge.ts';
import { FRESH_INTERVALS, type ReceivedView } from './view.ts';

/** Our state against the stored set. `stored` null: there is none. */
export type Standing = {
  readonly own: Served;
  readonly stored: DecidedSet | null;
  /** We decide alone, because an operator said so. */
  readonly isOverride: boolean;
  /** The latest serial that zones of the network have here; absent or 0: none. It matters where we have no set yet. */
  readonly zonesSerial?: number;
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

export function follow({ own, stored, isOverride, zonesSerial = 0 }: Standing): Follow {
  if (stored === null || isOverride) return { kind: 'none' };
  if (own.serial === 0) {
    // Contents can be in force before the first set, and a set that is not later would change them under their serial.
    if (zonesSerial === 0 || serialCompare(stored.serial, zonesSerial) > 0) return { kind: 'apply' };
    return { kind: 'behind', why: `its serial ${stored.serial} is not after ${zonesSerial}, which a zone has here` };
  }
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
  const { own, stored, zonesSerial = 0 } = standing;
  const others = own.serial === 0 ? [zonesSerial] : own.canarySerials.values();
  const highest = [...others, own.serial].reduce(serialMax, 0);
  if (follow(standing).kind !== 'behind' || stored === null) return own.serial;
  return serialMax(highest, stored.serial) === stored.serial ? serialAfterAll([stored.serial], 0) : highest;
}

export type DeciderInput = Standing & {
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

/**
 * `isOwnAgreed`: what we serve comes from a stored set, not from an override. A serial shows that as well, also after a
 * restart.
 */
export function deciderStep(input: DeciderInput, isOwnAgreed: boolean): DeciderStep {
  const { token, isConnected, isOverride, stored, own, views, received, decision, interval } = input;
  if (token === null) return { kind: 'wait', why: 'another vantage decides' };
  if (isOverride) return { kind: 'wait', why: 'this vantage decides for itself alone, by an override' };
  if (!isConnected) return { kind: 'wait', why: 'the store does not answer' };
  if (!mayDecide(views)) return { kind: 'wait', why: noMajority(views) };
  const following = follow(input);
  if (following.kind === 'apply') return { kind: 'wait', why: 'the stored set is not in force here yet' };
  if (following.kind === 'behind') {
    const isOwn = isOwnAgreed && isDeciders(own.serial, input.members);
    return { kind: 'restore', of: isOwn ? 'own' : 'stored', why: following.why };
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

/** Sets that may have been lost with a store: an hour's and more, where three vantages decide once a second. */
const LOST_SETS = 1024;

/** Who gives a serial: a vantage as the decider, or for itself alone by an override. */
export type SerialGiver = { readonly name: string; readonly isOverride: boolean };

/**
 * A serial for a new set: later than all that are known and as near to the clock as can be. Every vantage has a class of
 * numbers of its own as the decider and another one for an override, so that no two give the same serial to different
 * sets while they do not hear each other: two that override, or a decider that is cut off when the store is wiped and the
 * next one, which knows of no set. `known`: see `knownSerials`. `keepsDistance`: see `isStoreLost`.
 */
export function setSerial(
  known: readonly number[],
  now: number,
  members: readonly string[],
  giver: SerialGiver,
  keepsDistance = false,
): number {
  const own = serialClassOf(members, giver);
  const serial = serialAfterAll(known, now);
  return serialOfClass(keepsDistance ? serial + LOST_SETS * own.classes : serial, own);
}

/** The serials that only this one gives, to sets as to contents. */
export function serialClassOf(members: readonly string[], { name, isOverride }: SerialGiver): SerialClass {
  const own = Math.max(0, [...members].sort().indexOf(name)) + (isOverride ? members.length : 0);
  return { classes: 2 * members.length, own };
}

/** Whether a decider gave this serial: no override did, nor a server before it had vantages, but by chance. */
function isDeciders(serial: number, members: readonly string[]): boolean {
  return serial % (2 * members.length) < members.length;
}

/**
 * The store lost sets, or they are before what is served here: others, that nobody here knows, may be served elsewhere
 * still, so that the next serial keeps a distance.
 */
export function isStoreLost(standing: Standing): boolean {
  return standing.own.serial !== 0 && (standing.stored === null || follow(standing).kind === 'behind');
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
