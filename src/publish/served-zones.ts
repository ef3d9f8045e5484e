import { statSync } from 'node:fs';
import type { WireName } from '../dns/name.ts';
import { serialMax } from '../dns/serial.ts';
import type { LiveRRsets } from '../live/live-rrsets.ts';
import { ZoneImage } from '../zones/image/image.ts';
import type { ZoneEntry } from '../zones/store/types.ts';
import { printSnapshot } from '../zones/write/snapshot.ts';
import type { DueZone, PrintedZone, ZoneSource } from './zone-files.ts';

/** What is needed of the zone store. */
export type EntrySource = { entry(origin: WireName): ZoneEntry | null };

/** The zones that a server has in memory, as it answers them. */
export function servedZones(store: EntrySource, live: LiveRRsets): ZoneSource {
  return {
    due: async ({ zones }) => ({
      zones: zones.flatMap((origin): readonly DueZone[] => {
        const entry = store.entry(origin);
        if (entry === null || entry.network === null || entry.image === null) return [];
        // The file keeps what is in force, or the serial of one that nobody agreed upon would be taken for its own.
        if ((entry.standing ?? 'agreed') !== 'agreed') return [];
        // A network that never had a live edge has no zone to publish yet (specification 12.4).
        if (live.versionOf(entry.network, origin)?.serial === 0) return [];
        return [{ name: entry.name, print: () => printServed(store.entry(origin) ?? entry, live) }];
      }),
      faults: [],
    }),
  };
}

/**
 * A zone with its live set. `contentSerials` false: where no server gives contents serials of their own, a zone has its
 * network's. Throws where there is nothing to print any more.
 */
export function printServed(zone: ZoneEntry, live: LiveRRsets, contentSerials = true): PrintedZone {
  const { origin, name, network, image, file } = zone;
  const version = live.versionOf(network, origin);
  if (image === null || version === null) throw new Error(`zone ${name} is gone`);
  const stat = statSync(file, { throwIfNoEntry: false });
  const served = ZoneImage.attach(image);
  const serial = contentSerials ? serialMax(served.serial, version.serial) : version.serial;
  const mtime = stat === undefined ? null : Math.floor(stat.mtimeMs / 1000);
  return { text: printSnapshot(served, version, serial), mtime, serial: version.serial };
}
