import { textFromWire } from '../../dns/name.ts';
import { typeName } from '../../dns/type-name.ts';
import type { RecordStore } from '../records/record-store.ts';
import { hexText } from '../types/field-hex.ts';
import { rdataWords } from '../types/record-type.ts';

/**
 * One record as a master-file line without its end: absolute owner, TTL, class IN, type, data, with single tabs between
 * them. `owner` and the rdata `wire[start..end)` are uncompressed wire form. The line reads back as the same record.
 */
export function printRecord(
  owner: Uint8Array,
  type: number,
  ttl: number,
  wire: Uint8Array,
  start = 0,
  end: number = wire.length,
): string {
  return `${textFromWire(owner)}\t${ttl}\tIN\t${typeName(type)}\t${rdataText(type, wire, start, end)}`;
}

/** A record of a store as a line. */
export function printStored(store: RecordStore, record: number): string {
  const { names, rdata } = store;
  const owner = textFromWire(names.octets, names.offsetOf(store.ownerOf(record)));
  const data = rdataText(store.typeOf(record), rdata, store.rdataStart(record), store.rdataEnd(record));
  return `${owner}\t${store.ttlOf(record)}\tIN\t${typeName(store.typeOf(record))}\t${data}`;
}

/** Rdata in its type's own form, or in RFC 3597's where the type is unknown here or the octets are no data of it. */
export function rdataText(type: number, wire: Uint8Array, start: number, end: number): string {
  const words = rdataWords(type, wire, start, end);
  if (words !== null && words.length > 0) return words.join(' ');
  return end === start ? '\\# 0' : `\\# ${end - start} ${hexText(wire.subarray(start, end))}`;
}
