import { dirname, join } from 'node:path';
import type { Discovery } from './discover.ts';
import type { ZoneSettings } from './types.ts';
import { PathCollector } from './watch-links.ts';
import type { Zone } from './zone-entry.ts';

/** Every file that the settings or some zone name. */
export function dependencies({ staticZones }: ZoneSettings, zones: Iterable<Zone>): ReadonlySet<string> {
  const files = new Set(staticZones.map(({ file }) => file));
  for (const zone of zones) for (const path of zone.files.keys()) files.add(path);
  return files;
}

/**
 * Every path at which something may change that concerns a zone. `files`: what the zones depend on. `pauseDue` is
 * called again and again, for there may be ten thousand links.
 */
export async function watchedPaths(
  { zonetemplateDir, staticZoneDir, networks, staticZones }: ZoneSettings,
  { targets, links }: Discovery,
  files: ReadonlySet<string>,
  pauseDue: () => Promise<void>,
): Promise<PathCollector> {
  const collector = new PathCollector();
  collector.folder(zonetemplateDir);
  for (const network of networks) collector.folder(join(zonetemplateDir, network));
  if (staticZoneDir !== null) collector.folder(staticZoneDir);
  for (const folder of new Set(Array.from(files, (path) => dirname(path)))) collector.folder(folder);
  await pauseDue();
  const own = new Set(Array.from(targets.values(), ({ file }) => file));
  const included = [...files].filter((path) => !own.has(path));
  await pauseDue();
  for (const path of [...links, ...staticZones.map(({ file }) => file), ...included]) {
    collector.file(path);
    await pauseDue();
  }
  return collector;
}
