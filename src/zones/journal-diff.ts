import type { ZoneImage } from './image.ts';
import { ImageCursor } from './image-cursor.ts';
import type { StepRecord, ZoneStep } from './journal-step.ts';
import { liveSets } from './live-sets.ts';

/** Records between two calls of `pause`. */
const PAUSE_RECORDS = 4096;

export type Pause = () => Promise<void>;

/**
 * The step from one image of a zone to the next; null: more than `most` records differ, so a secondary is better off
 * with the whole zone. Compares the records' 53-bit hashes: that a changed record hits one of a million others by chance
 * is less likely than a broken disk. `pause` is called now and then, so that whoever waits has a turn.
 */
export async function diffImages(
  before: ZoneImage,
  after: ZoneImage,
  most: number,
  pause: Pause,
): Promise<ZoneStep | null> {
  const soa = soaOf(before);
  if (soa === null) return null;
  const old = await hashesOf(before, pause);
  const fresh = new Set<number>();
  const added: StepRecord[] = [];
  let grown = false;
  await eachRecord(after, pause, (cursor) => {
    const hash = recordHash(cursor);
    fresh.add(hash);
    if (old.has(hash) || grown) return;
    if (added.length >= most) grown = true;
    else added.push(copyOf(cursor));
  });
  if (grown) return null;
  const removed: StepRecord[] = [];
  await eachRecord(before, pause, (cursor) => {
    if (!fresh.has(recordHash(cursor)) && removed.length <= most) removed.push(copyOf(cursor));
  });
  if (removed.length + added.length > most) return null;
  return { from: before.serial, to: after.serial, soa, live: liveSets(before), removed, added };
}

/** A number that stands for the contents (the SOA's serial and the live addresses left out), in whatever order. */
export async function imageDigest(image: ZoneImage, pause: Pause): Promise<number> {
  const soa = soaOf(image);
  let sum =
    soa === null ? 0 : hashOf(soa.owner, soa.owner.length, 6, soa.ttl, withoutSerial(soa.rdata), soa.rdata.length);
  await eachRecord(image, pause, (cursor) => {
    sum = (sum + recordHash(cursor)) % 2 ** 53;
  });
  for (const { owner, type, ttl } of liveSets(image)) {
    sum = (sum + hashOf(owner, owner.length, type, ttl, owner, 0)) % 2 ** 53;
  }
  return sum;
}

/** The SOA record as it is with the image's own serial. */
export function soaOf(image: ZoneImage): StepRecord | null {
  const cursor = new ImageCursor(image);
  return image.soa !== 0 && cursor.next() ? copyOf(cursor) : null;
}

function withoutSerial(rdata: Uint8Array): Uint8Array {
  return rdata.slice().fill(0, rdata.length - 20, rdata.length - 16);
}

async function hashesOf(image: ZoneImage, pause: Pause): Promise<Set<number>> {
  const hashes = new Set<number>();
  await eachRecord(image, pause, (cursor) => hashes.add(recordHash(cursor)));
  return hashes;
}

/** All records but the SOA and the live ones. */
async function eachRecord(image: ZoneImage, pause: Pause, visit: (cursor: ImageCursor) => void): Promise<void> {
  const cursor = new ImageCursor(image);
  if (image.soa !== 0) cursor.next();
  for (let count = 1; cursor.next(); count++) {
    visit(cursor);
    if (count % PAUSE_RECORDS === 0) await pause();
  }
}

function copyOf({ owner, type, ttl, rdata }: ImageCursor): StepRecord {
  return { owner: owner.slice(), type, ttl, rdata: rdata.slice() };
}

function recordHash({ ownerOctets, ownerLength, type, ttl, rdataOctets, rdataLength }: ImageCursor): number {
  return hashOf(ownerOctets, ownerLength, type, ttl, rdataOctets, rdataLength);
}

function hashOf(
  owner: Uint8Array,
  ownerLength: number,
  type: number,
  ttl: number,
  rdata: Uint8Array,
  rdataLength: number,
): number {
  let a = 0x811c9dc5 ^ type;
  let b = 0x9e3779b9 ^ ttl;
  for (let i = 0; i < ownerLength; i++) {
    a = Math.imul(a ^ owner[i], 0x01000193);
    b = Math.imul(b ^ owner[i], 0x85ebca6b) ^ (b >>> 15);
  }
  for (let i = 0; i < rdataLength; i++) {
    a = Math.imul(a ^ rdata[i], 0x01000193);
    b = Math.imul(b ^ rdata[i], 0x85ebca6b) ^ (b >>> 15);
  }
  a = Math.imul(a ^ (a >>> 15) ^ ttl, 0x2c1b3c6d);
  b = Math.imul(b ^ (b >>> 13) ^ type, 0xc2b2ae35);
  return ((a ^ (a >>> 13)) & 0x1fffff) * 2 ** 32 + ((b ^ (b >>> 16)) >>> 0);
}
