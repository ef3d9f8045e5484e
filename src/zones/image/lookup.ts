import * as names from '../../dns/name.ts';
import * as hashing from '../../dns/name-hash.ts';
import type { ParsedName } from '../../dns/parsed-name.ts';
import type { ZoneImage } from './image.ts';
import * as layout from './layout.ts';

// Bindings of another module are looked up at each use in V8, constants of this module are not: a tenth of an answer's
// time.
const { hashLabel, spread } = hashing;
const { NODE, RRSET } = layout;
const { LOWER } = names;

/** What was found for a name in a zone. */
export const FOUND = {
  /** `node` is the name itself. */
  exact: 0,
  /** `node` is the `*` that answers for it (RFC 4592 §3.3.1); the closest encloser is at label `label`. */
  wildcard: 1,
  /** It does not exist; `node` is its closest encloser. */
  none: 2,
  /** `node` is a delegation at or above it. */
  cut: 3,
  /** `node` is above it and has a DNAME. */
  dname: 4,
} as const;
export type Found = (typeof FOUND)[keyof typeof FOUND];

const STAR_LABEL = Uint8Array.of(1, 0x2a);
const DS = 43;

/** Walks a zone's tree down to a name, RFC 1034 §4.3.2 step 3. One object a thread; results are in its fields. */
export class Lookup {
  /** What `find` returned. */
  kind: Found = FOUND.none;
  node = 0;
  /** Label of the query name, from the left, at which `node` (of a wildcard: its parent) begins. */
  label = 0;
  /** By label of the query name: the node there, as far as the walk came. */
  readonly path: Int32Array = new Int32Array(128);

  /** Looks up a name that lies in the zone. */
  find(image: ZoneImage, name: ParsedName, type: number): Found {
    const { words, meta } = image;
    let label = name.labels - image.originLabels;
    let node = 0;
    this.path[label] = 0;
    while (label > 0) {
      if ((words[meta + node] & NODE.dname) !== 0) return this.end(FOUND.dname, node, label);
      const child = findChild(image, node, name.hash[label - 1], name.lower, name.at[label - 1]);
      if (child < 0) break;
      node = child;
      label--;
      this.path[label] = node;
      if ((words[meta + node] & NODE.cut) !== 0) {
        // The parent's side answers for DS at the cut itself (RFC 4035 §3.1.4.1).
        if (label === 0 && type === DS) break;
        return this.end(FOUND.cut, node, label);
      }
    }
    if (label === 0) return this.end(FOUND.exact, node, 0);
    if ((words[meta + node] & NODE.wildcard) === 0) return this.end(FOUND.none, node, label);
    const star = findChild(image, node, hashLabel(name.hash[label], STAR_LABEL, 0), STAR_LABEL, 0);
    return this.end(FOUND.wildcard, star, label);
  }

  private end(kind: Found, node: number, label: number): Found {
    this.kind = kind;
    this.node = node;
    this.label = label;
    return kind;
  }
}

/** The child of `parent` by the lowercase label at `lower[at]`, whose whole name has `hash`; -1: none. */
export function findChild(image: ZoneImage, parent: number, hash: number, lower: Uint8Array, at: number): number {
  const { words, octets, slots, slotMask } = image;
  for (let slot = spread(hash) & slotMask; ; slot = (slot + 1) & slotMask) {
    const node = words[slots + slot] - 1;
    if (node < 0) return -1;
    if (words[image.parent + node] !== parent) continue;
    const label = words[image.label + node];
    let i = lower[at];
    if (octets[label] !== i) continue;
    while (i > 0 && LOWER[octets[label + i]] === lower[at + i]) i--;
    if (i === 0) return node;
  }
}

/** Word of the node's first RRset of this type (only of RRSIG and SIG there are more, `nextSet`); 0: it has none. */
export function findSet(image: ZoneImage, node: number, type: number): number {
  const { words } = image;
  const first = words[image.rrsets + node];
  const end = first + (words[image.meta + node] >>> NODE.countShift) * RRSET.words;
  for (let set = first; set < end; set += RRSET.words) {
    if ((words[set] & 0xffff) === type) return set;
  }
  return 0;
}

/** Word of the node's RRset after the one at `set` if it has the same type; else 0. */
export function nextSet(image: ZoneImage, node: number, set: number): number {
  const { words } = image;
  const next = set + RRSET.words;
  const end = words[image.rrsets + node] + (words[image.meta + node] >>> NODE.countShift) * RRSET.words;
  return next < end && (words[next] & 0xffff) === (words[set] & 0xffff) ? next : 0;
}
