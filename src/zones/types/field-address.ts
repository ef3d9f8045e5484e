import { type Problem, problem } from '../text/problem.ts';
import type { RdataScan } from '../text/rdata.ts';
import type { Field } from './field.ts';
import { hexDigit } from './field-hex.ts';

const DOT = 0x2e;
const COLON = 0x3a;

/** Writes `text[start..end)` as four octets; false: no dotted quad (four decimal numbers, no leading zeros). */
export function writeIpv4(text: Uint8Array, start: number, end: number, out: Uint8Array, at: number): boolean {
  let part = 0;
  let value = -1;
  for (let i = start; i <= end; i++) {
    if (i === end || text[i] === DOT) {
      if (value < 0 || part === 4) return false;
      out[at + part++] = value;
      value = -1;
      continue;
    }
    const digit = text[i] - 0x30;
    if (digit < 0 || digit > 9 || value === 0) return false;
    value = (value < 0 ? 0 : value * 10) + digit;
    if (value > 255) return false;
  }
  return part === 4;
}

/** Writes `text[start..end)` as sixteen octets; false: no IPv6 address (RFC 4291 §2.2). */
export function writeIpv6(text: Uint8Array, start: number, end: number, out: Uint8Array, at: number): boolean {
  let written = 0; // octets
  let gap = -1; // octets written before `::`
  let i = start;
  if (text[i] === COLON) {
    if (i + 1 >= end || text[i + 1] !== COLON) return false;
    i++; // the loop below meets the second colon where a group should be
  }
  while (i < end) {
    if (text[i] === COLON) {
      if (gap >= 0) return false;
      gap = written;
      i++;
      continue;
    }
    let value = 0;
    let digits = 0;
    const group = i;
    for (; i < end; i++, digits++) {
      const digit = hexDigit(text[i]);
      if (digit < 0) break;
      value = value * 16 + digit;
    }
    if (i < end && text[i] === DOT) {
      if (written > 12 || !writeIpv4(text, group, end, out, at + written)) return false;
      written += 4;
      i = end;
      break;
    }
    if (digits === 0 || digits > 4 || written === 16) return false;
    out[at + written++] = value >>> 8;
    out[at + written++] = value & 0xff;
    if (i === end) break;
    if (text[i] !== COLON) return false;
    i++;
    if (i === end) return false; // a single colon at the end
  }
  if (gap < 0) return written === 16;
  if (written > 14) return false; // `::` stands for at least one group
  const tail = written - gap;
  out.copyWithin(at + 16 - tail, at + gap, at + written);
  out.fill(0, at + gap, at + 16 - tail);
  return true;
}

function address(scan: RdataScan, what: string, size: number, write: typeof writeIpv4): Problem | null {
  const failure = scan.word(what);
  if (failure !== null) return failure;
  const { text, start, end } = scan.tokens;
  if (!write(text, start, end, scan.out, scan.at)) {
    return problem('bad-address', `"${scan.shown()}" is not ${what}`);
  }
  return scan.advance(size);
}

export const ipv4: Field = {
  read: (scan) => address(scan, 'an IPv4 address such as 192.0.2.1', 4, writeIpv4),
  print: (print) => {
    const octets = print.octets(4);
    return octets !== null && print.put(octets.join('.'));
  },
};

/** Canonical text of an IPv6 address, RFC 5952 §4. */
export function ipv6Text(octets: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (octets[2 * i] << 8) | octets[2 * i + 1]);
  // Only the mapped prefix is written with a dotted tail (RFC 5952 §5), as inet_ntop does.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${octets.subarray(12, 16).join('.')}`;
  }
  let [from, length] = [-1, 1]; // the longest run of two or more zero groups, the first of equals
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && groups[i + run] === 0) run++;
    if (run > length) [from, length] = [i, run];
    i += run;
  }
  const hex = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  return from < 0 ? hex(groups) : `${hex(groups.slice(0, from))}::${hex(groups.slice(from + length))}`;
}

export const ipv6: Field = {
  read: (scan) => address(scan, 'an IPv6 address such as 2001:db8::1', 16, writeIpv6),
  print: (print) => {
    const octets = print.octets(16);
    return octets !== null && print.put(ipv6Text(octets));
  },
};
