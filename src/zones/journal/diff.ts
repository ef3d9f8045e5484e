import { ImageCursor } from '../image/cursor.ts';
import type { ZoneImage } from '../image/image.ts';
import { type LiveSet, liveSets } from '../image/live-sets.ts';
import type { StepRecord, ZoneContent, ZoneStep } from './step.ts';

/** Records between two calls of `pause`. */
const PAUSE_RECORDS = 4096;
/** Sums of two smaller ones are exact, so that the order does not matter. */
const ALL = 2 ** 52;

export type Pause = () => Promise<void>;

/** What a step begins with. `each` calls `visit` with every record's hash and a way to keep the record. */
type Before = {
  readonly serial: number;
  readonly soa: StepRecord | null;
  readonly live: readonly LiveSet[];
  readonly each: (visit: (hash: number, keep: () => StepRecord) => void) => Promise<void>;
};

/**
 * The step from one image of a zone to the next; null: more than `most` records differ, so a secondary is better off
 * with the whole zone. Compares the records' 53-bit hashes: that a changed record hits one of a million others by
 * chance is less likely than a broken disk. `pause` is called now and then and may yield to the event loop.
 */
export function diffImages(before: ZoneImage, after: ZoneImage, most: number, pause: Pause): Promise<ZoneStep | null> {
  const each: Before['each'] = (visit) =>
    eachRecord(before, pause, (cursor) => visit(recordHash(cursor), () => copyOf(cursor)));
  return diff({ serial: before.serial, soa: soaOf(before), live: liveSets(before), each }, after, most, pause);
}

/** The same from a content that was remembered. */
export function diffContent(
  before: ZoneContent,
  after: ZoneImage,
  most: number,
  pause: Pause,
): Promise<ZoneStep | null> {
  const { serial, soa, live } = before;
  const each: Before['each'] = (visit) => eachRemembered(before, pause, (hash, record) => visit(hash, () => record));
  return diff({ serial, soa, live, each }, after, most, pause);
}

async function diff(before: Before, after: ZoneImage, most: number, pause: Pause): Promise<ZoneStep | null> {
  const { serial, soa, live } = before;
  if (soa === null) return null;
  const old = new Set<number>();
  await before.each((hash) => old.add(hash));
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
  await before.each((hash, keep) => {
    if (!fresh.has(hash) && removed.length <= most) removed.push(keep());
  });
  if (removed.length + added.length > most) return null;
  return { from: serial, to: after.serial, soa, live, removed, added };
}

/** A number that stands for the contents (the SOA's serial and the live addresses left out), in whatever order. */
export async function imageDigest(image: ZoneImage, pause: Pause): Promise<number> {
  let sum = headDigest(soaOf(image), liveSets(image));
  await eachRecord(image, pause, (cursor) => {
    sum = (sum + (recordHash(cursor) % ALL)) % ALL;
  });
  return sum;
}

/** The same number, of a content that was remembered. */
export async function contentDigest(content: ZoneContent, pause: Pause): Promise<number> {
  let sum = headDigest(content.soa, content.live);
  await eachRemembered(content, pause, (hash) => {
    sum = (sum + (hash % ALL)) % ALL;
  });
  return sum;
}

function headDigest(soa: StepRecord | null, live: readonly LiveSet[]): number {
  const start =
    soa === null ? 0 : hashOf(soa.owner, soa.owner.length, 6, soa.ttl, withoutSerial(soa.rdata), soa.rdata.length);
  return live.reduce(
    (sum, { owner, type, ttl }) => (sum + (hashOf(owner, owner.length, type, ttl, owner, 0) % ALL)) % ALL,
    start % ALL,
  );
}

const soas = new WeakMap<SharedArrayBuffer, StepRecord>();

/**
 * The SOA record; its serial is one that the image had. Found once an image, since a flip asks for it of every zone.
 */
export function soaOf(image: ZoneImage): StepRecord | null {
  const known = soas.get(image.shared);
  if (known !== undefined) return known;
  const cursor = new ImageCursor(image);
  if (image.soa === 0 || !cursor.next()) return null;
  const soa = copyOf(cursor);
  soas.set(image.shared, soa);
  return soa;
}

function withoutSerial(rdata: Uint8Array): Uint8Array {
  return rdata.slice().fill(0, rdata.length - 20, rdata.length - 16);
}

async function eachRemembered(
  content: ZoneContent,
  pause: Pause,
  visit: (hash: number, record: StepRecord) => void,
): Promise<void> {
  let count = 0;
  for (const record of content.records()) {
    const { owner, type, ttl, rdata } = record;
    visit(hashOf(owner, owner.length, type, ttl, rdata, rdata.length), record);
    if (++count % PAUSE_RECORDS === 0) await pause();
  }
}

/** All records but the SOA and the live ones. */
export async function eachRecord(image: ZoneImage, pause: Pause, visit: (cursor: ImageCursor) => void): Promise<void> {
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
