/**
 * The files of one network: its edge lists and its canaries. Read anew for each round, so that edits need no reload.
 */
import { readdirSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { nameKey, type WireName } from '../dns/name.ts';
import { hasErrors, type Span } from '../system/fault.ts';
import { ioProblem } from '../system/io-problem.ts';
import { FILE_MAX, readFileNow } from '../system/read-file.ts';
import { type CanaryFile, parseCanaries } from './canary-file.ts';
import { edgeKey, parseEdgeList, withoutDuplicates } from './edge-list.ts';
import { type ConfigFault, fileFault } from './fault.ts';
import { forNetwork, isNetworkName } from './paths.ts';
import type { SettledLists } from './settled-lists.ts';
import type { Config, NetworkFiles } from './types.ts';

/** `files` is null when a fault is an error: the edge list is missing, or a line of it is no edge. */
export type LoadedNetwork = {
  readonly files: NetworkFiles | null;
  readonly faults: readonly ConfigFault[];
  /** Some file is still being written, and what it held before is in `files`; to be read again after so long. */
  readonly againMs?: number;
};

/**
 * Never throws. The extra list and the canary file may be missing: not every network has them. An address that is both
 * edge and canary stays in `edges` (its mode can be set there), with a warning: it is used as a canary only. `reader`:
 * how files are read that may be changing.
 */
export function readNetworkFiles(
  config: Config,
  network: string,
  reader: Pick<SettledLists, 'read'> = AT_ONCE,
): LoadedNetwork {
  const listFile = join(config.edgelistDir, network);
  if (!isNetworkName(network)) {
    return { files: null, faults: [fileFault('error', 'bad-value', listFile, `"${network}" is no name of a network`)] };
  }
  const faults: ConfigFault[] = [];
  let againMs = 0;
  const readText = (file: string, need: 'required' | 'optional', what: string): string | null => {
    const read = reader.read(file);
    if (!read.ok) {
      const missing = read.code === 'ENOENT';
      if (need === 'required' || !missing)
        faults.push(fileFault('error', 'unreadable-file', file, `${what}: ${read.message}`));
      return null;
    }
    if ('note' in read) {
      againMs = Math.max(againMs, read.againMs);
      const severity = read.overdue ? 'error' : 'warning';
      faults.push(fileFault(severity, 'unsettled-file', file, `${what}: ${read.note}`));
    }
    return read.text;
  };
  const main = readText(listFile, 'required', 'edge list');
  const extraFile = config.extraEdgelistDir === null ? null : join(config.extraEdgelistDir, network);
  const extra = extraFile === null ? null : readText(extraFile, 'optional', 'extra edge list');
  const lists = [
    main === null ? null : parseEdgeList(listFile, main),
    extra === null || extraFile === null ? null : parseEdgeList(extraFile, extra),
  ].filter((list) => list !== null);
  for (const list of lists) faults.push(...list.faults);
  const unique = withoutDuplicates(lists.flatMap((list) => list.edges));
  faults.push(...unique.faults);
  if (main !== null && unique.edges.length === 0 && !hasErrors(faults)) {
    faults.push(fileFault('warning', 'no-edges', listFile, 'lists no edge'));
  }

  faults.push(...familyFaults(config, network, listFile, unique.edges));

  const canaryFile = config.canaryFiles === null ? null : forNetwork(config.canaryFiles, network);
  const canaryText = canaryFile === null ? null : readText(canaryFile, 'optional', 'canary file');
  const read = canaryText === null || canaryFile === null ? null : parseCanaries(canaryFile, canaryText);
  faults.push(...(read?.faults ?? []));
  const canaries = read === null ? new Map<string, string>() : zoneCanaries(read, zoneNames(config, network), faults);
  faults.push(...canaryEdges(read?.places ?? new Map(), unique.edges));

  const files = hasErrors(faults) ? null : { name: network, edges: unique.edges, canaries };
  return againMs === 0 ? { files, faults } : { files, faults, againMs };
}

/** The network's zones by their include files' names; null: the folder cannot be read. */
function zoneNames({ zonetemplateDir }: Config, network: string): ReadonlyMap<WireName, string> | null {
  const found = new Map<WireName, string>();
  try {
    for (const file of readdirSync(join(zonetemplateDir, network)).sort()) {
      if (!file.endsWith('.zone') || file.startsWith('.')) continue;
      const zone = file.slice(0, -'.zone'.length);
      const key = nameKey(zone);
      if (key !== null && !found.has(key)) found.set(key, zone);
    }
    return found;
  } catch {
    return null;
  }
}

/** Canaries by zone, spelled as the zone's include file is. One for no zone of the network has no effect. */
function zoneCanaries(
  { canaries, zones }: CanaryFile,
  names: ReadonlyMap<WireName, string> | null,
  faults: ConfigFault[],
): ReadonlyMap<string, string> {
  const spelled = new Map<string, string>();
  for (const [written, address] of canaries) {
    const key = nameKey(written);
    const zone = key === null ? undefined : names?.get(key);
    const at = zones.get(written) ?? null;
    if (zone === undefined && names !== null) {
      const message =
        `the canary of ${written} is for no zone of this network (no ${written}.zone): ` +
        'it is tested, and may stand in for an edge as the others do, but nothing answers with it';
      faults.push({ severity: 'warning', code: 'canary-zone', at, message });
    }
    const name = zone ?? written.toLowerCase();
    if (spelled.has(name)) {
      const message = `the canary of ${name} is given twice; the last one counts`;
      faults.push({ severity: 'warning', code: 'canary-zone', at, message });
    }
    spelled.set(name, address);
  }
  return spelled;
}

/** A and AAAA both need an answer, which one edge cannot give where each edge has one family only. */
function familyFaults(config: Config, network: string, file: string, edges: readonly string[]): readonly ConfigFault[] {
  const wanted = config.dnetEdgeCount.get(network) ?? config.edgeCount;
  const families = new Set(edges.map((edge) => isIP(edge)));
  if (wanted > 1 || families.has(0) || families.size < 2) return [];
  const message =
    'lists edges with IPv4 only and edges with IPv6 only, but edge_count is 1; two are live, so that both A and AAAA have an answer';
  return [fileFault('warning', 'families', file, message)];
}

function canaryEdges(places: ReadonlyMap<string, Span>, edges: readonly string[]): readonly ConfigFault[] {
  const listed = new Set(edges.map(edgeKey));
  return Array.from(places)
    .filter(([address]) => listed.has(edgeKey(address)))
    .map(([address, at]) => {
      const message = `${address} is in the edge list too; it is used as a canary only`;
      return { severity: 'warning', code: 'canary-is-edge', at, message };
    });
}

/** For who reads once: whatever the files hold. */
const AT_ONCE: Pick<SettledLists, 'read'> = {
  read: (file) => {
    const read = readFileNow(file, FILE_MAX.config);
    return read.ok ? { ok: true, text: read.octets.toString('utf8') } : read;
  },
};

/**
 * Names of the networks that have an edge list, sorted. Hidden files, editors' and package managers' leavings are none.
 */
export function listNetworks(config: Config): {
  readonly networks: readonly string[];
  readonly faults: readonly ConfigFault[];
} {
  try {
    const networks = readdirSync(config.edgelistDir)
      .filter((name) => isNetworkName(name) && isFile(join(config.edgelistDir, name)))
      .sort();
    return { networks, faults: [] };
  } catch (error) {
    const message = `edgelist_dir: ${ioProblem(error)}`;
    return { networks: [], faults: [fileFault('error', 'unreadable-file', config.edgelistDir, message)] };
  }
}

/** Links to files count; a link to nowhere is reported when the network is read by name, not here. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
