import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WireName } from '../../dns/name.ts';
import { serialMax } from '../../dns/serial.ts';
import { type Discovery, discoverZones } from './discover.ts';
import { FileCache } from './file-cache.ts';
import { FolderCache } from './folder-cache.ts';
import { failedLoad, type LoadResult, loadSafely } from './load-target.ts';
import { ZoneLoader } from './load-thread.ts';
import { Publisher } from './publish.ts';
import type { LoadSummary, StoreFault, ZoneChange, ZoneEntry, ZoneSettings, ZoneTarget } from './types.ts';
import { FolderWatch } from './watch.ts';
import type { WatchPlaces } from './watch-links.ts';
import { collectPlaces, dependencies } from './watched-paths.ts';
import { sameSource, Zone, type ZoneSource } from './zone-entry.ts';

export type ZoneStoreOptions = {
  readonly settings: ZoneSettings;
  /** Where serials are remembered, absolute (`<state dir>/edgewise-zones.json`); null: nowhere. */
  readonly serialFile: string | null;
  /** The highest serial that the live set gave this zone so far, or is about to; 0: none. */
  readonly liveSerial: (network: string, origin: WireName) => number;
  /** Epoch seconds. */
  readonly now: () => number;
  /** Called with what the answering threads must be told, after the serials in it are durable. */
  readonly onChange: (changes: readonly ZoneChange[]) => void;
  /** Called after each attempt that found faults in a zone or (null) the store as a whole, and, with none, when they are gone. */
  readonly onFaults?: (entry: ZoneEntry | null, faults: readonly StoreFault[]) => void;
};

/** A large zone that is being loaded beside the main thread. */
type Background = { readonly source: ZoneSource; readonly done: Promise<void> };

type Counts = { loaded: number; unchanged: number; failed: number; removed: number };

/** The event loop is given back after this long. */
const SLICE_MS = 5;
/** An editor that saves by renaming takes the file away for a moment: a zone goes after this long without one. */
const GONE_MS = 300;
/**
 * From so many octets on a zone's file would hold up the main thread for longer than is good for probing and HTTP. What it
 * includes does not count: that is rare, and small.
 */
const LARGE_OCTETS = 256 * 1024;

/**
 * All zones of a configuration: loads them, watches their files, keeps the last good version of those that break, and
 * tells `onChange` what is new. It neither knows slots nor the server. One load, reload or rescan runs at a time; large
 * zones are loaded in a thread beside it and join when they are ready.
 */
export class ZoneStore {
  private readonly options: ZoneStoreOptions;
  private settings: ZoneSettings;
  private dnsKey: string;
  private readonly publisher: Publisher;
  private readonly files = new FileCache();
  private readonly folderBook = new FolderCache();
  private readonly loader = new ZoneLoader();
  private readonly zones = new Map<WireName, Zone>();
  private readonly numbers = new Map<WireName, number>();
  private readonly background = new Map<WireName, Background>();
  /** Zones whose file is missing, and since when, in milliseconds of `performance.now()`. */
  private readonly missing = new Map<WireName, number>();
  private targets: ReadonlyMap<WireName, ZoneTarget> = new Map();
  private storeFaults: readonly StoreFault[] = [];
  private counts: Counts = { loaded: 0, unchanged: 0, failed: 0, removed: 0 };
  /** Every place in which something may change that concerns a zone, and whether links lead to some. */
  private places: WatchPlaces = new Map();
  private linked = false;
  /** A zone was loaded or went, or the settings are others, since `tidy`. */
  private dirty = true;
  private sliceSince = 0;
  private running: Promise<unknown> = Promise.resolve();
  private folderWatch: FolderWatch | null = null;
  private closed = false;

  constructor(options: ZoneStoreOptions) {
    this.options = options;
    this.settings = options.settings;
    this.dnsKey = JSON.stringify(options.settings.dns);
    this.publisher = new Publisher({
      serialFile: options.serialFile,
      liveSerial: options.liveSerial,
      now: options.now,
      onChange: (changes) => {
        if (!this.closed) options.onChange(changes);
      },
      onFault: () => options.onFaults?.(null, this.faults()),
    });
  }

  /** Loads every zone, the first time. Zones are published in batches as they are ready. Never rejects for bad zones. */
  load(): Promise<LoadSummary> {
    return this.whole(() => this.publisher.open());
  }

