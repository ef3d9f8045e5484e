import { HEADER_LENGTH, TCP_MAX } from '../../dns/message.ts';
import { NAME_MAX, wireNameLength } from '../../dns/name.ts';
import { TSIG_ROOM } from '../../dns/tsig-record.ts';
import { typeName } from '../../dns/type-name.ts';
import { compareStored, sameStored } from '../records/rdata-order.ts';
import type { RecordStore } from '../records/record-store.ts';
import { rrsetOf } from '../records/rrset.ts';
import type { ZoneKind } from './apex.ts';
import type { CheckReport } from './fault.ts';
import { OUTSIDE, TYPE, type ZoneIndex } from './index-zone.ts';

/** Types that may exist beside a CNAME: RFC 4035 §2.5, and RFC 2535's KEY for which BIND still allows it. */
const BESIDE_CNAME: ReadonlySet<number> = new Set([TYPE.CNAME, TYPE.NSEC, TYPE.RRSIG, TYPE.KEY]);
const SINGLE: ReadonlySet<number> = new Set([TYPE.SOA, TYPE.CNAME, TYPE.DNAME]);

/** Octets of an RRset's data, two more for each record's length: what BIND 9.18 stores at most. */
const RRSET_MAX = 65535;
/** Header, type and class of the question, OPT. */
const ANSWER_HEAD = HEADER_LENGTH + 4 + 11;
/** Type, class, TTL and length of a record: as many octets as a pointer to the owner, type, class and TTL. */
const RECORD_HEAD = 10;

/** An RRset this long is compared by sorting rather than each with each. */
const LONG = 16;

/**
 * What must hold inside one name's records: one TTL an RRset, no record twice, one record at most of SOA, CNAME and
 * DNAME, nothing beside a CNAME, no RRset larger than an answer. `ttls` gets pairs of a record and the TTL it is to
 * have.
 */
export function checkRrsets(index: ZoneIndex, kind: ZoneKind, ttls: number[], report: CheckReport): void {
  const { store } = index;
  // A zone that is smaller as a whole has no RRset that is too large.
  const isLarge = store.octets + (2 + RECORD_HEAD) * store.size > TCP_MAX - ANSWER_HEAD - NAME_MAX;
  for (let name = 0; name < index.first.length; name++) {
    const first = index.first[name];
    if (first < 0 || index.next[first] < 0) continue; // most names have none or one
    sets.gather(index, first);
    checkTtls(index, sets, ttls, report);
    checkCopies(index, kind, sets, report);
    if (isLarge) checkSizes(index, sets, report);
    checkCname(index, first, report);
  }
}

/** The records of one owner, RRset by RRset. Kept between owners, so that a million of them make no garbage. */
class RrsetScratch {
  /** Their numbers (`rrsetOf`), each once, in reading order of their first records. */
  readonly sets: number[] = [];
  private readonly records = new Map<number, number[]>();

  gather(index: ZoneIndex, first: number): void {
    for (const set of this.sets) this.of(set).length = 0;
    this.sets.length = 0;
    for (let record = first; record >= 0; record = index.next[record]) {
      const set = rrsetOf(index.store, record);
      const records = this.of(set);
      if (records.length === 0) this.sets.push(set);
      records.push(record);
    }
  }

  of(set: number): number[] {
    let records = this.records.get(set);
    if (records === undefined) {
      records = [];
      this.records.set(set, records);
    }
    return records;
  }
}

/** One for all zones: checking never waits. */
const sets = new RrsetScratch();

/**
 * RFC 2181 §5.2 wants one TTL. Which one is BIND's choice: the first within a run of lines of one owner, and where
 * another run adds to the RRset later, that run's.
 */
function checkTtls(index: ZoneIndex, scratch: RrsetScratch, ttls: number[], report: CheckReport): void {
  const { store } = index;
  for (const set of scratch.sets) {
    const records = scratch.of(set);
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
    if (differs) for (const record of records) ttls.push(record, ttl);
  }
}

/**
 * Whether two records of one owner were read with none of another owner between them; glue of its NS does not count.
 */
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

