/**
 * Messages between peers as octets: `EWP`, version, kind, 12 octets of nonce, then the text and its tag by AES-GCM
 * (NIST SP 800-38D). What precedes the nonce is authenticated, and so is a context that both sides know and nobody sends.
 */
import { type CipherGCMTypes, createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';

export type MessageKind = 'request' | 'answer';

const MAGIC = Buffer.from('EWP\u0001', 'latin1');
const KINDS: Readonly<Record<MessageKind, number>> = { request: 1, answer: 2 };
const HEADER_OCTETS = MAGIC.length + 1;
/** Random, so that one key is good for 2^32 messages: over a century of one a second. */
const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;
const SEALED_MIN = HEADER_OCTETS + NONCE_OCTETS + TAG_OCTETS;
const CIPHERS: ReadonlyMap<number | undefined, CipherGCMTypes> = new Map([
  [16, 'aes-128-gcm'],
  [24, 'aes-192-gcm'],
  [32, 'aes-256-gcm'],
]);

/** Octets that sealing adds to a text. */
export const SEALING_OCTETS = SEALED_MIN;

export function seal(key: KeyObject, kind: MessageKind, context: Uint8Array, text: string): Buffer {
  const header = headerOf(kind);
  const nonce = randomBytes(NONCE_OCTETS);
  const cipher = createCipheriv(cipherOf(key), key, nonce, { authTagLength: TAG_OCTETS });
  cipher.setAAD(Buffer.concat([header, context]));
  const sealed = cipher.update(text, 'utf8');
  return Buffer.concat([header, nonce, sealed, cipher.final(), cipher.getAuthTag()]);
}

/** The text; null: it was not sealed with this key, kind and context, or is not as it was. Never throws. */
export function open(key: KeyObject, kind: MessageKind, context: Uint8Array, octets: Uint8Array): string | null {
  const sealed = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  const header = headerOf(kind);
  if (sealed.length < SEALED_MIN || !sealed.subarray(0, HEADER_OCTETS).equals(header)) return null;
  const nonce = sealed.subarray(HEADER_OCTETS, HEADER_OCTETS + NONCE_OCTETS);
  const body = sealed.subarray(HEADER_OCTETS + NONCE_OCTETS, -TAG_OCTETS);
  const decipher = createDecipheriv(cipherOf(key), key, nonce, { authTagLength: TAG_OCTETS });
  decipher.setAAD(Buffer.concat([header, context]));
  decipher.setAuthTag(sealed.subarray(-TAG_OCTETS));
  const text = decipher.update(body);
  try {
    decipher.final();
  } catch {
    return null; // the tag is another one
  }
  return text.toString('utf8');
}

function headerOf(kind: MessageKind): Buffer {
  return Buffer.concat([MAGIC, Buffer.from([KINDS[kind]])]);
}

function cipherOf(key: KeyObject): CipherGCMTypes {
  const cipher = CIPHERS.get(key.symmetricKeySize);
  if (cipher === undefined) throw new Error(`a key of ${key.symmetricKeySize ?? 0} octets`);
  return cipher;
}
