import { NAME_MAX } from '../../dns/name.ts';
import type { ZoneImage } from './image.ts';
import { LINKS, NODE, namesInPlace, octetsAfter, octetsBefore, RRSET, RRSET_FLAG } from './layout.ts';
import type { LiveAddresses } from './live-version.ts';

const A = 1;
const SOA = 6;
const RDATA_MAX = 65535 + 2 * NAME_MAX;
/** Room for all but huge records, and for every type with names in place. */
const RDATA_USUAL = 4096;

/**
 * Walks over all records of an image in constant memory: the SOA, then node after node (the apex first, parents before
 * children), types in order, each RRset in canonical order. It may rest anywhere, so a transfer can wait for its
 * reader. Live names have the addresses given to the constructor; null leaves them out.
 */
export class ImageCursor {
  /** The record reached, valid until the next `next()`. */
  type = 0;
  ttl = 0;
  ownerLength = 0;
  rdataLength = 0;
  /** Owner, uncompressed, as spelled in the zone: the first `ownerLength` octets. */
  readonly ownerOctets: Uint8Array = new Uint8Array(NAME_MAX + 1);
  /** Rdata with its names uncompressed: the first `rdataLength` octets. Another array once a record needs more room. */
  rdataOctets: Uint8Array = new Uint8Array(RDATA_USUAL);
  private readonly image: ZoneImage;
  private readonly live: LiveAddresses | null;
  private readonly serial: number;
  private node = -1; // -1: the SOA is next
  private sets = 0; // RRsets of the node not yet begun
  private nextSet = 0;
  private set = 0;
  private index = 0; // records of the set already given
  private count = 0;
  private octet = 0;
  private link = 0;

  /** `serial` replaces that of the SOA. */
  constructor(image: ZoneImage, live: LiveAddresses | null = null, serial: number = image.serial) {
    this.image = image;
    this.live = live;
    this.serial = serial;
  }

  get owner(): Uint8Array {
    return this.ownerOctets.subarray(0, this.ownerLength);
  }
  get rdata(): Uint8Array {
    return this.rdataOctets.subarray(0, this.rdataLength);
  }

  /** Goes to the next record; false when there is none. */
  next(): boolean {
    const { image } = this;
    if (this.node < 0) {
      this.enter(0);
      if (image.soa !== 0) {
        this.open(image.soa);
        this.read();
        this.count = 0;
        this.index = 0;
        return true;
      }
    }
    while (this.index === this.count) {
      while (this.sets === 0) {
        if (this.node + 1 >= image.nodes) return false;
        this.enter(this.node + 1);
      }
      this.sets--;
      const set = this.nextSet;
      this.nextSet += RRSET.words;
      if (set === image.soa) continue;
      this.open(set);
    }
    this.read();
    return true;
  }

  private enter(node: number): void {
    const { image } = this;
    this.node = node;
    this.sets = image.words[image.meta + node] >>> NODE.countShift;
    this.nextSet = image.words[image.rrsets + node];
    if (this.sets > 0) this.ownerLength = image.copyName(node, this.ownerOctets, 0);
    this.index = 0;
    this.count = 0;
  }

  private open(set: number): void {
    const { words } = this.image;
    const head = words[set + RRSET.type];
    this.set = set;
    this.type = head & 0xffff;
    this.ttl = words[set + RRSET.ttl] >>> 0;
    this.index = 0;
    this.count = words[set + RRSET.count];
    this.octet = words[set + RRSET.data];
    if ((head & RRSET_FLAG.live) !== 0) this.count = this.liveAddresses().length;
    if ((head & RRSET_FLAG.links) !== 0) {
      const links = this.octet;
      this.octet = words[links + LINKS.octets];
      this.link = links + LINKS.list + 2 * words[links + LINKS.targets];
    }
  }

  private liveAddresses(): readonly Uint8Array[] {
    if (this.live === null) return [];
    return this.type === A ? this.live.v4 : this.live.v6;
  }

  private read(): void {
    const { words, octets } = this.image;
    const index = this.index++;
    if ((words[this.set + RRSET.type] & RRSET_FLAG.live) !== 0) {
      const address = this.liveAddresses()[index];
      this.rdataOctets.set(address);
      this.rdataLength = address.length;
      return;
    }
    if (namesInPlace(this.type) > 0) {
      this.readLinked();
      return;
    }
    const length = (octets[this.octet] << 8) | octets[this.octet + 1];
    if (length > this.rdataOctets.length) this.rdataOctets = new Uint8Array(RDATA_MAX);
    const { rdataOctets } = this;
    for (let i = 0; i < length; i++) rdataOctets[i] = octets[this.octet + 2 + i];
    this.octet += 2 + length;
    this.rdataLength = length;
  }

  private readLinked(): void {
    const { image, rdataOctets, type } = this;
    let to = 0;
    const before = octetsBefore(type);
    for (let i = 0; i < before; i++) rdataOctets[to++] = image.octets[this.octet++];
    for (let name = namesInPlace(type); name > 0; name--) {
      to += image.copyName(image.words[this.link++], rdataOctets, to);
    }
    const serialAt = to;
    const after = octetsAfter(type);
    for (let i = 0; i < after; i++) rdataOctets[to++] = image.octets[this.octet++];
    if (type === SOA) {
      for (let i = 0; i < 4; i++) rdataOctets[serialAt + i] = this.serial >>> (24 - 8 * i);
    }
    this.rdataLength = to;
  }
}

/** Calls `visit` with every record, in the order of ImageCursor. The octets are valid during the call only. */
export function forEachRecord(
  image: ZoneImage,
  visit: (owner: Uint8Array, type: number, ttl: number, rdata: Uint8Array) => void,
  live: LiveAddresses | null = null,
  serial: number = image.serial,
): void {
  const cursor = new ImageCursor(image, live, serial);
  while (cursor.next()) visit(cursor.owner, cursor.type, cursor.ttl, cursor.rdata);
}
