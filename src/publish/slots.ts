import type { WireName } from '../dns/name.ts';
import type { LiveHistoryFiles } from '../live/history-files.ts';
import type { LiveRRsets } from '../live/live-rrsets.ts';
import { liveOf } from '../live/network-live.ts';
import type { ServingSink } from './sink.ts';

export type SlotsOptions = {
  readonly live: LiveRRsets;
  /** What the slots held lately, for incremental transfers; written behind the flip. */
  readonly histories: LiveHistoryFiles | null;
  /** These zones of the network have a slot of their own from now on. */
  readonly onSlots: (network: string, origins: readonly WireName[]) => void;
};

/** The live slots in shared memory: one slot write a flip, whatever the number of zones. */
export function slotsSink({ live, histories, onSlots }: SlotsOptions): ServingSink {
  return {
    name: 'slots',
    phase: 'serve',
    apply: (network, { state, liveChanged, canaryZones }) => {
      if (!liveChanged && canaryZones.length === 0) return;
      onSlots(network, live.publish(network, liveOf(state)));
      histories?.save(network, () => live.saved(network));
    },
  };
}
