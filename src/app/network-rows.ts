import { NETWORKS_MAX } from '../live/live-rrsets.ts';
import { type Fault, plainFault } from '../system/fault.ts';

/**
 * Why these networks cannot all be served beside those that had a row since the start; null: they can. A row is not
 * used again for another network: threads may still count and answer by its number, and its counters would change their
 * name.
 */
export function rowsFault(rows: readonly (string | null)[], networks: readonly string[]): Fault | null {
  const known = new Set(rows.filter((row) => row !== null)); // and the row of static zones
  const fresh = networks.filter((network) => !known.has(network));
  const free = NETWORKS_MAX - known.size;
  if (fresh.length <= free) return null;
  const most = NETWORKS_MAX - 1;
  const gone = known.size - 1 - (networks.length - fresh.length);
  const left = fresh.slice(free, free + 3).join(', ');
  const more = fresh.length - free > 3 ? ` and ${fresh.length - free - 3} more` : '';
  const advice = gone > 0 ? `; ${gone} of those served since the start are gone: a restart frees their places` : '';
  const message = `no room for ${left}${more}: ${most} networks is the most between two starts${advice}`;
  return plainFault('too-many-networks', message);
}
