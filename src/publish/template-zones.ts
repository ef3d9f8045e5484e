/**
 * The zones of a single run, which has no server of ours that keeps them in memory: their include files, read when due.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/types.ts';
import { nameKey } from '../dns/name.ts';
import { type TemplateChanges, zoneSerial } from '../health/pools/next-state.ts';
import type { NetworkState } from '../health/state/network-state.ts';
import { liveAddresses, withCanary } from '../live/addresses.ts';
import { exists } from '../system/atomic-write.ts';
import { systemCode } from '../system/error-text.ts';
import type { Fault } from '../system/fault.ts';
import { ZoneImage } from '../zones/image/image.ts';
import { FileCache } from '../zones/store/file-cache.ts';
import { loadTarget } from '../zones/store/load-target.ts';
import { printSnapshot } from '../zones/write/snapshot.ts';
import { ZoneExporter } from './zone-exporter.ts';
import type { ZoneSource } from './zone-files.ts';

const SUFFIX = '.zone';

/** A zone file that must be written, and under which serial. `mtime`: of its include file, whole seconds. */
export type TemplateZone = {
  readonly name: string;
  readonly template: string;
  readonly mtime: number;
  readonly serial: number;
};

/**
 * Include files of the network by zone, with their times as `zone_mtimes` notes them; none where the network has no
 * folder. Throws the system's error where it cannot be listed: taking that for "no zones" would forget what is out of
 * date.
 */
async function templates(config: Config, network: string): Promise<ReadonlyMap<string, number>> {
  const folder = join(config.zonetemplateDir, network);
  const entries = await readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  const found = new Map<string, number>();
  for (const entry of entries.sort()) {
    if (!entry.endsWith(SUFFIX) || entry.startsWith('.')) continue;
    const stats = await stat(join(folder, entry)).catch(() => null);
    if (stats !== null) found.set(entry.slice(0, -SUFFIX.length), Math.floor(stats.mtimeMs / 1000));
  }
  return found;
}

/** Which zones there are, and whose include files are new or have another time than when their zones were written. */
export async function templateChanges(config: Config, network: string, state: NetworkState): Promise<TemplateChanges> {
  if (config.namedDir === null) return { all: [], changed: [] };
  const found = await templates(config, network);
  const changed = [...found].filter(([name, mtime]) => state.zoneMtimes.get(name) !== mtime).map(([name]) => name);
  return { all: [...found.keys()], changed };
}

/** Zone files to be written in this state: those it notes as out of date, and those that are not there. */
export async function dueZones(config: Config, network: string, state: NetworkState): Promise<readonly TemplateZone[]> {
  // Nothing was ever live: a zone without its addresses is worse than none (specification 12.4).
  if (config.namedDir === null || state.live.length === 0) return [];
  const exporter = new ZoneExporter(config.namedDir);
  const due: TemplateZone[] = [];
  for (const [name, mtime] of await templates(config, network)) {
    if (!state.pendingZones.has(name) && (await exists(exporter.pathOf(name)))) continue;
    const template = join(config.zonetemplateDir, network, `${name}${SUFFIX}`);
    due.push({ name, template, mtime, serial: zoneSerial(state, name) });
  }
  return due;
}

/**
 * The zone files that a single run has to write, made from the include files. One that does not load keeps its old
 * file.
 */
export function templateZones(): ZoneSource {
  return {
    due: async ({ config, network, update }) => {
      if (update === null || network === null) return { zones: [], faults: [] };
      const due = await dueZones(config, network, update.state);
      const faults: Fault[] = [];
      const files = new FileCache();
      const zones = due.flatMap((zone) => {
        const text = zoneText(config, network, update.state, zone, files, faults);
        const { name, mtime, serial } = zone;
        return text === null ? [] : [{ name, print: () => ({ text, mtime, serial }) }];
      });
      return { zones, faults };
    },
  };
}

/** The zone's text; null, with faults, where its include file is no good. */
function zoneText(
  config: Config,
  network: string,
  state: NetworkState,
  { name, template, serial }: TemplateZone,
  files: FileCache,
  faults: Fault[],
): string | null {
  const origin = nameKey(name);
  if (origin === null) {
    const at = { file: template, line: 1, col: 1, text: '' };
    faults.push({ severity: 'error', code: 'zone-name', at, message: `"${name}" is no zone's name` });
    return null;
  }
  const { zonetemplateDir, zoneFiles } = config;
  const target = { origin, name, network, file: template, includeRoot: zonetemplateDir, zoneFiles, listed: false };
  const loaded = loadTarget(target, config.dns, files);
  faults.push(...loaded.faults);
  if (loaded.good === null) return null;
  const canary = state.memory.activeCanaries.find(({ zone }) => zone === name);
  const live = canary === undefined ? liveAddresses(state.live) : withCanary(state.live, canary);
  return printSnapshot(ZoneImage.attach(loaded.good.compile(0)), live, serial);
}
