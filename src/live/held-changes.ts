import type { ZoneChange } from '../zones/store/types.ts';
import type { LiveRRsets } from './live-rrsets.ts';

/**
 * Gives zones the live sets that go with how their versions are served, before the threads are told of them. A zone for
 * which there is no slot left must not answer with a live set that does not belong to its content: it is broken.
 */
export function withLiveSets(
  live: Pick<LiveRRsets, 'hold' | 'follow'>,
  changes: readonly ZoneChange[],
): readonly ZoneChange[] {
  return changes.map((change): ZoneChange => {
    const { zone, origin, network } = change;
    const standing = change.kind === 'image' ? (change.standing ?? 'agreed') : 'agreed';
    if (standing === 'agreed' || network === null) live.follow(origin);
    else if (!live.hold(network, origin, standing)) return { kind: 'broken', zone, origin, network };
    return change;
  });
}
