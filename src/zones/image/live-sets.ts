import { NAME_MAX } from '../../dns/name.ts';
import type { ZoneImage } from './image.ts';
import { NODE, RRSET, RRSET_FLAG } from './layout.ts';

/** An RRset that a live slot fills: the apex or a rotate label, A or AAAA. `owner` uncompressed, as spelled. */
export type LiveSet = { readonly owner: Uint8Array; readonly type: number; readonly ttl: number };

const known = new WeakMap<SharedArrayBuffer, readonly LiveSet[]>();

/**
 * The live RRsets of an image, the apex first. Found once an image: a million names need not be looked through at each
 * flip.
 */
export function liveSets(image: ZoneImage): readonly LiveSet[] {
  const found = known.get(image.shared);
  if (found !== undefined) return found;
  const sets = image.isLive ? findLiveSets(image) : [];
  known.set(image.shared, sets);
  return sets;
}

function findLiveSets(image: ZoneImage): LiveSet[] {
  const { words } = image;
  const sets: LiveSet[] = [];
  const name = new Uint8Array(NAME_MAX + 1);
  for (let node = 0; node < image.nodes; node++) {
    const meta = words[image.meta + node];
    if ((meta & NODE.live) === 0) continue;
    const owner = name.slice(0, image.copyName(node, name, 0));
    for (let set = 0; set < meta >>> NODE.countShift; set++) {
      const at = words[image.rrsets + node] + set * RRSET.words;
      if ((words[at + RRSET.type] & RRSET_FLAG.live) === 0) continue;
      sets.push({ owner, type: words[at + RRSET.type] & 0xffff, ttl: words[at + RRSET.ttl] >>> 0 });
    }
  }
  return sets;
}
