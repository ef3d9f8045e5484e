import type { WireName } from '../dns/name.ts';
import type { FollowingSink } from './sink.ts';

/** Tells whoever looks after the secondaries which zones have new serials by a decision. */
export function notifySink(onServed: (origins: readonly WireName[]) => void): FollowingSink {
  return {
    name: 'notify',
    phase: 'follow',
    apply: async ({ update, zones }) => {
      if (update !== null && zones.length > 0) onServed(zones);
      return [];
    },
  };
}
