import { loadConfig } from '../config/load.ts';
import { readNetworkFiles } from '../config/network-files.ts';
import type { Config, NetworkFiles } from '../config/types.ts';
import type { Fault } from '../system/fault.ts';
import { printFaults } from './command-line.ts';

export type LoadedBoth = {
  readonly config: Config;
  readonly files: NetworkFiles;
  /** For the log: none is an error. */
  readonly warnings: readonly Fault[];
};

/** Configuration and lists of one network. Null: they cannot be used, and standard error says why. */
export function loadNetwork(configFile: string, network: string): LoadedBoth | null {
  const { config, faults } = loadConfig(configFile);
  if (config === null) return refused(faults);
  const lists = readNetworkFiles(config, network);
  const all = [...faults, ...lists.faults];
  return lists.files === null ? refused(all) : { config, files: lists.files, warnings: all };
}

/** A configuration that can be used, warnings or not. Null: it cannot, and standard error says why. */
export function readConfig(file: string): Config | null {
  const { config, faults } = loadConfig(file);
  return config ?? refused(faults);
}

function refused(faults: readonly Fault[]): null {
  printFaults(faults);
  return null;
}
