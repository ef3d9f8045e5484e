import * as message from '../../dns/message.ts';
import * as names from '../../dns/name.ts';
import type { ParsedName } from '../../dns/parsed-name.ts';
import type { LiveSlots } from '../../live/slots.ts';
import * as liveSlots from '../../live/slots.ts';
import type { ZoneImage } from '../../zones/image/image.ts';
import * as layout from '../../zones/image/layout.ts';
import * as lookups from '../../zones/image/lookup.ts';
import { Lookup } from '../../zones/image/lookup.ts';
import * as compression from './compression.ts';
import { CnameChain } from './compression.ts';
import type { Kind } from './outcome.ts';
import * as outcome from './outcome.ts';
import { RecordWriter } from './record-writer.ts';
import type { ServedZone, ZoneTable } from './zone-table.ts';

// Bindings of another module are looked up at each use in V8, constants of this module are not: a tenth of an answer's
// time.
const { LINKS, NODE, RRSET, RRSET_FLAG } = layout;
const { SLOT, UNANSWERED } = liveSlots;
const { NAME_MAX } = names;
const { KIND } = outcome;
const { FOUND, findSet, nextSet } = lookups;
const { noteBelow, noteName } = compression;
const { EDE, HEADER_LENGTH, RCODE, TYPE } = message;

/**
 * Answers one question from our zones: RFC 1034 §4.3.2 with wildcards (RFC 4592), DNAME (RFC 6672), negative answers
 * (RFC 2308) and glue (RFC 9471). `writer` writes the records; everything else about the answer is in the fields.
 */
export class ZoneAnswer {
  readonly writer: RecordWriter;
  rcode = 0;
  authoritative = false;
  truncated = false;
  answers = 0;
  authorities = 0;
  additionals = 0;
  /** One of EDE. */
  error: number = EDE.none;
  kind: Kind = KIND.error;
  /** Hash of the name that answers of this kind share: the name itself, the wildcard's parent, the cut, the zone. */
  hash = 0;
  minimal = false;
  /** Whether it depends on other zones too: an alias led out of the zone, or the zone above it is missing. */
  dependsOnOthers = false;

  private readonly slots: LiveSlots;
  private readonly zones: ZoneTable;
  private readonly lookup = new Lookup();
  private readonly chain = new CnameChain();
  private questionEnd = 0;

  constructor(slots: LiveSlots, zones: ZoneTable) {
    this.slots = slots;
    this.zones = zones;
    this.writer = new RecordWriter(slots);
  }

  /**
   * Answers the question at octet 12 of `query`, which `name` is. `writer` has begun, behind the question, which is in
   * the message as it is in the query. `whole`: ANY may be answered with all there is (TCP).
   */
  answer(query: Uint8Array, name: ParsedName, type: number, zone: ServedZone, whole: boolean): void {
    this.rcode = RCODE.noError;
    this.authoritative = true;
    this.truncated = false;
    this.answers = 0;
    this.authorities = 0;
    this.additionals = 0;
    this.error = EDE.none;
    this.kind = KIND.positive;
    this.hash = name.hash[0];
    this.questionEnd = HEADER_LENGTH + name.length + 4;
    this.chain.begin(query, name);
    // DS at the zone's origin is the parent's to answer, should that be served one day.
    this.dependsOnOthers = type === TYPE.ds && zone.originLabels === name.labels;
    let current: ServedZone | null = zone;
    while (current !== null && this.step(current, type, whole)) {
      current = this.zones.answering(this.chain.name, type);
      if (current !== zone) this.dependsOnOthers = true;
      if (current?.catalog) return; // no way in for who may not transfer it (RFC 9432 §7)
    }
  }

  /** Answers what one zone knows of the current name. True: an alias leads to a new current name. */
  private step(zone: ServedZone, type: number, whole: boolean): boolean {
    const { image } = zone;
    const { lookup, writer } = this;
    if (image === null) {
      if (this.chain.atQuestion) this.fail(EDE.invalidData);
      return false;
    }
    writer.useZone(zone, image);
    const found = lookup.find(image, this.chain.name, type);
    switch (found) {
      case FOUND.cut:
        this.referral(image);
        return false;
      case FOUND.dname:
        return this.redirect(image, type);
      case FOUND.none:
        this.rcode = RCODE.nxDomain; // in a chain too: RFC 6604 §3
        this.negative(image, KIND.nxDomain);
        return false;
      case FOUND.wildcard:
        this.hash = this.chain.name.hash[lookup.label];
        this.kind = KIND.wildcard;
        break;
      case FOUND.exact:
        break;
      default:
        found satisfies never;
    }
    if (type === TYPE.any) {
      this.any(zone, image, whole);
      return false;
    }
    return this.records(zone, image, type);
  }

