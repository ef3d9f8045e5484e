import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { listNetworks, readNetworkFiles } from '../config/network-files.ts';
import { forNetwork, isNetworkName } from '../config/paths.ts';
import type { Config, NetworkFiles } from '../config/types.ts';
import { list } from '../health/judge/reason.ts';
import { type Fault, hasErrors, plainFault } from '../system/fault.ts';

/** A network's lists. `files` null: they cannot be used, and an error among `faults` says why. */
export type NetworkList = { readonly files: NetworkFiles | null; readonly faults: readonly Fault[] };

/** The networks to serve: those named, or every one in `edgelist_dir`. */
export type NetworkLists = {
  /** By name. One whose lists cannot be used is served from its saved live set, if it has one. */
  readonly networks: ReadonlyMap<string, NetworkList>;
  /** What concerns no single network. An error here leaves it open what is to be served: no start, no reload. */
  readonly faults: readonly Fault[];
};

/**
 * `served`: networks of a running server; null: it starts. One that is to go loses its zones too, or its list is only
 * missing.
 */
export function readNetworks(
  config: Config,
  named: readonly string[],
  served: readonly string[] | null = null,
): NetworkLists {
  const listed = named.length > 0 ? { networks: [...new Set(named)], faults: [] } : listNetworks(config);
  const faults: Fault[] = [...listed.faults];
  const networks = new Map<string, NetworkList>(
    listed.networks.map((network) => [network, readNetworkFiles(config, network)]),
  );
  if (named.length === 0 && listed.faults.length === 0) {
    for (const [network, fault] of missingLists(config, listed.networks)) {
      // A list that is only lost must not take its network along; at a reload one may be still to come.
      const { message } = fault;
      if (served?.includes(network) === false) {
        faults.push({ ...fault, severity: 'warning', message: `${message}; they are not served` });
        continue;
      }
      const hint =
        served === null ? 'make one, or name the networks to serve (-A)' : 'a network that is to go loses both';
      networks.set(network, { files: null, faults: [{ ...fault, message: `${message}; ${hint}` }] });
    }
  }
  return { networks, faults: [...faults, ...sharedFiles(config, [...networks.keys()])] };
}

/** All that is wrong, of the networks and beside them. */
export function faultsOf({ networks, faults }: NetworkLists): readonly Fault[] {
  return [...[...networks.values()].flatMap((network) => network.faults), ...faults];
}

/**
 * Why a server cannot start with these; none: it can. It needs something to serve: static zones, a network whose lists
 * can be used, or one that has a saved state.
 */
export function startFaults(config: Config, lists: NetworkLists): readonly Fault[] {
  if (hasErrors(lists.faults)) return faultsOf(lists);
  if (config.staticZones.length > 0 || config.staticZoneDir !== null) return [];
  const usable = [...lists.networks].some(([name, { files }]) => files !== null || hasState(config, name));
  if (usable) return [];
  const message =
    lists.networks.size === 0
      ? `${config.edgelistDir}: no edge list there and no static zones: there is nothing to serve`
      : 'no network has lists that can be used or a saved live set, and there are no static zones: there is nothing to serve';
  return [...faultsOf(lists), plainFault('no-networks', message)];
}

function hasState(config: Config, network: string): boolean {
  return isNetworkName(network) && existsSync(forNetwork(config.statefile, network));
}

/** Networks that have zones but no edge list. */
function missingLists({ edgelistDir, zonetemplateDir }: Config, listed: readonly string[]): ReadonlyMap<string, Fault> {
  const missing = namesIn(zonetemplateDir)
    .filter((name) => isNetworkName(name) && !listed.includes(name))
    .filter((name) => namesIn(join(zonetemplateDir, name)).some((file) => file.endsWith('.zone')));
  return new Map(
    missing.map((name) => {
      const where = `${join(edgelistDir, name)}: no such edge list, but ${join(zonetemplateDir, name)} has zones`;
      return [name, plainFault('missing-list', where)];
    }),
  );
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no folder, or a file; what of it is needed is reported where it is read
  }
}

/** Files that several networks would write over each other: a restart would serve one's edges for another. */
function sharedFiles({ file, statefile, liveList }: Config, networks: readonly string[]): readonly Fault[] {
  if (networks.length < 2) return [];
  const paths: readonly (readonly [string, string | null])[] = [
    ['statefile', statefile],
    ['live_list', liveList],
  ];
  return paths
    .filter(([, path]) => path !== null && forNetwork(path, 'a') === forNetwork(path, 'b'))
    .map(([key, path]) =>
      plainFault(
        'shared-file',
        `${file}: ${key}: ${path} would be shared by ${list(networks)}; write {dnet} where the network's name should stand, or serve one of them (-A)`,
      ),
    );
}
