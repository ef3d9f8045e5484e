import { scanTypeName, typeName } from '../../dns/type-name.ts';
import { type Problem, problem } from '../text/problem.ts';
import type { Field } from './field.ts';

const WINDOW_OCTETS = 32; // 256 types

/**
 * The types that exist at a name, RFC 4034 §4.1.2: windows of 256 types, each with its number, the length of its bitmap
 * and the bitmap without trailing zeros. `least`: how many types must be there.
 */
export function typeBitmap(least: 0 | 1): Field {
  return {
    read: (scan) => {
      const windows = new Map<number, Uint8Array>();
      while (scan.more()) {
        const { text, start, end } = scan.tokens;
        const type = scanTypeName(text, start, end);
        if (type < 0) return problem('unknown-type', `"${scan.shown()}" is no record type`);
        const bits = windows.get(type >>> 8) ?? new Uint8Array(WINDOW_OCTETS);
        windows.set(type >>> 8, bits);
        bits[(type & 255) >>> 3] |= 0x80 >>> (type & 7);
      }
      if (windows.size < least) return scan.missing('a record type');
      let failure: Problem | null = null;
      for (const number of [...windows.keys()].sort((a, b) => a - b)) {
        const bits = windows.get(number) ?? new Uint8Array();
        const length = bits.findLastIndex((octet) => octet !== 0) + 1;
        failure ??= scan.unsigned(number, 1) ?? scan.unsigned(length, 1) ?? scan.octets(bits.subarray(0, length));
      }
      return failure;
    },
    print: (print) => {
      let last = -1;
      if (print.left === 0) return least === 0;
      while (print.left > 0) {
        const number = print.take(1);
        const length = print.take(1);
        const bits = length < 1 || length > WINDOW_OCTETS ? null : print.octets(length);
        if (bits === null || number <= last || bits[length - 1] === 0) return false;
        last = number;
        for (let bit = 0; bit < length * 8; bit++) {
          if ((bits[bit >>> 3] & (0x80 >>> (bit & 7))) !== 0) print.put(typeName(number * 256 + bit));
        }
      }
      return true;
    },
  };
}
