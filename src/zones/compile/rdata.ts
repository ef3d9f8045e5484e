import { LOWER, wireNameLength } from '../../dns/name.ts';
import { rdataNames } from '../../dns/rdata-names.ts';

/**
 * Order of two rdatas of one type in canonical form (RFC 4034 §6.2, §6.3): octets as unsigned numbers, names in them
 * lowercased where the type says so. 0: the same record (RFC 2181 §5).
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
  const fields = rdataNames(type);
  const end = Math.min(aEnd - aStart, bEnd - bStart);
  let i = 0;
  // As long as all before was equal, a's names stand where b's do.
  for (const { skip, lower } of fields) {
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
  for (; i < end; i++) {
    if (a[aStart + i] !== b[bStart + i]) return a[aStart + i] - b[bStart + i];
  }
  return aEnd - aStart - (bEnd - bStart);
}
