import { scanNumber } from '../text/number.ts';
import { type Problem, problem } from '../text/problem.ts';
import type { RdataScan } from '../text/rdata.ts';
import type { Field } from './field.ts';
import { ipv6Text, writeIpv4, writeIpv6 } from './field-address.ts';

const COLON = 0x3a;
const SLASH = 0x2f;
const NOT = 0x21;
const NEGATED = 0x80;

/** Octets of an address by family number; others have no text form. */
const SIZE: ReadonlyMap<number, number> = new Map([
  [1, 4],
  [2, 16],
]);

/** Address prefixes, RFC 3123 §4: `!1:192.0.2.0/24`; trailing zero octets are left out on the wire. */
export const prefixes: Field = {
  read: (scan) => {
    while (scan.more()) {
      const failure = readPrefix(scan);
      if (failure !== null) return failure;
    }
    return null;
  },
  print: (print) => {
    while (print.left > 0) {
      const family = print.take(2);
      const bits = print.take(1);
      const head = print.take(1);
      const size = SIZE.get(family);
      const part = head < 0 ? null : print.octets(head & ~NEGATED);
      if (part === null || size === undefined || part.length > size || bits > 8 * size) return false;
      if (part.length > 0 && part[part.length - 1] === 0) return false;
      const address = new Uint8Array(size);
      address.set(part);
      const text = size === 4 ? address.join('.') : ipv6Text(address);
      print.put(`${(head & NEGATED) === 0 ? '' : '!'}${family}:${text}/${bits}`);
    }
    return true;
  },
};

function readPrefix(scan: RdataScan): Problem | null {
  const { text, start, end } = scan.tokens;
  const bad = problem('bad-address', `"${scan.shown()}" is no prefix such as 1:192.0.2.0/24 or !2:2001:db8::/32`);
  const negated = text[start] === NOT;
  const from = negated ? start + 1 : start;
  const token = text.subarray(from, end); // a search of the whole text could be long
  const colon = from + token.indexOf(COLON);
  const slash = from + token.indexOf(SLASH);
  if (colon < from || slash < colon) return bad;
  const family = scanNumber(text, from, colon, 0xffff);
  const size = SIZE.get(family);
  if (size === undefined) return bad;
  const bits = scanNumber(text, slash + 1, end, 8 * size);
  const write = size === 4 ? writeIpv4 : writeIpv6;
  const address = new Uint8Array(16);
  if (bits < 0 || !write(text, colon + 1, slash, address, 0)) return bad;
  const length = address.findLastIndex((octet) => octet !== 0) + 1;
  return (
    scan.unsigned(family, 2) ??
    scan.unsigned(bits, 1) ??
    scan.unsigned(length + (negated ? NEGATED : 0), 1) ??
    scan.octets(address.subarray(0, length))
  );
}

/** Whether the rdata is well-formed items of which one has a family without text form. */
export function hasUnknownFamily(wire: Uint8Array, start: number, end: number): boolean {
  let unknown = false;
  for (let at = start; at < end; ) {
    if (end - at < 4) return false;
    const size = SIZE.get(wire[at] * 256 + wire[at + 1]);
    const length = wire[at + 3] & ~NEGATED;
    if (at + 4 + length > end || (length > 0 && wire[at + 3 + length] === 0)) return false;
    if (size === undefined) unknown = true;
    else if (length > size || wire[at + 2] > 8 * size) return false;
    at += 4 + length;
  }
  return unknown;
}
