import { LOWER, wireNameLength } from '../../dns/name.ts';
import { rdataNames } from '../../dns/rdata-names.ts';
import type { RecordStore } from '../records/record-store.ts';
import type { ZoneKind } from './apex.ts';
import type { CheckReport } from './fault.ts';
import { TYPE, type ZoneIndex } from './index-zone.ts';

/** Types that may stand beside a CNAME: RFC 4035 §2.5, and RFC 2535's KEY for which BIND still allows it. */
const BESIDE_CNAME: ReadonlySet<number> = new Set([TYPE.CNAME, TYPE.NSEC, TYPE.RRSIG, TYPE.KEY]);
const SINGLE: ReadonlySet<number> = new Set([TYPE.SOA, TYPE.CNAME, TYPE.DNAME]);

/** An RRset this long is compared by sorting rather than each with each. */
const LONG = 16;

/**
 * What must hold inside one name's records: one TTL an RRset (made so: setTtl), no record twice, one record at most of
 * SOA, CNAME and DNAME, nothing beside a CNAME.
 */
export function checkRrsets(index: ZoneIndex, kind: ZoneKind, report: CheckReport): void {
  const sets = new RrsetScratch();
  for (let name = 0; name < index.first.length; name++) {
    const first = index.first[name];
    if (first < 0 || index.next[first] < 0) continue; // most names have none or one
    sets.gather(index, first);
    checkTtls(index, sets, report);
    checkCopies(index, kind, sets, report);
    checkCname(index, first, report);
  }
}

/** The records of one owner, type by type. Kept between owners, so that a million of them make no garbage. */
class RrsetScratch {
  readonly types: number[] = [];
  private readonly records = new Map<number, number[]>();

  gather(index: ZoneIndex, first: number): void {
    for (const type of this.types) this.of(type).length = 0;
    this.types.length = 0;
    for (let record = first; record >= 0; record = index.next[record]) {
      const type = index.store.typeOf(record);
      const records = this.of(type);
      if (records.length === 0) this.types.push(type);
      records.push(record);
    }
  }

  of(type: number): number[] {
    let records = this.records.get(type);
    if (records === undefined) {
      records = [];
      this.records.set(type, records);
    }
    return records;
  }
}

/**
 * RFC 2181 §5.2 wants one TTL. Which one is BIND's choice: the first within a run of lines of one owner, and where
 * another run adds to the RRset later, that run's.
 */
function checkTtls(index: ZoneIndex, sets: RrsetScratch, report: CheckReport): void {
  const { store } = index;
  for (const type of sets.types) {
    const records = sets.of(type);
    let ttl = store.ttlOf(records[0]);
    let differs = false;
    for (let i = 1; i < records.length; i++) {
      const own = store.ttlOf(records[i]);
      if (own === ttl) continue;
      differs = true;
      const sameRun = isRun(index, records[i - 1], records[i]);
      const kept = sameRun ? ttl : own;
      const other = sameRun ? own : ttl;
      report.add('warning', 'ttl-differs', records[i], () => {
        return `${report.owner(records[i])} has this type with TTL ${other} and ${kept}: all get ${kept} (RFC 2181 §5.2)`;
      });
      ttl = kept;
    }
    if (differs) for (const record of records) store.setTtl(record, ttl);
  }
}

/** Whether two records of one owner were read with none of another owner between them; glue of its NS does not count. */
function isRun(index: ZoneIndex, from: number, to: number): boolean {
  const owner = index.store.ownerOf(from);
  for (let at = from; at !== to; at = index.next[at]) {
    for (let between = at + 1; between < index.next[at]; between++) {
      if (!isGlueOf(index, owner, between)) return false;
    }
  }
  return true;
}

/** Whether the record's owner is named by an NS of `owner` that was read before it. */
function isGlueOf(index: ZoneIndex, owner: number, record: number): boolean {
  const { store, names, next } = index;
  const glue = store.ownerOf(record);
  for (let at = index.first[owner]; at >= 0 && at < record; at = next[at]) {
    if (store.typeOf(at) === TYPE.NS && names.find(store.rdata, store.rdataStart(at)) === glue) return true;
  }
  return false;
}

