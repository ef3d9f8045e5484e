import { createHash } from 'node:crypto';

const SUM_OCTETS = 41; // hexadecimal, and a line feed

/**
 * Octets behind a line with their SHA-1: what was cut off, overwritten or flipped on disk must not be taken for what
 * was written. No protection against anybody who means harm.
 */
export function seal(body: Uint8Array | string): Buffer {
  const octets = typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
  return Buffer.concat([Buffer.from(`${sumOf(octets)}\n`, 'latin1'), octets]);
}

/** What was sealed, without a copy; null: it is not as it was. */
export function unseal(sealed: Uint8Array): Buffer | null {
  const all = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
  const body = all.subarray(SUM_OCTETS);
  return all.toString('latin1', 0, SUM_OCTETS) === `${sumOf(body)}\n` ? body : null;
}

function sumOf(octets: Uint8Array): string {
  return createHash('sha1').update(octets).digest('hex');
}
