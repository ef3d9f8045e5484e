// Fields of types that no one uses any more, but that old zones hold and BIND reads.
import { type Problem, problem } from '../../text/problem.ts';
import type { RdataScan } from '../../text/rdata.ts';
import { TOKEN } from '../../text/tokens.ts';
import type { Field } from '../field.ts';
import { ipv6Text, writeIpv6 } from '../field-address.ts';
import { hexText } from '../field-hex.ts';
import { printString, writeString } from '../field-text.ts';

const PSDN_LEAST = 4;

/** A PSDN address of X25, RFC 1183 §3.1: four digits or more. */
export const x25: Field = {
  read: (scan) => {
    const failure = scan.text('a PSDN address') ?? writeString(scan);
    if (failure !== null || isPsdn(scan.out, 1, scan.at)) return failure;
    return problem('bad-number', `"${scan.shown()}" is no PSDN address: four digits or more (RFC 1183 §3.1)`);
  },
  print: (print) => isPsdn(print.wire, print.at + 1, print.end) && printString(print),
};

function isPsdn(wire: Uint8Array, start: number, end: number): boolean {
  return end - start >= PSDN_LEAST && wire.subarray(start, end).every((octet) => octet >= 0x30 && octet <= 0x39);
}

/** ISDN's subaddress, RFC 1183 §3.2: a string that may be missing. */
export const optionalString: Field = {
  read: (scan) => {
    const kind = scan.tokens.next();
    if (kind === TOKEN.word || kind === TOKEN.quoted) return writeString(scan);
    scan.tokens.hold();
    return null;
  },
  print: (print) => print.left === 0 || printString(print),
};

const A6_BITS = 128;

/**
 * A6, RFC 2874 §3: prefix length, the address's other bits in whole octets, and the prefix's name unless it is empty.
 */
export const a6: Field = {
  read: (scan) => {
    const bits = scan.number('the prefix length', A6_BITS);
    if (typeof bits !== 'number') return bits;
    const failure = scan.unsigned(bits, 1) ?? (bits === A6_BITS ? null : readSuffix(scan, bits));
    if (failure !== null || bits === 0) return failure;
    return scan.name('the name of the prefix');
  },
  print: (print) => {
    const bits = print.take(1);
    if (bits < 0 || bits > A6_BITS) return false;
    print.put(String(bits));
    if (bits < A6_BITS) {
      const skip = bits >>> 3;
      const suffix = print.octets(16 - skip);
      if (suffix === null || (suffix[0] & ~(0xff >>> (bits & 7))) !== 0) return false;
      const address = new Uint8Array(16);
      address.set(suffix, skip);
      print.put(ipv6Text(address));
    }
    return bits === 0 || print.name();
  },
};

function readSuffix(scan: RdataScan, bits: number): Problem | null {
  const failure = scan.word('an IPv6 address');
  if (failure !== null) return failure;
  const { text, start, end } = scan.tokens;
  const address = new Uint8Array(16);
  if (!writeIpv6(text, start, end, address, 0)) return problem('bad-address', `"${scan.shown()}" is no IPv6 address`);
  const suffix = address.subarray(bits >>> 3);
  suffix[0] &= 0xff >>> (bits & 7);
  return scan.octets(suffix);
}

/** An address of NSAP, RFC 1706 §5: `0x` and hex digits with dots anywhere. */
export const nsap: Field = {
  read: (scan) => {
    const failure = scan.word('an NSAP address');
    if (failure !== null) return failure;
    const match = /^0x([\da-f.]*)$/i.exec(scan.tokens.asText());
    const hex = match === null ? '' : match[1].replaceAll('.', '');
    if (hex === '' || hex.length % 2 !== 0) {
      return problem('bad-hex', `"${scan.shown()}" is no NSAP address: 0x and an even number of hexadecimal digits`);
    }
    return scan.octets(Buffer.from(hex, 'hex'));
  },
  print: (print) => print.left > 0 && print.put(`0x${hexText(print.rest())}`),
};

const E164 = 1;

/** An address of ATMA (ATM Forum, af-dans-0152): `+` and digits for E.164, else hex digits with single dots between. */
export const atma: Field = {
  read: (scan) => {
    const failure = scan.word('an ATM address');
    if (failure !== null) return failure;
    const word = scan.tokens.asText();
    if (/^\+\d+(\.\d+)*$/.test(word)) {
      return scan.u8(E164) ?? scan.octets(Buffer.from(word.slice(1).replaceAll('.', '')));
    }
    const hex = word.replaceAll('.', '');
    if (!/^[\da-f]+(\.[\da-f]+)*$/i.test(word) || hex.length % 2 !== 0) {
      return problem(
        'bad-hex',
        `"${scan.shown()}" is no ATM address: + and digits, or an even number of hexadecimal digits`,
      );
    }
    return scan.u8(0) ?? scan.octets(Buffer.from(hex, 'hex'));
  },
  print: (print) => {
    const format = print.take(1);
    const octets = print.rest();
    if (format < 0 || format > E164 || octets.length === 0) return false;
    if (format === 0) return print.put(hexText(octets));
    return (
      octets.every((octet) => octet >= 0x30 && octet <= 0x39) && print.put(`+${Buffer.from(octets).toString('latin1')}`)
    );
  },
};

/** Other address formats have no text form. */
export function isOtherAtmaFormat(wire: Uint8Array, start: number, end: number): boolean {
  return end - start >= 2 && wire[start] > E164;
}
