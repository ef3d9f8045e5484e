import { readdirSync } from 'node:fs';
import type { Config } from '../config/types.ts';
import type { WireName } from '../dns/name.ts';
import type { LiveRRsets } from '../live/live-rrsets.ts';
import { zoneFaultText } from '../server/control/views/status-view.ts';
import { systemCode } from '../system/error-text.ts';
import { type Fault, formatFault, hasErrors, plainFault } from '../system/fault.ts';
import type { Guard } from '../system/guard.ts';
import { ioProblem } from '../system/io-problem.ts';
import type { Locks } from '../system/lock.ts';
import type { Log } from '../system/log-events.ts';
import type { SerialAuthority } from '../zones/agreement/content.ts';
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
  /** Where several vantages must give one serial to one content; null: we give serials alone. */
  readonly authority: SerialAuthority | null;
};

/** A hundred zones changed in one way are one line too. */
const ZONES_NAMED = 5;

const OVERDUE_LOOK_MS = 5000;

/** The zones: loaded at the start and at a reload, watched in between by whoever calls `store.watch`. */
export class ZonesPart {
  readonly part: Part;
  readonly store: ZoneStore;
  /** Whether anybody may have copies of zones. */
  private hasTransfers: boolean;
  private readonly settled: () => Promise<void>;
  private readonly guard: Guard;
  /** Zones of which the authority says something new. */
  private toAgree = new Set<WireName>();
  private agreeing: Promise<void> | null = null;
  private overdueTimer: NodeJS.Timeout | null = null;
  private overdue: readonly string[] = [];

  constructor(options: ZonesPartOptions) {
    const { config, dryRun, live, locks, log, guard, first, networks, onChange, settled, authority } = options;
    const serialFile = serialLedgerPath(config.stateDir);
    const store = new ZoneStore({
      settings: zoneSettings(config, first),
      serialFile: dryRun ? null : serialFile,
      serialLock: () => {
        const held = locks();
        return held === null ? null : ledgerLock(held, serialFile);
      },
      liveSerial: (network, origin) => live.versionOf(network, origin)?.serial ?? 0,
      authority: dryRun ? null : authority,
      followedSerial: (network, origin) => live.followedVersion(network, origin).serial,
      now: () => Date.now() / 1000,
      guard,
      onChange,
      onFaults: (entry, faults) => {
        const of = entry === null ? {} : { zone: entry.name, network: entry.network, file: entry.file };
        if (faults.length === 0) {
          const text = `${entry === null ? 'zones' : `zone ${entry.name}`}: all well again`;
          log('info', text, { event: 'zone.recovered', ...of });
        } else if (entry !== null) {
          log(hasErrors(faults) ? 'error' : 'warn', zoneFaultText(entry), { event: 'zone.fault', ...of });
        } else for (const fault of faults) log(hasErrors([fault]) ? 'error' : 'warn', formatFault(fault), 'zone.fault');
      },
    });
    this.store = store;
    this.settled = settled;
    this.guard = guard;
    this.hasTransfers = config.transfer.allow.length > 0;
    this.part = part('zones', {
      start: async () => {
        const { loaded, failed, seconds } = await store.load();
        log('info', 'zones loaded', { event: 'zones.loaded', loaded, failed, duration_seconds: seconds });
        if (authority !== null && !dryRun) {
          this.overdueTimer = setInterval(
            guard.protect('zones', () => this.lookForOverdue()),
            OVERDUE_LOOK_MS,
          );
        }
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
          const { loaded, unchanged, failed, seconds: duration_seconds } = summary;
          log('info', 'reloaded', { event: 'config.reloaded', loaded, unchanged, failed, duration_seconds });
        });
      },
      stop: async () => {
        if (this.overdueTimer !== null) clearInterval(this.overdueTimer);
        await store.close();
      },
      faults: () => [...this.ambiguousSerials(), ...this.notAgreed()],
    });
  }

  /** Other contents of these zones are in force on the vantages. They come by hundreds, and are taken over together. */
  contentsInForce(origins: readonly WireName[]): void {
    for (const origin of origins) this.toAgree.add(origin);
    this.guard.run('zones', this.agree());
  }

  /**
   * Brings into force what is known to be, and resolves when every thread answers by it: before a live set that was stored
   * after it is made durable, and after that was published, since a content may wait for the set before it.
   */
  async agreed(): Promise<void> {
    await this.agree();
    await this.store.agree();
    await this.settled();
  }

  private async agree(): Promise<void> {
    while (this.toAgree.size > 0 || this.agreeing !== null) {
      this.agreeing ??= this.agreeNow().finally(() => {
        this.agreeing = null;
      });
      await this.agreeing;
    }
  }

  private async agreeNow(): Promise<void> {
    const origins = [...this.toAgree];
    this.toAgree = new Set();
    await this.store.agree(origins);
    await this.settled();
  }

  private lookForOverdue(): void {
    this.overdue = this.store.overdue();
  }

  /** Zones that wait for other vantages for long. */
  private notAgreed(): readonly string[] {
    if (this.overdue.length === 0) return [];
    const names = this.overdue.slice(0, ZONES_NAMED).join(', ');
    const more = this.overdue.length > ZONES_NAMED ? ` and ${this.overdue.length - ZONES_NAMED} more` : '';
    return [
      `zones: of ${names}${more} not every vantage has the same content, so what is served of them is not what is in ` +
        'force, or waits to be; the zones say each what they wait for',
    ];
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
