import type { Problem } from '../scan-fault.ts';
import type { RdataScan } from '../scan-rdata.ts';
import type { RdataPrint } from './rdata-print.ts';

/** One part of a type's rdata, in both directions. The two are inverse for every value that `print` accepts. */
export type Field = {
  /** Master-file text to wire: reads tokens, writes octets. */
  readonly read: (scan: RdataScan) => Problem | null;
  /** Wire to master-file text: reads octets, puts words. False: the octets are no such field. */
  readonly print: (print: RdataPrint) => boolean;
};

/** A record type. Its rdata is its fields in order, and all of them. */
export type RecordType = {
  readonly code: number;
  readonly name: string;
  readonly fields: readonly Field[];
  /** What a field cannot see: why the rdata in `wire[start..end)` is wrong though every field is right; null: it is not. */
  readonly rule: ((wire: Uint8Array, start: number, end: number) => string | null) | null;
};

export function recordRow(
  code: number,
  name: string,
  fields: readonly Field[],
  rule: RecordType['rule'] = null,
): RecordType {
  return { code, name, fields, rule };
}
