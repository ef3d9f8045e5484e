/** What a decision makes of a network's state: pure, so that the order of writing and publishing is the shell's alone. */
import { nextSerial, serialMax } from '../zones/serial.ts';
import type { EdgeRecord } from './edge-store.ts';
import { notedModes } from './modes.ts';
import type { NetworkState } from './state-file.ts';
import type { ActiveCanary, Decision, LiveMember } from './types.ts';

export type StateChange = {
  readonly state: NetworkState;
  /** What live names answer changed: members, or a member's addresses. */
  readonly liveChanged: boolean;
  /** Zones whose canary came, went, or stands in for another edge, so that only they change. */
  readonly canaryZones: readonly string[];
};

export type StateNews = {
  readonly decision: Decision;
  readonly records: ReadonlyMap<string, EdgeRecord>;
  /** A serial that the network's zones already use and that a new one must exceed; 0: none. */
  readonly floorSerial: number;
  /** Publish under a new serial even if nothing changed (`--force-update`). */
  readonly forceUpdate: boolean;
  /** A probing round, which counts as a run; false: a decision between two. */
  readonly isRun: boolean;
};

/** The state after a decision. Serials go up only, whatever the clock does (specification 12.17). */
export function nextState(state: NetworkState, news: StateNews): StateChange {
  const { decision, records } = news;
  const { at, memory } = decision;
  // With nothing to publish, what was published before stays as it is.
  const live = decision.live.length === 0 ? state.live : decision.live;
  const liveChanged = !sameAddresses(state.live, live) || (news.forceUpdate && live.length > 0);
  const highest = [
    ...state.canarySerials.values(),
    ...state.fileSerials.values(),
    state.serial,
    news.floorSerial,
  ].reduce(serialMax, 0);
  const serial = liveChanged ? nextSerial(highest, at) : state.serial;

  const canaryZones = changedCanaries(state.memory.activeCanaries, memory.activeCanaries);
  const canarySerials = new Map(state.canarySerials);
  // A change of the live set gives every zone a new serial; without one these zones need their own.
  if (!liveChanged) for (const zone of canaryZones) canarySerials.set(zone, nextSerial(highest, at));

  const next: NetworkState = {
    ...state,
    memory,
    lastRun: news.isRun ? at : state.lastRun,
    verificationFailures: decision.verificationFailures,
    live,
    serial,
    canarySerials,
    modes: notedModes(records),
  };
  return { state: next, liveChanged, canaryZones };
}

/**
 * The state to begin with. A set that was live before Edgewise took over serves at once, under a serial later than any
 * that edgemanage wrote; a server goes on from the serials of the zone files that single runs wrote.
 */
export function openingState(state: NetworkState, kind: 'run' | 'server', now: number): NetworkState {
  const serial = state.serial === 0 && state.live.length > 0 ? nextSerial(0, now) : state.serial;
  if (kind === 'run') return { ...state, serial };
  return { ...state, serial: [...state.fileSerials.values(), serial].reduce(serialMax, 0), fileSerials: new Map() };
}

/** Serial that a zone of the network has at least, its own content's aside. 0: nothing was published. */
export function zoneSerial(state: NetworkState, zone: string): number {
  return serialMax(state.serial, state.canarySerials.get(zone) ?? 0);
}

function sameAddresses(a: readonly LiveMember[], b: readonly LiveMember[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((member, i) => member.edge === b[i].edge && member.v4 === b[i].v4 && member.v6 === b[i].v6);
}

function changedCanaries(before: readonly ActiveCanary[], after: readonly ActiveCanary[]): readonly string[] {
  const text = ({ address, victim }: ActiveCanary): string => `${address} ${victim ?? ''}`;
  const old = new Map(before.map((canary) => [canary.zone, text(canary)]));
  const changed = after.filter((canary) => old.get(canary.zone) !== text(canary)).map(({ zone }) => zone);
  const kept = new Set(after.map(({ zone }) => zone));
  return [...changed, ...before.filter(({ zone }) => !kept.has(zone)).map(({ zone }) => zone)].sort();
}
