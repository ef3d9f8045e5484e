import {
  lowerName,
  nameText,
  parentName,
  ROOT,
  textFromWire,
  type WireName,
  wireNameLength,
} from '../../src/dns/name.ts';
import { rdataNames } from '../../src/dns/rdata-names.ts';
import { forEachRecord } from '../../src/zones/image/cursor.ts';
import { ZoneImage } from '../../src/zones/image/image.ts';
import type { EdnsSpec, QuerySpec } from '../support/dns-query.ts';
import { imageOf, type ZoneSpec } from '../support/zone-images.ts';

/** Types asked of every name: each kind of treatment once, and some that nobody has. */
const TYPES = ['A', 'AAAA', 'NS', 'SOA', 'MX', 'TXT', 'CNAME', 'DNAME', 'DS', 'SRV', 'TYPE65280'] as const;

const VARIANTS: readonly (EdnsSpec | null)[] = [
  null,
  {},
  { flags: 0x8000 },
  { size: 512 },
  { size: 4096, options: [[65001, Uint8Array.of(1, 2)]] },
];

/** Every name of the zones, in owners and rdata, with what surrounds it: parents, children, siblings, wildcards. */
export function queryNames(zones: readonly ZoneSpec[]): readonly string[] {
  const names = new Set<string>();
  const add = (name: WireName): void => {
    for (let at = name; at !== ROOT; at = parentName(at)) names.add(nameText(at));
    for (const label of ['x', '*', 'www', 'x.y.z']) names.add(under(label, name));
    for (const label of ['x', '*']) names.add(under(label, parentName(name)));
  };
  for (const zone of zones) {
    forEachRecord(ZoneImage.attach(imageOf(zone)), (owner, type, _, rdata) => {
      add(lowerName(owner));
      let at = 0;
      for (const { skip } of rdataNames(type)) {
        at += skip;
        add(lowerName(rdata, at));
        at += wireNameLength(rdata, at);
      }
      names.add(textFromWire(owner)); // as spelled
    });
  }
  names.add('.');
  return [...names].filter((name) => name === '.' || fits(name));
}

function under(label: string, name: WireName): string {
  return name === ROOT ? `${label}.` : `${label}.${nameText(name)}`;
}

function fits(name: string): boolean {
  return name.replace(/\\(\d{3}|.)/g, 'x').length < 255;
}

/** All names with all types, the EDNS variants taking turns; each name has its own present types and ANY too. */
export function* queries(zones: readonly ZoneSpec[]): Generator<QuerySpec> {
  let turn = 0;
  for (const name of queryNames(zones)) {
    for (const type of TYPES) yield { name, type, edns: VARIANTS[turn++ % VARIANTS.length] };
  }
  for (const zone of zones) {
    for (const [name, types] of presentTypes(zone)) {
      for (const type of types) for (const edns of VARIANTS) yield { name, type, edns };
    }
  }
}

function presentTypes(zone: ZoneSpec): ReadonlyMap<string, ReadonlySet<number>> {
  const present = new Map<string, Set<number>>();
  forEachRecord(ZoneImage.attach(imageOf(zone)), (owner, type) => {
    const name = textFromWire(owner);
    present.set(name, (present.get(name) ?? new Set()).add(type));
  });
  return present;
}
