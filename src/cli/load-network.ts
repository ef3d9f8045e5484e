import { loadConfig } from '../config/load.ts';
import { readNetworkFiles } from '../config/network-files.ts';
import type { Config, NetworkFiles } from '../config/types.ts';
import { type Fault, formatFault } from '../fault.ts';

/** Where edgemanage's commands look for the configuration unless told. */
export const CONFIG_PATH = '/etc/edgemanage/edgemanage.yaml';

export type LoadedBoth = {
  readonly config: Config;
  readonly files: NetworkFiles;
  /** For the log: none is an error. */
  readonly warnings: readonly Fault[];
};

/** Configuration and lists of one network. Null: they cannot be used, and standard error says why. */
export function loadNetwork(configFile: string, network: string): LoadedBoth | null {
  const { config, faults } = loadConfig(configFile);
  if (config === null) return complain(faults);
  const lists = readNetworkFiles(config, network);
  const all = [...faults, ...lists.faults];
  return lists.files === null ? complain(all) : { config, files: lists.files, warnings: all };
}

function complain(faults: readonly Fault[]): null {
  for (const fault of faults) process.stderr.write(`${formatFault(fault)}\n`);
  return null;
}
