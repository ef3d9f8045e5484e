/**
 * Transaction signatures, RFC 8945: a keyed hash over a message, its time and (for answers) the request's hash. Pure:
 * the time is passed in.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { TsigAlgorithm, TsigKey } from '../config/types.ts';
import { lowerName, type WireName, wireFromName, wireNameLength } from '../zones/name.ts';
import { nameEnd, recordEnd } from './decode.ts';
import { HEADER_LENGTH, TYPE } from './message.ts';

export const TSIG_ERROR = { none: 0, badSig: 16, badKey: 17, badTime: 18, badTrunc: 22 } as const;

/** Seconds by which the clocks may differ, unless the other side allows less (RFC 8945 §10). */
export const FUDGE = 300;

const CLASS_ANY = 255;
/** Room that a TSIG record of a key can take: names, hash and the fixed fields. */
export const TSIG_ROOM = 2 * 255 + 64 + 32;

type Algorithm = { readonly wire: Uint8Array; readonly hash: string; readonly length: number };

const text = (name: string): Uint8Array => {
  const labels = name.split('.').map((label) => [label.length, ...Buffer.from(label)]);
  return Uint8Array.from([...labels.flat(), 0]);
};

/** RFC 8945 §6. HMAC-MD5 has the name it was born with. */
const ALGORITHMS: Readonly<Record<TsigAlgorithm, Algorithm>> = {
  'hmac-sha256': { wire: text('hmac-sha256'), hash: 'sha256', length: 32 },
  'hmac-sha384': { wire: text('hmac-sha384'), hash: 'sha384', length: 48 },
  'hmac-sha512': { wire: text('hmac-sha512'), hash: 'sha512', length: 64 },
  'hmac-sha1': { wire: text('hmac-sha1'), hash: 'sha1', length: 20 },
  'hmac-md5': { wire: text('hmac-md5.sig-alg.reg.int'), hash: 'md5', length: 16 },
};

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

/** Uncompressed, and filling exactly its place. */
function isPlainName(message: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && message[at] !== 0) {
    if (message[at] > 63) return false;
    at += 1 + message[at];
  }
  return at + 1 === end && end - start <= 255;
}

export type TsigVerdict =
  | { readonly ok: true; readonly key: TsigKey }
  /** `key`: known and proven, so that the error may be signed with it. */
  | { readonly ok: false; readonly error: number; readonly key: TsigKey | null };

/**
 * Checks a message against its TSIG record in the order of RFC 8945 §5.2: key, hash, time, truncation. `requestMac`: of
 * the request, when the message is an answer. Truncated hashes are refused (BADTRUNC), whatever their length.
 */
export function verifyTsig(
  message: Uint8Array,
  tsig: TsigRecord,
  keys: readonly TsigKey[],
  nowSeconds: number,
  requestMac: Uint8Array | null = null,
): TsigVerdict {
  const key = keys.find(
    ({ name, algorithm }) => name === tsig.keyName && lowerName(ALGORITHMS[algorithm].wire) === tsig.algorithm,
  );
  if (key === undefined) return { ok: false, error: TSIG_ERROR.badKey, key: null };
  const { length } = ALGORITHMS[key.algorithm];
  if (tsig.mac.length === 0 || tsig.mac.length > length) return { ok: false, error: TSIG_ERROR.badSig, key: null };
  const mac = macOf(key, message, tsig, requestMac).subarray(0, tsig.mac.length);
  if (!timingSafeEqual(mac, tsig.mac)) return { ok: false, error: TSIG_ERROR.badSig, key: null };
  // A short hash proves little: nothing is signed for its sender but the refusal.
  if (tsig.mac.length < length) {
    const proven = tsig.mac.length >= Math.max(10, length / 2);
    return { ok: false, error: proven ? TSIG_ERROR.badTrunc : TSIG_ERROR.badSig, key: proven ? key : null };
  }
  if (Math.abs(nowSeconds - tsig.time) > tsig.fudge) return { ok: false, error: TSIG_ERROR.badTime, key };
  return { ok: true, key };
}