  /** Looks at every file again, whatever its time says, with new settings if given (SIGHUP). */
  reload(settings?: ZoneSettings): Promise<LoadSummary> {
    return this.whole(async () => {
      if (settings === undefined) return;
      this.settings = settings;
      this.dnsKey = JSON.stringify(settings.dns);
      this.dirty = true;
    });
  }

  /** Reloads by itself what changes on disk, from now on. */
  watch(): void {
    this.folderWatch ??= new FolderWatch({
      places: () => this.places,
      onNews: () => this.exclusive(() => this.scan({ sure: false, removeNow: false })),
    });
  }

  /** Stops watching and loading. The changes of a load that is under way are not published any more. */
  async close(): Promise<void> {
    this.closed = true;
    this.folderWatch?.close();
    await this.loader.close();
    await this.running;
  }

  /** Zones there are, broken ones too. */
  get size(): number {
    return this.zones.size;
  }

  /** In no order that means anything. */
  entries(): ZoneEntry[] {
    return [...this.zones.values()];
  }

  entry(origin: WireName): ZoneEntry | null {
    return this.zones.get(origin) ?? null;
  }

  /** What is wrong apart from single zones: folders, doubled zones, the file of serials. */
  faults(): readonly StoreFault[] {
    const { fault } = this.publisher;
    return fault === null ? this.storeFaults : [...this.storeFaults, fault];
  }

  /** The highest serial of a network's zones, those about to be published included; 0: it has none. */
  maxSerial(network: string): number {
    let highest = 0;
    for (const { network: its, served } of this.zones.values()) {
      if (its === network && served !== null) highest = serialMax(highest, served.serial);
    }
    return highest;
  }

