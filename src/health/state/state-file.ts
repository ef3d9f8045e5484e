/**
 * What a network must remember from round to round, and its file form: edgemanage's state file (specification section 3),
 * one JSON object on one line. What only Edgewise needs stands under the one key `edgewise`; keys that nobody here knows
 * are kept, and edgemanage keeps ours.
 */
import { isIP } from 'node:net';
import type { LiveMember } from '../choose/decision.ts';
import { type ActiveCanary, type Memory, NO_MEMORY } from '../choose/memory.ts';
import { FAMILIES, type Mode } from '../judge/edge.ts';
import { MODES } from './edge-store.ts';
import {
  isObject,
  isOneOf,
  type JsonObject,
  numberFrom,
  numbersFrom,
  otherKeys,
  parseObject,
  unknownForm,
  withoutNulls,
} from './json-object.ts';

/** `rotation_list` keeps this many, oldest dropped. */
export const STATE_ROTATIONS_MAX = 100;

export type NetworkState = {
  readonly memory: Memory;
  /** When the last round ended, epoch seconds. */
  readonly lastRun: number | null;
  readonly verificationFailures: readonly string[];
  /** Include file of each zone when its zone file was last written: modification time, whole seconds. */
  readonly zoneMtimes: ReadonlyMap<string, number>;
  /** The live set as it is served, with addresses, so that a restart serves it at once. */
  readonly live: readonly LiveMember[];
  /** Serial of the live set; 0: nothing was ever published. Epoch seconds, or more where the clock was behind. */
  readonly serial: number;
  /** Serial of the last canary change of each zone that ever had one in use. */
  readonly canarySerials: ReadonlyMap<string, number>;
  /**
   * Single runs only, which have no server's memory of zones. Serials given to zones whose include file changed since the
   * live set did, and zones whose files are out of date: noted before they are written, so that a killed run leaves no
   * file half a set behind.
   */
  readonly zoneSerials: ReadonlyMap<string, number>;
  readonly pendingZones: ReadonlySet<string>;
  /** Modes other than available that the last decision saw; null: it was not ours, so nobody noted them. */
  readonly modes: ReadonlyMap<string, Mode> | null;
  /** Of edges that are named: the addresses they had when their name could last be looked up, for times when it cannot. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  readonly extra: ReadonlyMap<string, unknown>;
};

export const NEW_STATE: NetworkState = {
  memory: NO_MEMORY,
  lastRun: null,
  verificationFailures: [],
  zoneMtimes: new Map(),
  live: [],
  serial: 0,
  canarySerials: new Map(),
  zoneSerials: new Map(),
  pendingZones: new Set(),
  modes: null,
  addresses: new Map(),
  extra: new Map(),
};

export type ParsedState =
  | { readonly ok: true; readonly state: NetworkState }
  | { readonly ok: false; readonly problem: string };

/** Reads a state file's text. Missing keys take their defaults; so does all of an empty file. */
export function parseState(text: string): ParsedState {
  const object = parseObject(text);
  return object.ok ? stateFrom(object.value) : object;
}

const KNOWN: readonly string[] = [
  'rotation_list',
  'last_run',
  'last_live',
  'verification_failures',
  'verification_failues',
  'zone_mtimes',
  'active_canaries',
  'edgewise',
];

function stateFrom(value: JsonObject): ParsedState {
  const given = withoutNulls(value);
  const { rotation_list = [], last_live = [], verification_failures = [] } = given;
  const { zone_mtimes = {}, active_canaries = {}, edgewise = {}, last_run } = given;
  if (!Array.isArray(rotation_list)) return unknownForm('rotation_list');
  if (!isTextList(last_live)) return unknownForm('last_live');
  if (!isTextList(verification_failures)) return unknownForm('verification_failures');
  if (!isObject(zone_mtimes)) return unknownForm('zone_mtimes');
  if (!isObject(active_canaries)) return unknownForm('active_canaries');
  if (!isObject(edgewise)) return unknownForm('edgewise');
  const { serial, zone_serials, pending_zones, canary_serials, victims, canary_rotations, modes } = edgewise;
  const { unanswered, unsteady, misses, live: members, addresses } = edgewise;
  const names = [...new Set(last_live)].sort();
  const live = liveFrom(members, names);
  const state: NetworkState = {
    memory: {
      lastLive: names,
      answered: new Map(live.map(({ edge, v4, v6 }) => [edge, { v4, v6 }])),
      unanswered: isOneOf(FAMILIES, unanswered) ? unanswered : null,
      unsteady: unsteadyFrom(unsteady),
      misses: missesFrom(misses),
      rotations: numbersFrom(rotation_list).slice(-STATE_ROTATIONS_MAX),
      activeCanaries: canariesFrom(active_canaries, textMap(victims)),
      canaryRotations: rotationsFrom(canary_rotations),
    },
    lastRun: numberFrom(last_run),
    verificationFailures: verification_failures,
    zoneMtimes: numberMap(zone_mtimes),
    live,
    serial: serialFrom(serial),
    canarySerials: numberMap(canary_serials),
    zoneSerials: numberMap(zone_serials),
    pendingZones: new Set(isTextList(pending_zones) ? pending_zones : []),
    modes: isObject(modes) ? modesFrom(modes) : null,
    addresses: addressesFrom(addresses),
    extra: otherKeys(value, KNOWN),
  };
  return { ok: true, state };
}

/** The file's text, keys in the original's order and ours at the end. */
export function printState(state: NetworkState): string {
  const { memory } = state;
  const victims = memory.activeCanaries.flatMap(({ zone, victim }) => (victim === null ? [] : [[zone, victim]]));
  const value = {
    rotation_list: memory.rotations.slice(-STATE_ROTATIONS_MAX),
    last_run: state.lastRun,
    last_live: memory.lastLive,
    verification_failues: [], // misspelt and unused, but the original's readers expect it
    zone_mtimes: Object.fromEntries(state.zoneMtimes),
    active_canaries: Object.fromEntries(memory.activeCanaries.map(({ zone, address }) => [zone, address])),
    verification_failures: state.verificationFailures,
    ...Object.fromEntries(state.extra),
    edgewise: {
      serial: state.serial,
      zone_serials: Object.fromEntries(state.zoneSerials),
      pending_zones: [...state.pendingZones],
      canary_serials: Object.fromEntries(state.canarySerials),
      live: state.live.map(({ edge, v4, v6, why }) => ({ edge, v4, v6, why })),
      victims: Object.fromEntries(victims),
      canary_rotations: Object.fromEntries(memory.canaryRotations),
      modes: state.modes === null ? null : Object.fromEntries(state.modes),
      ...(memory.unanswered === null ? {} : { unanswered: memory.unanswered }),
      ...(memory.unsteady.size === 0 ? {} : { unsteady: Object.fromEntries(memory.unsteady) }),
      ...(memory.misses.size === 0 ? {} : { misses: Object.fromEntries(memory.misses) }),
      ...(state.addresses.size === 0 ? {} : { addresses: Object.fromEntries(state.addresses) }),
    },
  };
  return `${JSON.stringify(value)}\n`;
}

function canariesFrom(entries: JsonObject, victims: ReadonlyMap<string, string>): readonly ActiveCanary[] {
  return [...textMap(entries)].map(([zone, address]) => ({ zone, address, victim: victims.get(zone) ?? null }));
}

/**
 * The members as last published. One without an address (a damaged file) is none: a set of such members would be answered
 * as if the zone had no addresses. A file that edgemanage wrote has names only; those that are addresses can be served.
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

function textMap(value: unknown): ReadonlyMap<string, string> {
  if (!isObject(value)) return new Map();
  return new Map(Object.entries(value).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : [])));
}

function numberMap(value: unknown): ReadonlyMap<string, number> {
  if (!isObject(value)) return new Map();
  return new Map(
    Object.entries(value).flatMap(([key, text]) => {
      const number = numberFrom(text);
      return number === null ? [] : [[key, number] as const];
    }),
  );
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