function macOf(key: TsigKey, message: Uint8Array, tsig: TsigRecord, requestMac: Uint8Array | null): Uint8Array {
  const hmac = createHmac(ALGORITHMS[key.algorithm].hash, key.secret);
  if (requestMac !== null) hmac.update(u16(requestMac.length)).update(requestMac);
  // The message as it was before TSIG was added: its own identifier, one additional record less (§4.3.2).
  const header = message.slice(0, HEADER_LENGTH);
  header[0] = tsig.originalId >>> 8;
  header[1] = tsig.originalId;
  const additional = ((header[10] << 8) | header[11]) - 1;
  header[10] = additional >>> 8;
  header[11] = additional;
  hmac.update(header).update(message.subarray(HEADER_LENGTH, tsig.start));
  return hmac
    .update(
      variables(
        wireFromName(tsig.keyName),
        wireFromName(tsig.algorithm),
        tsig.time,
        tsig.fudge,
        tsig.error,
        tsig.other,
      ),
    )
    .digest();
}

/** §4.3.3: names in canonical form, everything in the order of the record. */
function variables(
  key: Uint8Array,
  algorithm: Uint8Array,
  time: number,
  fudge: number,
  error: number,
  other: Uint8Array,
): Uint8Array {
  return Buffer.concat([
    key,
    u16(CLASS_ANY),
    u16(0),
    u16(0),
    algorithm,
    timers(time, fudge),
    u16(error),
    u16(other.length),
    other,
  ]);
}

function timers(time: number, fudge: number): Uint8Array {
  return Buffer.concat([u48(time), u16(fudge)]);
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value);
}

function u48(value: number): Uint8Array {
  const high = Math.floor(value / 2 ** 32);
  const low = value % 2 ** 32;
  return Uint8Array.of(high >>> 8, high, low >>> 24, low >>> 16, low >>> 8, low);
}

/** Signs the messages of one answer, one after another: each covers the hash before it (§5.3.1). */
export class TsigSigner {
  private readonly key: TsigKey;
  private prior: Uint8Array;
  private first = true;

  /** `requestMac`: of the request that is answered; empty for a request of our own (`TsigSigner.request`). */
  constructor(key: TsigKey, requestMac: Uint8Array) {
    this.key = key;
    this.prior = requestMac;
  }

  /** The hash of the last message signed: what its answer must be verified with. */
  get mac(): Uint8Array {
    return this.prior;
  }

  /**
   * Appends TSIG to the message in `buffer[0..length)` and returns the new length. `buffer` needs TSIG_ROOM more octets.
   * `time`: epoch seconds. `error`, `other` and `requestTime` are for BADTIME, which repeats the request's time (§5.2.3).
   */
  sign(buffer: Uint8Array, length: number, time: number, error = 0, other: Uint8Array = new Uint8Array(0)): number {
    const { wire, hash } = ALGORITHMS[this.key.algorithm];
    const hmac = createHmac(hash, this.key.secret);
    if (this.prior.length > 0) hmac.update(u16(this.prior.length)).update(this.prior);
    hmac.update(buffer.subarray(0, length));
    const name = wireFromName(this.key.name);
    const seconds = Math.floor(time);
    hmac.update(this.first ? variables(name, wire, seconds, FUDGE, error, other) : timers(seconds, FUDGE));
    this.prior = hmac.digest();
    this.first = false;
    return appendTsig(buffer, length, name, wire, seconds, FUDGE, this.prior, error, other);
  }
}

/** A request of our own (NOTIFY, a refresh): signs it in place; verify its answer with the signer's `mac`. */
export function requestSigner(key: TsigKey): TsigSigner {
  return new TsigSigner(key, new Uint8Array(0));
}

/** Appends an unsigned TSIG record that carries an error, as BADKEY and BADSIG must be (§5.2.1, §5.2.2). */
export function appendUnsigned(buffer: Uint8Array, length: number, tsig: TsigRecord, error: number): number {
  const { keyOctets, algorithmOctets, time, fudge } = tsig;
  return appendTsig(
    buffer,
    length,
    keyOctets,
    algorithmOctets,
    time,
    fudge,
    new Uint8Array(0),
    error,
    new Uint8Array(0),
  );
}

function appendTsig(
  buffer: Uint8Array,
  length: number,
  key: Uint8Array,
  algorithm: Uint8Array,
  time: number,
  fudge: number,
  mac: Uint8Array,
  error: number,
  other: Uint8Array,
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

/** The server's time, which BADTIME carries as other data (§5.2.3). */
export function serverTime(nowSeconds: number): Uint8Array {
  return u48(Math.floor(nowSeconds));
}

/** Whether a name at `offset` is this key's, for callers that have only octets. */
export function isKeyName(key: TsigKey, octets: Uint8Array, offset: number): boolean {
  return wireNameLength(octets, offset) === key.name.length && lowerName(octets, offset) === key.name;
}