  /** The serial of the content that earlier runs served last of a zone, if it was of this network; null: not known. */
  servedBefore(origin: WireName, network: string | null): number | null {
    return this.publisher.servedBefore(origin, network);
  }

  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.running.then(work);
    this.running = result.catch(() => {});
    return result;
  }

  /** One complete look at everything, large zones included. */
  private async whole(before: () => Promise<void>): Promise<LoadSummary> {
    const start = performance.now();
    const counts = { loaded: 0, unchanged: 0, failed: 0, removed: 0 };
    await this.exclusive(async () => {
      this.counts = counts;
      await before();
      await this.scan({ sure: true, removeNow: true });
    });
    await Promise.all(Array.from(this.background.values(), ({ done }) => done));
    return { ...counts, seconds: (performance.now() - start) / 1000 };
  }

  private async scan({ sure, removeNow }: { readonly sure: boolean; readonly removeNow: boolean }): Promise<void> {
    this.sliceSince = performance.now();
    this.files.begin(sure);
    const discovery = discoverZones(this.settings, this.folderBook);
    this.targets = discovery.targets;
    this.remove(discovery, removeNow);
    await this.pauseDue();
    for (const [origin, target] of discovery.targets) {
      if (this.closed) return;
      this.refresh(origin, target);
      this.publisher.publishDue();
      if (this.isPauseDue()) await this.pause(); // asked first: ten thousand promises would cost more than asking
    }
    if (this.dirty || this.linked) {
      // Links may lead elsewhere by now though no zone is another.
      await this.pause();
      const files = dependencies(this.settings, this.zones.values());
      const { places, linked } = await collectPlaces(this.settings, discovery, files, () => this.pauseDue());
      this.places = places;
      this.linked = linked;
      await this.pause();
      if (this.dirty) this.tidy(files);
    }
    await this.publisher.publish();
    this.setStoreFaults(discovery.faults);
    this.folderWatch?.refresh();
  }

  /** What depends on which zones there are and what they depend on, after either changed. */
  private tidy(files: ReadonlySet<string>): void {
    this.dirty = false;
    this.publisher.retain(new Set([...this.zones.keys(), ...this.background.keys()]));
    this.files.forget(files);
  }

  private async pauseDue(): Promise<void> {
    if (this.isPauseDue()) await this.pause();
  }

  private isPauseDue(): boolean {
    return performance.now() - this.sliceSince > SLICE_MS;
  }

  private async pause(): Promise<void> {
    await nextTurn();
    this.sliceSince = performance.now();
  }

  private remove({ targets, unlisted }: Discovery, removeNow: boolean): void {
    const now = performance.now();
    for (const [origin, { zone, network, file }] of this.zones) {
      // A folder that cannot be listed (a lost mount) tells nothing; one that the settings dropped does.
      const unknown = unlisted.has(dirname(file)) && (network === null || this.settings.networks.includes(network));
      if (targets.has(origin) || unknown) {
        this.missing.delete(origin);
        continue;
      }
      const since = this.missing.get(origin) ?? now;
      if (!removeNow && now - since < GONE_MS) {
        this.missing.set(origin, since);
        this.folderWatch?.again(GONE_MS);
        continue;
      }
      this.missing.delete(origin);
      this.zones.delete(origin);
      this.dirty = true;
      this.publisher.gone(origin);
      this.publisher.push({ kind: 'gone', zone, origin, network });
      this.counts.removed++;
    }
  }

  /** Loads one zone if anything it depends on changed since the last attempt. */
  private refresh(origin: WireName, target: ZoneTarget): void {
    const zone = this.zones.get(origin);
    const source = this.sourceOf(target);
    const background = this.background.get(origin);
    if (zone !== undefined && sameSource(zone.source, source) && this.isCurrent(zone)) {
      this.counts.unchanged++;
    } else if (background !== undefined && sameSource(background.source, source)) {
      // Under way; if its files change meanwhile, the look after it is ready sees that.
    } else if (this.files.sizeOf(target.file, LARGE_OCTETS) >= LARGE_OCTETS) {
      this.background.set(origin, { source, done: this.loadBeside(origin, source) });
    } else if (target.listed && this.files.isGone(target.file)) {
      // Removed since its folder was listed: no fault of the zone, the next look finds it missing.
      this.folderWatch?.again(0);
    } else {
      this.settle(origin, source, loadSafely(target, this.settings.dns, this.files));
    }
  }

  private isCurrent({ files }: Zone): boolean {
    for (const [path, hash] of files) if (this.files.look(path) !== hash) return false;
    return true;
  }

  private async loadBeside(origin: WireName, source: ZoneSource): Promise<void> {
    const { counts } = this;
    const { target } = source;
    let result: LoadResult;
    try {
      const report = await this.loader.load(target, this.settings.dns);
      result = report.result;
      this.files.adopt(report.known);
    } catch (error) {
      result = failedLoad(target, this.files, error);
    }
    await this.exclusive(async () => {
      if (this.background.get(origin)?.source === source) this.background.delete(origin);
      const now = this.targets.get(origin);
      // Gone or changed meanwhile.
      if (this.closed || now === undefined || !sameSource(this.sourceOf(now), source)) return;
      this.counts = counts;
      this.settle(origin, source, result);
      await this.publisher.publish();
      this.folderWatch?.again(0);
    });
  }

  private settle(origin: WireName, source: ZoneSource, { files, faults, good }: LoadResult): void {
    const { target } = source;
    const { network } = target;
    const was = this.zones.get(origin) ?? null;
    const before = was?.served ?? null;
    const moved = was !== null && was.network !== network;
    const zone = this.numberOf(origin);
    let served = before;
    let warning: StoreFault | null = null;
    if (good !== null && (before === null || moved || before.hash !== good.hash)) {
      ({ served, warning } = this.publisher.assign(origin, target, was?.network ?? null, good));
      this.publisher.push({ kind: 'image', zone, origin, network, image: good.image });
    } else if (good === null && before === null) {
      this.publisher.push({ kind: 'broken', zone, origin, network });
    } else if (good === null && before !== null && moved) {
      // What is left of it goes on, with the live set of the network it belongs to now.
      this.publisher.push({ kind: 'image', zone, origin, network, image: before.image });
    }
    const all = warning === null ? faults : [...faults, warning];
    const entry = new Zone(zone, source, files, all, good === null, served);
    this.zones.set(origin, entry);
    this.dirty = true;
    this.counts[good === null ? 'failed' : 'loaded']++;
    const hadFaults = was !== null && was.faults.length > 0;
    if (hadFaults || all.length > 0) this.options.onFaults?.(entry, all);
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

  private sourceOf(target: ZoneTarget): ZoneSource {
    return { target, dns: target.network === null ? '' : this.dnsKey };
  }
}
