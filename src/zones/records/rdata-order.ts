import { LOWER, wireNameLength } from '../../dns/name.ts';
import { rdataNames } from '../../dns/rdata-names.ts';
import type { RecordStore } from './record-store.ts';

const NAPTR = 35;
const A6 = 38;

/**
 * Order of two rdatas of one type in canonical form (RFC 4034 §6.2, §6.3): octets as unsigned numbers, names in them
 * lowercased where RFC 4034 §6.2, as amended by RFC 6840 §5.1, says so and nowhere else. 0: the same record (RFC 2181
 * §5).
 */
export function compareRdata(
  type: number,
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const end = Math.min(aEnd - aStart, bEnd - bStart);
  let i = 0;
  // While everything before is equal, both have their names at the same offsets.
  if (type === NAPTR || type === A6) {
    const skip = type === NAPTR ? replacementAt(a, aStart, aEnd) : prefixNameAt(a, aStart);
    const difference = compareOctets(a, aStart, b, bStart, 0, Math.min(end, skip));
    if (difference !== 0) return difference;
    for (i = Math.min(end, skip); i < end; i++) {
      const low = LOWER[a[aStart + i]] - LOWER[b[bStart + i]];
      if (low !== 0) return low;
    }
    return aEnd - aStart - (bEnd - bStart);
  }
  for (const { skip, lower } of rdataNames(type)) {
    for (const stop = Math.min(end, i + skip); i < stop; i++) {
      if (a[aStart + i] !== b[bStart + i]) return a[aStart + i] - b[bStart + i];
    }
    if (i >= end) break;
    for (const stop = Math.min(end, i + wireNameLength(a, aStart + i)); i < stop; i++) {
      const x = lower ? LOWER[a[aStart + i]] : a[aStart + i];
      const y = lower ? LOWER[b[bStart + i]] : b[bStart + i];
      if (x !== y) return x - y;
    }
  }
  return compareOctets(a, aStart, b, bStart, i, end) || aEnd - aStart - (bEnd - bStart);
}

function compareOctets(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, from: number, to: number): number {
  for (let i = from; i < to; i++) if (a[aStart + i] !== b[bStart + i]) return a[aStart + i] - b[bStart + i];
  return 0;
}

/** Where the replacement of NAPTR rdata begins: after two numbers and three strings (RFC 3403 §4.1). */
function replacementAt(rdata: Uint8Array, start: number, end: number): number {
  let at = start + 4;
  for (let strings = 3; strings > 0 && at < end; strings--) at += 1 + rdata[at];
  return at - start;
}

/** Where the prefix name of A6 rdata begins: after the prefix length and the octets it leaves (RFC 2874 §3.1). */
function prefixNameAt(rdata: Uint8Array, start: number): number {
  return 1 + 16 - (rdata[start] >>> 3);
}

/** Canonical order of two records of one type in a store. */
export function compareStored(store: RecordStore, a: number, b: number): number {
  const { rdata } = store;
  return compareRdata(
    store.typeOf(a),
    rdata,
    store.rdataStart(a),
    store.rdataEnd(a),
    rdata,
    store.rdataStart(b),
    store.rdataEnd(b),
  );
}

/** Whether two records of one type in a store hold the same data. */
export function sameStored(store: RecordStore, a: number, b: number): boolean {
  const length = store.rdataEnd(a) - store.rdataStart(a);
  return length === store.rdataEnd(b) - store.rdataStart(b) && compareStored(store, a, b) === 0;
}
