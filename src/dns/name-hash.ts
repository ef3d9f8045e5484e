import { LOWER } from './name.ts';

/**
 * Hashes of names, built label by label from the root, so that one pass over a query name gives the hash of each of its
 * suffixes. A label is taken in lowercase, its length octet first, four octets at a time, the last four filled up with
 * zeros. Zones come from operators and the table of an image is at most half full, so no secret seed is needed.
 */
export const ROOT_HASH = 0x811c9dc5 | 0;

/** One step: four octets, the first one highest. */
export function hashWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/** The hash of a name from its parent's and its leftmost label, whose length octet is `octets[at]`. Case is ignored. */
export function hashLabel(parent: number, octets: Uint8Array, at: number): number {
  const end = at + 1 + octets[at];
  let hash = parent;
  for (let i = at; i < end; i += 4) {
    let word = LOWER[octets[i]] << 24;
    if (i + 1 < end) word |= LOWER[octets[i + 1]] << 16;
    if (i + 2 < end) word |= LOWER[octets[i + 2]] << 8;
    if (i + 3 < end) word |= LOWER[octets[i + 3]];
    hash = hashWord(hash, word);
  }
  return hash;
}

/** The same for a label of `lower`, which is in lowercase and has at least three octets more behind the label. */
export function hashLowered(parent: number, lower: DataView, at: number): number {
  let left = 1 + lower.getUint8(at);
  let hash = parent;
  let place = at;
  for (; left >= 4; left -= 4, place += 4) hash = hashWord(hash, lower.getInt32(place));
  return left === 0 ? hash : hashWord(hash, lower.getInt32(place) & (-1 << (32 - 8 * left)));
}

/** A hash with its high bits worked into the low ones, by which a table's bucket is chosen. */
export function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}
