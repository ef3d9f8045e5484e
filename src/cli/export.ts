import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { faultsOf, readNetworks } from '../app/read-networks.ts';
import { zoneSettings } from '../app/zones-part.ts';
import { loadConfig } from '../config/load.ts';
import { forNetwork } from '../config/paths.ts';
import type { Config } from '../config/types.ts';
import { count } from '../health/judge/reason.ts';
import type { NetworkState } from '../health/state/network-state.ts';
import { readState } from '../health/state/state-file-io.ts';
import { LiveRRsets } from '../live/live-rrsets.ts';
import { liveOf } from '../live/network-live.ts';
import { printServed } from '../publish/served-zones.ts';
import { ZoneExporter } from '../publish/zone-exporter.ts';
import { type Fault, hasErrors } from '../system/fault.ts';
import { makeFolder } from '../system/make-folder.ts';
import { FILE_MAX, readFile } from '../system/read-file.ts';
import { serialLedgerPath } from '../zones/store/serial-ledger.ts';
import { ZoneStore } from '../zones/store/store.ts';
import type { ZoneEntry } from '../zones/store/types.ts';
import { endWith, networksCommand, printFaults, refusedAlone } from './command-line.ts';
import { differenceText, zoneDifference } from './export-diff.ts';
import { NO_PROGRESS, progress } from './progress.ts';

type ExportFlags = {
  readonly config: string;
  readonly dnet?: string[];
  readonly check?: true;
  readonly dryRun?: true;
  readonly quiet?: true;
};

/** Record lines shown of one zone. */
const LINES_MAX = 40;
const run = promisify(execFile);

/**
 * `edgewise export`: writes every zone as it is answered to `named_dir`. Exit status 1 when a zone could not be
 * written.
 */
export function exportCommand(): Command {
  return networksCommand('export')
    .description('write all zones of the networks to named_dir, with the live sets that were decided last')
    .option('--check', 'write only what named-checkzone accepts')
    .option('-n, --dry-run', 'only print what differs from the files that are there')
    .option('-q, --quiet', 'do not print what differs')
    .action(async (flags: ExportFlags) => {
      await endWith(() => exportZones(flags));
    });
}

