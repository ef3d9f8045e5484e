/**
 * Rdata of common types as text (RFC 1035 §5.1), and in the form in which what an operator expects is compared with
 * what a message holds: names uncompressed and in lowercase. Whole zones are read in `src/zones/text`.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { addressOctets } from '../system/address.ts';
import { addressText } from '../system/address-text.ts';
import { expandName, skipName } from './message-cursor.ts';
import { lowerName, NAME_PROBLEM_TEXT, nameFromText, textFromWire, wireFromName, wireNameLength } from './name.ts';
import { rdataNames } from './rdata-names.ts';

type Field = 'ipv4' | 'ipv6' | 'name' | 'u8' | 'u16' | 'u32' | 'tag' | 'octets' | 'strings';

/** By type; any other is written as `\# length hex` (RFC 3597 §5). */
const FIELDS: ReadonlyMap<number, readonly Field[]> = new Map<number, readonly Field[]>([
  [1, ['ipv4']],
  [2, ['name']],
  [5, ['name']],
  [6, ['name', 'name', 'u32', 'u32', 'u32', 'u32', 'u32']],
  [12, ['name']],
  [15, ['u16', 'name']],
  [16, ['strings']],
  [28, ['ipv6']],
  [33, ['u16', 'u16', 'u16', 'name']],
  [39, ['name']],
  [99, ['strings']],
  [257, ['u8', 'tag', 'octets']],
]);

const WIDTH = { u8: 1, u16: 2, u32: 4 } as const;
const ROOT_WIRE = Uint8Array.of(0);
/** Octets of a rdata that `rdataText` shows at most. */
const SHOWN = 128;

/** The rdata that `text` stands for, in the form for comparison; a string: what is wrong with it, for operators. */
export function rdataFromText(type: number, text: string): Uint8Array | string {
  const words = wordsOf(text);
  if (words === null) return 'a quotation mark has no other';
  if (words[0]?.plain === '\\#') {
    const octets = genericRdata(words.slice(1));
    if (typeof octets === 'string') return octets;
    return comparableRdata(octets, type, 0, octets.length) ?? 'a name in it cannot be read';
  }
  const fields = FIELDS.get(type);
  if (fields === undefined)
    return 'data of this type is written as \\#, the number of its octets, and these in hex (RFC 3597)';
  const out: Uint8Array[] = [];
  let at = 0;
  for (const field of fields) {
    // TXT takes all the words that are left.
    do {
      const word = words[at++];
      if (word === undefined) return `it ends where ${EXPECTED[field]} is expected`;
      const octets = fieldOctets(field, word);
      if (typeof octets === 'string') return octets;
      out.push(octets);
    } while (field === 'strings' && at < words.length);
  }
  return at < words.length ? `"${words[at].plain}" is more than this type has` : Buffer.concat(out);
}

/**
 * The rdata between `at` and `end` of a message, in the form for comparison. Null: a name in it cannot be read or runs
 * over its end.
 */
export function comparableRdata(message: Uint8Array, type: number, at: number, end: number): Uint8Array | null {
  const out: Uint8Array[] = [];
  let next = at;
  for (const { skip } of rdataNames(type)) {
    const start = next + skip;
    const name = start < end ? expandName(message, start) : null;
    const behind = name === null ? -1 : skipName(message, start, end);
    if (name === null || behind < 0) return null;
    out.push(message.subarray(next, start), wireFromName(lowerName(name)));
    next = behind;
  }
  out.push(message.subarray(next, end));
  return Buffer.concat(out);
}

/** Rdata in the form for comparison as text, for operators; as hex where it is not of the type's form. */
export function rdataText(type: number, rdata: Uint8Array): string {
  const fields = FIELDS.get(type) ?? [];
  const texts: string[] = [];
  let at = 0;
  for (const field of fields) {
    do {
      const read = fieldText(field, rdata, at);
      if (read === null) return genericText(rdata);
      texts.push(read.text);
      at = read.end;
    } while (field === 'strings' && at < rdata.length);
  }
  return texts.length > 0 && at === rdata.length ? texts.join(' ') : genericText(rdata);
}

/** `plain`: as written, without quotation marks. `octets`: escapes undone. */
type Word = { readonly plain: string; readonly octets: Uint8Array | null };

