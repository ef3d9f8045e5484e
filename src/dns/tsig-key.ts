/** The parts of a TSIG key (RFC 8945 §4.2, §6) as text. */
import type { WireName } from './name.ts';

export type TsigAlgorithm = 'hmac-sha256' | 'hmac-sha384' | 'hmac-sha512' | 'hmac-sha1' | 'hmac-md5';
export type TsigKey = { readonly name: WireName; readonly algorithm: TsigAlgorithm; readonly secret: Uint8Array };

const ALGORITHMS: readonly TsigAlgorithm[] = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512', 'hmac-sha1', 'hmac-md5'];

/** Case and a final dot do not matter; HMAC-MD5 also has its long registered name. */
export function tsigAlgorithm(text: string): TsigAlgorithm | null {
  const name = text.toLowerCase().replace(/\.$/, '');
  if (name === 'hmac-md5.sig-alg.reg.int') return 'hmac-md5';
  return ALGORITHMS.find((algorithm) => algorithm === name) ?? null;
}

/**
 * Octets of a base64 secret; null where it is not base64 or empty. Node's own decoder would skip what it does not know.
 */
export function secretOctets(text: string): Uint8Array | null {
  const plain = text.replace(/\s+/g, '');
  if (plain === '' || plain.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(plain)) return null;
  return Uint8Array.from(Buffer.from(plain, 'base64'));
}

/** Secrets that earlier versions printed in their examples: everybody has them. */
const PUBLISHED = [
  'ZXhhbXBsZSBvbmx5OiBtYWtlIHlvdXIgb3duIGtleQ==',
  'YW4gZXhhbXBsZSBzZWNyZXQgZm9yIGEga2V5IGZpbGU=',
  '5VJ2g2ZzPuxOEcpbMOjTUHn4l1hgYc5rVFAfYgRzxbQ=',
];

/** Whether a secret was copied from an example of ours, and so keeps nobody out. */
export function isPublishedSecret(secret: Uint8Array): boolean {
  return PUBLISHED.includes(Buffer.from(secret).toString('base64'));
}

/** What to say of one. */
export const PUBLISHED_SECRET =
  'this secret was printed in an example and everybody knows it; make one with "openssl rand -base64 32"';