async function exportZones(flags: ExportFlags): Promise<number> {
  const { config, faults } = loadConfig(flags.config);
  if (config === null) return failWith(faults);
  const folder = config.namedDir;
  const alone = flags.dryRun === true ? null : refusedAlone(config);
  if (alone !== null) return failWith([...faults, fault(alone)]);
  if (folder === null) {
    return failWith([...faults, fault('no named_dir is configured, so there is nowhere to write to')]);
  }
  const lists = readNetworks(config, flags.dnet ?? []);
  const listFaults = faultsOf(lists);
  if (hasErrors([...faults, ...listFaults])) return failWith([...faults, ...listFaults]);
  const networks = [...lists.networks.keys()];

  const live = new LiveRRsets();
  const work = await mkdtemp(join(tmpdir(), 'edgewise-export-'));
  try {
    const missing = await readLive(config, networks, live);
    const {
      entries,
      faults: zoneFaults,
      hasSerials,
    } = await loadZones(config, networks, live, work, flags.quiet === true);
    printFaults([...missing, ...zoneFaults]);
    // Where neither a server nor a run has given contents serials of their own, a zone has its network's.
    const texts = (entry: ZoneEntry): string => printServed(entry, live, hasSerials).text;
    const result = await writeAll(entries, texts, folder, work, flags);
    const { written, unchanged, failed } = result;
    const verb = flags.dryRun === true ? 'differ' : 'written';
    process.stdout.write(
      `${count(entries.length, 'zone')}: ${written} ${verb}, ${unchanged} unchanged, ${failed} failed\n`,
    );
    return failed > 0 || hasErrors([...missing, ...zoneFaults]) ? 1 : 0;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function failWith(faults: readonly Fault[]): number {
  printFaults(faults);
  return 1;
}

/** Publishes each network's saved live set to `live`. Faults: networks that never had one. */
async function readLive(config: Config, networks: readonly string[], live: LiveRRsets): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  for (const network of networks) {
    live.register(network);
    const { state, faults: stateFaults } = await readState(forNetwork(config.statefile, network), 0, true);
    faults.push(...stateFaults);
    if (state.live.length === 0) {
      const why =
        state.memory.lastLive.length === 0
          ? 'no edge was ever live'
          : 'edgemanage saved the names of the live edges without their addresses, and no round was made since';
      faults.push(fault(`${network}: ${why}, so its zones cannot be written`));
    }
    live.publish(network, liveOf(withSerial(state)));
  }
  return faults;
}

/** A state that edgemanage wrote has no serial. No zone that it wrote has one above the time of its last run. */
function withSerial(state: NetworkState): NetworkState {
  if (state.serial !== 0 || state.live.length === 0) return state;
  return { ...state, serial: Math.max(1, Math.floor(state.lastRun ?? 0)) };
}

/**
 * The zones of the networks. The serials are looked up in a copy: nothing was shown to anybody under those that are given here.
 */
async function loadZones(
  config: Config,
  networks: readonly string[],
  live: LiveRRsets,
  work: string,
  quiet: boolean,
): Promise<{
  readonly entries: readonly ZoneEntry[];
  readonly faults: readonly Fault[];
  readonly hasSerials: boolean;
}> {
  const serialFile = join(work, 'edgewise-zones.json');
  const serials = await readFile(serialLedgerPath(config.stateDir), FILE_MAX.zones);
  if (serials.ok) await writeFile(serialFile, serials.octets);
  const hasSerials = serials.ok;
  const reading = quiet ? NO_PROGRESS : progress('zones read', 0);
  const store = new ZoneStore({
    settings: zoneSettings(config, networks),
    serialFile,
    liveSerial: (network, origin) => live.versionOf(network, origin)?.serial ?? 0,
    // A content that was never served gets the serial after all that were, the same at every export.
    now: () => 0,
    onChange: () => undefined,
    onProgress: (looked, of) => reading.at(looked, of),
  });
  await store.load();
  reading.clear();
  const all = store.entries().filter(({ network }) => network !== null);
  await store.close();
  const entries = all.filter(({ image, network, origin }) => {
    return image !== null && (live.versionOf(network, origin)?.serial ?? 0) !== 0;
  });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { entries, faults: [...store.faults(), ...all.flatMap((zone) => zone.faults)], hasSerials };
}

async function writeAll(
  entries: readonly ZoneEntry[],
  texts: (entry: ZoneEntry) => string,
  folder: string,
  work: string,
  { check, dryRun, quiet }: ExportFlags,
): Promise<{ readonly written: number; readonly unchanged: number; readonly failed: number }> {
  const exporter = new ZoneExporter(folder);
  const counts = { written: 0, unchanged: 0, failed: 0 };
  if (dryRun !== true) await makeFolder(folder);
  const writing =
    quiet === true ? NO_PROGRESS : progress(dryRun === true ? 'zones compared' : 'zones written', entries.length);
  for (const [i, entry] of entries.entries()) {
    writing.at(i);
    const { name } = entry;
    const text = texts(entry);
    const read = await readFile(exporter.pathOf(name), FILE_MAX.zone);
    const before = read.ok ? read.octets.toString('utf8') : null;
    if (before === text) {
      counts.unchanged++;
      continue;
    }
    writing.clear();
    if (quiet !== true) process.stdout.write(differenceText(name, zoneDifference(before, text), LINES_MAX));
    const refusal = check === true ? await checkZone(name, text, work) : null;
    const summary = refusal !== null || dryRun === true ? null : await exporter.export([{ name, text: () => text }]);
    const trouble = refusal ?? summary?.failed[0]?.message ?? null;
    if (trouble !== null) printFaults([fault(`${name}: ${trouble}`)]);
    counts[trouble === null ? 'written' : 'failed']++;
  }
  writing.clear();
  return counts;
}

/** What named-checkzone says against the text; null: nothing. */
async function checkZone(name: string, text: string, work: string): Promise<string | null> {
  const file = join(work, 'zone');
  await writeFile(file, text);
  try {
    // The addresses of names outside are none of this zone's business.
    await run('named-checkzone', ['-i', 'local', name, file]);
    return null;
  } catch (error) {
    const { code, stdout = '', message } = error as { code?: unknown; stdout?: string; message: string };
    if (code === 'ENOENT') return 'named-checkzone is not installed (Debian: bind9-utils)';
    return `named-checkzone: ${stdout.trim() === '' ? message : stdout.trim()}`;
  }
}

function fault(message: string): Fault {
  return { severity: 'error', code: 'export', at: null, message };
}
