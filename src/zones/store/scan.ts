import { dirname } from 'node:path';
import type { WireName } from '../../dns/name.ts';
import type { Arrival, SettleTimes } from '../../system/settling.ts';
import { Slice } from '../../system/yielding.ts';
import type { AgreedVersions } from './agreed-versions.ts';
import { type Discovery, discoverZones } from './discover.ts';
import { FileCache } from './file-cache.ts';
import { FolderCache } from './folder-cache.ts';
import { Hold } from './hold.ts';
import { failedLoad, loadSmall } from './load-target.ts';
import { withSerial } from './load-zone.ts';
import { ZoneLoader } from './loader.ts';
import type { LoadReport } from './loader-worker.ts';
import type { NewVersion, Publisher } from './publish.ts';
import type { StoreFault, ZoneEntry, ZoneSettings, ZoneTarget } from './types.ts';
import type { WatchedPaths } from './watch-links.ts';
import { dependencies, watchedPaths } from './watched-paths.ts';
import { sameSource, type Zone, type ZoneSource } from './zone-entry.ts';
import { type Counts, type Outcome, ZoneVersions } from './zone-versions.ts';

export type ScanOptions = {
  readonly settings: ZoneSettings;
  readonly publisher: Publisher;
  /** Null: this process alone gives serials. */
  readonly agreed?: AgreedVersions | null;
  readonly onFaults: (entry: ZoneEntry, faults: readonly StoreFault[]) => void;
  readonly onProgress?: (looked: number, of: number) => void;
  /** Runs work when no pass is under way. */
  readonly inTurn: (work: () => Promise<void>) => Promise<void>;
  /** Wants another pass after so many milliseconds. */
  readonly again: (ms: number) => void;
  readonly arrival: (path: string) => Arrival;
  readonly settle?: SettleTimes | undefined;
};

/** A large zone that is being loaded beside the main thread. */
type Background = { readonly source: ZoneSource; readonly done: Promise<void> };

/** `sure`: contents are compared, whatever times say. `removeNow`: a zone without a file goes at once. */
type PassOptions = {
  readonly sure: boolean;
  readonly removeNow: boolean;
  readonly first?: boolean;
  /** Files that are known to have changed; there may be others. */
  readonly changed?: Iterable<string>;
};

/** An editor that saves by renaming takes the file away for a moment: a zone goes after this long without one. */
const GONE_MS = 300;
/** From so many octets on a zone's files would hold up the main thread for longer than is good for probing and HTTP. */
const LARGE_OCTETS = 256 * 1024;

/**
 * The zones, and the passes over all their files that keep them as the files are. One pass runs at a time; large zones
 * are loaded in a thread beside it and join when they are ready.
 */
export class ZoneScan {
  /** Every path at which something may change that concerns a zone. */
  paths: WatchedPaths = new Map();
  /** What the last pass found wrong apart from single zones. */
  folderFaults: readonly StoreFault[] = [];
  private readonly options: ScanOptions;
  private settings: ZoneSettings;
  /** What of the settings goes into every zone, and into those of networks. */
  private filesKey: string;
  private dnsKey: string;
  private readonly files = new FileCache();
  private readonly folders = new FolderCache();
  private readonly loader = new ZoneLoader();
  private readonly hold: Hold;
  private readonly versions: ZoneVersions;
  private readonly background = new Map<WireName, Background>();
  /** Zones whose file is missing, and since when, in milliseconds of `performance.now()`. */
  private readonly missing = new Map<WireName, number>();
  private targets: ReadonlyMap<WireName, ZoneTarget> = new Map();
  /** Links lead to some of the paths. */
  private linked = false;
  private slice = new Slice();
  private first = false;
  private closed = false;

  constructor(options: ScanOptions) {
    this.options = options;
    this.settings = options.settings;
    this.filesKey = JSON.stringify(options.settings.zoneFiles);
    this.dnsKey = JSON.stringify(options.settings.dns);
    this.hold = new Hold({
      files: this.files,
      largeOctets: LARGE_OCTETS,
      times: options.settle,
      arrival: options.arrival,
    });
    this.versions = new ZoneVersions(this.hold, options);
  }

  get zones(): ReadonlyMap<WireName, Zone> {
    return this.versions.zones;
  }

  /** What passes, and large zones that they began to load, did since it was set. */
  get counts(): Counts {
    return this.versions.counts;
  }
  set counts(counts: Counts) {
    this.versions.counts = counts;
  }

