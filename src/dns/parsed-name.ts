import * as names from './name.ts';
import * as hashing from './name-hash.ts';

// Bindings of another module are looked up at each use in V8, constants of this module are not: a tenth of an answer's
// time.
const { hashLowered, ROOT_HASH } = hashing;
const { LABEL_MAX, LOWER, NAME_MAX } = names;

const LABELS_MAX = 127;
const BUFFER = NAME_MAX + 5; // four octets may be read or written where a name has one left

/** For callers that do not need a copy of the name. */
const DISCARD = new DataView(new ArrayBuffer(BUFFER));

/** An uncompressed name: the offsets of its labels, its lowercase form, and the hash of each of its suffixes. */
export class ParsedName {
  /** Labels, the root not counted. */
  labels = 0;
  /** Octets, the root label included. */
  length = 0;
  /** By label from the left: offset of its length octet, from the name's first octet. */
  readonly at: Uint8Array = new Uint8Array(LABELS_MAX + 1);
  /** By label from the left: hash of the name from that label on; `hash[labels]` is the root's. */
  readonly hash: Int32Array = new Int32Array(LABELS_MAX + 1);
  /** The whole name in lowercase. */
  readonly lower: Uint8Array = new Uint8Array(BUFFER);
  readonly lowerView: DataView = new DataView(this.lower.buffer);

  /**
   * Reads the name at `source[start]`, which must end before `end`. False for compression, unknown label types (RFC
   * 6891 §5), a name over 255 octets or one that runs past the end. Otherwise it is also copied to `out` at `to`, case
   * kept: going over its octets once is cheaper than twice.
   */
  read(source: Uint8Array, start: number, end: number, out: DataView = DISCARD, to = 0): boolean {
    const { at } = this;
    let labels = 0;
    let offset = 0;
    for (;;) {
      const place = start + offset;
      if (place >= end) return false;
      const length = source[place];
      if (length === 0) break;
      if (length > LABEL_MAX) return false;
      at[labels++] = offset;
      offset += 1 + length;
      if (offset >= NAME_MAX) return false; // no room for the root
    }
    this.labels = labels;
    this.length = offset + 1;
    this.copy(source, start, out, to);
    this.hashLabels();
    return true;
  }

  /** Four octets at a time: as they are to `out`, in lowercase to `lower`. */
  private copy(source: Uint8Array, start: number, out: DataView, to: number): void {
    const { lower, lowerView, length } = this;
    let i = 0;
    for (const whole = length - 3; i < whole; i += 4) {
      const from = start + i;
      const word = (source[from] << 24) | (source[from + 1] << 16) | (source[from + 2] << 8) | source[from + 3];
      out.setInt32(to + i, word);
      lowerView.setInt32(i, lowered(word));
    }
    for (; i < length; i++) {
      const octet = source[start + i];
      out.setUint8(to + i, octet);
      lower[i] = LOWER[octet];
    }
  }

  private hashLabels(): void {
    const { at, hash, labels, lowerView } = this;
    let value = ROOT_HASH;
    hash[labels] = value;
    for (let i = labels - 1; i >= 0; i--) {
      value = hashLowered(value, lowerView, at[i]);
      hash[i] = value;
    }
  }
}

/**
 * Four octets with A–Z made lowercase (RFC 4343 §3). Numbers are added to each octet's seven low bits such that bit 7
 * says whether it is at least `A` (0x41), or beyond `Z` (0x5a); an octet with bit 7 set is no letter.
 */
function lowered(word: number): number {
  const low = word & 0x7f7f7f7f;
  const fromA = (low + 0x3f3f3f3f) | 0;
  const beyondZ = (low + 0x25252525) | 0;
  return word | ((fromA & ~beyondZ & ~word & 0x80808080) >>> 2);
}
