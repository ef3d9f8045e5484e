/** The TSIG record as it stands in a message (RFC 8945 §4.2): finding it and writing it, without any hashing. */

import { isPlainName, nameEnd, recordEnd } from './decode.ts';
import { HEADER_LENGTH, TYPE } from './message.ts';
import { lowerName, type WireName } from './name.ts';

export const CLASS_ANY = 255;
/** Room that a TSIG record of a key can take: names, hash and the fixed fields. */
export const TSIG_ROOM = 2 * 255 + 64 + 32;

/** A TSIG record as it came. `start`: where it begins, so the message without it is `message[0..start)`. */
export type TsigRecord = {
  readonly start: number;
  readonly keyName: WireName;
  /** Owner and algorithm as spelled, for an answer that must repeat them. */
  readonly keyOctets: Uint8Array;
  readonly algorithm: WireName;
  readonly algorithmOctets: Uint8Array;
  /** Epoch seconds. */
  readonly time: number;
  readonly fudge: number;
  readonly mac: Uint8Array;
  readonly originalId: number;
  readonly error: number;
  readonly other: Uint8Array;
};

/**
 * The TSIG record of a message, which must be the last of its additional section (RFC 8945 §5.1). null: none.
 * 'malformed': the message cannot be read, or TSIG stands elsewhere, or twice.
 */
export function findTsig(message: Uint8Array): TsigRecord | null | 'malformed' {
  const { length } = message;
  if (length < HEADER_LENGTH) return 'malformed';
  const count = (at: number): number => (message[at] << 8) | message[at + 1];
  let at = HEADER_LENGTH;
  for (let left = count(4); left > 0; left--) {
    const fields = nameEnd(message, at, length);
    if (fields < 0 || fields + 4 > length) return 'malformed';
    at = fields + 4;
  }
  const records = count(6) + count(8) + count(10);
  for (let i = 1; i <= records; i++) {
    const fields = nameEnd(message, at, length);
    const next = fields < 0 ? -1 : recordEnd(message, fields, length);
    if (next < 0) return 'malformed';
    if (count(fields) === TYPE.tsig) {
      if (i !== records || count(10) === 0 || next !== length) return 'malformed';
      return readTsig(message, at, fields, next) ?? 'malformed';
    }
    at = next;
  }
  return at === length ? null : 'malformed';
}

/** Null: compressed names, wrong class or TTL, or lengths that do not add up. */
function readTsig(message: Uint8Array, start: number, fields: number, end: number): TsigRecord | null {
  const u16 = (at: number): number => (message[at] << 8) | message[at + 1];
  if (u16(fields + 2) !== CLASS_ANY || u16(fields + 4) !== 0 || u16(fields + 6) !== 0) return null;
  if (!isPlainName(message, start, fields)) return null;
  const rdata = fields + 10;
  const algorithmEnd = nameEnd(message, rdata, end);
  if (algorithmEnd < 0 || !isPlainName(message, rdata, algorithmEnd) || algorithmEnd + 10 > end) return null;
  const macStart = algorithmEnd + 10;
  const macEnd = macStart + u16(algorithmEnd + 8);
  if (macEnd + 6 > end || macEnd + 6 + u16(macEnd + 4) !== end) return null;
  return {
    start,
    keyName: lowerName(message, start),
    keyOctets: message.slice(start, fields),
    algorithm: lowerName(message, rdata),
    algorithmOctets: message.slice(rdata, algorithmEnd),
    time: u16(algorithmEnd) * 2 ** 32 + (u16(algorithmEnd + 2) * 2 ** 16 + u16(algorithmEnd + 4)),
    fudge: u16(algorithmEnd + 6),
    mac: message.slice(macStart, macEnd),
    originalId: u16(macEnd),
    error: u16(macEnd + 2),
    other: message.slice(macEnd + 6, end),
  };
}

/** The record's fields behind its names. `error` and `other` are for answers. */
export type TsigFields = {
  /** Epoch seconds. */
  readonly time: number;
  readonly fudge: number;
  readonly mac: Uint8Array;
  readonly error: number;
  readonly other: Uint8Array;
};

/** Octets of the record besides its names, its hash and other data. */
export const TSIG_FIXED = 26;

/**
 * Appends a record to the message in `buffer[0..length)`, whose identifier it keeps as the original one, and counts it.
 * `key` and `algorithm`: names in wire form. Returns the new length.
 */
export function appendTsig(
  buffer: Uint8Array,
  length: number,
  key: Uint8Array,
  algorithm: Uint8Array,
  { time, fudge, mac, error, other }: TsigFields,
): number {
  const rdata = Buffer.concat([
    algorithm,
    timers(time, fudge),
    u16(mac.length),
    mac,
    buffer.subarray(0, 2), // original identifier
    u16(error),
    u16(other.length),
    other,
  ]);
  const record = Buffer.concat([key, u16(TYPE.tsig), u16(CLASS_ANY), u16(0), u16(0), u16(rdata.length), rdata]);
  buffer.set(record, length);
  const additional = ((buffer[10] << 8) | buffer[11]) + 1;
  buffer[10] = additional >>> 8;
  buffer[11] = additional;
  return length + record.length;
}

/** The message as it was before it was signed. */
export function withoutTsig(message: Uint8Array, tsig: TsigRecord): Uint8Array {
  const bare = message.slice(0, tsig.start);
  const additional = ((bare[10] << 8) | bare[11]) - 1;
  bare[10] = additional >>> 8;
  bare[11] = additional;
  return bare;
}

export function timers(time: number, fudge: number): Uint8Array {
  return Buffer.concat([u48(time), u16(fudge)]);
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value);
}

export function u48(value: number): Uint8Array {
  const high = Math.floor(value / 2 ** 32);
  const low = value % 2 ** 32;
  return Uint8Array.of(high >>> 8, high, low >>> 24, low >>> 16, low >>> 8, low);
}
