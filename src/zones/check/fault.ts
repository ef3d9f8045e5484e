import { textFromWire } from '../../dns/name.ts';
import type { Fault, Span } from '../../system/fault.ts';
import type { RecordStore } from '../records/record-store.ts';

/** What the checks on a read zone find. `named-checkzone` 9.18 with its defaults is the measure of error or warning. */
export type CheckFaultCode =
  | 'soa-in-include' // the server makes the SOA of a network's zone
  | 'soa-missing'
  | 'soa-not-apex'
  | 'ns-missing'
  | 'several' // two different records of a type that allows one: SOA, CNAME, DNAME
  | 'out-of-zone' // omitted
  | 'cname-and-other'
  | 'ds-at-apex'
  | 'wildcard-ns'
  | 'wildcard-inside' // `a.*.b`: not a wildcard, RFC 4592 §2.1.1
  | 'nsec3-owner'
  | 'ttl-differs' // made one, RFC 2181 §5.2
  | 'duplicate' // merged, RFC 2181 §5
  | 'record-too-large' // no message of a transfer holds it
  | 'rrset-too-large' // no answer holds it
  | 'signed-zone' // answered without its signatures
  | 'owner-name' // no host name, RFC 952 and RFC 1123 §2.1
  | 'target-name'
  | 'target-is-address'
  | 'target-cname'
  | 'target-dname'
  | 'target-no-address'
  | 'glue-missing'
  | 'occluded' // below a cut or a DNAME: never answered
  | 'spf-without-txt'
  | 'cds-mismatch' // the parent would publish DS records that lead to no key
  | 'old-algorithm' // no longer to be used for DNSSEC
  | 'nsec3-iterations'
  | 'live-address' // omitted: the live answer replaces it
  | 'live-alias' // an alias or a cut where the live answer should be
  | 'too-many';

export type CheckFault = Fault<CheckFaultCode>;

/** Faults of one code that are shown; the rest are counted in one closing line. */
const SHOWN = 100;

const TEXT_MAX = 400; // characters of a source line worth showing

/** Text of one line of a source file, for the caret; '' where it is not known. `line` counts from 1. */
export type LineText = (file: string, line: number) => string;

/**
 * Collects the faults of one zone. A record's position is the line it was read from; line 0 marks one that the server
 * made.
 */
export class CheckReport {
  readonly faults: CheckFault[] = [];
  private readonly counts = new Map<CheckFaultCode, number>();
  private readonly store: RecordStore;
  private readonly lineText: LineText;

  constructor(store: RecordStore, lineText: LineText) {
    this.store = store;
    this.lineText = lineText;
  }

  /** `record` null: the zone as a whole. `message` is only called for faults that are shown. */
  add(severity: Fault['severity'], code: CheckFaultCode, record: number | null, message: () => string): void {
    const count = (this.counts.get(code) ?? 0) + 1;
    this.counts.set(code, count);
    if (count > SHOWN) return;
    this.faults.push({ severity, code, at: record === null ? null : this.spanOf(record), message: message() });
  }

  /** Adds one line for each code that had more faults than are shown. */
  finish(): readonly CheckFault[] {
    for (const [code, count] of this.counts) {
      if (count <= SHOWN) continue;
      const message = `and ${count - SHOWN} more faults of the kind "${code}"`;
      this.faults.push({ severity: 'warning', code: 'too-many', at: null, message });
    }
    return this.faults;
  }

  /** Absolute text of a record's owner. */
  owner(record: number): string {
    return textFromWire(this.store.names.octets, this.store.names.offsetOf(this.store.ownerOf(record)));
  }

  private spanOf(record: number): Span | null {
    const line = this.store.lineOf(record);
    if (line === 0) return null;
    const file = this.store.files[this.store.fileOf(record)];
    const text = this.lineText(file, line).slice(0, TEXT_MAX);
    return { file, line, col: text.length - text.trimStart().length + 1, text };
  }
}
