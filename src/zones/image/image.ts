import { LOWER, type WireName } from '../../dns/name.ts';
import { HEAD, MAGIC } from './layout.ts';

/**
 * A zone's image, attached (layout: image-layout.ts). The fields are the places in `words` that answering needs; the
 * query path reads `words` and `octets` itself.
 */
export class ZoneImage {
  readonly shared: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly octets: Uint8Array;
  /** Of the octets, for wide reads. */
  readonly view: DataView;
  readonly slots: number;
  readonly slotMask: number;
  readonly parent: number;
  readonly label: number;
  readonly meta: number;
  readonly rrsets: number;
  readonly nodes: number;
  readonly originLabels: number;
  /** Word of the apex SOA's RRset; 0: the zone has none. */
  readonly soa: number;
  /** Seconds. */
  readonly negativeTtl: number;
  /** The zone's own serial, 0 to 2^32 − 1. */
  readonly serial: number;
  readonly isLive: boolean;
  /** Records, live ones not counted. */
  readonly recordCount: number;

  private constructor(shared: SharedArrayBuffer) {
    const head = new Int32Array(shared, 0, HEAD.words);
    if (head[HEAD.magic] !== MAGIC) throw new Error('not a zone image');
    this.shared = shared;
    this.words = new Int32Array(shared, 0, head[HEAD.octets] >>> 2);
    this.octets = new Uint8Array(shared, head[HEAD.octets]);
    this.view = new DataView(shared, head[HEAD.octets]);
    this.slots = head[HEAD.slots];
    this.slotMask = head[HEAD.slotMask];
    this.parent = head[HEAD.parent];
    this.label = head[HEAD.label];
    this.meta = head[HEAD.meta];
    this.rrsets = head[HEAD.rrsets];
    this.nodes = head[HEAD.nodes];
    this.originLabels = head[HEAD.originLabels];
    this.soa = head[HEAD.soa];
    this.negativeTtl = head[HEAD.negativeTtl] >>> 0;
    this.serial = head[HEAD.serial] >>> 0;
    this.isLive = head[HEAD.isLive] === 1;
    this.recordCount = head[HEAD.records];
  }

  static attach(shared: SharedArrayBuffer): ZoneImage {
    return new ZoneImage(shared);
  }

  /** Names known to the image, nodes first. */
  get names(): number {
    return this.words[HEAD.names];
  }

  get origin(): WireName {
    const wire = new Uint8Array(256);
    const length = this.copyName(0, wire, 0);
    let key = '';
    for (let i = 0; i < length; i++) key += String.fromCharCode(LOWER[wire[i]]);
    return key as WireName;
  }

  /**
   * Writes name `id` uncompressed, as spelled in the zone, at `out[at]`, which has 255 octets of room. Returns its
   * length.
   */
  copyName(id: number, out: Uint8Array, at: number): number {
    const { words, octets, parent, label } = this;
    let to = at;
    for (let name = id; ; name = words[parent + name]) {
      const from = words[label + name];
      const length = octets[from];
      for (let i = 0; i <= length; i++) out[to++] = octets[from + i];
      if (length === 0) return to - at;
    }
  }
}

/** The zone's own serial, without attaching the image. */
export function serialOf(shared: SharedArrayBuffer): number {
  return new Int32Array(shared, 0, HEAD.words)[HEAD.serial] >>> 0;
}
