import { NAME_MAX, nameText } from '../../dns/name.ts';
import { ImageCursor } from '../image/cursor.ts';
import type { ZoneImage } from '../image/image.ts';
import { NODE, RRSET, RRSET_FLAG } from '../image/layout.ts';
import type { LiveAddresses } from '../image/live-version.ts';
import { MADE_TTL } from '../store/network-zone.ts';
import { printRecord } from './print-record.ts';

const A = 1;
const NS = 2;
const SOA = 6;
const AAAA = 28;

/**
 * A zone as it is answered right now, as a complete master file that BIND loads: SOA with the given serial, NS, the
 * live addresses of the apex and the rotate labels, then everything else. Every record has its TTL and its absolute
 * owner.
 */
export function printSnapshot(image: ZoneImage, live: LiveAddresses, serial: number): string {
  const origin = nameText(image.origin);
  const lines = [
    `; Zone ${origin} as Edgewise answers it. Made by Edgewise and replaced at every change: do not edit.`,
    `$ORIGIN ${origin}`,
    `$TTL ${MADE_TTL}`,
  ];
  // Without live addresses the apex begins with SOA, which comes first, and NS, which has the lowest type.
  const cursor = new ImageCursor(image, null, serial);
  let liveDone = false;
  while (cursor.next()) {
    if (!liveDone && cursor.type !== SOA && cursor.type !== NS) {
      lines.push(...liveLines(image, live));
      liveDone = true;
    }
    lines.push(printRecord(cursor.owner, cursor.type, cursor.ttl, cursor.rdataOctets, 0, cursor.rdataLength));
  }
  if (!liveDone) lines.push(...liveLines(image, live));
  return `${lines.join('\n')}\n`;
}

/** The live RRsets of an image, the apex first, filled with the given addresses. */
function liveLines(image: ZoneImage, live: LiveAddresses): readonly string[] {
  const { words } = image;
  const lines: string[] = [];
  const owner = new Uint8Array(NAME_MAX + 1);
  for (let node = 0; node < image.nodes; node++) {
    const meta = words[image.meta + node];
    if ((meta & NODE.live) === 0) continue;
    const length = image.copyName(node, owner, 0);
    const sets = meta >>> NODE.countShift;
    for (let set = 0; set < sets; set++) {
      const at = words[image.rrsets + node] + set * RRSET.words;
      if ((words[at + RRSET.type] & RRSET_FLAG.live) === 0) continue;
      const type = words[at + RRSET.type] & 0xffff;
      const addresses = type === A ? live.v4 : type === AAAA ? live.v6 : [];
      const name = owner.subarray(0, length);
      for (const address of addresses) lines.push(printRecord(name, type, words[at + RRSET.ttl] >>> 0, address));
    }
  }
  return lines;
}
