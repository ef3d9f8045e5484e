import { DECODED, Query } from '../../dns/decode.ts';
import type { Edns } from '../../dns/decode-edns.ts';
import { CLASS, HEADER_LENGTH, OPCODE, RCODE, TYPE, UDP_PLAIN_MAX } from '../../dns/message.ts';
import { MessageCursor } from '../../dns/message-cursor.ts';
import { lowerName, type WireName } from '../../dns/name.ts';
import type { ParsedName } from '../../dns/parsed-name.ts';
import { appendUnsigned, serverTime, TSIG_ERROR, TsigSigner, verifyTsig } from '../../dns/tsig.ts';
import type { TsigKey } from '../../dns/tsig-key.ts';
import { findTsig, TSIG_ROOM, type TsigRecord, withoutTsig } from '../../dns/tsig-record.ts';
import type { Client } from '../answer/front-end.ts';
import { shortReply } from './reply-parts.ts';

/**
 * A request whose signature, if it has one, was verified and taken off, with all that its answer needs: transfers wait
 * for their readers, so two requests share nothing.
 */
export type Request = {
  readonly message: Uint8Array;
  readonly client: Client;
  /** Signs the answer; null: the request was not signed. */
  readonly signer: TsigSigner | null;
  readonly keyName: WireName | null;
  /** First octet after the question; the header's end where no question can be read. */
  readonly questionEnd: number;
  readonly edns: Edns;
  readonly wants:
    | { readonly kind: 'axfr'; readonly zone: WireName }
    /** `since`: the serial that the client has; null: it does not say (RFC 1995 §3). */
    | { readonly kind: 'ixfr'; readonly zone: WireName; readonly since: number | null }
    | { readonly kind: 'notify' }
    /** What the responder answers. */
    | { readonly kind: 'other' };
};

/** The answer, or silence, is settled: its first `length` octets are in the buffer. */
export type Settled = { readonly kind: 'settled'; readonly length: number };

/** For one decoding at a time: nothing of it outlives the function that decodes. */
const query = new Query();

/**
 * Verifies the signature and reads the request. `message` is not changed; the request refers to it, so the caller keeps
 * it unchanged while the request is answered. `now`: epoch seconds.
 */
export function openRequest(
  message: Uint8Array,
  client: Client,
  keys: readonly TsigKey[],
  now: number,
  out: Uint8Array,
): Request | Settled {
  if (message.length < HEADER_LENGTH || (message[2] & 0x80) !== 0) return settled(0);
  const tsig = findTsig(message);
  if (tsig === 'malformed') return settled(shortReply(message, out, RCODE.formErr));
  if (tsig === null) return read(message, client, null, null);
  const verdict = verifyTsig(message, tsig, keys, now);
  const bare = withoutTsig(message, tsig);
  if (verdict.ok) return read(bare, client, new TsigSigner(verdict.key, tsig.mac), verdict.key.name);
  if (verdict.error === 'malformed') return settled(shortReply(bare, out, RCODE.formErr));
  return settled(refuseSignature(bare, tsig, verdict.error, verdict.key, now, out));
}

function settled(length: number): Settled {
  return { kind: 'settled', length };
}

function read(message: Uint8Array, client: Client, signer: TsigSigner | null, keyName: WireName | null): Request {
  const decoded = query.decode(message, message.length);
  const wants = decoded === DECODED.query ? wantsOf(message) : otherWants();
  return { message, client, signer, keyName, questionEnd: query.questionEnd, edns: query.edns.copy(), wants };
}

/** What the query that `query` holds wants. */
function wantsOf(message: Uint8Array): Request['wants'] {
  const { type } = query;
  if (query.class !== CLASS.in || query.edns.version !== 0) return { kind: 'other' };
  const zone = lowerName(message, HEADER_LENGTH);
  if (type === TYPE.axfr) return { kind: 'axfr', zone };
  return type === TYPE.ixfr ? { kind: 'ixfr', zone, since: ixfrSerial(message) } : { kind: 'other' };
}

function otherWants(): Request['wants'] {
  return { kind: query.opcode === OPCODE.notify ? 'notify' : 'other' };
}

/** Serial of the zone's SOA in the authority section of an IXFR request (RFC 1995 §3); null: there is none. */
function ixfrSerial(message: Uint8Array): number | null {
  const cursor = MessageCursor.over(message);
  const question = cursor?.question() ?? null;
  if (cursor === null || question === null) return null;
  while (cursor.next() === 'record') {
    if (cursor.section !== 'authority' || cursor.type !== TYPE.soa) continue;
    const owner = cursor.owner();
    if (owner !== null && lowerName(owner) === lowerName(question.name)) return cursor.soaSerial();
  }
  return null;
}

/**
 * NOTAUTH, with the TSIG error in a record that is signed if the key is proven (RFC 8945 §5.2); without the record
 * where `out` has no room for it. Returns the answer's length.
 */
function refuseSignature(
  bare: Uint8Array,
  tsig: TsigRecord,
  error: number,
  key: TsigKey | null,
  now: number,
  out: Uint8Array,
): number {
  const length = shortReply(bare, out, RCODE.notAuth);
  if (length + TSIG_ROOM > Math.max(out.length, UDP_PLAIN_MAX)) return length;
  const buffer = new Uint8Array(length + TSIG_ROOM + 64);
  buffer.set(out.subarray(0, length));
  const isLate = error === TSIG_ERROR.badTime;
  const signed =
    key === null
      ? appendUnsigned(buffer, length, tsig, error)
      : // BADTIME repeats the request's time and carries ours (§5.2.3).
        new TsigSigner(key, tsig.mac).sign(
          buffer,
          length,
          isLate ? tsig.time : now,
          error,
          isLate ? serverTime(now) : undefined,
        );
  if (signed > out.length) return length;
  out.set(buffer.subarray(0, signed));
  return signed;
}

/**
 * Calls `count` with the type and name of the question, if the message is a query with one: for statistics of what was
 * refused over its signature.
 */
export function withQuestion(
  message: Uint8Array,
  count: (type: number, name: ParsedName, wire: WireName) => void,
): void {
  query.decode(message, message.length);
  if (query.opcode !== OPCODE.query || query.questionEnd === HEADER_LENGTH) return;
  count(query.type, query.name, lowerName(message, HEADER_LENGTH));
}
