/** What an operator should know of a mode that was just set: where else it holds, and what it cannot do. */
import { listNetworks, readNetworkFiles } from '../../config/network-files.ts';
import { forNetwork } from '../../config/paths.ts';
import type { Config, NetworkFiles } from '../../config/types.ts';
import type { Mode } from '../judge/edge.ts';
import { sampleCount } from '../judge/history.ts';
import { list } from '../judge/reason.ts';
import { edgesOf } from '../pools/pool.ts';
import { type EdgeRecord, inNetwork } from '../state/edge-store.ts';
import type { EdgeStores } from '../state/edge-store-files.ts';
import { historyIn } from '../state/series.ts';
import { readState } from '../state/state-file-io.ts';
import { expireMode } from './modes.ts';

/** The networks whose list has the edge, sorted: a mode is kept with the edge, so it holds in all of them. */
export function networksOf(config: Config, edge: string): readonly string[] {
  return listNetworks(config).networks.filter(
    (network) => readNetworkFiles(config, network).files?.edges.includes(edge) === true,
  );
}

/** One sentence each; none: there is nothing to add. */
export async function modeEffects(
  config: Config,
  stores: EdgeStores,
  edge: string,
  mode: Mode,
  now: number,
): Promise<readonly string[]> {
  const networks = networksOf(config, edge);
  const found: string[] = [];
  if (networks.length > 1) found.push(`It holds in ${list(networks)}, whose lists all have ${edge}.`);
  if (mode !== 'unavailable') return found;
  for (const network of networks) {
    const { files } = readNetworkFiles(config, network);
    const { state } = await readState(forNetwork(config.statefile, network), now, true);
    if (files === null || !state.memory.lastLive.includes(edge)) continue;
    const hasChecks = config.checks.has(network);
    if (await anyOther(files, hasChecks, stores, edge, new Set(state.memory.lastLive), now)) continue;
    found.push(`${edge} stays answered in ${network}: no other edge of it is fit to take its place.`);
  }
  return found;
}

/** Whether another edge would be published: one that passes, is blindforced, or was live until now. */
async function anyOther(
  files: NetworkFiles,
  hasChecks: boolean,
  stores: EdgeStores,
  edge: string,
  lastLive: ReadonlySet<string>,
  now: number,
): Promise<boolean> {
  for (const other of edgesOf(files)) {
    if (other === edge) continue;
    const { record } = await stores.read(other, now);
    if (isFit(expireMode(record, now), files.name, hasChecks, lastLive.has(other))) return true;
  }
  return false;
}

function isFit(record: EdgeRecord, network: string, hasChecks: boolean, wasLive: boolean): boolean {
  if (record.mode === 'unavailable') return false;
  const passes = sampleCount(historyIn(record, network, hasChecks)) > 0 && inNetwork(record, network).health !== 'fail';
  return passes || wasLive || record.mode === 'blindforce';
}