  configure(settings: ZoneSettings): void {
    this.settings = settings;
    this.filesKey = JSON.stringify(settings.zoneFiles);
    this.dnsKey = JSON.stringify(settings.dns);
    this.versions.dirty = true;
  }

  /** What is under way is not published any more. */
  async close(): Promise<void> {
    this.closed = true;
    await this.loader.close();
  }

  /** Zones whose files were not settled in the last pass. */
  get unsettled(): number {
    return this.versions.waiting.size;
  }

  /** Resolves when no large zone is being loaded. */
  async backgroundDone(): Promise<void> {
    await Promise.all(Array.from(this.background.values(), ({ done }) => done));
  }

  /** As `ZoneVersions.agree`, of these zones; without anything new this costs next to nothing. */
  async agree(origins: readonly WireName[]): Promise<void> {
    const slice = new Slice();
    for (const origin of origins) {
      if (this.closed) return;
      this.versions.agree(origin);
      if (slice.isSpent()) await slice.rest();
    }
    await this.publish();
  }

  /** As `ZoneVersions.overdue`, of so many zones at most. */
  overdue(origins: readonly WireName[], most: number): void {
    for (const origin of origins.slice(0, most)) this.versions.overdue(origin);
  }

  /** Looks at every file, loads what changed, and publishes it in batches. `first`: since the start. */
  async pass({ sure, removeNow, first = false, changed = [] }: PassOptions): Promise<void> {
    const { publisher } = this.options;
    this.first = first;
    this.slice = new Slice();
    this.files.begin(sure);
    const done = await this.refreshFirst(changed);
    const before = this.targets;
    const discovery = discoverZones(this.settings, this.folders, {
      servesFrom: (folder) => this.servesFrom(folder),
      isZone: (origin) => this.zones.has(origin) || this.options.publisher.isRemembered(origin),
    });
    this.targets = discovery.targets;
    this.remove(discovery, removeNow);
    await this.slice.rest();
    let looked = 0;
    for (const [origin, target] of discovery.targets) {
      if (this.closed) return;
      looked++;
      if (done.has(origin) && sameTarget(before.get(origin), target)) continue;
      this.refresh(origin, target);
      publisher.publishDue();
      // Asked first: a promise for each of ten thousand costs more.
      if (this.slice.isSpent()) {
        this.options.onProgress?.(looked, discovery.targets.size);
        await this.slice.rest();
      }
    }
    if (this.versions.dirty || this.linked) await this.follow(discovery);
    await this.publish();
    this.folderFaults = discovery.faults;
  }

  /**
   * Zones whose own file changed, and those whose files were not settled in the pass before, come first and are
   * published at once: listing and looking at a hundred thousand takes a while. Returns them.
   */
  private async refreshFirst(changed: Iterable<string>): Promise<ReadonlySet<WireName>> {
    const first = this.versions.waiting;
    this.versions.waiting = new Set();
    for (const path of changed) {
      const origin = this.versions.byFile.get(path);
      if (origin !== undefined) first.add(origin);
    }
    if (first.size === 0) return first;
    for (const origin of first) {
      const target = this.targets.get(origin);
      if (this.closed || target === undefined || !this.zones.has(origin)) first.delete(origin);
      else this.refresh(origin, target);
      if (this.slice.isSpent()) await this.slice.rest();
    }
    await this.publish();
    return first;
  }

  private async publish(): Promise<void> {
    await this.options.publisher.publish();
    this.options.agreed?.flush();
  }

  /** Notes where to watch, and forgets what no zone needs any more. */
  private async follow(discovery: Discovery): Promise<void> {
    await this.slice.rest();
    const files = dependencies(this.settings, this.zones.values());
    const { paths, linked } = await watchedPaths(this.settings, discovery, files, () => this.slice.rest());
    this.paths = paths;
    this.linked = linked;
    await this.slice.rest();
    if (!this.versions.dirty) return;
    this.versions.dirty = false;
    this.options.publisher.retain(new Set([...this.zones.keys(), ...this.background.keys()]));
    this.files.forget(files);
  }

  private remove({ targets, unlisted }: Discovery, removeNow: boolean): void {
    const now = performance.now();
    for (const [origin, zone] of this.zones) {
      const { network, file } = zone;
      // A folder that cannot be listed (a lost mount) says nothing of its zones, unless the settings dropped it.
      const unknown = unlisted.has(dirname(file)) && (network === null || this.settings.networks.includes(network));
      if (targets.has(origin) || unknown) {
        this.missing.delete(origin);
        continue;
      }
      const since = this.missing.get(origin) ?? now;
      if (!removeNow && now - since < GONE_MS) {
        this.missing.set(origin, since);
        this.options.again(GONE_MS);
        continue;
      }
      this.missing.delete(origin);
      this.versions.remove(zone);
    }
  }

