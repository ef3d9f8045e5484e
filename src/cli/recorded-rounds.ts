import { isNetworkName } from '../config/paths.ts';
import type { Config } from '../config/types.ts';
import { historyLogPath } from '../health/state/history-log.ts';
import { refuse } from './command-line.ts';
import { readConfig } from './load-network.ts';

/** What `explain` and `replay` start from: the configuration and the place of a network's recorded rounds. */
export type Recorded = { readonly config: Config; readonly path: string };

/** Finds the record of a network; null after the reasons have been printed to standard error. */
export function findRecord(configFile: string, network: string): Recorded | null {
  const config = readConfig(configFile);
  if (config === null) return null;
  if (isNetworkName(network)) return { config, path: historyLogPath(config.stateDir, network) };
  refuse(`"${network}" cannot be the name of a network`);
  return null;
}

/** What reading the record gives; null after its problem has been printed, where the system refuses. */
export async function orRefuse<T>(path: string, reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    refuse(`${path} cannot be read: ${reason.replace(`${path}: `, '')}`);
    return null;
  }
}
