import { hashCopied, ROOT_HASH } from '../zones/image-hash.ts';
import { LABEL_MAX, NAME_MAX } from '../zones/name.ts';

const LABELS_MAX = 127;

/** An uncompressed name taken apart: where its labels stand, its lowercase form, and the hash of each of its suffixes. */
export class NameParts {
  /** Labels, the root not counted. */
  labels = 0;
  /** Octets, the root label included. */
  length = 0;
  /** By label from the left: place of its length octet, from the name's first octet. */
  readonly at: Uint8Array = new Uint8Array(LABELS_MAX + 1);
  /** By label from the left: hash of the name from that label on; `hash[labels]` is the root's. */
  readonly hash: Int32Array = new Int32Array(LABELS_MAX + 1);
  /** The whole name in lowercase. */
  readonly lower: Uint8Array = new Uint8Array(NAME_MAX + 1);

  /**
   * Takes apart the name at `source[start]`, which must end before `end`. False for compression, unknown label types
   * (RFC 6891 §5), a name over 255 octets or one that runs past the end. What it reads is copied to `copy[to]`, case kept.
   */
  read(source: Uint8Array, start: number, end: number, copy: Uint8Array = source, to: number = start): boolean {
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
    if (start + offset >= end) return false;
    this.labels = labels;
    this.length = offset + 1;
    copy[to + offset] = 0;
    this.hashLabels(source, start, copy, to);
    return true;
  }

  private hashLabels(source: Uint8Array, start: number, copy: Uint8Array, to: number): void {
    const { at, hash, labels, lower } = this;
    let value = ROOT_HASH;
    hash[labels] = value;
    lower[this.length - 1] = 0;
    for (let i = labels - 1; i >= 0; i--) {
      value = hashCopied(value, source, start + at[i], lower, at[i], copy, to + at[i]);
      hash[i] = value;
    }
  }
}