function checkCopies(index: ZoneIndex, kind: ZoneKind, sets: RrsetScratch, report: CheckReport): void {
  const { store } = index;
  for (const type of sets.types) {
    if (type === TYPE.SOA && kind === 'include') continue; // any is one too many: check-apex.ts
    const records = sets.of(type);
    if (records.length < 2) continue;
    const copies = records.length < LONG ? copiesByPairs(store, records) : copiesBySorting(store, records);
    for (const copy of copies) {
      report.add('warning', 'duplicate', copy, () => `${report.owner(copy)} has this record already: merged`);
    }
    if (!SINGLE.has(type) || copies.length === records.length - 1) continue;
    const second = records.find((record) => !sameRdata(store, record, records[0])) ?? records[1];
    report.add('error', 'several', second, () => {
      return `${report.owner(second)} has more than one ${singleName(type)}, and they differ`;
    });
  }
}

function singleName(type: number): string {
  if (type === TYPE.SOA) return 'SOA';
  return type === TYPE.CNAME ? 'CNAME' : 'DNAME';
}

function copiesByPairs(store: RecordStore, records: readonly number[]): readonly number[] {
  const copies: number[] = [];
  for (let i = 1; i < records.length; i++) {
    for (let j = 0; j < i; j++) {
      if (!sameRdata(store, records[i], records[j])) continue;
      copies.push(records[i]);
      break;
    }
  }
  return copies;
}

function copiesBySorting(store: RecordStore, records: readonly number[]): readonly number[] {
  const sorted = records.toSorted((a, b) => compareRdata(store, a, b) || a - b);
  return sorted.filter((record, i) => i > 0 && sameRdata(store, record, sorted[i - 1]));
}

function checkCname(index: ZoneIndex, first: number, report: CheckReport): void {
  const { store } = index;
  let cname = false;
  let other = -1;
  for (let record = first; record >= 0; record = index.next[record]) {
    const type = store.typeOf(record);
    if (type === TYPE.CNAME) cname = true;
    else if (other < 0 && !BESIDE_CNAME.has(type)) other = record;
    if (!cname || other < 0) continue;
    const at = record;
    report.add(
      'error',
      'cname-and-other',
      at,
      () => `${report.owner(at)} has a CNAME and other data (RFC 1034 §3.6.2)`,
    );
    return;
  }
}

/** Whether two records of one type hold the same data; names inside compare without case (RFC 4343). */
export function sameRdata(store: RecordStore, a: number, b: number): boolean {
  const length = store.rdataEnd(a) - store.rdataStart(a);
  return length === store.rdataEnd(b) - store.rdataStart(b) && compareRdata(store, a, b) === 0;
}

/** Orders records of one type by rdata as octets, names inside lowercased (RFC 4034 §6.2 and §6.3). */
export function compareRdata(store: RecordStore, a: number, b: number): number {
  const { rdata } = store;
  let x = store.rdataStart(a);
  let y = store.rdataStart(b);
  const endX = store.rdataEnd(a);
  const endY = store.rdataEnd(b);
  for (const name of rdataNames(store.typeOf(a))) {
    for (let i = 0; i < name.skip && x < endX && y < endY; i++, x++, y++) {
      if (rdata[x] !== rdata[y]) return rdata[x] - rdata[y];
    }
    if (x >= endX || y >= endY) break;
    const lengthX = wireNameLength(rdata, x);
    const lengthY = wireNameLength(rdata, y);
    for (let i = 0; i < lengthX && i < lengthY; i++) {
      const difference = LOWER[rdata[x + i]] - LOWER[rdata[y + i]];
      if (difference !== 0) return difference;
    }
    x += lengthX; // equal up to the root label, so equally long
    y += lengthY;
  }
  for (; x < endX && y < endY; x++, y++) if (rdata[x] !== rdata[y]) return rdata[x] - rdata[y];
  return endX - x - (endY - y);
}
