import type { WireName } from '../../dns/name.ts';
import { serialMax } from '../../dns/serial.ts';
import { Guard } from '../../system/guard.ts';
import { SETTLE, type SettleTimes } from '../../system/settling.ts';
import { Turns } from '../../system/turns.ts';
import type { SerialAuthority } from '../agreement/content.ts';
import { AgreedVersions } from './agreed-versions.ts';
import { Publisher } from './publish.ts';
import { ZoneScan } from './scan.ts';
import type { LedgerLock } from './serial-ledger.ts';
import type { LoadSummary, StoreFault, ZoneChange, ZoneEntry, ZoneSettings } from './types.ts';
import { FolderWatch } from './watch.ts';
import type { Counts } from './zone-versions.ts';

export type ZoneStoreOptions = {
  readonly settings: ZoneSettings;
  /** Where serials are remembered, absolute (`<state dir>/edgewise-zones.json`); null: nowhere. */
  readonly serialFile: string | null;
  /** Keeps other processes from writing that file meanwhile. Unless given, there are none. */
  readonly serialLock?: () => LedgerLock | null;
  /** The highest serial that the live set gave this zone so far, or is about to; 0: none. */
  readonly liveSerial: (network: string, origin: WireName) => number;
  /** Epoch seconds. */
  readonly now: () => number;
  /** Called with what the answering threads must know, after the serials in it are durable. */
  readonly onChange: (changes: readonly ZoneChange[]) => void;
  /**
   * Called after each attempt that found faults in a zone or (null) the store as a whole, and, with none, when they are
   * gone.
   */
  readonly onFaults?: (entry: ZoneEntry | null, faults: readonly StoreFault[]) => void;
  /** Now and then while files are read: how many zones of how many were looked at. */
  readonly onProgress?: (looked: number, of: number) => void;
  /** Who gives contents their serials, where several vantages must have the same; unless given, this process does. */
  readonly authority?: SerialAuthority | null;
  /** For `authority`: as `liveSerial`, of what the zone would have if it were not held. */
  readonly followedSerial?: (network: string, origin: WireName) => number;
  /** Around what the event loop calls. */
  readonly guard?: Guard;
  /** For tests: how long files must be quiet. */
  readonly settle?: SettleTimes;
};

/** So many zones that wait for too long say so each; the others are counted. */
const OVERDUE_MAX = 100;

/** A load or reload waits at most so long for files that are being written. */
const SETTLE_WAIT_MS = 2500;

/**
 * All zones of a configuration: loads them, watches their files, keeps the last good version of those that break, and
 * hands `onChange` what is new. It knows neither slots nor the server. One load, reload or pass runs at a time.
 */
export class ZoneStore {
  private readonly options: ZoneStoreOptions;
  private readonly publisher: Publisher;
  private readonly scan: ZoneScan;
  private readonly turns = new Turns();
  private readonly agreed: AgreedVersions | null;
  private readonly agreeing = new Turns();
  private readonly guard: Guard;
  private storeFaults: readonly StoreFault[] = [];
  private folderWatch: FolderWatch | null = null;
  private closed = false;
  private newestLoad: ZoneStore['lastLoad'] = null;

  constructor(options: ZoneStoreOptions) {
    this.options = options;
    this.guard = options.guard ?? new Guard({ report: () => undefined, now: options.now });
    this.publisher = new Publisher({
      serialFile: options.serialFile,
      serialLock: options.serialLock ?? (() => null),
      liveSerial: options.liveSerial,
      now: options.now,
      onChange: (changes) => {
        if (!this.closed) options.onChange(changes);
      },
      onFault: () => options.onFaults?.(null, this.faults()),
    });
    const { authority = null, followedSerial = options.liveSerial } = options;
    this.agreed =
      authority === null
        ? null
        : new AgreedVersions({
            authority,
            publisher: this.publisher,
            liveSerial: followedSerial,
            now: options.now,
          });
    this.scan = new ZoneScan({
      settings: options.settings,
      publisher: this.publisher,
      agreed: this.agreed,
      onFaults: (entry, faults) => options.onFaults?.(entry, faults),
      onProgress: (looked, of) => options.onProgress?.(looked, of),
      inTurn: (work) => this.turns.take(work),
      again: (ms) => this.folderWatch?.again(ms),
      arrival: (path) => this.folderWatch?.arrival(path) ?? null,
      settle: options.settle,
    });
  }

  /**
   * Loads every zone, the first time. Zones are published in batches as they are ready. Never rejects for bad zones.
   */
  load(): Promise<LoadSummary> {
    return this.whole(() => this.publisher.open(), true);
  }

  /** Of the newest `load` or `reload`: when it ended, epoch seconds, and how long it took; null: none has ended yet. */
  get lastLoad(): { readonly at: number; readonly seconds: number } | null {
    return this.newestLoad;
  }

