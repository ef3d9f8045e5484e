import { readdirSync } from 'node:fs';
import type { Config } from '../config/types.ts';
import type { LiveRRsets } from '../live/live-rrsets.ts';
import { zoneFaultText } from '../server/control/status-view.ts';
import { systemCode } from '../system/error-text.ts';
import { type Fault, formatFault, hasErrors, plainFault } from '../system/fault.ts';
import type { Guard } from '../system/guard.ts';
import { ioProblem } from '../system/io-problem.ts';
import type { Locks } from '../system/lock.ts';
import type { Log } from '../system/log.ts';
import { ledgerLock, serialLedgerPath } from '../zones/store/serial-ledger.ts';
import { ZoneStore } from '../zones/store/store.ts';
import type { ZoneChange, ZoneSettings } from '../zones/store/types.ts';
import { type Part, part, type Reload, ready } from './part.ts';

export type ZonesPartOptions = {
  readonly config: Config;
  readonly dryRun: boolean;
  readonly live: LiveRRsets;
  /** Null: a dry run. */
  readonly locks: () => Locks | null;
  readonly log: Log;
  readonly guard: Guard;
  /** Networks that are served at the start. */
  readonly first: readonly string[];
  /** Those that are served now. */
  readonly networks: () => readonly string[];
  readonly onChange: (changes: readonly ZoneChange[]) => void;
  /** Resolves when every thread answers by what `onChange` said so far. */
  readonly settled: () => Promise<void>;
};

/** A hundred zones changed in one way are one line too. */
const ZONES_NAMED = 5;

/** The zones: loaded at the start and at a reload, watched in between by whoever calls `store.watch`. */
export class ZonesPart {
  readonly part: Part;
  readonly store: ZoneStore;
  /** Whether anybody may have copies of zones. */
  private hasTransfers: boolean;

  constructor({ config, dryRun, live, locks, log, guard, first, networks, onChange, settled }: ZonesPartOptions) {
    const serialFile = serialLedgerPath(config.stateDir);
    const store = new ZoneStore({
      settings: zoneSettings(config, first),
      serialFile: dryRun ? null : serialFile,
      serialLock: () => {
        const held = locks();
        return held === null ? null : ledgerLock(held, serialFile);
      },
      liveSerial: (network, origin) => live.versionOf(network, origin)?.serial ?? 0,
      now: () => Date.now() / 1000,
      guard,
      onChange,
      onFaults: (entry, faults) => {
        if (faults.length === 0) log.info(`${entry === null ? 'zones' : `zone ${entry.name}`}: all well again`);
        else if (entry !== null) log[hasErrors(faults) ? 'error' : 'warn'](zoneFaultText(entry));
        else for (const fault of faults) log[fault.severity === 'error' ? 'error' : 'warn'](formatFault(fault));
      },
    });
    this.store = store;
    this.hasTransfers = config.transfer.allow.length > 0;
    this.part = part('zones', {
      start: async () => {
        const { loaded, failed, seconds } = await store.load();
        log.info({ loaded, failed, seconds }, 'zones loaded');
        return null;
      },
      prepare: async (reload) => {
        const faults = folderFaults(reload);
        if (faults.length > 0) return { ok: false, faults };
        return ready(async () => {
          this.hasTransfers = reload.config.transfer.allow.length > 0;
          // The networks are committed by now: their names are those that are served from now on.
          const summary = await store.reload(zoneSettings(reload.config, networks()));
          // Whoever reads the line may ask at once, and each thread takes over what is new in its own time.
          await settled();
          log.info(summary, 'reloaded');
        });
      },
      stop: () => store.close(),
      faults: () => this.ambiguousSerials(),
    });
  }

  /** Static zones of which secondaries may have other contents under the serial that is served; they never ask again. */
  private ambiguousSerials(): readonly string[] {
    if (!this.hasTransfers) return [];
    const names = this.store
      .entries()
      .filter(({ faults }) => faults.some(({ code }) => code === 'serial-not-raised'))
      .map(({ name }) => name);
    if (names.length === 0) return [];
    const more = names.length > ZONES_NAMED ? ` and ${names.length - ZONES_NAMED} more` : '';
    return [
      `zones: ${names.slice(0, ZONES_NAMED).join(', ')}${more} changed without a higher serial, so secondaries may keep ` +
        'other contents; raise the serial in the file (the log says above what)',
    ];
  }
}

/**
 * Folders of zones that are other ones from now on must be there: with a slip in their name every zone would go. Of one
 * that is the same as before its zones stay, whatever becomes of it.
 */
function folderFaults({ was, config }: Reload): readonly Fault[] {
  const folders = [
    ['zonetemplate_dir', was.zonetemplateDir, config.zonetemplateDir],
    ['static_zone_dir', was.staticZoneDir, config.staticZoneDir],
  ] as const;
  return folders.flatMap(([key, before, folder]) => {
    if (folder === null || folder === before) return [];
    try {
      readdirSync(folder);
      return [];
    } catch (error) {
      const why = systemCode(error) === 'ENOENT' ? 'no such folder' : ioProblem(error);
      return [plainFault('folder-unreadable', `${key}: ${folder}: ${why}`)];
    }
  });
}

/** What of the configuration says which zones there are. */
export function zoneSettings(config: Config, networks: readonly string[]): ZoneSettings {
  const { dns, zonetemplateDir, staticZones, staticZoneDir, zoneFiles } = config;
  return { dns, zonetemplateDir, staticZones, staticZoneDir, zoneFiles, networks };
}
