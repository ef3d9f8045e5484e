/**
 * How a zone lies in its image: one flat shared buffer that every answering thread reads and none writes.
 *
 * ```
 * words   HEAD      single numbers, places below
 *         slots     hash table over the nodes: name id + 1, 0 empty; linear probing, at most half full
 *         parent    by name id: id of the name without its leftmost label; -1 for the root
 *         label     by name id: place of the leftmost label (length octet first) in the octets
 *         meta      by node: NODE flags, RRset count from bit NODE.countShift on
 *         rrsets    by node: word of its first RRset
 *         RRsets    RRSET.words each, a node's side by side in order of type; RRSIG and SIG have one for each type
 *                   covered, since each has the TTL of what it covers (RFC 4034 §3)
 *         links     of RRsets whose rdata names something, see LINKS
 * octets  labels    as first spelled
 *         rdata     of an opaque type: length (2 octets) and rdata of each record;
 *                   of a type with compressible names: only what is around the names
 * ```
 *
 * Names are numbered: nodes first (the origin is 0, a parent comes before its children), then the names that only occur
 * in rdata or above the origin. A node is a name at which data exists or below which it does (RFC 4592 §2.2.2), so
 * empty non-terminals are nodes. Walking down from the origin, label by label, settles cuts, DNAMEs and the closest
 * encloser on the way.
 */
export const HEAD = {
  magic: 0,
  /** The zone's own serial. */
  serial: 1,
  /** Records, live ones not counted. */
  records: 2,
  isLive: 3,
  names: 4,
  nodes: 5,
  slotMask: 6,
  slots: 7,
  parent: 8,
  label: 9,
  meta: 10,
  rrsets: 11,
  /** Place of the octets, in octets from the buffer's start. */
  octets: 12,
  /** TTL of negative answers: min(SOA TTL, SOA minimum), RFC 2308 §5. */
  negativeTtl: 13,
  originLabels: 14,
  /** Word of the apex SOA's RRset, 0 when the zone has none. */
  soa: 15,
  words: 16,
} as const;

export const MAGIC = 0x45573031;

/** A node's flags. */
export const NODE = {
  /** Has NS and is not the apex. */
  cut: 1,
  dname: 2,
  cname: 4,
  /** Its A and AAAA come from the live slot. */
  live: 8,
  /** Its child `*` exists. */
  wildcard: 16,
  /** Below a DNAME: never answered, not even as additional data (RFC 6672 §2.4). */
  occluded: 32,
  countShift: 8,
} as const;

/** Words of one RRset. */
export const RRSET = {
  /** Type in the low 16 bits, RRSET_FLAG above. */
  type: 0,
  ttl: 1,
  count: 2,
  /**
   * Octet place of the rdata; with RRSET_FLAG.links the word of its links; with RRSET_FLAG.live the number of its pool
   * in this zone.
   */
  data: 3,
  words: 4,
} as const;

export const RRSET_FLAG = { links: 1 << 16, live: 2 << 16 } as const;

/** Links of an RRset: what its rdata's names lead to. */
export const LINKS = {
  octets: 0,
  /** How many names' addresses belong into the additional section. */
  targets: 1,
  /**
   * How many of them, the first ones, lie at or below a cut's own name: glue that a referral must hold (RFC 9471 §3.1).
   */
  required: 2,
  /** Two words each: the name, and the node with its addresses. Then the names in place of each record. */
  list: 3,
} as const;

/** Name ids in place of each record's compressible names, by type; 0 for all types from 16 on. */
export const NAMES_IN_PLACE: Uint8Array = Uint8Array.of(0, 0, 1, 1, 1, 1, 2, 1, 1, 1, 0, 0, 1, 0, 2, 1);

export function namesInPlace(type: number): number {
  return type < 16 ? NAMES_IN_PLACE[type] : 0;
}

/** Octets before the first of those names (MX alone has some) and after the last (SOA alone). */
export function octetsBefore(type: number): number {
  return type === 15 ? 2 : 0;
}
export function octetsAfter(type: number): number {
  return type === 6 ? 20 : 0;
}
