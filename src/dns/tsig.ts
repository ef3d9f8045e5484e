/**
 * Transaction signatures, RFC 8945: a keyed hash over a message, its time and (for answers) the request's hash. Pure:
 * the time is passed in.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { HEADER_LENGTH } from './message.ts';
import { lowerName, wireFromName } from './name.ts';
import type { TsigAlgorithm, TsigKey } from './tsig-key.ts';
import { appendTsig, CLASS_ANY, TSIG_FIXED, type TsigRecord, timers, u16, u48 } from './tsig-record.ts';

export const TSIG_ERROR = { none: 0, badSig: 16, badKey: 17, badTime: 18, badTrunc: 22 } as const;
export type TsigError = (typeof TSIG_ERROR)[keyof typeof TSIG_ERROR];

/** Seconds by which the clocks may differ, unless the other side allows less (RFC 8945 §10). */
export const FUDGE = 300;

const NOTHING = new Uint8Array(0);

type Algorithm = { readonly wire: Uint8Array; readonly hash: string; readonly length: number };

const text = (name: string): Uint8Array => {
  const labels = name.split('.').map((label) => [label.length, ...Buffer.from(label)]);
  return Uint8Array.from([...labels.flat(), 0]);
};

/** RFC 8945 §6. HMAC-MD5 keeps the name that RFC 2845 gave it. */
const ALGORITHMS: Readonly<Record<TsigAlgorithm, Algorithm>> = {
  'hmac-sha256': { wire: text('hmac-sha256'), hash: 'sha256', length: 32 },
  'hmac-sha384': { wire: text('hmac-sha384'), hash: 'sha384', length: 48 },
  'hmac-sha512': { wire: text('hmac-sha512'), hash: 'sha512', length: 64 },
  'hmac-sha1': { wire: text('hmac-sha1'), hash: 'sha1', length: 20 },
  'hmac-md5': { wire: text('hmac-md5.sig-alg.reg.int'), hash: 'md5', length: 16 },
};

export type TsigVerdict =
  | { readonly ok: true; readonly key: TsigKey }
  /** 'malformed': a hash of a length that must not be sent. */
  | { readonly ok: false; readonly error: 'malformed'; readonly key: null }
  /** `key`: proven, so that the error may be signed with it; null: it is unknown or not proven. */
  | { readonly ok: false; readonly error: TsigError; readonly key: TsigKey | null };

/**
 * Checks a message against its TSIG record in the order of RFC 8945 §5.2: key, hash, time, truncation. `requestMac`: of
 * the request, when the message is an answer. Truncated hashes are refused: BADTRUNC where they prove the key and are
 * of a length that may be sent, else 'malformed' (§5.2.2.1).
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
  const tooShort = tsig.mac.length < Math.max(10, length / 2);
  if (tooShort || tsig.mac.length > length) return { ok: false, error: 'malformed', key: null };
  const mac = macOf(key, message, tsig, requestMac).subarray(0, tsig.mac.length);
  if (!timingSafeEqual(mac, tsig.mac)) return { ok: false, error: TSIG_ERROR.badSig, key: null };
  if (Math.abs(nowSeconds - tsig.time) > tsig.fudge) return { ok: false, error: TSIG_ERROR.badTime, key };
  // A short hash proves less: the sender gets nothing signed but the refusal.
  if (tsig.mac.length < length) return { ok: false, error: TSIG_ERROR.badTrunc, key };
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

/** Signs the messages of one answer, one after another: each covers the hash before it (§5.3.1). */
export class TsigSigner {
  private readonly key: TsigKey;
  private prior: Uint8Array;
  private first = true;

  /** `requestMac`: of the request that is answered; empty for a request of our own (`requestSigner`). */
  constructor(key: TsigKey, requestMac: Uint8Array) {
    this.key = key;
    this.prior = requestMac;
  }

  /** The hash of the last message signed: what its answer must be verified with. */
  get mac(): Uint8Array {
    return this.prior;
  }

  /** Octets that `sign` appends where there is no other data. */
  get recordLength(): number {
    const { wire, length } = ALGORITHMS[this.key.algorithm];
    return this.key.name.length + wire.length + length + TSIG_FIXED;
  }

  /**
   * Appends TSIG to the message in `buffer[0..length)` and returns the new length. `buffer` needs TSIG_ROOM more
   * octets. `time`: epoch seconds; the request's own for BADTIME, which also has an `error` and our time in `other`
   * (§5.2.3).
   */
  sign(buffer: Uint8Array, length: number, time: number, error = 0, other: Uint8Array = NOTHING): number {
    const { wire, hash } = ALGORITHMS[this.key.algorithm];
    const hmac = createHmac(hash, this.key.secret);
    if (this.prior.length > 0) hmac.update(u16(this.prior.length)).update(this.prior);
    hmac.update(buffer.subarray(0, length));
    const name = wireFromName(this.key.name);
    const seconds = Math.floor(time);
    hmac.update(this.first ? variables(name, wire, seconds, FUDGE, error, other) : timers(seconds, FUDGE));
    this.prior = hmac.digest();
    this.first = false;
    return appendTsig(buffer, length, name, wire, { time: seconds, fudge: FUDGE, mac: this.prior, error, other });
  }
}

/** A request of our own (NOTIFY, a refresh): signs it in place; verify its answer with the signer's `mac`. */
export function requestSigner(key: TsigKey): TsigSigner {
  return new TsigSigner(key, NOTHING);
}

/** Appends an unsigned TSIG record that carries an error, as BADKEY and BADSIG must be (§5.2.1, §5.2.2). */
export function appendUnsigned(buffer: Uint8Array, length: number, tsig: TsigRecord, error: number): number {
  const { keyOctets, algorithmOctets, time, fudge } = tsig;
  return appendTsig(buffer, length, keyOctets, algorithmOctets, { time, fudge, mac: NOTHING, error, other: NOTHING });
}

/** The server's time, which BADTIME carries as other data (§5.2.3). */
export function serverTime(nowSeconds: number): Uint8Array {
  return u48(Math.floor(nowSeconds));
}
