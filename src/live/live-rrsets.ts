import { nameKey, type WireName } from '../dns/name.ts';
import { serialMax } from '../dns/serial.ts';
import type { Family } from '../health/judge/edge.ts';
import { zoneSerial } from '../health/pools/next-state.ts';
import { versionOf } from '../health/pools/pool.ts';
import type { NetworkState } from '../health/state/network-state.ts';
import type { LiveAddresses, LiveVersion } from '../zones/image/live-version.ts';
import { liveAddresses, NOTHING_LIVE, withCanary } from './addresses.ts';
import { LiveHistory, type NewLiveVersions } from './history.ts';
import type { SavedLiveHistory } from './history-files.ts';
import { LiveSlots } from './slots.ts';

/** Networks that one process can serve; slots and statistics are laid out for so many when it starts. */
export const NETWORKS_MAX = 256;
/** Untouched slots cost address space only. */
const SLOTS = 65_536;

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

type Registered = { readonly slot: number; live: NetworkLive };

/** The slots in shared memory and who has which. Main thread; opened once, lives as long as the process. */
export class LiveRRsets {
  readonly slots: LiveSlots = LiveSlots.create(SLOTS);
  readonly history: LiveHistory = new LiveHistory();
  private newVersions: NewLiveVersions[] = [];
  private readonly networks = new Map<string, Registered>();
  private readonly ownSlots = new Map<WireName, number>();
  private nextOwn = NETWORKS_MAX;
  private highest = 0;

  /**
   * Gives a network its slot, which is its row in the statistics as well: from 1 (0 means static zones), the same one
   * for the same name. Null: there are too many networks.
   */
  register(network: string): number | null {
    const known = this.networks.get(network);
    if (known !== undefined) return known.slot;
    const slot = this.networks.size + 1;
    if (slot >= NETWORKS_MAX) return null;
    this.networks.set(network, { slot, live: { version: NOTHING_LIVE, zones: new Map() } });
    return slot;
  }

  /** Names by row, as `StatusView.statsNetworks` wants them. */
  rows(): readonly (string | null)[] {
    const rows: (string | null)[] = new Array<string | null>(NETWORKS_MAX).fill(null);
    rows[0] = 'static';
    for (const [name, { slot }] of this.networks) rows[slot] = name;
    return rows;
  }

  /**
   * Writes what the network answers from now on. Returns the zones that have a slot of their own only from now on: the
   * threads must be told of those.
   */
  publish(network: string, live: NetworkLive): readonly WireName[] {
    const registered = this.networks.get(network);
    if (registered === undefined) return [];
    const fresh: WireName[] = [];
    // Own slots first: a zone that gets one must not be pointed at an empty slot.
    for (const [origin, version] of live.zones) {
      let slot = this.ownSlots.get(origin);
      if (slot === undefined) {
        if (this.nextOwn >= SLOTS) continue; // more canaries than slots: such a zone answers as its network does
        slot = this.nextOwn++;
        this.ownSlots.set(origin, slot);
        fresh.push(origin);
        // So far it had its network's live sets.
        for (const before of this.history.versions(registered.slot)) this.remember(slot, before);
      }
      this.write(slot, version);
    }
    // A zone whose remembered serial was overtaken by its network's follows the network again, in its old slot.
    for (const [origin, slot] of this.ownSlots) {
      if (registered.live.zones.has(origin) && !live.zones.has(origin)) this.write(slot, live.version);
    }
    this.write(registered.slot, live.version);
    const kept = [...registered.live.zones.keys()].filter((origin) => !live.zones.has(origin));
    registered.live = {
      version: live.version,
      zones: new Map([...live.zones, ...kept.map((o) => [o, live.version] as const)]),
    };
    return fresh;
  }

  /**
   * Before the first `publish`, of `current`: what the network held in earlier runs. Its history ends with what it
   * holds now, or versions are missing that were answered (a crash, a disk that took no more), and a difference from
   * before would be told from the wrong live set: then it is worth nothing. Zones with slots of their own get them
   * again, since their history is not the network's.
   */
  restore(network: string, saved: SavedLiveHistory, current: NetworkLive): void {
    const registered = this.networks.get(network);
    if (registered === undefined) return;
    this.rememberUpTo(registered.slot, saved.versions, current.version);
    const origins = new Set([...saved.zones.keys(), ...current.zones.keys()]);
    for (const origin of origins) {
      if (this.nextOwn >= SLOTS) break;
      const slot = this.nextOwn++;
      this.ownSlots.set(origin, slot);
      this.rememberUpTo(slot, saved.zones.get(origin) ?? [], current.zones.get(origin) ?? current.version);
    }
    registered.live = {
      version: NOTHING_LIVE,
      zones: new Map(Array.from(origins, (o) => [o, NOTHING_LIVE] as const)),
    };
  }

  private rememberUpTo(slot: number, versions: readonly LiveVersion[], current: LiveVersion): void {
    if (versions.at(-1)?.serial !== current.serial) return;
    for (const version of versions) this.remember(slot, version);
  }

  /** What `restore` wants after a restart. */
  saved(network: string): SavedLiveHistory {
    const registered = this.networks.get(network);
    if (registered === undefined) return { versions: [], zones: new Map() };
    const own = [...registered.live.zones.keys()].flatMap((origin) => {
      const slot = this.ownSlots.get(origin);
      return slot === undefined ? [] : [[origin, this.history.versions(slot)] as const];
    });
    return { versions: this.history.versions(registered.slot), zones: new Map(own) };
  }

  /** What was added to the history since the last call. */
  takeNewVersions(): readonly NewLiveVersions[] {
    const { newVersions } = this;
    this.newVersions = [];
    return newVersions;
  }

  private write(slot: number, version: LiveVersion): void {
    this.slots.write(slot, version);
    this.highest = serialMax(this.highest, version.serial);
    this.remember(slot, version);
  }

  private remember(slot: number, version: LiveVersion): void {
    this.history.note(slot, version);
    this.newVersions.push({ slot, versions: [version] });
  }

  slotOf(network: string | null, origin: WireName): number {
    if (network === null) return -1;
    return this.ownSlots.get(origin) ?? this.networks.get(network)?.slot ?? -1;
  }

  /** What the zone's live names answer; null: a static zone. */
  versionOf(network: string | null, origin: WireName): LiveVersion | null {
    if (network === null) return null;
    const live = this.networks.get(network)?.live;
    return live?.zones.get(origin) ?? live?.version ?? NOTHING_LIVE;
  }

  /**
   * The latest serial that any slot ever held; 0: none. A new version gets a later one, so that a zone that is bound to
   * several pools has a later serial at each change of either.
   */
  get highestSerial(): number {
    return this.highest;
  }

  serialOf(network: string): number {
    return this.networks.get(network)?.live.version.serial ?? 0;
  }
}
