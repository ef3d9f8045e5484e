import { serialMax } from '../../dns/serial.ts';
import type { LiveSlots } from '../../live/slots.ts';
import { ImageCursor } from '../../zones/image/cursor.ts';
import type { LiveVersion } from '../../zones/image/live-version.ts';
import type { ServedZone } from '../answer/zone-table.ts';

/**
 * One version of a zone, from first to last record of a transfer: an image that never changes and a copied live set.
 */
export type ZoneVersion = {
  readonly zone: ServedZone;
  readonly live: LiveVersion | null;
  readonly serial: number;
};

/**
 * The version that the zone has now; null: none that could be transferred (not loaded, or no edge was ever live).
 * `catchUp` must take in every message of the main thread: that sends an image before it makes a later flip, so the
 * live set is read first and the image after it, or one serial could name two contents.
 */
export function captureVersion(
  slots: LiveSlots,
  find: () => ServedZone | null,
  catchUp: () => void,
): ZoneVersion | null {
  const before = find();
  const live = before === null ? null : readLive(slots, before);
  catchUp();
  const zone = find();
  if (zone === null || zone.image === null) return null;
  // Its slot changed meanwhile (a canary of its own): the new slot holds what the network's does, or newer.
  const current = zone.slots.at(0) === before?.slots.at(0) ? live : readLive(slots, zone);
  if (zone.image.isLive && (current === null || current.serial === 0)) return null;
  const { serial } = zone.image;
  return { zone, live: current, serial: current === null ? serial : serialMax(serial, current.serial) };
}

/** The live set that the zone's live RRsets hold: of its one pool. Null: it has none. */
function readLive(slots: LiveSlots, zone: ServedZone): LiveVersion | null {
  return zone.slots.length === 0 ? null : slots.read(zone.slots[0]);
}

/** All records of a version, the SOA first and not repeated at the end. */
export function versionCursor({ zone, live, serial }: ZoneVersion): ImageCursor | null {
  return zone.image === null ? null : new ImageCursor(zone.image, live, serial);
}
