import type { WrittenZone } from '../health/pools/round-types.ts';
import { type Fault, plainFault } from '../system/fault.ts';
import { makeFolder } from '../system/make-folder.ts';
import type { Change, FollowingSink } from './sink.ts';
import type { ExportItem, ZoneExporter } from './zone-exporter.ts';

/** A zone's file as it should be, with what it was made from. */
export type PrintedZone = Omit<WrittenZone, 'name'> & { readonly text: string };

/** A zone whose file may be out of date. `print` is called when its turn has come. */
export type DueZone = { readonly name: string; readonly print: () => PrintedZone };

/** Which files a change makes out of date: a server knows its zones, a single run looks at the include files. */
export type ZoneSource = {
  due(change: Change): Promise<{ readonly zones: readonly DueZone[]; readonly faults: readonly Fault[] }>;
};

export type ZoneFilesOptions = {
  readonly exporter: ZoneExporter;
  readonly source: ZoneSource;
  /** These zones' files hold what they should. `wrote`: some of them did not before. */
  readonly onWritten: (change: Change, zones: readonly WrittenZone[], wrote: boolean) => Promise<void> | void;
};

/**
 * Keeps `named_dir` at what is served, for a BIND beside us. Zones of networks only: a static zone has its file
 * already. The text is made when a zone's turn has come, so of several changes in a row only the last is written.
 */
export function zoneFilesSink({ exporter, source, onWritten }: ZoneFilesOptions): FollowingSink {
  return {
    name: 'zone-files',
    phase: 'follow',
    apply: async (change) => {
      const { zones, faults } = await source.due(change);
      if (zones.length === 0 && !exporter.behind) return faults;
      // A folder that is not there is made; why it cannot be, each file's failure says.
      await makeFolder(exporter.folder).catch(() => undefined);
      const printed = new Map<string, WrittenZone>();
      const items = zones.map(({ name, print }): ExportItem => {
        const text = (): string => {
          const zone = print();
          printed.set(name, { name, mtime: zone.mtime, serial: zone.serial });
          return zone.text;
        };
        return { name, text };
      });
      const { written, failed } = await exporter.export(items);
      const unwritten = new Set(failed.map(({ file }) => file));
      const good = [...printed.values()].filter(({ name }) => !unwritten.has(exporter.pathOf(name)));
      if (good.length > 0 || written.length > 0) await onWritten(change, good, written.length > 0);
      return [...faults, ...failed.map(({ file, message }) => plainFault('zone-file', `${file}: ${message}`))];
    },
  };
}
