/**
 * What Edgewise keeps under the key `edgewise` of a state file: what edgemanage has no key for. Whatever is missing or
 * makes no sense takes its default.
 */

import { isIP } from 'node:net';
import {
  isObject,
  isOneOf,
  isTextList,
  type JsonObject,
  numberFrom,
  numberMap,
  numbersFrom,
  textMap,
} from '../../system/json-object.ts';
import type { LiveMember } from '../choose/decision.ts';
import type { Memory } from '../choose/memory.ts';
import { FAMILIES, type Mode } from '../judge/edge.ts';
import { MODES } from './edge-store.ts';
import type { NetworkState } from './network-state.ts';

type OwnMemory = Pick<
  Memory,
  'borrowed' | 'answered' | 'unanswered' | 'unsteady' | 'judged' | 'misses' | 'canaryRotations'
>;

type OwnState = Pick<
  NetworkState,
  'live' | 'serial' | 'canarySerials' | 'zoneSerials' | 'pendingZones' | 'modes' | 'addresses'
> & {
  readonly memory: OwnMemory;
  /** Which edge the active canary of a zone stands in for. */
  readonly victims: ReadonlyMap<string, string>;
};

/** Reads the key's value. `names`: of the edges that edgemanage's part says were live last. */
export function ownFrom(edgewise: JsonObject, names: readonly string[]): OwnState {
  const { serial, zone_serials, pending_zones, canary_serials, victims, canary_rotations, modes } = edgewise;
  const { unanswered, unsteady, judged, misses, live: members, addresses, borrowed } = edgewise;
  const live = liveFrom(members, names);
  return {
    memory: {
      ...(isTextList(borrowed) ? { borrowed } : {}),
      answered: new Map(live.map(({ edge, v4, v6 }) => [edge, { v4, v6 }])),
      unanswered: isOneOf(FAMILIES, unanswered) ? unanswered : null,
      unsteady: unsteadyFrom(unsteady),
      judged: judgedFrom(judged),
      misses: missesFrom(misses),
      canaryRotations: rotationsFrom(canary_rotations),
    },
    victims: textMap(victims),
    live,
    serial: serialFrom(serial),
    canarySerials: numberMap(canary_serials),
    zoneSerials: numberMap(zone_serials),
    pendingZones: new Set(isTextList(pending_zones) ? pending_zones : []),
    modes: isObject(modes) ? modesFrom(modes) : null,
    addresses: addressesFrom(addresses),
  };
}

/** The key's value, for JSON. */
export function ownValue(state: NetworkState): JsonObject {
  const { memory } = state;
  const victims = memory.activeCanaries.flatMap(({ zone, victim }) => (victim === null ? [] : [[zone, victim]]));
  return {
    serial: state.serial,
    zone_serials: Object.fromEntries(state.zoneSerials),
    pending_zones: [...state.pendingZones],
    canary_serials: Object.fromEntries(state.canarySerials),
    live: state.live.map(({ edge, v4, v6, why }) => ({ edge, v4, v6, why })),
    victims: Object.fromEntries(victims),
    canary_rotations: Object.fromEntries(memory.canaryRotations),
    modes: state.modes === null ? null : Object.fromEntries(state.modes),
    ...(memory.borrowed === undefined ? {} : { borrowed: memory.borrowed }),
    ...(memory.unanswered === null ? {} : { unanswered: memory.unanswered }),
    ...(memory.unsteady.size === 0 ? {} : { unsteady: Object.fromEntries(memory.unsteady) }),
    ...(memory.judged.size === 0 ? {} : { judged: Object.fromEntries(memory.judged) }),
    ...(memory.misses.size === 0 ? {} : { misses: Object.fromEntries(memory.misses) }),
    ...(state.addresses.size === 0 ? {} : { addresses: Object.fromEntries(state.addresses) }),
  };
}

/**
 * The members as last published. One without an address (a damaged file) is none: a set of such members would be
 * answered as if the zone had no addresses. A file that edgemanage wrote has names only; those that are addresses can
 * be served.
 */
function liveFrom(value: unknown, names: readonly string[]): readonly LiveMember[] {
  const found = Array.isArray(value)
    ? value.filter(isObject).map(({ edge, v4, v6, why }) => ({ edge, v4, v6, why }))
    : names.map((edge) => ({ edge, v4: edge, v6: edge, why: 'live before edgewise took over' }));
  return found.flatMap(({ edge, v4, v6, why }) => {
    const member = { v4: addressFrom(v4, 4), v6: addressFrom(v6, 6), why: typeof why === 'string' ? why : '' };
    if (typeof edge !== 'string' || (member.v4 === null && member.v6 === null)) return [];
    return [{ edge, ...member }];
  });
}

function addressFrom(value: unknown, family: 4 | 6): string | null {
  return typeof value === 'string' && isIP(value) === family ? value : null;
}

function addressesFrom(value: unknown): ReadonlyMap<string, readonly string[]> {
  if (!isObject(value)) return new Map();
  return new Map(
    Object.entries(value).flatMap(([edge, list]) => {
      const addresses = isTextList(list) ? list.filter((address) => isIP(address) !== 0) : [];
      return addresses.length === 0 ? [] : [[edge, addresses] as const];
    }),
  );
}

function rotationsFrom(value: unknown): ReadonlyMap<string, readonly number[]> {
  if (!isObject(value)) return new Map();
  return new Map(
    Object.entries(value).flatMap(([zone, times]) =>
      Array.isArray(times) ? [[zone, numbersFrom(times)] as const] : [],
    ),
  );
}

function unsteadyFrom(value: unknown): Memory['unsteady'] {
  return entriesFrom(value, ({ falls, fails, passingSince, at }) => {
    const [fallen, failed, last] = [falls, fails, at].map(numberFrom);
    if (fallen === null || failed === null || last === null) return null;
    return { falls: fallen, fails: failed, passingSince: numberFrom(passingSince), at: last };
  });
}

function judgedFrom(value: unknown): Memory['judged'] {
  return entriesFrom(value, ({ up, count, at }) => {
    const [results, last] = [count, at].map(numberFrom);
    const isSound = typeof up === 'boolean' && results !== null && Number.isInteger(results) && results >= 0;
    return isSound && last !== null ? { up, count: results, at: last } : null;
  });
}

function missesFrom(value: unknown): Memory['misses'] {
  return entriesFrom(value, ({ count, at }) => {
    const [missed, last] = [count, at].map(numberFrom);
    return missed === null || last === null ? null : { count: missed, at: last };
  });
}

/** The entries that make sense. */
function entriesFrom<T>(value: unknown, read: (entry: JsonObject) => T | null): ReadonlyMap<string, T> {
  if (!isObject(value)) return new Map();
  return new Map(
    Object.entries(value).flatMap(([key, entry]) => {
      const found = isObject(entry) ? read(entry) : null;
      return found === null ? [] : [[key, found] as const];
    }),
  );
}

function modesFrom(value: JsonObject): ReadonlyMap<string, Mode> {
  return new Map(
    Object.entries(value).flatMap(([edge, mode]) => (isOneOf(MODES, mode) ? [[edge, mode] as const] : [])),
  );
}

function serialFrom(value: unknown): number {
  const serial = numberFrom(value);
  return serial !== null && serial >= 0 && serial < 2 ** 32 ? Math.floor(serial) : 0;
}
