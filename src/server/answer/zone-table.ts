import * as message from '../../dns/message.ts';
import { type WireName, wireFromName } from '../../dns/name.ts';
import * as hashing from '../../dns/name-hash.ts';
import { ParsedName } from '../../dns/parsed-name.ts';
import { ZoneImage } from '../../zones/image/image.ts';
import type { ZoneUpdate } from './zone-update.ts';

// Bindings of another module are looked up at each use in V8, constants of this module are not: a tenth of an answer's
// time.
const { spread } = hashing;
const { TYPE } = message;

/** A zone as an answering thread knows it. */
export type ServedZone = {
  readonly zone: number;
  readonly origin: WireName;
  /** Octets of the origin; they are compared four at a time, see `suffixWords`. */
  readonly originLength: number;
  readonly originWords: Int32Array;
  readonly originLabels: number;
  readonly hash: number;
  readonly network: number;
  /** Null: the zone has no usable version. */
  readonly image: ZoneImage | null;
  /**
   * Live slots of the zone's pools: a live RRset's `RRSET.data` is an index here. One for a zone of a network, else
   * none.
   */
  readonly slots: Int32Array;
  /** A catalog zone: nothing but its SOA is answered. */
  readonly catalog: boolean;
  /** Not to be transferred for now. */
  readonly isHeld: boolean;
};

/**
 * The zones a thread serves, found by the longest suffix of a query name. Open addressing over the origins' hashes;
 * child and parent zones stand side by side. A reload or a new slot swaps one entry; only zones that go rebuild the
 * table.
 */
export class ZoneTable {
  private readonly places = new Map<number, number>(); // zone number → index in zones
  private zones: ServedZone[] = [];
  private slots = new Int32Array(16); // index in zones + 1, 0 empty
  private mostLabels = -1;
  private readonly parts = new ParsedName();

  get size(): number {
    return this.zones.length;
  }

  /** The zone of exactly this name. */
  byName(origin: WireName): ServedZone | null {
    const octets = wireFromName(origin);
    this.parts.read(octets, 0, octets.length);
    const zone = this.find(this.parts, 0);
    return zone?.originLabels === this.parts.labels ? zone : null;
  }

  /** The zone of this number. */
  byNumber(zone: number): ServedZone | null {
    return this.zones[this.places.get(zone) ?? -1] ?? null;
  }

  /**
   * In order; an update of a zone that is not known ('slot', 'gone') changes nothing. Returns the numbers of the zones
   * whose answers may be different from now on.
   */
  apply(updates: readonly ZoneUpdate[]): readonly number[] {
    const gone = new Set<number>();
    const changed: number[] = [];
    for (const update of updates) {
      changed.push(update.zone);
      if (update.kind === 'gone') gone.add(update.zone);
      else {
        gone.delete(update.zone);
        const before = this.byNumber(update.zone)?.origin;
        this.note(update);
        const zone = this.byNumber(update.zone);
        // What it holds was answered by the zone above until now.
        const above = zone === null || zone.origin === before ? null : this.above(zone);
        if (above !== null) changed.push(above.zone);
      }
    }
    if (gone.size > 0) this.rebuild(this.zones.filter(({ zone }) => !gone.has(zone)));
    return changed;
  }

  /** The closest other zone that holds this zone's origin. */
  private above({ origin }: ServedZone): ServedZone | null {
    const octets = wireFromName(origin);
    this.parts.read(octets, 0, octets.length);
    return this.find(this.parts, 1);
  }

  private note(update: Exclude<ZoneUpdate, { kind: 'gone' }>): void {
    switch (update.kind) {
      case 'zone':
        this.put(served(update, ZoneImage.attach(update.image), update.slot, update));
        return;
      case 'broken':
        this.put(served(update, null, -1, {}));
        return;
      case 'slot': {
        const known = this.zones[this.places.get(update.zone) ?? -1];
        if (known !== undefined) this.put(served(known, known.image, update.slot, known));
        return;
      }
      default:
        update satisfies never;
    }
  }

