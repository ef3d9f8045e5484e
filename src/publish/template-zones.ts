/**
 * The zones of a single run, which has no server of ours that keeps them in memory: their include files, read when due.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/types.ts';
import { nameKey, type WireName } from '../dns/name.ts';
import { serialMax } from '../dns/serial.ts';
import { type TemplateChanges, zoneSerial } from '../health/pools/next-state.ts';
import type { LiveUpdate, RoundReport } from '../health/pools/round-types.ts';
import type { NetworkState } from '../health/state/network-state.ts';
import { liveAddresses, withCanary } from '../live/addresses.ts';
import { systemCode } from '../system/error-text.ts';
import { type Fault, plainFault } from '../system/fault.ts';
import { FILE_MAX, readFile } from '../system/read-file.ts';
import { exists } from '../system/set-aside.ts';
import { ZoneImage } from '../zones/image/image.ts';
import type { LiveAddresses } from '../zones/image/live-version.ts';
import { FileCache } from '../zones/store/file-cache.ts';
import { loadTarget } from '../zones/store/load-target.ts';
import { type SerialLedger, serialLedgerPath } from '../zones/store/serial-ledger.ts';
import { printSnapshot } from '../zones/write/snapshot.ts';
import type { Change } from './sink.ts';
import { ZoneExporter } from './zone-exporter.ts';
import type { DueZone, PrintedZone, ZoneSource } from './zone-files.ts';

const SUFFIX = '.zone';
/** In a zone file as we, and edgemanage, write it. */
const SOA_SERIAL = /\sSOA\s+\S+\s+\S+\s+\(?\s*(\d{1,10})\s/;

/** A zone file that must be written. `mtime`: of its include file, whole seconds. */
export type TemplateZone = { readonly name: string; readonly template: string; readonly mtime: number };

export type TemplateZonesOptions = {
  readonly config: Config;
  readonly network: string;
  /** Gives the contents their serials, as in a server. */
  readonly ledger: SerialLedger;
  /** The network's newest state, which may not be durable yet. */
  readonly newest: () => NetworkState;
  /** Epoch seconds. */
  readonly now: () => number;
  /** What an include file says that keeps no zone from being written. */
  readonly onWarning?: (fault: Fault) => void;
};

/** An include file that was read. */
type LoadedZone = TemplateZone & {
  readonly origin: WireName;
  readonly hash: string;
  /** With any serial. */
  readonly image: SharedArrayBuffer;
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
async function dueZones(config: Config, network: string, state: NetworkState): Promise<readonly TemplateZone[]> {
  // Nothing was ever live: a zone without its addresses is worse than none (specification 12.4).
  if (config.namedDir === null || state.live.length === 0) return [];
  const exporter = new ZoneExporter(config.namedDir);
  const due: TemplateZone[] = [];
  for (const [name, mtime] of await templates(config, network)) {
    if (!state.pendingZones.has(name) && (await exists(exporter.pathOf(name)))) continue;
    due.push({ name, template: join(config.zonetemplateDir, network, `${name}${SUFFIX}`), mtime });
  }
  return due;
}

/**
 * The zone files that a single run has to write, made from the include files. One that does not load keeps its old
 * file.
 */
export class TemplateZones implements ZoneSource {
  private readonly options: TemplateZonesOptions;
  private latest: LiveUpdate | null = null;
  /** Of each zone that this process made a file of: the include file's time, and the serial of the live set. */
  private readonly given = new Map<string, { readonly mtime: number; readonly liveSerial: number }>();

  constructor(options: TemplateZonesOptions) {
    this.options = options;
  }

  /**
   * An update came into force. What is due from now on is written as it says, under serials above its own, whichever
   * update made it due: of two versions of a zone each has a serial of its own.
   */
  published(update: LiveUpdate): void {
    this.latest = update;
  }

  async due({
    update: only,
  }: Change): Promise<{ readonly zones: readonly DueZone[]; readonly faults: readonly Fault[] }> {
    const { config, network, ledger, now, onWarning } = this.options;
    const update = this.latest ?? only;
    if (update === null) return { zones: [], faults: [] };
    const due = await dueZones(config, network, update.state);
    const { zones, faults: all } = load(config, network, due);
    // A warning is no failure: what fails is tried again.
    const faults = all.filter(({ severity }) => severity === 'error');
    for (const fault of all) if (fault.severity === 'warning') onWarning?.(fault);
    const floors = await this.floors(zones);
    const unsaved = new Set<string>();
    let serials: ReadonlyMap<string, number> = new Map();
    let shown = update;
    const problem = await ledger.change(now(), () => {
      shown = this.latest ?? update;
      serials = this.serialsOf(zones, shown, floors);
    });
    const damage = ledger.takeDamage();
    const file = serialLedgerPath(config.stateDir);
    if (problem !== null) {
      for (const { name } of zones) unsaved.add(name);
      const message = `cannot remember the zones' serials in ${file}: ${problem}. The zone files are written all the same`;
      faults.push(plainFault('serials-unwritable', message));
    }
    const { state } = shown;
    const print = ({ name, mtime, image }: LoadedZone): PrintedZone => {
      const [own, serial] = [serials.get(name) ?? 0, zoneSerial(state, name)];
      const text = printSnapshot(ZoneImage.attach(image), liveOfZone(state, name), serialMax(own, serial));
      return { text, mtime, serial, ...(unsaved.has(name) ? { unsaved: own } : {}) };
    };
    return {
      zones: zones.map((zone) => ({ name: zone.name, print: () => print(zone) })),
      faults: damage === null ? faults : [...faults, damage],
    };
  }

  /** For a dry run: the files that would be written, and under which serials. */
  async planned(report: RoundReport): Promise<readonly { readonly name: string; readonly serial: number }[]> {
    const { config, network } = this.options;
    const { zones } = load(config, network, await dueZones(config, network, report.state));
    const serials = this.serialsOf(zones, report, await this.floors(zones));
    return zones.map(({ name }) => ({
      name,
      serial: serialMax(serials.get(name) ?? 0, zoneSerial(report.state, name)),
    }));
  }

  /** Serials in the files of zones that the ledger does not know: it was lost, or edgemanage itself wrote them. */
  private async floors(zones: readonly LoadedZone[]): Promise<ReadonlyMap<string, number>> {
    const { config, ledger } = this.options;
    const floors = new Map<string, number>();
    if (config.namedDir === null) return floors;
    const exporter = new ZoneExporter(config.namedDir);
    for (const { name, origin } of zones) {
      if (ledger.serialOf(origin) !== 0) continue;
      const read = await readFile(exporter.pathOf(name), FILE_MAX.zone);
      const found = read.ok ? SOA_SERIAL.exec(read.octets.toString('latin1')) : null;
      const serial = Number(found?.[1] ?? 0);
      if (serial < 2 ** 32) floors.set(name, serial);
    }
    return floors;
  }

  /** The contents' serials. One that is new with the live set has the live set's. */
  private serialsOf(
    zones: readonly LoadedZone[],
    update: RoundUpdate,
    floors: ReadonlyMap<string, number>,
  ): ReadonlyMap<string, number> {
    const { network, ledger, newest, now } = this.options;
    const { state, liveChanged, canaryZones } = update;
    const changed = new Set(canaryZones);
    return new Map(
      zones.map(({ name, origin, hash, mtime }) => {
        const shown = zoneSerial(state, name);
        const liveSerial = zoneSerial(newest(), name);
        const before = this.given.get(name);
        const { serial } = ledger.serialFor(origin, network, hash, {
          liveSerial,
          now: now(),
          floor: floors.get(name) ?? 0,
          isNewLive: (liveChanged || changed.has(name)) && liveSerial === shown && liveSerial !== before?.liveSerial,
          renew: (before?.mtime ?? state.zoneMtimes.get(name)) !== mtime,
          returns: true,
        });
        this.given.set(name, { mtime, liveSerial });
        return [name, serial];
      }),
    );
  }
}

type RoundUpdate = Pick<LiveUpdate, 'state' | 'liveChanged' | 'canaryZones'>;

/** Include files that are no good are faults. */
function load(
  config: Config,
  network: string,
  due: readonly TemplateZone[],
): { readonly zones: readonly LoadedZone[]; readonly faults: Fault[] } {
  const files = new FileCache();
  const faults: Fault[] = [];
  const zones: LoadedZone[] = [];
  const { zonetemplateDir, zoneFiles } = config;
  for (const zone of due) {
    const { name, template } = zone;
    const origin = nameKey(name);
    if (origin === null) {
      const at = { file: template, line: 1, col: 1, text: '' };
      faults.push({ severity: 'error', code: 'zone-name', at, message: `"${name}" is no zone's name` });
      continue;
    }
    const target = { origin, name, network, file: template, includeRoot: zonetemplateDir, zoneFiles, listed: false };
    const { good, faults: its } = loadTarget(target, config.dns, files);
    faults.push(...its);
    if (good !== null) zones.push({ ...zone, origin, hash: good.hash, image: good.compile(0) });
  }
  return { zones, faults };
}

function liveOfZone(state: NetworkState, name: string): LiveAddresses {
  const canary = state.memory.activeCanaries.find(({ zone }) => zone === name);
  return canary === undefined ? liveAddresses(state.live) : withCanary(state.live, canary);
}
