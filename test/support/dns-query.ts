import { nameFromText } from '../../src/dns/name.ts';
import { typeCode } from './dns-types.ts';

/** A query as a test writes it. Everything but `name` has the value of a plain `dig` without EDNS. */
export type QuerySpec = {
  /** Master-file text; octets are taken as the wire form. */
  readonly name: string | Uint8Array;
  readonly type?: string | number;
  readonly class?: number;
  readonly id?: number;
  /** Both flag octets of the header. */
  readonly flags?: number;
  readonly edns?: EdnsSpec | null;
  /** Octets after the last record. */
  readonly trailing?: Uint8Array;
  /** Overrides of the counts in the header. */
  readonly counts?: readonly [number, number, number, number];
  /** Whole records in wire form, after OPT. */
  readonly additional?: readonly Uint8Array[];
};

export type EdnsSpec = {
  readonly size?: number;
  readonly version?: number;
  /** The 16 flag bits; DO is 0x8000. */
  readonly flags?: number;
  readonly options?: readonly (readonly [code: number, value: Uint8Array])[];
  /** Name that owns the record; the root unless told. */
  readonly owner?: string;
};

export const OPCODE_SHIFT = 11;

/** Absolute text to wire octets; a missing final dot is allowed. */
export function wireName(text: string): Uint8Array {
  const wire = nameFromText(text, Uint8Array.of(0));
  if (typeof wire === 'string') throw new Error(`${text}: ${wire}`);
  return wire;
}

export function encodeQuery(spec: QuerySpec): Uint8Array {
  const { edns = null, additional = [], trailing = new Uint8Array(0) } = spec;
  const name = typeof spec.name === 'string' ? wireName(spec.name) : spec.name;
  const records = [...(edns === null ? [] : [encodeOpt(edns)]), ...additional];
  const counts = spec.counts ?? [1, 0, 0, records.length];
  const head = [spec.id ?? 0x1234, spec.flags ?? 0, ...counts].flatMap(u16);
  const question = [...u16(typeCode(spec.type ?? 'A')), ...u16(spec.class ?? 1)];
  return Uint8Array.from([...head, ...name, ...question, ...records.flatMap((record) => [...record]), ...trailing]);
}

export function encodeOpt(spec: EdnsSpec): Uint8Array {
  const options = (spec.options ?? []).flatMap(([code, value]) => [...u16(code), ...u16(value.length), ...value]);
  return Uint8Array.from([
    ...wireName(spec.owner ?? '.'),
    ...u16(41),
    ...u16(spec.size ?? 1232),
    0,
    spec.version ?? 0,
    ...u16(spec.flags ?? 0),
    ...u16(options.length),
    ...options,
  ]);
}

export function u16(value: number): [number, number] {
  return [(value >>> 8) & 0xff, value & 0xff];
}
