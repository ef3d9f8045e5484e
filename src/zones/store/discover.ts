import { dirname, join, sep } from 'node:path';
import { nameText, ROOT, type WireName } from '../../dns/name.ts';
import type { FolderCache } from './folder-cache.ts';
import type { StoreFault, ZoneSettings, ZoneTarget } from './types.ts';

export type Discovery = {
  /** Each origin once. */
  readonly targets: ReadonlyMap<WireName, ZoneTarget>;
  readonly faults: readonly StoreFault[];
  /** Zone files that are links. */
  readonly links: readonly string[];
  /** Folders of zones that could not be listed: nothing is known about their zones. */
  readonly unlisted: ReadonlySet<string>;
};

/** What is known of zones apart from the folders: something that is lost is worse than something that never was. */
export type KnownZones = {
  /** Whether zones of this folder are served. */
  readonly servesFrom: (folder: string) => boolean;
  readonly isZone: (origin: WireName) => boolean;
};

/**
 * Which zones the settings and the folders' present contents make: `<zonetemplate_dir>/<network>/<zone>.zone`, then
 * `static_zones`, then `<static_zone_dir>/<zone>.zone`. A zone met again is a fault that names both files, and the
 * first one counts.
 */
export function discoverZones(settings: ZoneSettings, folders: FolderCache, known: KnownZones): Discovery {
  const found = new Finder(folders, known);
  const { zoneFiles } = settings;
  for (const network of settings.networks) {
    const folder = join(settings.zonetemplateDir, network);
    found.folder(folder, network, settings.zonetemplateDir, zoneFiles);
  }
  for (const { name, file } of settings.staticZones) {
    found.add({
      origin: name,
      name: plainName(name),
      network: null,
      file,
      includeRoot: dirname(file),
      zoneFiles,
      listed: false,
    });
  }
  if (settings.staticZoneDir !== null) found.folder(settings.staticZoneDir, null, settings.staticZoneDir, zoneFiles);
  return found;
}

/** The name as files are called by it: without the final dot, but for the root. */
function plainName(name: WireName): string {
  return name === ROOT ? '.' : nameText(name).slice(0, -1);
}

class Finder implements Discovery {
  readonly targets = new Map<WireName, ZoneTarget>();
  readonly faults: StoreFault[] = [];
  readonly links: string[] = [];
  readonly unlisted = new Set<string>();
  private readonly folders: FolderCache;
  private readonly known: KnownZones;

  constructor(folders: FolderCache, known: KnownZones) {
    this.folders = folders;
    this.known = known;
  }

  folder(folder: string, network: string | null, includeRoot: string, zoneFiles: ZoneTarget['zoneFiles']): void {
    const listing = this.folders.list(folder);
    if (!listing.ok) {
      this.unlisted.add(folder);
      // A network may have an edge list before it has zones.
      const missing = listing.code === 'ENOENT' && network !== null && !this.known.servesFrom(folder);
      const kept = this.known.servesFrom(folder) ? '; the zones that were in it stay served as they were' : '';
      const message = missing
        ? `network ${network} has no folder of zones`
        : `cannot list the folder: ${listing.message}${kept}`;
      this.fault(missing ? 'warning' : 'error', 'folder-unreadable', folder, message);
      return;
    }
    const prefix = join(folder, sep); // made once: joining is a third of the time of all this
    for (const { fileName, name, origin, isLink, isFolder } of listing.files) {
      // A folder is no zone, unless it took the place of one: then loading it says what is wrong.
      if (isFolder && (origin === null || !this.known.isZone(origin))) continue;
      const file = prefix + fileName;
      if (isLink) this.links.push(file);
      if (origin !== null) this.add({ origin, name, network, file, includeRoot, zoneFiles, listed: true });
      else this.fault('error', 'zone-name', file, `"${name}" is not a domain name, so this file makes no zone`);
    }
  }

  add(target: ZoneTarget): void {
    const first = this.targets.get(target.origin);
    if (first === undefined) {
      this.targets.set(target.origin, target);
      return;
    }
    const message = `zone ${target.name} is already made by ${first.file} (${ownerText(first)}): this file is not served`;
    this.fault('error', 'zone-twice', target.file, message);
  }

  private fault(severity: StoreFault['severity'], code: StoreFault['code'], file: string, message: string): void {
    this.faults.push({ severity, code, at: { file, line: 1, col: 1, text: '' }, message });
  }
}

function ownerText({ network }: ZoneTarget): string {
  return network === null ? 'a static zone' : `network ${network}`;
}
