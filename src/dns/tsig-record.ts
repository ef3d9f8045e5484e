/** The TSIG record of a message (RFC 8945 §4.2): reading and writing it, without any hashing. */

import { TYPE } from './message.ts';
import { expandName, MessageCursor, skipName } from './message-cursor.ts';
import { lowerName, type WireName } from './name.ts';

export const CLASS_ANY = 255;
/** Room that a TSIG record of a key can take: names, hash and the fixed fields. */
export const TSIG_ROOM = 2 * 255 + 64 + 32;

/** A TSIG record as received. `start`: where it begins, so the message without it is `message[0..start)`. */
export type TsigRecord = {
  readonly start: number;
  readonly keyName: WireName;
  /** Owner and algorithm, uncompressed, as spelled, for an answer that must repeat them. */
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
 * 'malformed': the message cannot be read, or has a TSIG record elsewhere or twice.
 */
export function findTsig(message: Uint8Array): TsigRecord | null | 'malformed' {
  const cursor = MessageCursor.over(message);
  if (cursor === null) return 'malformed';
  for (let step = cursor.next(); step !== 'end'; step = cursor.next()) {
    if (step === 'malformed') return 'malformed';
    if (cursor.type !== TYPE.tsig) continue;
    if (cursor.section !== 'additional' || !cursor.isLast || cursor.end !== message.length) return 'malformed';
    return readTsig(message, cursor) ?? 'malformed';
  }
  return null;
}

/**
 * Null: wrong class or TTL, lengths that do not add up, or a compressed algorithm. The owner may be compressed (RFC
 * 1035 §4.1.4); RFC 8945 §4.2 forbids it for the algorithm only, and dnspython, ldns and others do it.
 */
function readTsig(message: Uint8Array, cursor: MessageCursor): TsigRecord | null {
  const u16 = (at: number): number => (message[at] << 8) | message[at + 1];
  const { start, rdata, end } = cursor;
  if (cursor.class !== CLASS_ANY || cursor.ttl !== 0) return null;
  const keyOctets = cursor.owner();
  const algorithmEnd = skipName(message, rdata, end);
  const algorithmOctets = algorithmEnd < 0 ? null : expandName(message, rdata);
  if (keyOctets === null || algorithmOctets === null) return null;
  if (rdata + algorithmOctets.length !== algorithmEnd || algorithmEnd + 10 > end) return null;
  const macStart = algorithmEnd + 10;
  const macEnd = macStart + u16(algorithmEnd + 8);
  if (macEnd + 6 > end || macEnd + 6 + u16(macEnd + 4) !== end) return null;
  return {
    start,
    keyName: lowerName(keyOctets),
    keyOctets,
    algorithm: lowerName(algorithmOctets),
    algorithmOctets,
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
