import { scanTypeName, typeName } from '../../dns/type-name.ts';
import type { RecordType } from './field.ts';
import { RdataPrint } from './rdata-print.ts';
import { TABLE } from './table.ts';

const BY_CODE: ReadonlyMap<number, RecordType> = new Map(TABLE.map((type) => [type.code, type]));

/** The type's codec; null: none is known, so its rdata has only RFC 3597's form. */
export function recordType(code: number): RecordType | null {
  return BY_CODE.get(code) ?? null;
}

/** The code of a type's mnemonic or `TYPE###`, in any case; null: there is no such type. */
export function recordTypeByName(text: string): number | null {
  const octets = Uint8Array.from(text, (char) => Math.min(char.charCodeAt(0), 255));
  const code = scanTypeName(octets, 0, octets.length);
  return code < 0 ? null : code;
}

/**
 * The words of rdata `wire[start..end)` in the type's own form; null: no codec is known, or the octets have no such
 * form.
 */
export function rdataWords(code: number, wire: Uint8Array, start: number, end: number): readonly string[] | null {
  const type = recordType(code);
  if (type === null) return null;
  const print = new RdataPrint(wire, start, end);
  for (const field of type.fields) if (!field.print(print)) return null;
  return print.left === 0 ? print.words : null;
}

/** Why `wire[start..end)` is no rdata of the type, as a sentence; null: it is, or no codec is known. */
export function checkRdata(code: number, wire: Uint8Array, start: number, end: number): string | null {
  const type = recordType(code);
  if (type === null) return null;
  if (rdataWords(code, wire, start, end) === null && type.textless?.(wire, start, end) !== true) {
    return `these ${end - start} octets are no ${typeName(code)} data`;
  }
  return type.rule === null ? null : type.rule(wire, start, end);
}
