import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { listNetworks, readNetworkFiles } from '../config/network-files.ts';
import { forNetwork, isNetworkName } from '../config/paths.ts';
import type { Config, NetworkFiles } from '../config/types.ts';
import { list } from '../health/judge/reason.ts';
import { type Fault, formatFault, plainFault } from '../system/fault.ts';
import type { ZoneSettings } from '../zones/store/types.ts';

/** The networks to serve with their lists: those named, or every one in `edgelist_dir`. */
export type Networks = { readonly files: ReadonlyMap<string, NetworkFiles>; readonly faults: readonly Fault[] };

/**
 * `served`: networks of a running server; null: it starts. One that is to go loses its zones too, or its list is only
 * missing.
 */
export function readNetworks(
  config: Config,
  named: readonly string[],
  served: readonly string[] | null = null,
): Networks {
  const listed = named.length > 0 ? { networks: [...new Set(named)], faults: [] } : listNetworks(config);
  const faults: Fault[] = [...listed.faults];
  const files = new Map<string, NetworkFiles>();
  for (const network of listed.networks) {
    const read = readNetworkFiles(config, network);
    faults.push(...read.faults);
    if (read.files !== null) files.set(network, read.files);
  }
  if (named.length === 0 && listed.faults.length === 0) {
    faults.push(...missingLists(config, listed.networks, served));
    if (served === null && faults.length === 0 && listed.networks.length === 0 && !hasStaticZones(config)) {
      const message = `${config.edgelistDir}: no edge list there and no static zones: there is nothing to serve`;
      faults.push(plainFault('no-networks', message));
    }
  }
  return { files, faults: [...faults, ...sharedFiles(config, [...files.keys()])] };
}

function hasStaticZones({ staticZones, staticZoneDir }: Config): boolean {
  return staticZones.length > 0 || staticZoneDir !== null;
}

/**
 * Networks that have zones but no edge list: an error at start, where nobody would notice that they are missing; at a
 * reload only if they were there before, so that a network whose list is still to come holds nothing up.
 */
function missingLists(
  { edgelistDir, zonetemplateDir }: Config,
  listed: readonly string[],
  served: readonly string[] | null,
): readonly Fault[] {
  return namesIn(zonetemplateDir)
    .filter((name) => isNetworkName(name) && !listed.includes(name))
    .filter((name) => namesIn(join(zonetemplateDir, name)).some((file) => file.endsWith('.zone')))
    .map((name) => {
      const where = `${join(edgelistDir, name)}: no such edge list, but ${join(zonetemplateDir, name)} has zones`;
      if (served === null) return plainFault('missing-list', `${where}; make one, or name the networks to serve (-A)`);
      return served.includes(name)
        ? plainFault('missing-list', `${where}; a network that is to go loses both`)
        : { ...plainFault('missing-list', `${where}; they are not served`), severity: 'warning' };
    });
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

export function zoneSettings(config: Config, networks: readonly string[]): ZoneSettings {
  const { dns, zonetemplateDir, staticZones, staticZoneDir } = config;
  return { dns, zonetemplateDir, staticZones, staticZoneDir, networks };
}

/** What a running server cannot change on SIGHUP, as the keys the operator knows. */
export function needRestart(was: Config, now: Config): readonly string[] {
  const text = (value: unknown): string => JSON.stringify(value);
  const differs: readonly (readonly [string, unknown, unknown])[] = [
    ['server.listen', was.server.listen, now.server.listen],
    ['server.tls_listen', was.server.tlsListen, now.server.tlsListen],
    ['server.udp_workers', was.server.udpWorkers, now.server.udpWorkers],
    ['server.user', was.server.user, now.server.user],
    ['http.listen', was.http, now.http],
    ['lockfile', was.lockfile, now.lockfile],
    ['statefile', was.statefile, now.statefile],
    ['state_dir', was.stateDir, now.stateDir],
    ['healthdata_store', was.healthdataStore, now.healthdataStore],
    ['logpath', was.logpath, now.logpath],
    ['log_level', was.logLevel, now.logLevel],
    ['named_dir', was.namedDir, now.namedDir],
  ];
  return differs.filter(([, a, b]) => text(a) !== text(b)).map(([key]) => key);
}

export function logFaults(log: (level: 'warn' | 'error', text: string) => void, faults: readonly Fault[]): void {
  for (const fault of faults) log(fault.severity === 'error' ? 'error' : 'warn', formatFault(fault));
}
