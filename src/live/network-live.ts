/** What a network answers, by its saved state. Pure. */
import { nameKey, type WireName } from '../dns/name.ts';
import type { Family } from '../health/judge/edge.ts';
import { zoneSerial } from '../health/pools/next-state.ts';
import { versionOf } from '../health/pools/pool.ts';
import type { NetworkState } from '../health/state/network-state.ts';
import type { LiveAddresses, LiveVersion } from '../zones/image/live-version.ts';
import { liveAddresses, NOTHING_LIVE, withCanary } from './addresses.ts';

/** What one network answers right now. All zones share `version`, those in `zones` have one of their own. */
export type NetworkLive = {
  readonly version: LiveVersion;
  readonly zones: ReadonlyMap<WireName, LiveVersion>;
};

/**
 * The live RRsets of a network's pool, and of its zones that have a version of their own, from its saved state. A zone
 * has one while a canary stands in it, and afterwards for as long as the serial that it reached by that is remembered,
 * since a zone's serial must not fall back to its network's smaller one.
 */
export function liveOf(state: NetworkState): NetworkLive {
  const pool = versionOf(state);
  if (pool === null) return { version: NOTHING_LIVE, zones: new Map() };
  const { serial, members, unanswered } = pool;
  const addresses = withUnanswered(liveAddresses(members), unanswered);
  const active = new Map(state.memory.activeCanaries.map((canary) => [canary.zone, canary]));
  const zones = new Map<WireName, LiveVersion>();
  for (const zone of new Set([...state.canarySerials.keys(), ...active.keys()])) {
    const origin = nameKey(zone);
    if (origin === null) continue;
    const canary = active.get(zone);
    const own = canary === undefined ? addresses : withUnanswered(withCanary(members, canary), unanswered);
    zones.set(origin, { ...own, serial: zoneSerial(state, zone) });
  }
  return { version: { ...addresses, serial }, zones };
}

/** A canary may answer the family that the network does not. */
function withUnanswered(addresses: LiveAddresses, family: Family | null): Omit<LiveVersion, 'serial'> {
  return family === null || addresses[family].length > 0 ? addresses : { ...addresses, unanswered: family };
}
