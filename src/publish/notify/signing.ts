/** TSIG (RFC 8945) on NOTIFY messages and on the responses to them. */
import { requestSigner, verifyTsig } from '../../dns/tsig.ts';
import type { TsigKey } from '../../dns/tsig-key.ts';
import { findTsig, TSIG_ROOM, type TsigRecord } from '../../dns/tsig-record.ts';

/** The message with a signature of the key, and the MAC in it, by which responses are recognized; null: as it is. */
export function signNotify(
  message: Uint8Array,
  key: TsigKey | null,
): { readonly octets: Uint8Array; readonly mac: Uint8Array | null } {
  if (key === null) return { octets: message, mac: null };
  const buffer = new Uint8Array(message.length + TSIG_ROOM);
  buffer.set(message);
  const signer = requestSigner(key);
  const length = signer.sign(buffer, message.length, Date.now() / 1000);
  return { octets: buffer.subarray(0, length), mac: signer.mac };
}

/**
 * `isSigned`: by the key of this name, for a message with one of these MACs, or no key is wanted (null). `tsig`: the
 * record as it came; null where none is wanted or can be read.
 */
export function responseSignature(
  octets: Uint8Array,
  name: TsigKey['name'] | null,
  keys: readonly TsigKey[],
  macs: readonly Uint8Array[],
): { readonly tsig: TsigRecord | null; readonly isSigned: boolean } {
  if (name === null) return { tsig: null, isSigned: true };
  const found = findTsig(octets);
  if (found === null || found === 'malformed') return { tsig: null, isSigned: false };
  const named = keys.filter((key) => key.name === name);
  const now = Date.now() / 1000;
  return { tsig: found, isSigned: macs.some((mac) => verifyTsig(octets, found, named, now, mac).ok) };
}
