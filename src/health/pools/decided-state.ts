/** A network's state and the decided set that several vantage points serve, one made of the other. Pure. */
import { serialMax } from '../../dns/serial.ts';
import {
  type DecidedMemory,
  type DecidedSet,
  decidedPart,
  type Served,
  withDecided,
} from '../agreement/decided-set.ts';
import type { Memory } from '../choose/memory.ts';
import { missKey } from '../choose/misses.ts';
import type { NetworkState } from '../state/network-state.ts';
import { changedCanaries, type StateChange } from './next-state.ts';

/** Who decided, by whose views, and when. */
export type SetOrigin = Pick<DecidedSet, 'network' | 'at' | 'by' | 'token' | 'basis' | 'says'>;

/** The latest serial that any zone of the network has by its live set; 0: nothing was published. */
export function versionSerial({ serial, canarySerials }: Pick<Served, 'serial' | 'canarySerials'>): number {
  return [...canarySerials.values()].reduce(serialMax, serial);
}

export function decidedSetOf({ serial, canarySerials, live, memory }: NetworkState, origin: SetOrigin): DecidedSet {
  return { ...origin, serial, canarySerials, live, memory: decidedPart(memory) };
}

export function isChange({ liveChanged, canaryZones }: StateChange): boolean {
  return liveChanged || canaryZones.length > 0;
}

/** What an operator's override decided: no stored set, until one takes its place. */
export function aloneChange(change: StateChange): StateChange {
  return isChange(change) ? { ...change, state: { ...change.state, decidedAlone: true } } : change;
}

/** What is to be stored for all. */
export function agreedChange(change: StateChange): StateChange {
  return { ...change, state: { ...change.state, decidedAlone: false } };
}

/** The answer stays as it was; what a decision found of each edge is kept. */
export function keptChange(before: NetworkState, change: StateChange): StateChange {
  const { state } = change;
  const { live, serial, canarySerials, zoneSerials, pendingZones } = before;
  // The change that an operator's mode asks for is still to be made, by whoever decides next.
  const modes = isChange(change) ? before.modes : state.modes;
  const memory = decidedBy(state.memory, decidedPart(before.memory));
  const kept = { ...state, memory, live, serial, canarySerials, zoneSerials, pendingZones, modes };
  return { state: kept, liveChanged: false, canaryZones: [] };
}

/** A decided set becomes what this vantage serves. */
export function adoptedChange(state: NetworkState, set: DecidedSet): StateChange {
  const { live, serial, canarySerials } = set;
  const liveChanged = serial !== state.serial;
  const moved = [...canarySerials].filter(([zone, own]) => state.canarySerials.get(zone) !== own).map(([zone]) => zone);
  const changed = changedCanaries(state.memory.activeCanaries, set.memory.activeCanaries);
  const next: NetworkState = {
    ...state,
    memory: decidedBy(state.memory, set.memory),
    live,
    serial,
    canarySerials,
    zoneSerials: liveChanged ? new Map() : state.zoneSerials,
    decidedAlone: false,
  };
  return { state: next, liveChanged, canaryZones: [...new Set([...changed, ...(liveChanged ? [] : moved)])].sort() };
}

/** Whether two memories differ in which members are another network's, which no serial shows. */
export function sameBorrowed(a: DecidedMemory, b: DecidedMemory): boolean {
  const [one, other] = [a.borrowed ?? [], b.borrowed ?? []];
  return one.length === other.length && one.every((name) => other.includes(name));
}

/** The memory with what a set says of the answer. */
function decidedBy(memory: Memory, decided: DecidedMemory): Memory {
  const keys = new Set(
    [...decided.answered].flatMap(([edge, { v4, v6 }]) =>
      [v4, v6].flatMap((address) => (address === null ? [] : [missKey(edge, address)])),
    ),
  );
  return {
    ...withDecided(memory, decided),
    misses: new Map([...memory.misses].filter(([key]) => keys.has(key))),
  };
}
