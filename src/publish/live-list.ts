import { forNetwork } from '../config/paths.ts';
import { writeAtomic } from '../system/atomic-write.ts';
import { FILE_MAX, readFile } from '../system/read-file.ts';
import type { FollowingSink } from './sink.ts';

/**
 * Keeps the live edges' names, one a line, in `live_list`. A file that is lost, or that a crash kept from being
 * written, comes back with the next round.
 */
export const liveListSink: FollowingSink = {
  name: 'live-list',
  phase: 'follow',
  apply: async ({ network, config: { liveList }, update }) => {
    if (network === null) return [];
    const names = update?.state.live.map(({ edge }) => edge) ?? [];
    if (liveList !== null && names.length > 0) await writeLiveList(forNetwork(liveList, network), names);
    return [];
  },
};

/** Replaces the list unless it says this already. Throws the system's error. */
export async function writeLiveList(file: string, names: readonly string[]): Promise<void> {
  const text = `${names.join('\n')}\n`;
  const old = await readFile(file, FILE_MAX.state);
  if (!old.ok || old.octets.toString('utf8') !== text) await writeAtomic(file, text);
}
