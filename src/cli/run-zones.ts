/** Zone files for a name server beside us, written by a single run: no server of ours keeps the zones in memory. */
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/types.ts';
import type { Fault } from '../fault.ts';
import type { Published } from '../health/run-round.ts';
import { zoneSerial } from '../health/run-round-state.ts';
import type { NetworkState } from '../health/state-file.ts';
import { liveAddresses, withCanary } from '../server/live-publish.ts';
import { type ExportItem, ZoneExporter } from '../zones/export.ts';
import { ZoneImage } from '../zones/image.ts';
import { nameKey } from '../zones/name.ts';
import { nextSerial, serialCompare, serialMax } from '../zones/serial.ts';
import { printSnapshot } from '../zones/snapshot.ts';
import { FileBook } from '../zones/zone-store-files.ts';
import { loadTarget } from '../zones/zone-store-load.ts';

const SUFFIX = '.zone';

/** A zone file that must be written, and why. `mtime`: of its include file, whole seconds. */
export type DueZone = {
  readonly name: string;
  readonly template: string;
  readonly mtime: number;
  readonly why: string;
  readonly serial: number;
};

export type ZonePlan = {
  readonly due: readonly DueZone[];
  /** Every zone of the network. */
  readonly names: ReadonlySet<string>;
  readonly faults: readonly Fault[];
};

/**
 * Which zone files of the network are out of date: the live set or their canary has a later serial, their include file's
 * time differs from when they were written, or they are not there. `forceUpdate`: all of them.
 */
export async function planZones(
  config: Config,
  network: string,
  state: NetworkState,
  forceUpdate: boolean,
  now: number,
): Promise<ZonePlan> {
  const folder = join(config.zonetemplateDir, network);
  const faults: Fault[] = [];
  const entries = await readdir(folder).catch((error: unknown) => {
    faults.push(zoneFault('folder-unreadable', folder, error instanceof Error ? error.message : String(error)));
    return [];
  });
  const names = entries
    .filter((entry) => entry.endsWith(SUFFIX) && !entry.startsWith('.'))
    .map((entry) => entry.slice(0, -SUFFIX.length))
    .sort();
  // Nothing was ever live: a zone without its addresses is worse than none (specification 12.4).
  if (config.namedDir === null || state.live.length === 0) return { due: [], names: new Set(names), faults };

  const exporter = new ZoneExporter(config.namedDir);
  const due: DueZone[] = [];
  for (const name of names) {
    const template = join(folder, `${name}${SUFFIX}`);
    const found = await stat(template).catch(() => null);
    if (found === null) continue; // removed since the folder was listed
    const mtime = Math.floor(found.mtimeMs / 1000);
    const isThere = await stat(exporter.pathOf(name)).then(
      () => true,
      () => false,
    );
    const reason = dueReason({ name, mtime, isThere, state, forceUpdate, now });
    if (reason !== null) due.push({ name, template, mtime, ...reason });
  }
  return { due, names: new Set(names), faults };
}

type Asked = {
  readonly name: string;
  readonly mtime: number;
  readonly isThere: boolean;
  readonly state: NetworkState;
  readonly forceUpdate: boolean;
  readonly now: number;
};

function dueReason({ name, mtime, isThere, state, forceUpdate, now }: Asked): Pick<DueZone, 'why' | 'serial'> | null {
  const written = state.fileSerials.get(name) ?? 0;
  const live = zoneSerial(state, name);
  const known = state.zoneMtimes.get(name);
  const next = nextSerial(serialMax(written, live), now);
  const isBehind = written === 0 || serialCompare(written, live) < 0;
  if (known === undefined) return { why: 'not written before', serial: next };
  if (known !== mtime) return { why: 'its include file changed', serial: next };
  if (isBehind && written !== 0) return { why: 'the live set or its canary changed', serial: live };
  if (isBehind) return { why: 'written by edgemanage or a server before', serial: next };
  if (!isThere) return { why: 'its zone file is missing', serial: written };
  return forceUpdate ? { why: '--force-update', serial: next } : null;
}

/**
 * Writes the zone files that are due. A zone that does not load keeps its old file and is tried again by the next run.
 * Nothing is noted of what was not written (specification 12.8).
 */
export async function writeZones(
  config: Config,
  network: string,
  state: NetworkState,
  plan: ZonePlan,
): Promise<Published> {
  const { due, names } = plan;
  const { namedDir } = config;
  if (namedDir === null || due.length === 0) return { wrote: false, files: null, faults: plan.faults };
  const faults: Fault[] = [...plan.faults];
  await mkdir(namedDir, { recursive: true });
  const exporter = new ZoneExporter(namedDir);
  const book = new FileBook();

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

  const zoneMtimes = new Map([...state.zoneMtimes].filter(([name]) => names.has(name)));
  const fileSerials = new Map([...state.fileSerials].filter(([name]) => names.has(name)));
  for (const { name, mtime, serial } of done.values()) {
    zoneMtimes.set(name, mtime);
    fileSerials.set(name, serial);
  }
  return { wrote: summary.written.length > 0, files: { zoneMtimes, fileSerials }, faults };
}

/** The zone's text; null, with faults, where its include file is no good. */
function zoneText(
  config: Config,
  network: string,
  state: NetworkState,
  { name, template, serial }: DueZone,
  book: FileBook,
  faults: Fault[],
): string | null {
  const origin = nameKey(name);
  if (origin === null) {
    faults.push(zoneFault('zone-name', template, `"${name}" is no zone's name`));
    return null;
  }
  const target = { origin, name, network, file: template, includeRoot: config.zonetemplateDir };
  const loaded = loadTarget(target, config.dns, book);
  faults.push(...loaded.faults);
  if (loaded.good === null) return null;
  const canary = state.memory.activeCanaries.find(({ zone }) => zone === name);
  const live = canary === undefined ? liveAddresses(state.live) : withCanary(state.live, canary);
  return printSnapshot(ZoneImage.attach(loaded.good.image), live, serial);
}

function zoneFault(code: 'folder-unreadable' | 'zone-file-write' | 'zone-name', file: string, message: string): Fault {
  return { severity: 'error', code, at: { file, line: 1, col: 1, text: '' }, message };
}
