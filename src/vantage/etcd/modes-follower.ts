import type { EtcdClient } from './client/client.ts';
import type { Follower } from './follower.ts';
import { etcdModeStore } from './mode-store.ts';
import { SharedModes, type SharedModesOptions } from './modes.ts';

/** `changed`: a mode may be another one here. `stop`: within some seconds; the client is closed after it. */
export type ModesFollower = Follower & { readonly changed: () => void; readonly stop: () => Promise<void> };

/** Modes as a part of the engine: they are looked at whenever something of ours in etcd may have changed. */
export function followModes(client: EtcdClient, options: Omit<SharedModesOptions, 'store'>): ModesFollower {
  const modes = new SharedModes({ ...options, store: etcdModeStore(client) });
  return {
    // Reads for itself and behind the look: setting a mode takes a file's time, which nothing else should wait for.
    look: async () => ({ ok: true, isChanged: false, apply: () => modes.changed() }),
    faults: () => modes.faults(),
    changed: () => modes.changed(),
    stop: () => modes.stop(),
  };
}