  /** Step 3a: the name exists, or a wildcard matches it. */
  private records(zone: ServedZone, image: ZoneImage, type: number): boolean {
    const { writer, lookup } = this;
    const { node } = lookup;
    const set = findSet(image, node, type);
    if (set !== 0) {
      const head = image.words[set];
      if ((head & RRSET_FLAG.live) !== 0 && this.neverLive(zone, image, set)) {
        this.fail(EDE.notReady);
        return false;
      }
      if ((head & RRSET_FLAG.links) !== 0) noteName(image, this.lookup, this.chain, this.writer.compression);
      const count = writer.set(image, set, node, this.chain.offset);
      if (count > 0) {
        this.answers += count;
        if (type === TYPE.rrsig || type === TYPE.sig) this.moreSignatures(image, node, set);
        if (!this.minimal && (head & RRSET_FLAG.links) !== 0) this.additional(image, set, 0);
      } else if (count < 0) this.truncated = true;
      else this.negative(image, KIND.noData); // a live name without addresses of this family
      return false;
    }
    if ((image.words[image.meta + node] & NODE.cname) !== 0) return this.alias(image, node);
    this.negative(image, KIND.noData);
    return false;
  }

  /** Signatures are an RRset for each type they cover. */
  private moreSignatures(image: ZoneImage, node: number, first: number): void {
    for (let set = nextSet(image, node, first); set !== 0; set = nextSet(image, node, set)) {
      const count = this.writer.set(image, set, node, this.chain.offset);
      if (count < 0) {
        this.truncated = true;
        return;
      }
      this.answers += count;
    }
  }

  /** Writes a CNAME and makes its target the current name. */
  private alias(image: ZoneImage, node: number): boolean {
    const { writer } = this;
    const set = findSet(image, node, TYPE.cname);
    noteName(image, this.lookup, this.chain, this.writer.compression);
    const count = writer.set(image, set, node, this.chain.offset);
    if (count < 0) {
      this.truncated = true;
      return false;
    }
    this.answers += count;
    if (this.chain.isFull) return false;
    const links = image.words[set + RRSET.data];
    const target = image.words[links + LINKS.list + 2 * image.words[links + LINKS.targets]];
    const length = image.copyName(target, this.chain.octets, this.chain.nextAt);
    return this.chain.follow(length, writer.compression.of(target));
  }

  /** A DNAME above the name: the DNAME, and the CNAME made of it (RFC 6672 §3.1, §3.2). */
  private redirect(image: ZoneImage, type: number): boolean {
    const { writer, lookup, chain } = this;
    const { name } = chain;
    const set = findSet(image, lookup.node, TYPE.dname);
    this.kind = KIND.wildcard;
    this.hash = name.hash[lookup.label];
    noteName(image, this.lookup, this.chain, this.writer.compression);
    const count = writer.set(image, set, lookup.node, 0);
    if (count < 0) {
      this.truncated = true;
      return false;
    }
    this.answers += count;
    if (chain.isFull) return false;
    const rdata = image.words[set + RRSET.data];
    const targetLength = (image.octets[rdata] << 8) | image.octets[rdata + 1];
    const prefix = name.at[lookup.label];
    const length = prefix + targetLength;
    if (length > NAME_MAX) {
      this.rcode = RCODE.yxDomain;
      this.kind = KIND.error;
      return false;
    }
    const to = chain.nextAt;
    for (let i = 0; i < prefix; i++) chain.octets[to + i] = chain.source[chain.start + i];
    for (let i = 0; i < targetLength; i++) chain.octets[to + prefix + i] = image.octets[rdata + 2 + i];
    // The DNAME's target is the last thing written, in full: the new name ends by pointing to it.
    const rest = writer.at - targetLength;
    const ttl = image.words[set + RRSET.ttl];
    const target = writer.cname(image, ttl, chain.offset, chain.octets, to, prefix, rest);
    if (target < 0) {
      this.truncated = true;
      return false;
    }
    this.answers++;
    return type !== TYPE.cname && type !== TYPE.any && chain.follow(length, target);
  }

