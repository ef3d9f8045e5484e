import type { RecordStore } from '../records/record-store.ts';
import type { CheckReport } from './fault.ts';
import { HAS, TYPE, type ZoneIndex } from './index-zone.ts';

/** Algorithms that no DNSKEY should have any more (RFC 8624 §3.1), by name. */
const OLD_KEYS: ReadonlyMap<number, string> = new Map([
  [1, 'RSAMD5'],
  [3, 'DSA'],
  [5, 'RSASHA1'],
  [6, 'NSEC3DSA'],
  [7, 'NSEC3RSASHA1'],
  [12, 'ECCGOST'],
]);
/** Of those, the ones that BIND also warns of in a DS: keys of the others were never common. */
const OLD_IN_DS: ReadonlySet<number> = new Set([5, 7]);
const OLD_DIGESTS: ReadonlyMap<number, string> = new Map([
  [1, 'SHA-1'],
  [3, 'GOST'],
]);

/** Validators take a zone with more for unsigned (RFC 9276 §3.2). */
const ITERATIONS_MAX = 150;

/** Offsets of fields in rdata: DS and CDS (RFC 4034 §5.1), DNSKEY and CDNSKEY (§2.1), NSEC3PARAM (RFC 5155 §4.2). */
const DS_ALGORITHM = 2;
const DS_DIGEST_TYPE = 3;
const KEY_ALGORITHM = 3;
const ITERATIONS = 2;

/** "Remove my DS records" (RFC 8078 §4), as octets. */
const DELETE_CDS: readonly number[] = [0, 0, 0, 0, 0];
const DELETE_CDNSKEY: readonly number[] = [0, 0, 3, 0, 0];

/**
 * DNSSEC records of a zone that was signed elsewhere, rated as BIND does: CDS and CDNSKEY at the apex that would make
 * the parent break the zone are errors, algorithms that nobody should use any more are warnings. Signatures are not
 * verified.
 */
export function checkDnssec(index: ZoneIndex, report: CheckReport): void {
  if ((index.has[index.apex] & HAS.other) !== 0) {
    checkChild(index, TYPE.CDS, DS_ALGORITHM, DELETE_CDS, report);
    checkChild(index, TYPE.CDNSKEY, KEY_ALGORITHM, DELETE_CDNSKEY, report);
    checkApexAge(index, report);
  }
  if (index.anyCut) checkCuts(index, report);
}

/** A zone that was signed elsewhere has an RRSIG at its apex, of its SOA at least. */
export function checkSigned(index: ZoneIndex, report: CheckReport): void {
  if ((index.has[index.apex] & HAS.other) === 0) return;
  const signature = ofApex(index, TYPE.RRSIG).at(0);
  if (signature === undefined) return;
  report.add('warning', 'signed-zone', signature, () => {
    return 'the zone is signed, but answers do not have its RRSIG, NSEC and NSEC3 records yet: validators refuse them if the parent has a DS';
  });
}

/**
 * What the parent is to publish (RFC 7344 §4.1): each algorithm in it needs a DNSKEY, or the parent's DS would lead
 * nowhere; a request to remove all DS stands alone.
 */
function checkChild(
  index: ZoneIndex,
  type: typeof TYPE.CDS | typeof TYPE.CDNSKEY,
  algorithmAt: number,
  removal: readonly number[],
  report: CheckReport,
): void {
  const { store } = index;
  const word = type === TYPE.CDS ? 'CDS' : 'CDNSKEY';
  const records = ofApex(index, type);
  if (records.length === 0) return;
  const removing = records.some((record) => holds(store, record, removal));
  const keys = new Set(ofApex(index, TYPE.DNSKEY).map((record) => octet(store, record, KEY_ALGORITHM)));
  for (const record of records) {
    if (holds(store, record, removal)) continue;
    if (removing) {
      report.add('error', 'cds-mismatch', record, () => {
        return `a ${word} that removes the delegation's DS stands alone, and here is another (RFC 8078 §4)`;
      });
      return;
    }
    const algorithm = octet(store, record, algorithmAt);
    if (keys.has(algorithm)) continue;
    report.add('error', 'cds-mismatch', record, () => {
      return `${word} of algorithm ${algorithm}, and the zone has no DNSKEY of it: the delegation would break (RFC 7344 §4.1)`;
    });
  }
}

function checkApexAge(index: ZoneIndex, report: CheckReport): void {
  const { store } = index;
  for (let record = index.first[index.apex]; record >= 0; record = index.next[record]) {
    switch (store.typeOf(record)) {
      case TYPE.DNSKEY:
        checkAge('DNSKEY', OLD_KEYS, octet(store, record, KEY_ALGORITHM), record, report);
        break;
      case TYPE.CDS:
        checkAge('CDS of digest', OLD_DIGESTS, octet(store, record, DS_DIGEST_TYPE), record, report);
        break;
      case TYPE.NSEC3PARAM:
        checkIterations(store, record, report);
        break;
      default:
        break;
    }
  }
}

function checkIterations(store: RecordStore, record: number, report: CheckReport): void {
  const iterations = (octet(store, record, ITERATIONS) << 8) | octet(store, record, ITERATIONS + 1);
  if (iterations <= ITERATIONS_MAX) return;
  report.add('warning', 'nsec3-iterations', record, () => {
    return `NSEC3PARAM has ${iterations} iterations: over ${ITERATIONS_MAX} the zone counts as unsigned (RFC 9276 §3.2)`;
  });
}

/** DS records at the cuts that a query can reach. */
function checkCuts(index: ZoneIndex, report: CheckReport): void {
  const { names, store } = index;
  for (let name = 0; name < index.first.length; name++) {
    const bits = HAS.ns | HAS.other;
    if (name === index.apex || (index.has[name] & bits) !== bits) continue;
    if (index.hiddenBy(names.octets, names.offsetOf(name), index.depth[name]) >= 0) continue;
    for (let record = index.first[name]; record >= 0; record = index.next[record]) {
      if (store.typeOf(record) !== TYPE.DS) continue;
      const algorithm = octet(store, record, DS_ALGORITHM);
      if (OLD_IN_DS.has(algorithm)) checkAge('DS', OLD_KEYS, algorithm, record, report);
      checkAge('DS of digest', OLD_DIGESTS, octet(store, record, DS_DIGEST_TYPE), record, report);
    }
  }
}

function checkAge(
  what: string,
  old: ReadonlyMap<number, string>,
  algorithm: number,
  record: number,
  report: CheckReport,
): void {
  const name = old.get(algorithm);
  if (name === undefined) return;
  report.add('warning', 'old-algorithm', record, () => {
    return `${report.owner(record)} has a ${what} ${algorithm} (${name}): not to be used any more (RFC 8624 §3)`;
  });
}

function ofApex(index: ZoneIndex, type: number): readonly number[] {
  const records: number[] = [];
  for (let record = index.first[index.apex]; record >= 0; record = index.next[record]) {
    if (index.store.typeOf(record) === type) records.push(record);
  }
  return records;
}

function octet(store: RecordStore, record: number, at: number): number {
  return store.rdata[store.rdataStart(record) + at];
}

function holds(store: RecordStore, record: number, octets: readonly number[]): boolean {
  const start = store.rdataStart(record);
  return (
    store.rdataEnd(record) - start === octets.length && octets.every((value, i) => store.rdata[start + i] === value)
  );
}