function checkCopies(index: ZoneIndex, kind: ZoneKind, scratch: RrsetScratch, report: CheckReport): void {
  const { store } = index;
  for (const set of scratch.sets) {
    const records = scratch.of(set);
    if (records.length < 2) continue;
    const type = store.typeOf(records[0]);
    if (type === TYPE.SOA && kind === 'include') continue; // any is one too many: apex.ts
    const copies = records.length < LONG ? copiesByPairs(store, records) : copiesBySorting(store, records);
    for (const copy of copies) {
      report.add('warning', 'duplicate', copy, () => `${report.owner(copy)} has this record already: merged`);
    }
    if (!SINGLE.has(type) || copies.length === records.length - 1) continue;
    const second = records.find((record) => !sameStored(store, record, records[0])) ?? records[1];
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
      if (!sameStored(store, records[i], records[j])) continue;
      copies.push(records[i]);
      break;
    }
  }
  return copies;
}

function copiesBySorting(store: RecordStore, records: readonly number[]): readonly number[] {
  const sorted = records.toSorted((a, b) => compareStored(store, a, b) || a - b);
  return sorted.filter((record, i) => i > 0 && sameStored(store, record, sorted[i - 1]));
}

/**
 * RRsets that no message holds. Those that BIND refuses to load are errors; between that limit and the smaller one of
 * an answer, whose records each repeat type, class, TTL and a pointer to the owner, lie RRsets that can only be
 * transferred.
 */
function checkSizes(index: ZoneIndex, scratch: RrsetScratch, report: CheckReport): void {
  const { store } = index;
  for (const set of scratch.sets) {
    let records: readonly number[] = scratch.of(set);
    if (fitsAnswer(index, records)) continue;
    const copies = new Set(copiesBySorting(store, records));
    records = records.filter((record) => !copies.has(record));
    if (fitsAnswer(index, records)) continue;
    const octets = dataOctets(store, records);
    const what = `${typeName(store.typeOf(records[0]))} RRset of ${records.length} records`;
    if (octets > RRSET_MAX) {
      report.add('error', 'rrset-too-large', records[0], () => {
        return `${report.owner(records[0])} has a ${what} with ${octets} octets of data: no more than ${RRSET_MAX} can be served`;
      });
    } else {
      report.add('warning', 'rrset-too-large', records[0], () => {
        return `${report.owner(records[0])} has a ${what}, over ${TCP_MAX} octets in an answer: it can be transferred, but never answered`;
      });
    }
  }
}

function fitsAnswer({ store, names }: ZoneIndex, records: readonly number[]): boolean {
  const owner = names.offsetOf(store.ownerOf(records[0]));
  const answer = ANSWER_HEAD + wireNameLength(names.octets, owner) + RECORD_HEAD * records.length;
  return answer + dataOctets(store, records) <= TCP_MAX;
}

/** Octets of rdata, two more for each record. */
function dataOctets(store: RecordStore, records: readonly number[]): number {
  let octets = 0;
  for (const record of records) octets += 2 + store.rdataEnd(record) - store.rdataStart(record);
  return octets;
}

/**
 * Records that no message holds: an error, since every transfer of the zone would break. Counted are a header, the
 * record and a TSIG of the longest names, for a transfer sends a large record in a message of its own (RFC 5936 §2.2).
 */
export function checkRecordSizes(index: ZoneIndex, report: CheckReport): void {
  const { store, names } = index;
  const free = TCP_MAX - HEADER_LENGTH - RECORD_HEAD - TSIG_ROOM;
  for (let record = 0; record < store.size; record++) {
    const octets = store.rdataEnd(record) - store.rdataStart(record);
    if (octets <= free - NAME_MAX) continue; // nearly all
    if (index.depth[store.ownerOf(record)] === OUTSIDE) continue;
    const most = free - wireNameLength(names.octets, names.offsetOf(store.ownerOf(record)));
    if (octets <= most) continue;
    report.add('error', 'record-too-large', record, () => {
      const type = typeName(store.typeOf(record));
      return `${report.owner(record)} has a ${type} record of ${octets} octets, and a message of a signed transfer holds ${most} at most`;
    });
  }
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
