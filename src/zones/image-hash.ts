import { LOWER } from './name.ts';

/**
 * Hashes of names, built label by label from the root, so that one pass over a query name gives the hash of each of its
 * suffixes. Zones come from operators and the table of an image is at most half full, so no secret seed is needed.
 */
export const ROOT_HASH = 0x811c9dc5 | 0;

/** The hash of a name from its parent's and its leftmost label, whose length octet is `octets[at]`. Case is ignored. */
export function hashLabel(parent: number, octets: Uint8Array, at: number): number {
  const end = at + octets[at];
  let hash = Math.imul(parent ^ octets[at], 0x01000193);
  for (let i = at + 1; i <= end; i++) hash = Math.imul(hash ^ LOWER[octets[i]], 0x01000193);
  return hash;
}

/**
 * The same for a label of a query: writes it in lowercase to `lower[to]` and as it is to `copy[copyTo]` on the way, because
 * going over the octets is what costs.
 */
export function hashCopied(
  parent: number,
  octets: Uint8Array,
  at: number,
  lower: Uint8Array,
  to: number,
  copy: Uint8Array,
  copyTo: number,
): number {
  const length = octets[at];
  let hash = Math.imul(parent ^ length, 0x01000193);
  lower[to] = length;
  copy[copyTo] = length;
  for (let i = 1; i <= length; i++) {
    const octet = octets[at + i];
    const low = LOWER[octet];
    copy[copyTo + i] = octet;
    lower[to + i] = low;
    hash = Math.imul(hash ^ low, 0x01000193);
  }
  return hash;
}

/** A hash with its high bits worked into the low ones, by which a table's place is chosen. */
export function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}
