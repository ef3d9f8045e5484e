/** Zone files for a name server beside us, written by a single run: no server of ours keeps the zones in memory. */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/types.ts';
import { nameKey } from '../dns/name.ts';
import { type ZoneNews, zoneSerial } from '../health/pools/next-state.ts';
import type { Published } from '../health/pools/round-types.ts';
import type { NetworkState } from '../health/state/state-file.ts';
import { liveAddresses, withCanary } from '../live/addresses.ts';
import { type ExportItem, ZoneExporter } from '../publish/zone-exporter.ts';
import { exists } from '../system/atomic-write.ts';
import { systemCode } from '../system/error-text.ts';
import type { Fault } from '../system/fault.ts';
import { makeFolder } from '../system/make-folder.ts';
import { ZoneImage } from '../zones/image/image.ts';
import { FileCache } from '../zones/store/file-cache.ts';
import { loadTarget } from '../zones/store/load-target.ts';
import { printSnapshot } from '../zones/write/snapshot.ts';

const SUFFIX = '.zone';

/** A zone file that must be written, and under which serial. `mtime`: of its include file, whole seconds. */
export type DueZone = {
  readonly name: string;
  readonly template: string;
  readonly mtime: number;
  readonly serial: number;
};

/**
 * Include files of the network by zone, with their times as `zone_mtimes` notes them; none where the network has no folder.
 * Throws the system's error where it cannot be listed: taking that for "no zones" would forget what is out of date.
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
export async function zoneNews(config: Config, network: string, state: NetworkState): Promise<ZoneNews> {
  if (config.namedDir === null) return { all: [], changed: [] };
  const found = await templates(config, network);
  const changed = [...found].filter(([name, mtime]) => state.zoneMtimes.get(name) !== mtime).map(([name]) => name);
  return { all: [...found.keys()], changed };
}

/** Zone files to be written in this state: those it notes as out of date, and those that are not there. */
export async function dueZones(config: Config, network: string, state: NetworkState): Promise<readonly DueZone[]> {
  // Nothing was ever live: a zone without its addresses is worse than none (specification 12.4).
  if (config.namedDir === null || state.live.length === 0) return [];
  const exporter = new ZoneExporter(config.namedDir);
  const due: DueZone[] = [];
  for (const [name, mtime] of await templates(config, network)) {
    if (!state.pendingZones.has(name) && (await exists(exporter.pathOf(name)))) continue;
    const template = join(config.zonetemplateDir, network, `${name}${SUFFIX}`);
    due.push({ name, template, mtime, serial: zoneSerial(state, name) });
  }
  return due;
}

/**
 * Writes the zone files that are due. A zone that does not load keeps its old file and stays noted as out of date; times
 * of include files are noted only where the zone was written (specification 12.8).
 */
export async function writeZones(config: Config, network: string, state: NetworkState): Promise<Published> {
  const due = await dueZones(config, network, state);
  const { namedDir } = config;
  if (namedDir === null || due.length === 0) return { wrote: false, files: null, faults: [] };
  const faults: Fault[] = [];
  await makeFolder(namedDir);
  const exporter = new ZoneExporter(namedDir);
  const book = new FileCache();

  const done = new Map<string, DueZone>();
  const items: ExportItem[] = [];
  for (const zone of due) {
    const text = zoneText(config, network, state, zone, book, faults);
    if (text === null) continue;
    items.push({ name: zone.name, text: () => text });
    done.set(exporter.pathOf(zone.name), zone);
  }
  const summary = await exporter.export(items);
  for (const { file, message } of summary.failed) {
    done.delete(file);
    faults.push(zoneFault('zone-file-write', file, message));
  }

  const zoneMtimes = new Map(state.zoneMtimes);
  const pendingZones = new Set(state.pendingZones);
  for (const { name, mtime } of done.values()) {
    zoneMtimes.set(name, mtime);
    pendingZones.delete(name);
  }
  return { wrote: summary.written.length > 0, files: { zoneMtimes, pendingZones }, faults };
}

/** The zone's text; null, with faults, where its include file is no good. */
function zoneText(
  config: Config,
  network: string,
  state: NetworkState,
  { name, template, serial }: DueZone,
  book: FileCache,
  faults: Fault[],
): string | null {
  const origin = nameKey(name);
  if (origin === null) {
    faults.push(zoneFault('zone-name', template, `"${name}" is no zone's name`));
    return null;
  }
  const { zonetemplateDir, zoneFiles } = config;
  const target = { origin, name, network, file: template, includeRoot: zonetemplateDir, zoneFiles, listed: false };
  const loaded = loadTarget(target, config.dns, book);
  faults.push(...loaded.faults);
  if (loaded.good === null) return null;
  const canary = state.memory.activeCanaries.find(({ zone }) => zone === name);
  const live = canary === undefined ? liveAddresses(state.live) : withCanary(state.live, canary);
  return printSnapshot(ZoneImage.attach(loaded.good.compile(0)), live, serial);
}

function zoneFault(code: 'zone-file-write' | 'zone-name', file: string, message: string): Fault {
  return { severity: 'error', code, at: { file, line: 1, col: 1, text: '' }, message };
}