function wordsOf(text: string): readonly Word[] | null {
  const words: Word[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const match = /^(?:"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.)+))(?=\s|$)\s*/su.exec(rest);
    if (match === null) return null;
    const plain = match[1] ?? match[2];
    words.push({ plain, octets: unescaped(plain) });
    rest = rest.slice(match[0].length);
  }
  return words;
}

/** Null: a number over 255 after a backslash. */
function unescaped(text: string): Uint8Array | null {
  let isGood = true;
  const octets = Array.from(text.matchAll(/\\(\d{3})|\\?([^\\])|\\\\/gsu), ([, code, char]) => {
    if (code === undefined) return [...Buffer.from(char ?? '\\', 'utf8')];
    isGood &&= Number(code) <= 255;
    return [Number(code)];
  });
  return isGood ? Uint8Array.from(octets.flat()) : null;
}

const EXPECTED: { readonly [field in Field]: string } = {
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  name: 'a domain name',
  u8: 'a number up to 255',
  u16: 'a number up to 65535',
  u32: 'a number up to 4294967295',
  tag: 'a tag of letters and digits',
  octets: 'a text',
  strings: 'a text of 255 octets at most',
};

function fieldOctets(field: Field, { plain, octets }: Word): Uint8Array | string {
  const wrong = `"${plain}" is not ${EXPECTED[field]}`;
  switch (field) {
    case 'ipv4':
      return (isIPv4(plain) ? addressOctets(plain) : null) ?? wrong;
    case 'ipv6':
      return (isIPv6(plain) ? addressOctets(plain) : null) ?? wrong;
    case 'name': {
      const name = nameFromText(plain, ROOT_WIRE);
      if (typeof name === 'string') return `"${plain}" is not a domain name: ${NAME_PROBLEM_TEXT[name]}`;
      return wireFromName(lowerName(name));
    }
    case 'u8':
    case 'u16':
    case 'u32': {
      const width = WIDTH[field];
      const value = /^\d{1,10}$/.test(plain) ? Number(plain) : Number.POSITIVE_INFINITY;
      if (value >= 2 ** (8 * width)) return wrong;
      return Uint8Array.from({ length: width }, (_, i) => Math.floor(value / 2 ** (8 * (width - 1 - i))) & 255);
    }
    case 'tag':
      return /^[a-z0-9]{1,255}$/i.test(plain) ? counted(Buffer.from(plain)) : wrong;
    case 'octets':
      return octets ?? wrong;
    case 'strings':
      return octets === null || octets.length > 255 ? wrong : counted(octets);
  }
}

function counted(octets: Uint8Array): Uint8Array {
  return Uint8Array.of(octets.length, ...octets);
}

function genericRdata([length, ...hex]: readonly Word[]): Uint8Array | string {
  const digits = hex.map(({ plain }) => plain).join('');
  const isHex = length !== undefined && /^\d{1,5}$/.test(length.plain) && /^(?:[0-9a-f]{2})*$/i.test(digits);
  if (!isHex || Number(length.plain) * 2 !== digits.length) {
    return 'after \\# comes the number of octets and these in hex (RFC 3597)';
  }
  return Buffer.from(digits, 'hex');
}

function genericText(rdata: Uint8Array): string {
  const hex = Buffer.from(rdata.subarray(0, SHOWN)).toString('hex');
  return `\\# ${rdata.length}${hex === '' ? '' : ` ${hex}`}${rdata.length > SHOWN ? '…' : ''}`;
}

function fieldText(
  field: Field,
  rdata: Uint8Array,
  at: number,
): { readonly text: string; readonly end: number } | null {
  const fixed = (length: number, write: (octets: Uint8Array) => string) =>
    at + length > rdata.length ? null : { text: write(rdata.subarray(at, at + length)), end: at + length };
  switch (field) {
    case 'ipv4':
      return fixed(4, addressText);
    case 'ipv6':
      return fixed(16, (octets) => new URL(`http://[${fullIpv6(octets)}]`).hostname.slice(1, -1));
    case 'name': {
      const end = endOfName(rdata, at);
      return end < 0 ? null : { text: textFromWire(rdata, at), end };
    }
    case 'u8':
    case 'u16':
    case 'u32':
      return fixed(WIDTH[field], (octets) => String(octets.reduce((value, octet) => value * 256 + octet, 0)));
    case 'tag': {
      const length = rdata[at] ?? 0;
      const text = Buffer.from(rdata.subarray(at + 1, at + 1 + length)).toString('latin1');
      return text.length === length && /^[a-z0-9]+$/i.test(text) ? { text, end: at + 1 + length } : null;
    }
    case 'octets':
      return fixed(rdata.length - at, quoted);
    case 'strings': {
      const length = rdata[at] ?? 0;
      if (at >= rdata.length || at + 1 + length > rdata.length) return null;
      return { text: quoted(rdata.subarray(at + 1, at + 1 + length)), end: at + 1 + length };
    }
  }
}

/** Between quotation marks, with escapes for what is not printable: it may come from a stranger and go to a terminal. */
function quoted(octets: Uint8Array): string {
  const chars = Array.from(octets, (octet) => {
    if (octet < 0x20 || octet > 0x7e) return `\\${String(octet).padStart(3, '0')}`;
    const char = String.fromCharCode(octet);
    return char === '"' || char === '\\' ? `\\${char}` : char;
  });
  return `"${chars.join('')}"`;
}

function fullIpv6(octets: Uint8Array): string {
  return Array.from({ length: 8 }, (_, i) => ((octets[2 * i] << 8) | octets[2 * i + 1]).toString(16)).join(':');
}

/** First octet after the uncompressed name at `at`; -1: it does not end within `rdata`. */
function endOfName(rdata: Uint8Array, at: number): number {
  for (let next = at; next < rdata.length; next += 1 + rdata[next]) {
    if (rdata[next] > 63) return -1;
    if (rdata[next] === 0) return at + wireNameLength(rdata, at);
  }
  return -1;
}
