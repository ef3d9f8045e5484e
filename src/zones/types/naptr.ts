import { problem } from '../text/problem.ts';
import { isExtendedRegexp } from './extended-regexp.ts';
import type { Field } from './field.ts';
import { printString, writeString } from './field-text.ts';

const BACKSLASH = '\\';

/**
 * Whether the text is a NAPTR substitution expression, RFC 3402 §3.2: `!ERE!replacement!flags` with any delimiter but a
 * digit, a backslash or the flag `i`; empty is allowed. Back-references name groups that the ERE has. A zero octet
 * would end the text for programs that compile the expression.
 */
function isSubstitution(text: string): boolean {
  if (text === '') return true;
  const delimiter = text[0];
  if (/[0-9i\\]/.test(delimiter) || text.includes('\0')) return false;
  const parts = [''];
  for (let i = 1; i < text.length; i++) {
    if (text[i] === delimiter) parts.push('');
    else if (text[i] !== BACKSLASH) parts[parts.length - 1] += text[i];
    else {
      if (i + 1 === text.length) return false;
      const next = text[++i];
      // An escaped delimiter stands for itself in the ERE.
      parts[parts.length - 1] += next === delimiter && parts.length === 1 ? next : BACKSLASH + next;
    }
  }
  if (parts.length !== 3) return false;
  const [ere, replacement, flags] = parts;
  const groups = isExtendedRegexp(ere);
  if (groups < 0 || !/^i*$/.test(flags)) return false;
  for (const [, digit] of replacement.matchAll(/\\(.)/gs)) {
    if (/\d/.test(digit) && (digit === '0' || Number(digit) > groups)) return false;
  }
  return true;
}

function isValid(wire: Uint8Array, start: number, end: number): boolean {
  return isSubstitution(Buffer.from(wire.subarray(start, end)).toString('latin1'));
}

export const naptrRegexp: Field = {
  read: (scan) => {
    const before = scan.at;
    const failure = scan.text('the regular expression') ?? writeString(scan);
    if (failure !== null || isValid(scan.out, before + 1, scan.at)) return failure;
    return problem('bad-rdata', 'no substitution such as !^.*$!sip:info@example.com! (RFC 3402 §3.2)');
  },
  print: (print) => {
    const start = print.at + 1;
    return printString(print) && isValid(print.wire, start, print.at);
  },
};
