/**
 * A zone's whole content as it is remembered over a restart, so that what changed meanwhile can be sent as a
 * difference. Not the compiled image: its layout is one program's, and another version of Edgewise may read the file.
 */
import type { ZoneImage } from '../image/image.ts';
import { liveSets } from '../image/live-sets.ts';
import { eachRecord, type Pause, soaOf } from './diff.ts';
import { StepReader, type StepRecord, type ZoneContent } from './step.ts';

/** Larger ones are not remembered: a zone of half a million small records. */
export const CONTENT_OCTETS_MAX = 16 << 20;

const NO_RDATA = new Uint8Array(0);

/**
 * The serial (4 octets), the network's name (a length of 2, 65,535 for none, and UTF-8), then three lists as in
 * `encodeStep`: the SOA, the live RRsets, the records. Null: nothing to remember, or too much.
 */
export async function encodeContent(
  image: ZoneImage,
  network: string | null,
  pause: Pause,
): Promise<Uint8Array | null> {
  const soa = soaOf(image);
  if (soa === null) return null;
  const writer = new ContentWriter();
  const name = network === null ? null : Buffer.from(network, 'utf8');
  writer.u32(image.serial);
  writer.u16(name === null ? 0xffff : name.length);
  if (name !== null) writer.octets(name, name.length);
  const live = liveSets(image);
  writer.list([soa]);
  writer.list(live.map((set) => ({ ...set, rdata: NO_RDATA })));
  const countAt = writer.at;
  writer.u32(0);
  let count = 0;
  await eachRecord(image, pause, (cursor) => {
    if (writer.at > CONTENT_OCTETS_MAX) return;
    count += 1;
    writer.octets(cursor.ownerOctets, cursor.ownerLength);
    writer.u16(cursor.type);
    writer.u32(cursor.ttl);
    writer.u16(cursor.rdataLength);
    writer.octets(cursor.rdataOctets, cursor.rdataLength);
  });
  return writer.at > CONTENT_OCTETS_MAX ? null : writer.finish(countAt, count);
}

/** Null: the octets are none of `encodeContent`. Records that follow are looked at when they are read. */
export function decodeContent(octets: Uint8Array): ZoneContent | null {
  if (octets.length < 6) return null;
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const length = view.getUint16(4);
  const at = 6 + (length === 0xffff ? 0 : length);
  if (at > octets.length) return null;
  const reader = new StepReader(octets, at);
  const soa = reader.list();
  const live = reader.list();
  if (soa?.length !== 1 || live === null) return null;
  const start = reader.at;
  return {
    network: length === 0xffff ? null : Buffer.from(octets.subarray(6, at)).toString('utf8'),
    serial: view.getUint32(0),
    soa: soa[0],
    live,
    records: () => new StepReader(octets, start).each(),
  };
}

class ContentWriter {
  at = 0;
  private out = new Uint8Array(4096);
  private view = new DataView(this.out.buffer);

  u16(value: number): void {
    this.grow(2);
    this.view.setUint16(this.at, value);
    this.at += 2;
  }

  u32(value: number): void {
    this.grow(4);
    this.view.setUint32(this.at, value);
    this.at += 4;
  }

  octets(source: Uint8Array, length: number): void {
    this.grow(length);
    const { out, at } = this;
    for (let i = 0; i < length; i++) out[at + i] = source[i];
    this.at = at + length;
  }

  list(records: readonly StepRecord[]): void {
    this.u32(records.length);
    for (const { owner, type, ttl, rdata } of records) {
      this.octets(owner, owner.length);
      this.u16(type);
      this.u32(ttl);
      this.u16(rdata.length);
      this.octets(rdata, rdata.length);
    }
  }

  finish(countAt: number, count: number): Uint8Array {
    this.view.setUint32(countAt, count);
    return this.out.subarray(0, this.at);
  }

  private grow(room: number): void {
    if (this.at + room <= this.out.length) return;
    const grown = new Uint8Array(Math.max(2 * this.out.length, this.at + room));
    grown.set(this.out.subarray(0, this.at));
    this.out = grown;
    this.view = new DataView(grown.buffer);
  }
}
