/** What of the configuration and the lists a network's rounds depend on, so that a reload sets off what it has to. */
import { isDeepStrictEqual } from 'node:util';
import type { Config, NetworkFiles } from '../config/types.ts';
import { poolOf } from '../health/pools/pool.ts';

/** Whether the edges of a network are asked in the same way by both configurations. */
export function areAskedSame(network: string, config: Config, before: Config): boolean {
  return isDeepStrictEqual(askedBy(config, network), askedBy(before, network));
}

function askedBy(config: Config, network: string): unknown {
  const { testobject, checks, timeout, workers, retry, runFrequency, maxObjectBytes, testing } = config;
  return { testobject, checks: checks.get(network), timeout, workers, retry, runFrequency, maxObjectBytes, testing };
}

type Settings = { readonly config: Config; readonly files: NetworkFiles };

/** Whether the same samples lead to the same decision by both. */
export function isDecidedSame(settings: Settings, before: Settings): boolean {
  return isDeepStrictEqual(decidedBy(settings), decidedBy(before));
}

function decidedBy({ config, files }: Settings): unknown {
  const { reference = [] } = config.safety.get(files.name) ?? {};
  return { pool: poolOf(config, files), canaries: files.canaries, reference };
}

/** Whether an edge or a canary is listed that was not. */
export function hasNewTargets(files: NetworkFiles, before: NetworkFiles | null): boolean {
  const known = new Set(before === null ? [] : targetsOf(before));
  return targetsOf(files).some((name) => !known.has(name));
}

/** The names of edges and canaries, one that is both twice. */
export function targetsOf({ edges, canaries }: NetworkFiles): readonly string[] {
  return [...edges, ...canaries.values()];
}
