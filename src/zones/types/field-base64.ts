import { type Problem, problem } from '../text/problem.ts';
import type { RdataScan } from '../text/rdata.ts';
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

/** Base64 digits so far, over words that may be split anywhere. Padding must be there and spare bits zero. */
class Base64Scan {
  private readonly scan: RdataScan;
  private readonly what: string;
  private bits = 0;
  private digits = 0; // of the current group of four
  private pads = 0;

  constructor(scan: RdataScan, what: string) {
    this.scan = scan;
    this.what = what;
  }

  /** Writes what the token just read completes. */
  token(): Problem | null {
    const { scan } = this;
    const { text, start, end } = scan.tokens;
    for (let i = start; i < end; i++) {
      if (text[i] === PAD) {
        this.pads++;
        continue;
      }
      const digit = DIGIT[text[i]];
      if (digit === 255 || this.pads > 0) {
        return problem('bad-base64', `"${scan.shown()}" is not base64; ${this.what} goes here`);
      }
      this.bits = ((this.bits << 6) | digit) & 0xffffff;
      if (++this.digits < 4) continue;
      const failure = scan.u8(this.bits >>> 16) ?? scan.u8(this.bits >>> 8) ?? scan.u8(this.bits);
      if (failure !== null) return failure;
      this.digits = 0;
    }
    return null;
  }

  /** Writes the last octets. */
  finish(): Problem | null {
    const { scan, bits, digits, pads } = this;
    const wrong = (why: string): Problem => problem('bad-base64', `${this.what}: the base64 text ${why} (RFC 4648 §4)`);
    if ((digits + pads) % 4 !== 0 || pads > 2 || (digits === 0 && pads > 0)) {
      return wrong('is cut off: its length, "=" included, must be a multiple of four');
    }
    if (digits === 0) return null;
    const spare = pads === 2 ? 4 : 2;
    if ((bits & ((1 << spare) - 1)) !== 0) return wrong('has bits left over at its end');
    return digits === 2 ? scan.u8(bits >>> 4) : (scan.u8(bits >>> 10) ?? scan.u8(bits >>> 2));
  }
}

/** Writes the rest of the entry as base64, in words split anywhere. */
export function writeBase64Rest(scan: RdataScan, what: string): Problem | null {
  const base64 = new Base64Scan(scan, what);
  while (scan.more()) {
    const failure = base64.token();
    if (failure !== null) return failure;
  }
  return base64.finish();
}

/** Writes the token just read as base64. */
export function writeBase64Word(scan: RdataScan, what: string): Problem | null {
  const base64 = new Base64Scan(scan, what);
  return base64.token() ?? base64.finish();
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

/** As `base64Rest`; no octets at all are written `-`. */
export function base64OrDash(what: string): Field {
  const field = base64Rest(what);
  return {
    read: (scan) => {
      const failure = scan.word(what);
      if (failure !== null || scan.tokens.asText() === '-') return failure;
      scan.tokens.hold();
      return field.read(scan);
    },
    print: (print) => (print.left === 0 ? print.put('-') : field.print(print)),
  };
}
