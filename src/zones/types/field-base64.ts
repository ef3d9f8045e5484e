import { type Problem, problem } from '../scan-fault.ts';
import type { RdataScan } from '../scan-rdata.ts';
import type { Field } from './field.ts';

const PAD = 0x3d;

/** Octet → value of a base64 digit, 255: none (RFC 4648 §4). */
const DIGIT: Uint8Array = (() => {
  const table = new Uint8Array(256).fill(255);
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  for (const [value, digit] of [...digits].entries()) table[digit.charCodeAt(0)] = value;
  return table;
})();

export function base64Text(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('base64');
}

function bad(scan: RdataScan, what: string): Problem {
  return problem('bad-base64', `"${scan.shown()}" is not base64; ${what} goes here`);
}

/** Writes the rest of the entry, base64 in words split anywhere. Padding must be there and spare bits zero. */
export function writeBase64Rest(scan: RdataScan, what: string): Problem | null {
  let bits = 0;
  let digits = 0; // of the current group of four
  let pads = 0;
  while (scan.more()) {
    const { text, start, end } = scan.tokens;
    for (let i = start; i < end; i++) {
      const octet = text[i];
      if (octet === PAD) {
        pads++;
        continue;
      }
      const digit = DIGIT[octet];
      if (digit === 255 || pads > 0) return bad(scan, what);
      bits = ((bits << 6) | digit) & 0xffffff;
      if (++digits < 4) continue;
      scan.out[scan.at] = bits >>> 16;
      scan.out[scan.at + 1] = bits >>> 8;
      scan.out[scan.at + 2] = bits;
      const failure = scan.advance(3);
      if (failure !== null) return failure;
      digits = 0;
    }
  }
  return writeTail(scan, bits, digits, pads) ?? null;
}

function writeTail(scan: RdataScan, bits: number, digits: number, pads: number): Problem | null {
  const wrong = (why: string): Problem => problem('bad-base64', `the base64 text ${why} (RFC 4648 §4)`);
  if ((digits + pads) % 4 !== 0 || pads > 2 || (digits === 0 && pads > 0)) {
    return wrong('does not end as it should: its length, "=" included, must be a multiple of four');
  }
  if (digits === 0) return null;
  if (digits === 2) {
    return (bits & 0x0f) === 0 ? scan.u8((bits >>> 4) & 0xff) : wrong('has bits left over at its end');
  }
  if ((bits & 0x03) !== 0) return wrong('has bits left over at its end');
  return scan.u8((bits >>> 10) & 0xff) ?? scan.u8((bits >>> 2) & 0xff);
}

/** Octets up to the end, at least `least`, as base64. */
export function base64Rest(what: string, least = 1): Field {
  return {
    read: (scan) => {
      const before = scan.at;
      const failure = writeBase64Rest(scan, what);
      if (failure !== null) return failure;
      return scan.at - before < least ? scan.missing(what) : null;
    },
    print: (print) => print.left >= least && (print.left === 0 || print.put(base64Text(print.rest()))),
  };
}