  /** Looks at every file again, whatever its time says, with new settings if given (SIGHUP). */
  reload(settings?: ZoneSettings): Promise<LoadSummary> {
    return this.whole(async () => {
      if (settings !== undefined) this.scan.configure(settings);
    }, false);
  }

  /** Reloads by itself what changes on disk, from now on. */
  watch(): void {
    this.folderWatch ??= new FolderWatch({
      paths: () => this.scan.paths,
      onChange: (changed) => this.turns.take(() => this.pass({ sure: false, removeNow: false, changed })),
      guard: this.guard,
    });
  }

  /**
   * Brings into force what the authority says of these zones, or (null) of those that wait for it; to be called when it
   * says something new of them, before a network's live set is made durable, and after it is published. Resolves when it
   * was handed over, with all that was said before.
   */
  async agree(origins: readonly WireName[] | null = null): Promise<void> {
    const { agreed } = this;
    if (agreed === null) return;
    await this.agreeing.take(async () => {
      if (this.closed) return;
      await this.scan.agree(origins ?? agreed.exceptions());
    });
  }

  /** Says of zones that wait for the authority for too long that they do, and returns their names. */
  overdue(): readonly string[] {
    const origins = this.agreed?.overdue() ?? [];
    this.scan.overdue(origins, OVERDUE_MAX);
    return origins.flatMap((origin) => this.entry(origin)?.name ?? []);
  }

  /** Stops watching and loading. The changes of a load that is under way are not published any more. */
  async close(): Promise<void> {
    this.closed = true;
    this.folderWatch?.close();
    await this.scan.close();
    await this.turns.idle();
  }

  /** Zones there are, broken ones too. */
  get size(): number {
    return this.scan.zones.size;
  }

  /** In no order that means anything. */
  entries(): ZoneEntry[] {
    return [...this.scan.zones.values()];
  }

  entry(origin: WireName): ZoneEntry | null {
    return this.scan.zones.get(origin) ?? null;
  }

  /** What is wrong apart from single zones: folders, doubled zones, the file of serials. */
  faults(): readonly StoreFault[] {
    const { fault } = this.publisher;
    return fault === null ? this.storeFaults : [...this.storeFaults, fault];
  }

  /** The highest serial of a network's zones, those about to be published included; 0: it has none. */
  maxSerial(network: string): number {
    let highest = 0;
    for (const { network: its, origin, served } of this.scan.zones.values()) {
      if (its !== network || served === null) continue;
      // What nobody agreed upon claims no serial, and the zone may have had one.
      const serial = served.standing === 'unagreed' ? this.publisher.serialOf(origin) : served.serial;
      highest = serialMax(highest, serial);
    }
    return highest;
  }

  /** The serial of the content that earlier runs served last of a zone, if it was of this network; null: not known. */
  servedBefore(origin: WireName, network: string | null): number | null {
    return this.publisher.servedBefore(origin, network);
  }

  /** One complete look at everything, large zones included, and at files that are being written once they are whole. */
  private async whole(before: () => Promise<void>, first: boolean): Promise<LoadSummary> {
    const start = performance.now();
    const counts: Counts = { loaded: 0, unchanged: 0, failed: 0, removed: 0 };
    await this.turns.take(async () => {
      this.scan.counts = counts;
      await before();
      await this.pass({ sure: true, removeNow: true, first });
    });
    await this.scan.backgroundDone();
    const until = start + SETTLE_WAIT_MS;
    while (this.scan.unsettled > 0 && !this.closed && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, (this.options.settle ?? SETTLE).quietMs / 8));
      await this.turns.take(async () => {
        const again: Counts = { loaded: 0, unchanged: 0, failed: 0, removed: 0 };
        this.scan.counts = again;
        await this.pass({ sure: false, removeNow: false, first });
        counts.unchanged -= again.loaded + again.failed;
        counts.loaded += again.loaded;
        counts.failed += again.failed;
      });
      await this.scan.backgroundDone();
    }
    const summary = { ...counts, seconds: (performance.now() - start) / 1000 };
    this.newestLoad = { seconds: summary.seconds, at: this.options.now() };
    return summary;
  }

  private async pass(how: Parameters<ZoneScan['pass']>[0]): Promise<void> {
    if (this.closed) return;
    await this.scan.pass(how);
    const { folderFaults } = this.scan;
    const same = JSON.stringify(folderFaults) === JSON.stringify(this.storeFaults);
    this.storeFaults = folderFaults;
    if (!same) this.options.onFaults?.(null, this.faults());
    if (this.scan.unsettled === 0) this.folderWatch?.forgetArrivals();
    this.folderWatch?.refresh();
  }
}
