import type { CheckReport } from './fault.ts';
import { HAS, TYPE, type ZoneIndex } from './index-zone.ts';

/** Whether the file makes the whole zone, SOA and NS included, or is the text after what the server makes. */
export type ZoneKind = 'complete' | 'include';

/**
 * What the zone's own name needs. `include`: the server adds SOA and NS itself, so a SOA in the file is one too many
 * and no NS need be there.
 */
export function checkApex(index: ZoneIndex, kind: ZoneKind, report: CheckReport): void {
  const { store } = index;
  let soa = false;
  for (let record = 0; record < store.size; record++) {
    if (store.typeOf(record) !== TYPE.SOA || index.first[store.ownerOf(record)] < 0) continue;
    if (store.ownerOf(record) !== index.apex) {
      report.add(
        'error',
        'soa-not-apex',
        record,
        () => `${report.owner(record)} is not the zone's name, and has a SOA`,
      );
      continue;
    }
    soa = true;
    if (kind === 'include' && store.lineOf(record) !== 0) {
      report.add(
        'error',
        'soa-in-include',
        record,
        () => "a network's zone gets its SOA from the server: remove this one",
      );
    }
  }
  if (kind === 'complete' && !soa) report.add('error', 'soa-missing', null, () => 'the zone has no SOA record');
  if (kind === 'complete' && (index.has[index.apex] & HAS.ns) === 0) {
    report.add('error', 'ns-missing', null, () => 'the zone has no NS record at its apex');
  }
  for (let record = index.first[index.apex]; record >= 0; record = index.next[record]) {
    if (store.typeOf(record) !== TYPE.DS) continue;
    const at = record;
    report.add('error', 'ds-at-apex', at, () => 'DS belongs to the parent zone, not to the apex (RFC 4035 §2.4)');
  }
}

/**
 * Records that no query can reach: below a cut (except glue, and the types of the parent's side) or below a DNAME (RFC
 * 6672 §2.4).
 */
export function checkOccluded(index: ZoneIndex, report: CheckReport): void {
  if (!index.anyCut && (index.any & HAS.dname) === 0) return;
  const { names, store } = index;
  for (let name = 0; name < index.first.length; name++) {
    if (index.first[name] < 0 || name === index.apex) continue;
    const hidden = index.hiddenBy(names.octets, names.offsetOf(name), index.depth[name]);
    const cut = (index.has[name] & HAS.ns) !== 0;
    if (hidden < 0 && !cut) continue;
    const byCut = hidden < 0 || ((index.has[hidden] & HAS.ns) !== 0 && hidden !== index.apex);
    for (let record = index.first[name]; record >= 0; record = index.next[record]) {
      const type = store.typeOf(record);
      if (byCut && (type === TYPE.A || type === TYPE.AAAA)) continue;
      if (hidden < 0 && PARENT_SIDE.has(type)) continue;
      const at = record;
      const why = byCut ? 'at or below a delegation' : 'below a DNAME';
      report.add('warning', 'occluded', at, () => `${report.owner(at)} is ${why}: this record is never answered`);
      break;
    }
  }
}

/** Types that the parent's side of a cut holds (RFC 4035 §2.4 and §2.6). */
const PARENT_SIDE: ReadonlySet<number> = new Set([TYPE.NS, TYPE.DS, TYPE.NSEC, TYPE.RRSIG, TYPE.NSEC3]);

/** The type SPF is history (RFC 7208 §3.1): receivers only read TXT. */
export function checkSpf(index: ZoneIndex, report: CheckReport): void {
  if ((index.any & HAS.spf) === 0) return;
  const { names, store } = index;
  for (let name = 0; name < index.first.length; name++) {
    if ((index.has[name] & HAS.spf) === 0) continue;
    if (name !== index.apex && (index.has[name] & HAS.ns) !== 0) continue;
    if (index.hiddenBy(names.octets, names.offsetOf(name), index.depth[name]) >= 0) continue;
    let spf = -1;
    let text = false;
    for (let record = index.first[name]; record >= 0; record = index.next[record]) {
      const type = store.typeOf(record);
      if (type === TYPE.SPF) spf = record;
      else if (type === TYPE.TXT && isSpfText(index, record)) text = true;
    }
    if (text) continue;
    report.add(
      'warning',
      'spf-without-txt',
      spf,
      () => `${report.owner(spf)} has SPF but no TXT of the same text (RFC 7208 §3.1)`,
    );
  }
}

const SPF = 'v=spf1';

function isSpfText(index: ZoneIndex, record: number): boolean {
  const { rdata } = index.store;
  const start = index.store.rdataStart(record);
  if (rdata[start] < SPF.length) return false;
  for (let i = 0; i < SPF.length; i++) if (rdata[start + 1 + i] !== SPF.charCodeAt(i)) return false;
  return rdata[start] === SPF.length || rdata[start + 1 + SPF.length] === 0x20;
}
