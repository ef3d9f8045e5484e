import { statSync } from 'node:fs';
import type { WireName } from '../dns/name.ts';
import { serialMax } from '../dns/serial.ts';
import type { LiveRRsets } from '../live/live-rrsets.ts';
import type { Fault } from '../system/fault.ts';
import { plainFault } from '../system/fault.ts';
import { makeFolder } from '../system/make-folder.ts';
import { ZoneImage } from '../zones/image/image.ts';
import type { ZoneEntry } from '../zones/store/types.ts';
import { printSnapshot } from '../zones/write/snapshot.ts';
import { ZoneExporter } from './zone-exporter.ts';

/** What `ZoneFiles` needs of the zone store. */
export type EntrySource = { entry(origin: WireName): ZoneEntry | null };

/**
 * Keeps `named_dir` at what is served, for a BIND beside us. Zones of networks only: a static zone has its file already.
 * The text is made when a zone's turn has come, so of several changes in a row only the last is written.
 */
export class ZoneFiles {
  private readonly exporter: ZoneExporter;
  private readonly board: LiveRRsets;
  private readonly zones: EntrySource;

  constructor(folder: string, board: LiveRRsets, zones: EntrySource) {
    this.exporter = new ZoneExporter(folder, { durable: false });
    this.board = board;
    this.zones = zones;
  }

  /** Never rejects. What failed before is tried again. `mtimes`: of the include files of what was written, by zone name, whole seconds. */
  async write(origins: Iterable<WireName>): Promise<{
    readonly wrote: boolean;
    readonly mtimes: ReadonlyMap<string, number>;
    readonly faults: readonly Fault[];
  }> {
    const mtimes = new Map<string, number>();
    const items = [...origins].flatMap((origin) => {
      const entry = this.zones.entry(origin);
      if (entry === null || entry.network === null || entry.image === null) return [];
      // A network that never had a live edge has no zone to publish yet (specification 12.4).
      if (this.board.versionOf(entry.network, origin)?.serial === 0) return [];
      return [{ name: entry.name, text: () => this.text(entry, mtimes) }];
    });
    if (items.length === 0 && !this.exporter.behind) return { wrote: false, mtimes, faults: [] };
    // Like the single run: a folder that is not there is made; why it cannot be, each file's failure tells.
    await makeFolder(this.exporter.folder).catch(() => undefined);
    const { written, failed } = await this.exporter.export(items);
    const unwritten = new Set(failed.map(({ file }) => file));
    for (const name of [...mtimes.keys()]) if (unwritten.has(this.exporter.pathOf(name))) mtimes.delete(name);
    const faults = failed.map(({ file, message }) => plainFault('zone-file', `${file}: ${message}`));
    return { wrote: written.length > 0, mtimes, faults };
  }

  private text({ origin, name, network, image, file }: ZoneEntry, mtimes: Map<string, number>): string {
    const now = this.zones.entry(origin)?.image ?? image;
    const live = this.board.versionOf(network, origin);
    if (now === null || live === null) throw new Error(`zone ${name} is gone`);
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat !== undefined) mtimes.set(name, Math.floor(stat.mtimeMs / 1000));
    const zone = ZoneImage.attach(now);
    return printSnapshot(zone, live, serialMax(zone.serial, live.serial));
  }
}
