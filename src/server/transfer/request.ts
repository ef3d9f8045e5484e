import { HEADER_LENGTH, RCODE, UDP_PLAIN_MAX } from '../../dns/message.ts';
import type { WireName } from '../../dns/name.ts';
import { appendUnsigned, serverTime, TSIG_ERROR, TsigSigner, verifyTsig } from '../../dns/tsig.ts';
import type { TsigKey } from '../../dns/tsig-key.ts';
import { findTsig, TSIG_ROOM, withoutTsig } from '../../dns/tsig-record.ts';
import type { Client } from '../answer/front-end.ts';
import { shortReply } from './message.ts';

/** A request whose signature, if it has one, was checked and taken off. */
export type Request = {
  readonly message: Uint8Array;
  readonly client: Client;
  /** Signs the answer; null: the request was not signed. */
  readonly signer: TsigSigner | null;
  readonly keyName: WireName | null;
};

/**
 * Checks the signature. A number: the answer, or silence, is settled and stands in `out`. `now`: epoch seconds. `message`
 * is the caller's own copy.
 */
export function openRequest(
  message: Uint8Array,
  client: Client,
  keys: readonly TsigKey[],
  now: number,
  out: Uint8Array,
): Request | number {
  if (message.length < HEADER_LENGTH || (message[2] & 0x80) !== 0) return 0;
  const tsig = findTsig(message);
  if (tsig === 'malformed') return shortReply(message, out, RCODE.formErr);
  if (tsig === null) return { message, client, signer: null, keyName: null };
  const verdict = verifyTsig(message, tsig, keys, now);
  if (verdict.ok) {
    const bare = withoutTsig(message, tsig);
    return { message: bare, client, signer: new TsigSigner(verdict.key, tsig.mac), keyName: verdict.key.name };
  }
  if (verdict.error === 'malformed') return shortReply(withoutTsig(message, tsig), out, RCODE.formErr);
  // RFC 8945 §5.2: NOTAUTH, with the TSIG error in a record that is signed if the key is proven.
  const bare = withoutTsig(message, tsig);
  const length = shortReply(bare, out, RCODE.notAuth);
  if (length === 0 || length + TSIG_ROOM > Math.max(out.length, UDP_PLAIN_MAX)) return length;
  const room = new Uint8Array(length + TSIG_ROOM + 64);
  room.set(out.subarray(0, length));
  const { key, error } = verdict;
  const signed =
    key === null
      ? appendUnsigned(room, length, tsig, error)
      : new TsigSigner(key, tsig.mac).sign(
          room,
          length,
          error === TSIG_ERROR.badTime ? tsig.time : now,
          error,
          error === TSIG_ERROR.badTime ? serverTime(now) : undefined,
        );
  if (signed > out.length) return length;
  out.set(room.subarray(0, signed));
  return signed;
}
