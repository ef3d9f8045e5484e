import type { WireName } from '../dns/name.ts';
import type { FollowingSink } from './sink.ts';

/**
 * Tells whoever looks after the secondaries which zones have new serials, by a decision or by new contents. Every query
 * sees them by then, and the journal has what a transfer of the difference needs.
 */
export function notifySink(onServed: (origins: readonly WireName[]) => void): FollowingSink {
  return {
    name: 'notify',
    phase: 'follow',
    apply: async ({ zones }) => {
      if (zones.length > 0) onServed(zones);
      return [];
    },
  };
}
