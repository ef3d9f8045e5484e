import { type LiveRRsets, NETWORKS_MAX } from '../live/live-rrsets.ts';
import { type Fault, plainFault } from '../system/fault.ts';

/**
 * Why these networks cannot all be served; null: they can. A row of a network that is gone can be used again once no
 * thread answers by it any more, which is so when a reload is over, unless a thread hangs.
 */
export function rowsFault(live: Pick<LiveRRsets, 'withoutRow'>, networks: readonly string[]): Fault | null {
  const most = NETWORKS_MAX - 1;
  const tooMany = networks.slice(most);
  if (tooMany.length > 0) return fault(tooMany, `${most} networks is the most`);
  const without = live.withoutRow(networks);
  if (without.length === 0) return null;
  return fault(without, 'threads still answer by the places of networks that are gone; reload once more');
}

function fault(networks: readonly string[], reason: string): Fault {
  const more = networks.length > 3 ? ` and ${networks.length - 3} more` : '';
  return plainFault('too-many-networks', `no room for ${networks.slice(0, 3).join(', ')}${more}: ${reason}`);
}
