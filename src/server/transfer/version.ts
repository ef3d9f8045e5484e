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
 * `catchUp` must take in every message of the main thread: that sends an image before it makes a later flip, and makes
 * an earlier flip before it sends an image. So both are looked at until neither has changed, or one serial could name
 * two versions.
 */
export function captureVersion(
  slots: LiveSlots,
  find: () => ServedZone | null,
  catchUp: () => void,
): ZoneVersion | null {
  let zone = find();
  let current = zone === null ? null : readLive(slots, zone);
  for (let tries = 0; ; tries++) {
    catchUp();
    const now = find();
    const live = now === null ? null : readLive(slots, now);
    // A flip, an image after it, and both while we looked: the image belongs to the later live set.
    const isSame = now === zone && live?.serial === current?.serial;
    [zone, current] = [now, live];
    if (isSame) break;
    if (tries >= TRIES_MAX) return null;
  }
  if (zone === null || zone.image === null || zone.isHeld) return null;
  if (zone.image.isLive && (current === null || current.serial === 0)) return null;
  const { serial } = zone.image;
  return { zone, live: current, serial: current === null ? serial : serialMax(serial, current.serial) };
}

/** The main thread changes a zone some times a second at most. */
const TRIES_MAX = 16;

/** The live set that the zone's live RRsets hold: of its one pool. Null: it has none. */
function readLive(slots: LiveSlots, zone: ServedZone): LiveVersion | null {
  return zone.slots.length === 0 ? null : slots.read(zone.slots[0]);
}

/** All records of a version, the SOA first and not repeated at the end. */
export function versionCursor({ zone, live, serial }: ZoneVersion): ImageCursor | null {
  return zone.image === null ? null : new ImageCursor(zone.image, live, serial);
}
