import type { Problem } from '../text/problem.ts';
import type { RdataScan } from '../text/rdata.ts';
import type { RdataPrint } from './rdata-print.ts';

/** One part of a type's rdata, in both directions. The two are inverse for every value that `print` accepts. */
export type Field = {
  /** Master-file text to wire: reads tokens, writes octets. */
  readonly read: (scan: RdataScan) => Problem | null;
  /** Wire to master-file text: reads octets, puts words. False: the octets are no such field. */
  readonly print: (print: RdataPrint) => boolean;
};

/** Says why rdata in `wire[start..end)` is wrong though every field is right, as a sentence; null: it is not. */
export type RdataRule = (wire: Uint8Array, start: number, end: number) => string | null;

/** A record type. Its rdata is its fields in order, and nothing after them. */
export type RecordType = {
  readonly code: number;
  readonly name: string;
  readonly fields: readonly Field[];
  /** Applies to text and to RFC 3597's generic form alike. */
  readonly rule: RdataRule | null;
  /** Whether rdata that the fields cannot print is allowed all the same, in generic form only. */
  readonly textless: ((wire: Uint8Array, start: number, end: number) => boolean) | null;
};

export function recordRow(
  code: number,
  name: string,
  fields: readonly Field[],
  more: Partial<Pick<RecordType, 'rule' | 'textless'>> = {},
): RecordType {
  return { code, name, fields, rule: null, textless: null, ...more };
}
