import { type Problem, problem } from '../text/problem.ts';
import type { RdataScan } from '../text/rdata.ts';
import type { Field } from './field.ts';

/** Value of a hex digit, -1 for other octets. */
export function hexDigit(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const letter = octet | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

export function hexText(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('hex').toUpperCase();
}

/** Writes the rest of the entry, hex digits in words split anywhere. */
export function writeHexRest(scan: RdataScan, what: string): Problem | null {
  let high = -1; // the first digit of a pair
  while (scan.more()) {
    const { text, start, end } = scan.tokens;
    for (let i = start; i < end; i++) {
      const digit = hexDigit(text[i]);
      if (digit < 0) return problem('bad-hex', `"${scan.shown()}" is not hexadecimal; ${what} goes here`);
      if (high < 0) {
        high = digit;
        continue;
      }
      const failure = scan.u8(high * 16 + digit);
      if (failure !== null) return failure;
      high = -1;
    }
  }
  return high < 0 ? null : problem('bad-hex', `${what} has an odd number of hexadecimal digits`);
}

/** Octets up to the end, at least `least`, as hex. */
export function hexRest(what: string, least = 1): Field {
  return {
    read: (scan) => {
      const before = scan.at;
      const failure = writeHexRest(scan, what);
      if (failure !== null) return failure;
      return scan.at - before < least ? scan.missing(what) : null;
    },
    print: (print) => print.left >= least && (print.left === 0 || print.put(hexText(print.rest()))),
  };
}
