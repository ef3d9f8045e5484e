import { LOWER } from '../name.ts';
import type { RecordType } from './field.ts';
import { RdataPrint } from './rdata-print.ts';
import { TABLE } from './table.ts';

/** Types that only ask or carry a message's own data; none can stand in a zone (RFC 6895 §3.1). */
const META: ReadonlyMap<string, number> = new Map([
  ['OPT', 41],
  ['TKEY', 249],
  ['TSIG', 250],
  ['IXFR', 251],
  ['AXFR', 252],
  ['MAILB', 253],
  ['MAILA', 254],
  ['ANY', 255],
]);

const META_NAMES: ReadonlyMap<number, string> = new Map([...META].map(([name, code]) => [code, name]));

/** Whether the type can stand in no zone. */
export function isMetaType(code: number): boolean {
  return code === 0 || code === 41 || (code >= 128 && code <= 255);
}

/** The type's codec; null: unknown here, so its rdata has only RFC 3597's form. */
export function recordType(code: number): RecordType | null {
  return TABLE.get(code) ?? null;
}

/** `A`, `MX`, … or `TYPE65280` (RFC 3597 §5). */
export function typeName(code: number): string {
  return TABLE.get(code)?.name ?? META_NAMES.get(code) ?? `TYPE${code}`;
}

/** The code of a type's mnemonic or `TYPE###`, in any case; null: there is no such type. */
export function recordTypeByName(text: string): number | null {
  const octets = Uint8Array.from(text, (char) => Math.min(char.charCodeAt(0), 255));
  const code = scanType(octets, 0, octets.length);
  return code < 0 ? null : code;
}

const SLOTS = 1024;

function hash(text: Uint8Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum = (Math.imul(sum, 33) + LOWER[text[i]]) | 0;
  return (sum ^ (sum >>> 10)) & (SLOTS - 1);
}

/** Open addressing over the mnemonics, so that finding a type makes no string. */
const NAMES: readonly (null | { readonly octets: Uint8Array; readonly code: number })[] = (() => {
  const slots: (null | { octets: Uint8Array; code: number })[] = Array.from({ length: SLOTS }, () => null);
  for (const [name, code] of [...[...TABLE.values()].map((row) => [row.name, row.code] as const), ...META]) {
    const octets = Uint8Array.from(name.toLowerCase(), (char) => char.charCodeAt(0));
    let slot = hash(octets, 0, octets.length);
    while (slots[slot] !== null) slot = (slot + 1) % SLOTS;
    slots[slot] = { octets, code };
  }
  return slots;
})();

/** The code of the type written in `text[start..end)`; -1: there is no such type. */
export function scanType(text: Uint8Array, start: number, end: number): number {
  for (let slot = hash(text, start, end); ; slot = (slot + 1) % SLOTS) {
    const entry = NAMES[slot];
    if (entry === null) return genericNumber(text, start, end, 'type');
    if (sameWord(entry.octets, text, start, end)) return entry.code;
  }
}

function sameWord(lower: Uint8Array, text: Uint8Array, start: number, end: number): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) if (LOWER[text[start + i]] !== lower[i]) return false;
  return true;
}

/** The number of `TYPE###` or `CLASS###` (RFC 3597 §5); -1: not of that form or over 65535. */
export function genericNumber(text: Uint8Array, start: number, end: number, prefix: 'type' | 'class'): number {
  const digits = start + prefix.length;
  if (end <= digits || end > digits + 5) return -1;
  for (let i = 0; i < prefix.length; i++) if (LOWER[text[start + i]] !== prefix.charCodeAt(i)) return -1;
  let value = 0;
  for (let i = digits; i < end; i++) {
    const digit = text[i] - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value > 0xffff ? -1 : value;
}

/**
 * The rdata's words in master-file form, without RFC 3597's generic form; null: the type is unknown here, or the octets
 * are no rdata of it.
 */
export function rdataWords(code: number, wire: Uint8Array, start: number, end: number): readonly string[] | null {
  const type = TABLE.get(code);
  if (type === undefined) return null;
  const print = new RdataPrint(wire, start, end);
  for (const field of type.fields) if (!field.print(print)) return null;
  return print.left === 0 ? print.words : null;
}

/** Why `wire[start..end)` is no rdata of the type; null: it is, or the type is unknown here. */
export function checkRdata(code: number, wire: Uint8Array, start: number, end: number): string | null {
  const type = TABLE.get(code);
  if (type === undefined) return null;
  if (rdataWords(code, wire, start, end) === null) return `these ${end - start} octets are no ${type.name} data`;
  return type.rule === null ? null : type.rule(wire, start, end);
}
