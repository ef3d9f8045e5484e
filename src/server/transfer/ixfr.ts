/** Differences instead of whole zones (RFC 1995 §4), always condensed into one. */

import { TYPE } from '../../dns/message.ts';
import type { MessagePacker } from '../../dns/message-writer.ts';
import type { ZoneImage } from '../../zones/image/image.ts';
import { liveSets } from '../../zones/image/live-sets.ts';
import type { LiveAddresses } from '../../zones/image/live-version.ts';
import { soaOf } from '../../zones/journal/diff.ts';
import { type StepRecord, withSerial } from '../../zones/journal/step.ts';
import type { TransferStream } from './axfr.ts';
import type { Difference } from './history.ts';
import type { ZoneVersion } from './version.ts';

/**
 * The records of the answer in order: the new SOA, the old one, what was removed, the new one, what was added, the new
 * one. Null: the difference holds more records than the zone, so the zone itself is the shorter answer.
 */
export function differenceRecords(version: ZoneVersion, difference: Difference): readonly StepRecord[] | null {
  const { image } = version.zone;
  const soa = image === null ? null : soaOf(image);
  if (image === null || soa === null) return null;
  const { oldSoa, removed, added } = difference;
  const records = image.recordCount + liveRecordCount(image, version.live);
  if (removed.length + added.length > Math.max(records, 16)) return null;
  const newSoa = withSerial(soa, version.serial);
  return [newSoa, oldSoa, ...removed, newSoa, ...added, newSoa];
}

function liveRecordCount(image: ZoneImage, live: LiveAddresses | null): number {
  if (live === null) return 0;
  const ofType = (type: number): number => (type === TYPE.a ? live.v4.length : live.v6.length);
  return liveSets(image).reduce((sum, { type }) => sum + ofType(type), 0);
}

/** Streams them. False: the peer is gone. */
export async function sendDifference(records: readonly StepRecord[], stream: TransferStream): Promise<boolean> {
  for (const { owner, type, ttl, rdata } of records) {
    if (stream.put(owner, type, ttl, rdata, rdata.length)) continue;
    if (!(await stream.add(owner, type, ttl, rdata, rdata.length))) return false;
  }
  return stream.end();
}

/** Puts them into one message of at most `limit` octets (UDP). False: they do not fit. */
export function packDifference(records: readonly StepRecord[], packer: MessagePacker, limit: number): boolean {
  return records.every(({ owner, type, ttl, rdata }) => packer.add(owner, type, ttl, rdata, rdata.length, limit));
}
