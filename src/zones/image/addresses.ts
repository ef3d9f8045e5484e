import { TYPE } from '../../dns/message.ts';
import { lowerName, NAME_MAX, type WireName, wireFromName } from '../../dns/name.ts';
import { ParsedName } from '../../dns/parsed-name.ts';
import type { ZoneImage } from './image.ts';
import { LINKS, namesInPlace, RRSET, RRSET_FLAG } from './layout.ts';
import { findChild, findSet } from './lookup.ts';

/** Names of the zone's own NS records, without the one that its SOA names as the primary. */
export function otherNameServers(image: ZoneImage): WireName[] {
  const primary = namesOf(image, image.soa, TYPE.soa).at(0);
  return namesOf(image, findSet(image, 0, TYPE.ns), TYPE.ns).filter((name) => name !== primary);
}

/**
 * Addresses of a name in the zone's file, glue below a cut included, 4 or 16 octets each. Live addresses are not in the
 * image and are not returned.
 */
export function addressesAt(image: ZoneImage, name: WireName): Uint8Array[] {
  const node = findNode(image, name);
  if (node < 0) return [];
  return [TYPE.a, TYPE.aaaa].flatMap((type) => recordsOf(image, findSet(image, node, type)));
}

/** The node of a name that lies in the zone, cuts or not; -1: there is none. */
function findNode(image: ZoneImage, name: WireName): number {
  const parts = new ParsedName();
  const wire = wireFromName(name);
  if (!parts.read(wire, 0, wire.length)) return -1;
  let node = 0;
  for (let label = parts.labels - image.originLabels; label > 0 && node >= 0; label--) {
    node = findChild(image, node, parts.hash[label - 1], parts.lower, parts.at[label - 1]);
  }
  return node;
}

/** The names in the rdata of an RRset, at word `set`; 0: no set, no names. */
function namesOf(image: ZoneImage, set: number, type: number): WireName[] {
  if (set === 0) return [];
  const { words } = image;
  const links = words[set + RRSET.data];
  const first = links + LINKS.list + 2 * words[links + LINKS.targets];
  const wire = new Uint8Array(NAME_MAX + 1);
  return Array.from({ length: words[set + RRSET.count] * namesInPlace(type) }, (_, i) => {
    image.copyName(words[first + i], wire, 0);
    return lowerName(wire);
  });
}

/** The rdata of an RRset of addresses. */
function recordsOf({ words, octets }: ZoneImage, set: number): Uint8Array[] {
  if (set === 0 || (words[set + RRSET.type] & RRSET_FLAG.live) !== 0) return [];
  const records: Uint8Array[] = [];
  let at = words[set + RRSET.data];
  for (let left = words[set + RRSET.count]; left > 0; left--) {
    const length = (octets[at] << 8) | octets[at + 1];
    records.push(octets.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return records;
}
