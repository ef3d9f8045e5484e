import { type Problem, problem } from '../text/problem.ts';
import type { RdataScan } from '../text/rdata.ts';
import type { Field, RdataRule } from './field.ts';
import { hexDigit, hexText } from './field-hex.ts';

/** Writes the token as hex digits after an octet with their length. */
export function writeCountedHex(scan: RdataScan, what: string): Problem | null {
  const { text, start, end } = scan.tokens;
  const length = (end - start) / 2;
  if (!Number.isInteger(length)) return problem('bad-hex', `${what} has an odd number of hexadecimal digits`);
  if (length > 255) return problem('bad-hex', `${what} is over 255 octets`);
  let failure = scan.u8(length);
  for (let i = start; i < end && failure === null; i += 2) {
    const high = hexDigit(text[i]);
    const low = hexDigit(text[i + 1]);
    if (high < 0 || low < 0) return problem('bad-hex', `"${scan.shown()}" is not hexadecimal; ${what} goes here`);
    failure = scan.u8(high * 16 + low);
  }
  return failure;
}

/** A salt, RFC 5155 §3.3: hex, `-` when empty. */
export const salt: Field = {
  read: (scan) => {
    const failure = scan.word('the salt');
    if (failure !== null) return failure;
    return scan.tokens.asText() === '-' ? scan.u8(0) : writeCountedHex(scan, 'the salt');
  },
  print: (print) => {
    const length = print.take(1);
    const octets = length < 0 ? null : print.octets(length);
    return octets !== null && print.put(length === 0 ? '-' : hexText(octets));
  },
};

const BASE32_DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUV';

/** A hashed owner, RFC 5155 §3.3: unpadded base32hex (RFC 4648 §7) in one word, one to 255 octets. */
export const nextHashedOwner: Field = {
  read: (scan) => {
    const failure = scan.word('the next hashed owner');
    if (failure !== null) return failure;
    const octets = base32Octets(scan.tokens.asText().toUpperCase());
    if (octets === null || octets.length === 0 || octets.length > 255) {
      return problem('bad-rdata', `"${scan.shown()}" is not base32hex; the next hashed owner goes here`);
    }
    return scan.u8(octets.length) ?? scan.octets(octets);
  },
  print: (print) => {
    const length = print.take(1);
    const octets = length < 1 ? null : print.octets(length);
    return octets !== null && print.put(base32Text(octets));
  },
};

function base32Octets(text: string): Uint8Array | null {
  const out: number[] = [];
  let bits = 0;
  let value = 0;
  for (const char of text) {
    const digit = BASE32_DIGITS.indexOf(char);
    if (digit < 0) return null;
    value = ((value << 5) | digit) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out.push((value >>> bits) & 0xff);
  }
  // What is left is padding: less than a digit, and zero.
  return bits < 5 && (value & ((1 << bits) - 1)) === 0 ? Uint8Array.from(out) : null;
}

function base32Text(octets: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const octet of octets) {
    value = ((value << 8) | octet) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += BASE32_DIGITS[(value >>> (bits - 5)) & 31];
  }
  return bits === 0 ? text : text + BASE32_DIGITS[(value << (5 - bits)) & 31];
}

const SHA1 = 1;
const SHA1_OCTETS = 20;

/** The hash of the next owner is as long as its algorithm makes it. */
export const nsec3Rule: RdataRule = (wire, start) => {
  const nextAt = start + 5 + wire[start + 4];
  return wire[start] === SHA1 && wire[nextAt] !== SHA1_OCTETS
    ? `a SHA-1 hash has ${SHA1_OCTETS} octets; this one has ${wire[nextAt]}`
    : null;
};