  /** Loads one zone if anything it depends on changed since the last attempt, and is whole. */
  private refresh(origin: WireName, target: ZoneTarget): void {
    const zone = this.zones.get(origin);
    const source = this.sourceOf(target);
    const background = this.background.get(origin);
    if (background !== undefined && sameSource(background.source, source)) return; // joins when it is ready
    const known = zone !== undefined && sameSource(zone.source, source);
    if (known) {
      const state = this.hold.stateOf(origin, zone.files);
      if (state.kind === 'unchanged') {
        this.counts.unchanged++;
        // Whatever was in doubt is as it was before.
        if (zone.unsettled) this.versions.settled(zone);
        return;
      }
      if (state.kind === 'unsettled') {
        this.versions.wait(zone.source, state.waitMs, state.overdue);
        return;
      }
      const left = this.hold.doubtLeft(origin);
      if (left > 0) {
        this.versions.wait(zone.source, left, false);
        return;
      }
    } else if (zone === undefined && !this.first) {
      const state = this.hold.stateOfNew(target.file);
      if (state.kind === 'unsettled') {
        this.versions.wait(source, state.waitMs, state.overdue);
        return;
      }
    }
    this.load(origin, source, zone);
  }

  private load(origin: WireName, source: ZoneSource, zone: Zone | undefined): void {
    const { target } = source;
    if (this.octetsOf(target, zone) >= LARGE_OCTETS) {
      this.loadInBackground(origin, source, zone);
    } else if (target.listed && this.files.isGone(target.file)) {
      // Removed since its folder was listed: no fault of the zone, the next look finds it missing.
      this.options.again(0);
    } else {
      const result = loadSmall(target, this.settings.dns, this.files, LARGE_OCTETS);
      if (result === null) this.loadInBackground(origin, source, zone);
      else this.versions.settle(origin, source, result);
    }
  }

  private loadInBackground(origin: WireName, source: ZoneSource, zone: Zone | undefined): void {
    this.background.set(origin, { source, done: this.loadBeside(origin, source, zone?.served?.hash ?? null) });
  }

  /** Octets of a zone's files, as far as they are known before it is read. */
  private octetsOf({ file }: ZoneTarget, zone: Zone | undefined): number {
    let octets = this.files.sizeOf(file, LARGE_OCTETS);
    for (const path of zone?.files.keys() ?? []) if (path !== file) octets += this.files.stampOf(path)?.size ?? 0;
    return octets;
  }

  private async loadBeside(origin: WireName, source: ZoneSource, servedHash: string | null): Promise<void> {
    const { counts, first } = this;
    const { target } = source;
    let result: Outcome;
    try {
      const report = await this.loader.load({ target, dns: this.settings.dns, servedHash });
      result = { ...report.result, good: versionOf(report.result.good) };
      this.files.adopt(report.known);
    } catch (error) {
      if (this.closed) return;
      result = failedLoad(target, this.files, error);
    }
    await this.options.inTurn(async () => {
      if (this.background.get(origin)?.source === source) this.background.delete(origin);
      const now = this.targets.get(origin);
      // Gone or changed meanwhile.
      if (this.closed || now === undefined || !sameSource(this.sourceOf(now), source)) return;
      this.counts = counts;
      this.first = first;
      this.versions.settle(origin, source, result);
      await this.publish();
      this.options.again(0);
    });
  }

  private servesFrom(folder: string): boolean {
    for (const zone of this.zones.values()) if (dirname(zone.file) === folder) return true;
    return false;
  }

  private sourceOf(target: ZoneTarget): ZoneSource {
    return { target, dns: target.network === null ? this.filesKey : this.filesKey + this.dnsKey };
  }
}

function sameTarget(a: ZoneTarget | undefined, b: ZoneTarget): boolean {
  return a !== undefined && a.file === b.file && a.network === b.network;
}

/** What the other thread made; the serial is written into a copy of its image. */
function versionOf(loaded: LoadReport['result']['good']): NewVersion | null {
  if (loaded === null) return null;
  const { hash, serial, records, signaturesEnd, image } = loaded;
  const compile = (wanted: number): SharedArrayBuffer => {
    if (image === null) throw new Error('a zone that did not change needs no other image');
    return wanted === serial ? image : withSerial(image, wanted);
  };
  return { hash, serial, records, signaturesEnd, compile };
}
