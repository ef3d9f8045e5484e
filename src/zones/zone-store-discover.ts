import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nameKey, nameText, ROOT, type WireName } from './name.ts';
import type { StoreFault, ZoneSettings, ZoneTarget } from './zone-store-types.ts';

export type Discovery = {
  /** Each origin once. */
  readonly targets: ReadonlyMap<WireName, ZoneTarget>;
  readonly faults: readonly StoreFault[];
  /** Folders whose entries make zones, missing ones too. */
  readonly folders: readonly string[];
  /** Of those, the ones that could not be listed: nothing is known about their zones. */
  readonly unlisted: ReadonlySet<string>;
};

const SUFFIX = '.zone';

/**
 * Which zones the settings and the folders' present contents make: `<zonetemplate_dir>/<network>/<zone>.zone`, then
 * `static_zones`, then `<static_zone_dir>/<zone>.zone`. A zone met again is a fault that names both files, and the first
 * one counts.
 */
export function discoverZones(settings: ZoneSettings): Discovery {
  const found = new Finder();
  for (const network of settings.networks) {
    const folder = join(settings.zonetemplateDir, network);
    found.folder(folder, network, settings.zonetemplateDir);
  }
  for (const { name, file } of settings.staticZones) {
    found.add({ origin: name, name: plainName(name), network: null, file, includeRoot: dirname(file) });
  }
  if (settings.staticZoneDir !== null) found.folder(settings.staticZoneDir, null, settings.staticZoneDir);
  return found;
}

/** The name as files are called by it: without the final dot, but for the root. */
export function plainName(name: WireName): string {
  return name === ROOT ? '.' : nameText(name).slice(0, -1);
}

class Finder implements Discovery {
  readonly targets = new Map<WireName, ZoneTarget>();
  readonly faults: StoreFault[] = [];
  readonly folders: string[] = [];
  readonly unlisted = new Set<string>();

  folder(folder: string, network: string | null, includeRoot: string): void {
    this.folders.push(folder);
    let names: readonly string[];
    try {
      names = readdirSync(folder, { withFileTypes: true })
        .filter((entry) => !entry.isDirectory() && entry.name.endsWith(SUFFIX))
        .map((entry) => entry.name)
        .sort();
    } catch (error) {
      this.unlisted.add(folder);
      // A network may have an edge list before it has zones.
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT' && network !== null;
      const message = missing
        ? `network ${network} has no folder of zones`
        : `cannot list the folder: ${error instanceof Error ? error.message : String(error)}`;
      this.fault(missing ? 'warning' : 'error', 'folder-unreadable', folder, message);
      return;
    }
    for (const fileName of names) {
      const name = fileName.slice(0, -SUFFIX.length);
      const file = join(folder, fileName);
      // Editors and writers keep their temporary files under such names; "..zone" is the root.
      if (fileName.startsWith('.') && name !== '.') continue;
      const origin = name === '' ? null : nameKey(name);
      if (origin === null) {
        this.fault('error', 'zone-name', file, `"${name}" is not a domain name, so this file makes no zone`);
        continue;
      }
      this.add({ origin, name: origin === ROOT ? '.' : name.replace(/\.$/, ''), network, file, includeRoot });
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
