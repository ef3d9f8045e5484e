/**
 * What a decision makes of a network's state: pure, so that the order of writing and publishing is the shell's alone.
 */
import { nextSerial, serialAfterAll, serialMax } from '../../dns/serial.ts';
import type { Decision, LiveMember } from '../choose/decision.ts';
import type { ActiveCanary } from '../choose/memory.ts';
import { notedModes } from '../modes/modes.ts';
import type { EdgeRecord } from '../state/edge-store.ts';
import type { NetworkState } from '../state/network-state.ts';

export type StateChange = {
  readonly state: NetworkState;
  /** What live names answer changed: members, their addresses, or whether a family without any is SERVFAIL. */
  readonly liveChanged: boolean;
  /** Zones whose canary came, went, or stands in for another edge, so that only they change. */
  readonly canaryZones: readonly string[];
};

/** The network's zones, by the names of their include files. `changed`: since their zone files were written. */
export type TemplateChanges = { readonly all: readonly string[]; readonly changed: readonly string[] };

export type StateUpdate = {
  readonly decision: Decision;
  readonly records: ReadonlyMap<string, EdgeRecord>;
  /** A serial that the network's zones already use and that a new one must exceed; 0: none. */
  readonly floorSerial: number;
  /** Publish under a new serial even if nothing changed (`--force-update`). */
  readonly forceUpdate: boolean;
  /** Unless given, `serialAfterAll`. */
  readonly serialAfter?: (old: readonly number[], now: number) => number;
  /** Null: a server, which looks after zones itself. */
  readonly zones: TemplateChanges | null;
  /** A probing round, which counts as a run; false: a decision between two. */
  readonly isRun: boolean;
};

/** The state after a decision. Serials go up only, whatever the clock does (specification 12.17). */
export function nextState(state: NetworkState, update: StateUpdate): StateChange {
  const { decision, records } = update;
  const { at, memory } = decision;
  // With nothing to publish, what was published before stays as it is.
  const live = decision.live.length === 0 ? state.live : decision.live;
  const isOpen = decision.live.length > 0 && memory.unanswered !== state.memory.unanswered;
  const liveChanged = !sameAddresses(state.live, live) || isOpen || (update.forceUpdate && live.length > 0);
  const { serialAfter = serialAfterAll } = update;
  const fresh = serialAfter(serialsOf(state, update.floorSerial), at);
  const serial = liveChanged ? fresh : state.serial;

  const canaryZones = changedCanaries(state.memory.activeCanaries, memory.activeCanaries);
  const canarySerials = new Map(state.canarySerials);
  // A change of the live set gives every zone a new serial; without one these zones need their own.
  if (!liveChanged) for (const zone of canaryZones) canarySerials.set(zone, fresh);
  const zones = new Set(update.zones?.all);
  const changed = update.zones?.changed ?? [];
  const pending = liveChanged ? [...zones] : [...state.pendingZones, ...canaryZones, ...changed];

  const next: NetworkState = {
    ...state,
    memory,
    lastRun: update.isRun ? at : state.lastRun,
    verificationFailures: decision.verificationFailures,
    live,
    serial,
    canarySerials,
    zoneMtimes:
      update.zones === null ? state.zoneMtimes : new Map([...state.zoneMtimes].filter(([zone]) => zones.has(zone))),
    zoneSerials: new Map(liveChanged ? [] : state.zoneSerials),
    pendingZones: new Set(pending.filter((zone) => zones.has(zone))),
    modes: notedModes(records),
  };
  return { state: next, liveChanged, canaryZones };
}

/**
 * The state to begin with. A set that was live before Edgewise took over serves at once, under a serial later than any
 * that edgemanage wrote; a server goes on from the serials that single runs could note in no other place.
 */
export function openingState(state: NetworkState, kind: 'run' | 'server', now: number): NetworkState {
  const serial = state.serial === 0 && state.live.length > 0 ? nextSerial(0, now) : state.serial;
  if (kind === 'run') return { ...state, serial };
  const highest = [...state.zoneSerials.values(), serial].reduce(serialMax, 0);
  return { ...state, serial: highest, zoneSerials: new Map(), pendingZones: new Set() };
}

/** What a new serial must exceed: whatever any zone of the network was given. The network's own comes first. */
function serialsOf({ serial, canarySerials, zoneSerials }: NetworkState, floor: number): readonly number[] {
  return [serial, floor, ...canarySerials.values(), ...zoneSerials.values()];
}

/** Serial that a zone of the network has at least, as its content may have a later one. 0: nothing was published. */
export function zoneSerial({ serial, canarySerials, zoneSerials }: NetworkState, zone: string): number {
  return [serial, canarySerials.get(zone) ?? 0, zoneSerials.get(zone) ?? 0].reduce(serialMax, 0);
}

function sameAddresses(a: readonly LiveMember[], b: readonly LiveMember[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((member, i) => member.edge === b[i].edge && member.v4 === b[i].v4 && member.v6 === b[i].v6);
}

export function changedCanaries(before: readonly ActiveCanary[], after: readonly ActiveCanary[]): readonly string[] {
  const text = ({ address, victim }: ActiveCanary): string => `${address} ${victim ?? ''}`;
  const old = new Map(before.map((canary) => [canary.zone, text(canary)]));
  const changed = after.filter((canary) => old.get(canary.zone) !== text(canary)).map(({ zone }) => zone);
  const kept = new Set(after.map(({ zone }) => zone));
  return [...changed, ...before.filter(({ zone }) => !kept.has(zone)).map(({ zone }) => zone)].sort();
}
