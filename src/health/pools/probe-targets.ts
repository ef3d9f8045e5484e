/** Whom a network's rounds ask: its edges and canaries, with the addresses that names had before. Pure. */
import { isIP } from 'node:net';

import type { NetworkFiles } from '../../config/types.ts';
import type { ProbeTarget } from '../checks/protocol.ts';
import type { Sample } from '../checks/sample.ts';
import { type EdgeRecord, inNetwork } from '../state/edge-store.ts';
import type { NetworkState } from '../state/network-state.ts';
import { edgesOf } from './pool.ts';

/**
 * Every edge and, once, every canary address; unavailable ones too: their figures stay known. `last`: addresses that
 * named ones had. `known`: who is live and whose last sample failed, so that nobody waits for what may hang.
 */
export function probeTargets(
  files: NetworkFiles,
  last: ReadonlyMap<string, readonly string[]> = new Map(),
  known: KnownTargets = NOTHING_KNOWN,
): readonly ProbeTarget[] {
  const urgency = (name: string): Pick<ProbeTarget, 'live' | 'failed'> => ({
    ...(known.live.has(name) ? { live: true } : {}),
    ...(known.failed.has(name) ? { failed: true } : {}),
  });
  const edges = edgesOf(files).map((name) => {
    const lastAddresses = last.get(name);
    return { name, canary: false, ...urgency(name), ...(lastAddresses === undefined ? {} : { lastAddresses }) };
  });
  const canaries = [...new Set(files.canaries.values())].map((name) => ({ name, canary: true, ...urgency(name) }));
  return [...edges, ...canaries];
}

/** Names of targets that are live, and of those that failed when they were asked last. */
export type KnownTargets = { readonly live: ReadonlySet<string>; readonly failed: ReadonlySet<string> };

const NOTHING_KNOWN: KnownTargets = { live: new Set(), failed: new Set() };

/** By the samples that this process has, by their records where it has none. */
export function knownTargets({
  network,
  state,
  samples,
  records,
}: {
  readonly network: string;
  readonly state: Pick<NetworkState, 'live'>;
  readonly samples: ReadonlyMap<string, Sample>;
  readonly records: ReadonlyMap<string, EdgeRecord>;
}): KnownTargets {
  const failing = (name: string): boolean => {
    const sample = samples.get(name);
    if (sample !== undefined) return sample.fail !== null;
    const record = records.get(name);
    return record !== undefined && inNetwork(record, network).health === 'fail';
  };
  return {
    live: new Set(state.live.map(({ edge }) => edge)),
    failed: new Set([...samples.keys(), ...records.keys()].filter(failing)),
  };
}

/**
 * The addresses that each named edge had when its name could last be looked up, for times when it cannot: of its newest
 * sample, else as they were saved, else as they were last published.
 */
export function lastAddresses(
  files: NetworkFiles,
  state: Pick<NetworkState, 'addresses' | 'live'>,
  samples: ReadonlyMap<string, Sample>,
): ReadonlyMap<string, readonly string[]> {
  const published = new Map(state.live.map(({ edge, v4, v6 }) => [edge, [v4, v6].filter((a) => a !== null)]));
  const named = edgesOf(files).filter((edge) => isIP(edge) === 0);
  return new Map(
    named.flatMap((edge) => {
      const sample = samples.get(edge);
      const fetched = sample === undefined ? [] : [sample.primary, ...sample.others].filter((fetch) => fetch !== null);
      const known = [
        fetched.map(({ address }) => address),
        state.addresses.get(edge) ?? [],
        published.get(edge) ?? [],
      ].find((addresses) => addresses.length > 0);
      return known === undefined ? [] : [[edge, known] as const];
    }),
  );
}
