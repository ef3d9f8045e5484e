import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { stampSerial } from './load-zone.ts';
import type { WireName } from './name.ts';
import { nextSerial, serialCompare, serialMax } from './serial.ts';
import { FolderWatch } from './watch.ts';
import { type Discovery, discoverZones } from './zone-store-discover.ts';
import { FileBook, type FileHash } from './zone-store-files.ts';
import { type LoadResult, loadTarget } from './zone-store-load.ts';
import { SerialBook } from './zone-store-serials.ts';
import type { LoadSummary, StoreFault, ZoneChange, ZoneEntry, ZoneSettings, ZoneTarget } from './zone-store-types.ts';

export type ZoneStoreOptions = {
  readonly settings: ZoneSettings;
  /** Where serials are remembered, absolute (`<state dir>/edgewise-zones.json`); null: nowhere. */
  readonly serialFile: string | null;
  /** The highest serial that the live set gave this zone so far; 0: none. */
  readonly liveSerial: (network: string, origin: WireName) => number;
  /** Epoch seconds. */
  readonly now: () => number;
  /** Called with what the answering threads must be told, after the serials in it are durable. */
  readonly onChange: (changes: readonly ZoneChange[]) => void;
  /** Called when a zone's or (null) the store's faults are other than they were, with none when all is well again. */
  readonly onFaults?: (entry: ZoneEntry | null, faults: readonly StoreFault[]) => void;
};

/** A zone as the store knows it. `target` is where its last attempt to load came from. */
type Zone = {
  readonly number: number;
  target: ZoneTarget;
  /** What of the settings went into the last attempt. */
  key: string;
  files: ReadonlyMap<string, FileHash>;
  faults: readonly StoreFault[];
  failed: boolean;
  /** The version served, or about to be. */
  good: null | { image: SharedArrayBuffer; hash: string; serial: number; records: number; loadedAt: number };
  /** Milliseconds of `performance.now()` since when its file is missing; null: it is there. */
  missingAt: number | null;
};

type Summary = { loaded: number; unchanged: number; failed: number; removed: number };

/** The event loop is given back after this long. */
const SLICE_MS = 5;
/** Zones are published in batches: so many, or what was loaded in so long. */
const BATCH_ZONES = 1000;
const BATCH_MS = 250;
/** An editor that saves by renaming takes the file away for a moment: a zone goes after this long without one. */
const GONE_MS = 300;

/**
 * All zones of a configuration: loads them, watches their files, keeps the last good version of those that break, and
 * tells `onChange` what is new. It neither knows slots nor the server. One load, reload or rescan runs at a time.
 */
export class ZoneStore {
  private readonly options: ZoneStoreOptions;
  private settings: ZoneSettings;
  private dnsKey: string;
  private book: SerialBook | null = null;
  private readonly files = new FileBook();
  private readonly zones = new Map<WireName, Zone>();
  private readonly numbers = new Map<WireName, number>();
  private storeFaults: readonly StoreFault[] = [];
  private bookFault: StoreFault | null = null;
  private batch: ZoneChange[] = [];
  /** Zones of the batch whose serial is new. */
  private readonly raised = new Set<WireName>();
  private batchSince = 0;
  private sliceSince = 0;
  private running: Promise<unknown> = Promise.resolve();
  private folderWatch: FolderWatch | null = null;
  private closed = false;

  constructor(options: ZoneStoreOptions) {
    this.options = options;
    this.settings = options.settings;
    this.dnsKey = JSON.stringify(options.settings.dns);
  }

  /** Loads every zone, the first time. Zones are published in batches as they are ready. Never rejects for bad zones. */
  load(): Promise<LoadSummary> {
    return this.exclusive(async () => {
      const { book, fault } = await SerialBook.open(this.options.serialFile, this.options.now());
      this.book = book;
      this.bookFault = fault;
      return this.scan({ sure: true, removeNow: true });
    });
  }

  /** Looks at every file again, whatever its time says, with new settings if given (SIGHUP). */
  reload(settings?: ZoneSettings): Promise<LoadSummary> {
    return this.exclusive(() => {
      if (settings !== undefined) {
        this.settings = settings;
        this.dnsKey = JSON.stringify(settings.dns);
      }
      return this.scan({ sure: true, removeNow: true });
    });
  }

  /** Reloads by itself what changes on disk, from now on. */
  watch(): void {
    this.folderWatch ??= new FolderWatch({
      folders: () => this.folders(),
      onNews: () => this.exclusive(() => this.scan({ sure: false, removeNow: false })),
    });
  }

  /** Stops watching. The changes of a load that is under way are not published any more. */
  async close(): Promise<void> {
    this.closed = true;
    this.folderWatch?.close();
    await this.running;
  }

  /** In no order that means anything. */
  entries(): ZoneEntry[] {
    return Array.from(this.zones, ([origin, zone]) => entryOf(origin, zone));
  }

