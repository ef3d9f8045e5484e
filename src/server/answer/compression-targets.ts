import * as message from '../../dns/message.ts';
import type { ParsedName } from '../../dns/parsed-name.ts';
import type { ZoneImage } from '../../zones/image/image.ts';
import type { Lookup } from '../../zones/image/lookup.ts';
import * as lookups from '../../zones/image/lookup.ts';
import type { CnameChain } from './cname-chain.ts';
import type { CompressionTable } from './compression-table.ts';

// Imported names are looked up at each use, constants of this module are folded into the code: a tenth of the time.
const { FOUND, findChild } = lookups;
const { HEADER_LENGTH } = message;

/** Lets later names be compressed against the current one, as far as the zone has nodes on its way. */
export function noteName(image: ZoneImage, lookup: Lookup, chain: CnameChain, places: CompressionTable): void {
  const { name } = chain;
  if (!chain.atQuestion) {
    // A name of the chain may stand compressed, so only its first label's place is known.
    if (lookup.kind === FOUND.exact && chain.place > 0) places.note(lookup.node, chain.place);
    return;
  }
  const apex = name.labels - image.originLabels;
  for (let label = lookup.label; label <= apex; label++) {
    if (label < name.labels) places.note(lookup.path[label], HEADER_LENGTH + name.at[label]);
  }
  let above = image.words[image.parent];
  for (let label = apex + 1; label < name.labels; label++) {
    places.note(above, HEADER_LENGTH + name.at[label]);
    above = image.words[image.parent + above];
  }
}

/** Names below a cut are not looked up, but glue may have them: lets its owners be compressed against the question. */
export function noteBelow(image: ZoneImage, lookup: Lookup, name: ParsedName, places: CompressionTable): void {
  let { node } = lookup;
  for (let label = lookup.label - 1; label >= 0; label--) {
    node = findChild(image, node, name.hash[label], name.lower, name.at[label]);
    if (node < 0) return;
    places.note(node, HEADER_LENGTH + name.at[label]);
  }
}
