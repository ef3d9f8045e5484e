import type { Config } from '../config/types.ts';
import { nameKey, type WireName } from '../dns/name.ts';
import type { LiveUpdate } from '../health/pools/round-types.ts';
import type { NetworkState } from '../health/state/network-state.ts';
import type { LiveHistoryFiles } from '../live/history-files.ts';
import type { LiveRRsets } from '../live/live-rrsets.ts';
import { liveOf } from '../live/network-live.ts';
import type { Sinks } from '../publish/sinks.ts';
import type { Fault } from '../system/fault.ts';
import type { ZoneStore } from '../zones/store/store.ts';

export type PublisherParts = {
  readonly live: LiveRRsets;
  readonly store: ZoneStore;
  /** These zones of the network have a slot of their own from now on. */
  readonly onSlots: (network: string, origins: readonly WireName[]) => void;
  /** Null: a dry run. */
  readonly histories: LiveHistoryFiles | null;
  readonly sinks: Sinks;
};

/** Carries saved live sets, decisions and new zone contents to the slots, and from there to whoever follows. */
export class NetworkPublisher {
  private readonly parts: PublisherParts;

  constructor(parts: PublisherParts) {
    this.parts = parts;
  }

  /** Serves what a network held in earlier runs, its short history too if it was not taken up yet. */
  async publishSaved(network: string, state: NetworkState): Promise<void> {
    const { live, histories, onSlots } = this.parts;
    if (live.register(network) === null) return;
    const saved = (await histories?.read(network)) ?? { versions: [], zones: new Map() };
    const current = liveOf(state);
    if (!live.isRestored(network)) live.restore(network, saved, current);
    live.publish(network, current);
    onSlots(network, [...new Set([...saved.zones.keys(), ...current.zones.keys()])]);
  }

  /** Queries see the decision when this returns; whoever follows works behind it. */
  publish(network: string, update: LiveUpdate, config: Config): readonly Fault[] {
    const { sinks } = this.parts;
    const faults = sinks.serve(network, update);
    sinks.follow({ network, config, update, zones: this.changedZones(network, update), filesWritten: false });
    return faults;
  }

  /** These zones have new contents: their files are out of date, or (`notify`) those who follow them may be notified. */
  contentsChanged(sink: 'zone-files' | 'notify', origins: readonly WireName[], config: Config): void {
    const { store, sinks } = this.parts;
    const byNetwork = new Map<string | null, WireName[]>();
    for (const origin of origins) {
      const network = store.entry(origin)?.network ?? null;
      if (network === null && sink === 'zone-files') continue; // a static zone has its file
      const zones = byNetwork.get(network) ?? [];
      byNetwork.set(network, zones);
      zones.push(origin);
    }
    for (const [network, zones] of byNetwork) {
      sinks.follow({ network, config, update: null, zones, filesWritten: false }, sink);
    }
  }

  private changedZones(network: string, { liveChanged, canaryZones }: LiveUpdate): readonly WireName[] {
    if (!liveChanged) return canaryZones.map(nameKey).filter((origin) => origin !== null);
    return this.parts.store.entries().flatMap((zone) => (zone.network === network ? [zone.origin] : []));
  }
}