  private put(zone: ServedZone): void {
    const index = this.places.get(zone.zone);
    if (index !== undefined && this.zones[index].origin === zone.origin) {
      this.zones[index] = zone;
    } else if (index !== undefined || (this.zones.length + 1) * 2 > this.slots.length) {
      this.rebuild([...this.zones.filter((other) => other.zone !== zone.zone), zone]);
    } else this.insert(zone);
  }

  private rebuild(zones: readonly ServedZone[]): void {
    let size = 16;
    while (size < zones.length * 4) size *= 2; // room to grow by half before the next rebuild
    this.slots = new Int32Array(size);
    this.zones = [];
    this.places.clear();
    this.mostLabels = -1;
    for (const zone of zones) this.insert(zone);
  }

  private insert(zone: ServedZone): void {
    const mask = this.slots.length - 1;
    let slot = spread(zone.hash) & mask;
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask;
    this.places.set(zone.zone, this.zones.length);
    this.slots[slot] = this.zones.push(zone);
    this.mostLabels = Math.max(this.mostLabels, zone.originLabels);
  }

  /**
   * The zone that answers the question: the longest match, but DS at a zone's origin is its parent's (RFC 4035
   * §3.1.4.1).
   */
  answering(name: ParsedName, type: number): ServedZone | null {
    const zone = this.find(name, 0);
    if (type !== TYPE.ds || zone === null || zone.originLabels !== name.labels || name.labels === 0) return zone;
    return this.find(name, 1) ?? zone;
  }

  /**
   * The zone that holds the name, looking at its suffixes from label `from` on (0: the whole name). Null: none of ours.
   */
  find(name: ParsedName, from: number): ServedZone | null {
    const { slots, zones } = this;
    const mask = slots.length - 1;
    for (let label = Math.max(from, name.labels - this.mostLabels); label <= name.labels; label++) {
      const hash = name.hash[label];
      for (let slot = spread(hash) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
        const zone = zones[slots[slot] - 1];
        if (zone.hash !== hash || zone.originLabels !== name.labels - label) continue;
        if (isSuffix(zone.originWords, zone.originLength, name)) {
          return zone;
        }
      }
    }
    return null;
  }
}

const NO_SLOTS = new Int32Array(0);

/** One for all origins: each is copied out. */
const parts = new ParsedName();

/** One literal for all entries, so that the query path sees one shape. */
function served(
  { origin, zone, network }: Pick<ServedZone, 'origin' | 'zone' | 'network'>,
  image: ZoneImage | null,
  slot: number,
  { catalog = false, isHeld = false }: Partial<Pick<ServedZone, 'catalog' | 'isHeld'>>,
): ServedZone {
  const originOctets = wireFromName(origin);
  parts.read(originOctets, 0, originOctets.length);
  return {
    zone,
    origin,
    originLength: parts.length,
    originWords: suffixWords(parts),
    originLabels: parts.labels,
    hash: parts.hash[0],
    network,
    image,
    slots: slot < 0 ? NO_SLOTS : Int32Array.of(slot),
    catalog,
    isHeld,
  };
}

/** A lowercase name as words of four octets, those behind its end zero. */
function suffixWords({ length, lower }: ParsedName): Int32Array {
  const padded = new DataView(new ArrayBuffer(length + 3));
  for (let i = 0; i < length; i++) padded.setUint8(i, lower[i]);
  const words = new Int32Array((length + 3) >>> 2);
  for (let i = 0; i < words.length; i++) words[i] = padded.getInt32(4 * i);
  return words;
}

/** Whether the name ends in the origin, given that as many of its last labels as the origin has hash like it. */
function isSuffix(words: Int32Array, originLength: number, { lowerView, length }: ParsedName): boolean {
  let place = length - originLength;
  if (place < 0) return false;
  const last = words.length - 1;
  for (let i = 0; i < last; i++, place += 4) {
    if (words[i] !== lowerView.getInt32(place)) return false;
  }
  const behind = 4 * words.length - originLength; // octets of the last word
  return words[last] === (lowerView.getInt32(place) & (-1 << (8 * behind)));
}
