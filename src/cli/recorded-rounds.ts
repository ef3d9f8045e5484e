import { loadConfig } from '../config/load.ts';
import { isNetworkName } from '../config/paths.ts';
import type { Config } from '../config/types.ts';
import { formatFault, hasErrors } from '../fault.ts';
import { historyLogPath } from '../health/history-log.ts';

/** What `explain` and `replay` start from: the configuration and the place of a network's recorded rounds. */
export type Recorded = { readonly config: Config; readonly path: string };

/** Finds the record of a network; null after the reasons have been printed to standard error and the status set. */
export function findRecord(configFile: string, network: string): Recorded | null {
  const { config, faults } = loadConfig(configFile);
  if (config === null || hasErrors(faults)) {
    for (const fault of faults) process.stderr.write(`${formatFault(fault)}\n`);
    process.exitCode = 1;
    return null;
  }
  if (!isNetworkName(network)) return refuse(`"${network}" cannot be the name of a network`);
  return { config, path: historyLogPath(config.stateDir, network) };
}

/** What reading the record gives; null after its problem has been printed, where the system refuses. */
export async function orRefuse<T>(path: string, reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    return refuse(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Prints one line to standard error and sets exit status 1. */
export function refuse(problem: string): null {
  process.stderr.write(`error: ${problem}\n`);
  process.exitCode = 1;
  return null;
}

export const DEFAULT_CONFIG = '/etc/edgemanage/edgemanage.yaml';