  /** Step 3b: a delegation. Authoritative only as far as an alias led here. */
  private referral(image: ZoneImage): void {
    const { writer, lookup } = this;
    if (this.answers === 0) {
      this.authoritative = false;
      this.kind = KIND.referral;
      this.hash = this.chain.name.hash[lookup.label];
    }
    noteName(image, this.lookup, this.chain, this.writer.compression);
    if (this.chain.atQuestion) noteBelow(image, this.lookup, this.chain.name, this.writer.compression);
    const set = findSet(image, lookup.node, TYPE.ns);
    const count = writer.set(image, set, lookup.node, 0);
    if (count < 0) {
      this.truncated = true;
      return;
    }
    this.authorities += count;
    const links = image.words[set + RRSET.data];
    this.additional(image, set, image.words[links + LINKS.required]);
  }

  /**
   * Addresses of what an RRset points to. What does not fit is left out silently, except for the first `required`
   * targets: without their glue nobody could follow the referral (RFC 9471 §3.1).
   */
  private additional(image: ZoneImage, set: number, required: number): void {
    const { words } = image;
    const links = words[set + RRSET.data];
    const targets = words[links + LINKS.targets];
    for (let i = 0; i < targets && !this.truncated; i++) {
      const name = words[links + LINKS.list + 2 * i];
      const node = words[links + LINKS.list + 2 * i + 1];
      const fits = this.address(image, name, node, TYPE.a) && this.address(image, name, node, TYPE.aaaa);
      if (!fits && i < required) this.truncated = true;
    }
  }

  private address(image: ZoneImage, name: number, node: number, type: number): boolean {
    const set = findSet(image, node, type);
    if (set === 0) return true;
    const count = this.writer.set(image, set, name, 0);
    if (count > 0) this.additionals += count;
    return count >= 0;
  }

  /** ANY: one RRset is enough (RFC 8482 §4.1), but TCP, whose clients have shown their address, gets all (§4.4). */
  private any(zone: ServedZone, image: ZoneImage, whole: boolean): void {
    const { words } = image;
    const { writer, lookup } = this;
    const { node } = lookup;
    noteName(image, this.lookup, this.chain, this.writer.compression);
    let unready = false;
    let set = words[image.rrsets + node];
    for (let left = words[image.meta + node] >>> NODE.countShift; left > 0; left--, set += RRSET.words) {
      if ((words[set] & RRSET_FLAG.live) !== 0 && this.neverLive(zone, image, set)) {
        unready = true;
        continue;
      }
      const count = writer.set(image, set, node, this.chain.offset);
      if (count < 0) {
        this.truncated = true;
        return;
      }
      this.answers += count;
      if (count > 0 && !whole) return;
    }
    if (this.answers > 0) return;
    if (unready) this.fail(EDE.notReady);
    else this.negative(image, KIND.noData);
  }

  private negative(image: ZoneImage, kind: Kind): void {
    if (this.answers === 0) {
      this.kind = kind;
      if (kind === KIND.nxDomain) this.hash = this.chain.name.hash[this.chain.name.labels - image.originLabels];
    }
    noteName(image, this.lookup, this.chain, this.writer.compression);
    if (!this.writer.negativeSoa(image)) this.truncated = true;
    else if (image.soa !== 0) this.authorities++;
  }

  /** SERVFAIL: another server may know better. Whatever was written is taken back. */
  private fail(error: number): void {
    this.rcode = RCODE.servFail;
    this.authoritative = false;
    this.answers = 0;
    this.error = error;
    this.kind = KIND.error;
    this.writer.at = this.questionEnd;
  }

  /** Whether no edge of the pool that this live RRset answers with was ever live, or none over its family. */
  private neverLive({ slots }: ServedZone, { words }: ZoneImage, set: number): boolean {
    const pool = words[set + RRSET.data];
    if (pool >= slots.length) return true;
    const slot = this.slots.words;
    const base = this.slots.slotWord(slots[pool]);
    if (slot[base + SLOT.serial] === 0) return true;
    const unanswered = slot[base + SLOT.unanswered];
    const type = words[set + RRSET.type] & 0xffff;
    return unanswered !== 0 && unanswered === (type === TYPE.a ? UNANSWERED.v4 : UNANSWERED.v6);
  }
}
