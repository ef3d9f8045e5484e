/**
 * What Edgewise keeps under the key `edgewise` of a state file: what edgemanage has no key for. Whatever is missing or
 * makes no sense takes its default.
 */

import { isIP } from 'node:net';
import type { JsonObject } from '../../system/json-object.ts';
import { FLAG, listOf, mapOf, NUMBER, objectOf, oneOf, TEXT } from '../../system/json-parts.ts';
import type { LiveMember } from '../choose/decision.ts';
import { FAMILIES } from '../judge/edge.ts';
import { MODES } from './edge-store.ts';
import type { NetworkState } from './network-state.ts';

const NONE: ReadonlyMap<string, never> = new Map<string, never>();

const ADDRESS = TEXT.refine((text) => isIP(text) !== 0, 'expected an address');
const V4 = TEXT.refine((text) => isIP(text) === 4, 'expected an IPv4 address')
  .nullable()
  .default(null);
const V6 = TEXT.refine((text) => isIP(text) === 6, 'expected an IPv6 address')
  .nullable()
  .default(null);
const SERIAL = NUMBER.refine((serial) => serial >= 0 && serial < 2 ** 32, 'expected a serial').transform(Math.floor);
const COUNT = NUMBER.refine((count) => Number.isInteger(count) && count >= 0, 'expected a number of results');

/** One without an address is none: a set of such members would be answered as if the zone had no addresses. */
const MEMBER = objectOf({ edge: TEXT, v4: V4, v6: V6, why: TEXT.default('') }).refine(
  ({ v4, v6 }) => v4 !== null || v6 !== null,
  'a member without an address',
);

const KEYS = objectOf({
  serial: SERIAL.default(0),
  zone_serials: mapOf(NUMBER).default(NONE),
  pending_zones: listOf(TEXT).default([]),
  canary_serials: mapOf(NUMBER).default(NONE),
  live: listOf(MEMBER).optional(),
  victims: mapOf(TEXT).default(NONE),
  canary_rotations: mapOf(listOf(NUMBER)).default(NONE),
  modes: mapOf(oneOf(MODES)).nullable().default(null),
  borrowed: listOf(TEXT).optional(),
  unanswered: oneOf(FAMILIES).nullable().default(null),
  unsteady: mapOf(
    objectOf({ falls: NUMBER, fails: NUMBER, passingSince: NUMBER.nullable().default(null), at: NUMBER }),
  ).default(NONE),
  judged: mapOf(objectOf({ up: FLAG, count: COUNT, at: NUMBER })).default(NONE),
  misses: mapOf(objectOf({ count: NUMBER, at: NUMBER })).default(NONE),
  agreed: mapOf(FLAG).optional(),
  addresses: mapOf(listOf(ADDRESS)).default(NONE),
  decided_alone: FLAG.default(false),
});

/**
 * The key's value, as parts of a `NetworkState`. `live`: missing in a file that edgemanage wrote. `victims`: which edge
 * the active canary of a zone stands in for.
 */
export const OWN_STATE = KEYS.prefault({}).transform((own) => ({
  memory: {
    ...(own.borrowed === undefined ? {} : { borrowed: own.borrowed }),
    unanswered: own.unanswered,
    unsteady: own.unsteady,
    judged: own.judged,
    misses: own.misses,
    ...(own.agreed === undefined ? {} : { agreed: own.agreed }),
    canaryRotations: own.canary_rotations,
  },
  victims: own.victims,
  live: own.live,
  serial: own.serial,
  canarySerials: own.canary_serials,
  zoneSerials: own.zone_serials,
  pendingZones: new Set(own.pending_zones),
  modes: own.modes,
  addresses: new Map([...own.addresses].filter(([, addresses]) => addresses.length > 0)),
  decidedAlone: own.decided_alone,
}));

/** The member that edgemanage's name of a live edge is; none where the name is no address. */
export function memberOfName(edge: string): readonly LiveMember[] {
  const family = isIP(edge);
  if (family === 0) return [];
  const why = 'live before edgewise took over';
  return [{ edge, v4: family === 4 ? edge : null, v6: family === 6 ? edge : null, why }];
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
    ...(memory.agreed === undefined ? {} : { agreed: Object.fromEntries(memory.agreed) }),
    ...(state.decidedAlone ? { decided_alone: true } : {}),
    ...(state.addresses.size === 0 ? {} : { addresses: Object.fromEntries(state.addresses) }),
  };
}