  entry(origin: WireName): ZoneEntry | null {
    const zone = this.zones.get(origin);
    return zone === undefined ? null : entryOf(origin, zone);
  }

  /** What is wrong apart from single zones: folders, doubled zones, the file of serials. */
  faults(): readonly StoreFault[] {
    return this.bookFault === null ? this.storeFaults : [...this.storeFaults, this.bookFault];
  }

  /** The highest serial of a network's zones, those about to be published included; 0: it has none. */
  maxSerial(network: string): number {
    let highest = 0;
    for (const { target, good } of this.zones.values()) {
      if (target.network === network && good !== null) highest = serialMax(highest, good.serial);
    }
    return highest;
  }

  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.running.then(work);
    this.running = result.catch(() => {});
    return result;
  }

  private async scan({
    sure,
    removeNow,
  }: {
    readonly sure: boolean;
    readonly removeNow: boolean;
  }): Promise<LoadSummary> {
    const start = performance.now();
    const summary: Summary = { loaded: 0, unchanged: 0, failed: 0, removed: 0 };
    this.sliceSince = start;
    this.files.begin(sure);
    const discovery = discoverZones(this.settings);
    this.remove(discovery, removeNow, summary);
    for (const [origin, target] of discovery.targets) {
      if (this.closed) break;
      this.refresh(origin, target, summary);
      if (this.batch.length >= BATCH_ZONES || performance.now() - this.batchSince > BATCH_MS) await this.publish();
      if (performance.now() - this.sliceSince > SLICE_MS) await this.pause();
    }
    this.book?.retain(new Set(this.zones.keys()), this.options.now());
    await this.publish();
    this.files.forget(new Set(Array.from(this.zones.values(), ({ files }) => [...files.keys()]).flat()));
    this.setStoreFaults(discovery.faults);
    this.folderWatch?.refresh();
    return { ...summary, seconds: (performance.now() - start) / 1000 };
  }

  private async pause(): Promise<void> {
    await nextTurn();
    this.sliceSince = performance.now();
  }

  private remove({ targets, unlisted }: Discovery, removeNow: boolean, summary: Summary): void {
    for (const [origin, zone] of this.zones) {
      const { network, file } = zone.target;
      // A folder that cannot be listed (a lost mount) tells nothing; one that the settings dropped does.
      const unknown = unlisted.has(dirname(file)) && (network === null || this.settings.networks.includes(network));
      if (targets.has(origin) || unknown) {
        zone.missingAt = null;
        continue;
      }
      zone.missingAt ??= performance.now();
      if (!removeNow && performance.now() - zone.missingAt < GONE_MS) {
        this.folderWatch?.again(GONE_MS);
        continue;
      }
      this.zones.delete(origin);
      this.book?.gone(origin, this.options.now());
      this.batch.push({ kind: 'gone', zone: zone.number, origin, network });
      summary.removed++;
    }
  }

  /** Loads one zone if anything it depends on changed since the last attempt. */
  private refresh(origin: WireName, target: ZoneTarget, summary: Summary): void {
    const zone = this.zones.get(origin);
    if (zone !== undefined && this.isCurrent(zone, target)) {
      summary.unchanged++;
      return;
    }
    const result = loadTarget(target, this.settings.dns, this.files);
    if (this.batch.length === 0) this.batchSince = performance.now();
    this.settle(origin, target, result);
    if (result.good === null) summary.failed++;
    else summary.loaded++;
  }

  private isCurrent(zone: Zone, target: ZoneTarget): boolean {
    if (zone.key !== this.keyOf(target)) return false;
    for (const [path, hash] of zone.files) if (this.files.look(path) !== hash) return false;
    return true;
  }

  private settle(origin: WireName, target: ZoneTarget, { files, faults, good }: LoadResult): void {
    const was = this.zones.get(origin) ?? null;
    const hadFaults = was !== null && was.faults.length > 0;
    const served = was?.good ?? null;
    const zone: Zone = {
      number: was?.number ?? this.numberOf(origin),
      target,
      key: this.keyOf(target),
      files,
      faults,
      failed: good === null,
      good: served,
      missingAt: null,
    };
    this.zones.set(origin, zone);
    const change = { zone: zone.number, origin, network: target.network };
    const moved = was !== null && was.target.network !== target.network;
    if (good !== null && (served === null || moved || served.hash !== good.hash)) {
      const { serial, warning } = this.serialOf(origin, target, was, good);
      if (warning !== null) zone.faults = [...faults, warning];
      stampSerial(good.image, serial);
      zone.good = { ...good, serial, loadedAt: this.options.now() };
      this.batch.push({ ...change, kind: 'image', image: good.image });
    } else if (good === null && served === null) {
      this.batch.push({ ...change, kind: 'broken' });
    }
    if (hadFaults || zone.faults.length > 0) this.options.onFaults?.(entryOf(origin, zone), zone.faults);
  }

  private serialOf(
    origin: WireName,
    target: ZoneTarget,
    was: Zone | null,
    good: NonNullable<LoadResult['good']>,
  ): { readonly serial: number; readonly warning: StoreFault | null } {
    const { network } = target;
    if (network === null) {
      const before = this.book?.noteStatic(origin, good.hash, good.serial) ?? null;
      return { serial: good.serial, warning: staticWarning(target, before, good) };
    }
    const now = this.options.now();
    const liveBefore =
      was === null || was.target.network === null ? 0 : this.options.liveSerial(was.target.network, origin);
    const live = serialMax(liveBefore, this.options.liveSerial(network, origin));
    const found = this.book?.serialFor(origin, network, good.hash, live, now);
    if (found === undefined) return { serial: nextSerial(live, now), warning: null };
    if (found.isNew) this.raised.add(origin);
    return { serial: found.serial, warning: null };
  }

  /** Makes new serials durable, then hands the batch over. */
  private async publish(): Promise<void> {
    await this.saveBook();
    while (this.raiseOverLive()) await this.saveBook();
    const changes = this.batch;
    this.batch = [];
    this.raised.clear();
    if (changes.length > 0 && !this.closed) this.options.onChange(changes);
    this.batchSince = performance.now();
  }

  /**
   * The live set may have flipped while the book was written, to a serial that a zone of this batch was to get for its new
   * content. Each version of a zone needs a serial of its own, so such a zone goes one further. True: some did.
   */
  private raiseOverLive(): boolean {
    let any = false;
    for (const origin of this.raised) {
      const zone = this.zones.get(origin);
      if (zone === undefined || zone.good === null || zone.target.network === null) continue;
      const live = this.options.liveSerial(zone.target.network, origin);
      if (live === 0 || serialCompare(zone.good.serial, live) > 0) continue;
      const serial = nextSerial(live, this.options.now());
      zone.good = { ...zone.good, serial };
      stampSerial(zone.good.image, serial);
      this.book?.raise(origin, serial);
      any = true;
    }
    return any;
  }

  /** A disk that takes no serials does not keep zones from being served: the clock will give higher ones after a restart. */
  private async saveBook(): Promise<void> {
    if (this.book === null) return;
    try {
      if ((await this.book.save()) && this.bookFault?.code === 'serials-unwritable') this.setBookFault(null);
    } catch (error) {
      const file = this.options.serialFile ?? '';
      const reason = error instanceof Error ? error.message : String(error);
      const message = `cannot remember the zones' serials: ${reason}. They are served all the same`;
      const at = { file, line: 1, col: 1, text: '' };
      this.setBookFault({ severity: 'error', code: 'serials-unwritable', at, message });
    }
  }

  private setBookFault(fault: StoreFault | null): void {
    const same = this.bookFault?.message === fault?.message;
    this.bookFault = fault;
    if (!same) this.options.onFaults?.(null, this.faults());
  }

  private setStoreFaults(faults: readonly StoreFault[]): void {
    const same = JSON.stringify(faults) === JSON.stringify(this.storeFaults);
    this.storeFaults = faults;
    if (!same) this.options.onFaults?.(null, this.faults());
  }

  private numberOf(origin: WireName): number {
    const number = this.numbers.get(origin) ?? this.numbers.size;
    this.numbers.set(origin, number);
    return number;
  }

  private keyOf({ file, network }: ZoneTarget): string {
    return network === null ? file : `${file} ${network} ${this.dnsKey}`;
  }

  /** Every folder in which something may change that concerns a zone. */
  private folders(): ReadonlySet<string> {
    const { zonetemplateDir, staticZoneDir, networks, staticZones } = this.settings;
    const folders = new Set([zonetemplateDir, ...networks.map((network) => join(zonetemplateDir, network))]);
    if (staticZoneDir !== null) folders.add(staticZoneDir);
    for (const { file } of staticZones) folders.add(dirname(file));
    for (const { files } of this.zones.values()) for (const path of files.keys()) folders.add(dirname(path));
    return folders;
  }
}

function entryOf(origin: WireName, zone: Zone): ZoneEntry {
  const { target, good, faults, failed, number } = zone;
  return {
    zone: number,
    origin,
    name: target.name,
    network: target.network,
    file: target.file,
    state: failed ? (good === null ? 'broken' : 'stale') : 'ok',
    serial: good?.serial ?? 0,
    faults,
    records: good?.records ?? 0,
    loadedAt: good?.loadedAt ?? 0,
    image: good?.image ?? null,
  };
}

function staticWarning(
  { name, file }: ZoneTarget,
  before: { readonly hash: string; readonly serial: number } | null,
  good: { readonly hash: string; readonly serial: number },
): StoreFault | null {
  if (before === null || before.hash === good.hash || serialCompare(good.serial, before.serial) > 0) return null;
  const message =
    `zone ${name} changed, but its serial ${good.serial} is not higher than the ${before.serial} it had: ` +
    'secondaries will not see the change (RFC 1982)';
  return { severity: 'warning', code: 'serial-not-raised', at: { file, line: 1, col: 1, text: '' }, message };
}
