import { problem } from '../scan-fault.ts';
import { NOT_A_NUMBER, scanNumber } from '../scan-ttl.ts';
import type { Field, RdataRule } from './field.ts';
import { base64Rest } from './field-base64.ts';
import { type Mnemonics, mnemonic, u16 } from './field-number.ts';
import { scanTypeName, typeName } from './type-name.ts';

const ALGORITHMS: Mnemonics = new Map([
  ['RSAMD5', 1],
  ['DH', 2],
  ['DSA', 3],
  ['RSASHA1', 5],
  ['NSEC3DSA', 6],
  ['NSEC3RSASHA1', 7],
  ['RSASHA256', 8],
  ['RSASHA512', 10],
  ['ECCGOST', 12],
  ['ECDSAP256SHA256', 13],
  ['ECDSAP384SHA384', 14],
  ['ED25519', 15],
  ['ED448', 16],
  ['INDIRECT', 252],
  ['PRIVATEDNS', 253],
  ['PRIVATEOID', 254],
]);

/** A DNSSEC algorithm, by number or mnemonic. */
export const algorithm: Field = mnemonic('a DNSSEC algorithm', 1, ALGORITHMS);

const PROTOCOLS: Mnemonics = new Map([
  ['NONE', 0],
  ['TLS', 1],
  ['EMAIL', 2],
  ['DNSSEC', 3],
  ['IPSEC', 4],
  ['ALL', 255],
]);

/** Flags of KEY and its kin (RFC 2535 §3.1.2) with KSK of RFC 4034; SIG0 to SIG15 are the low four bits. */
const FLAGS: Mnemonics = new Map([
  ['NOAUTH', 0x8000],
  ['NOCONF', 0x4000],
  ['NOKEY', 0xc000],
  ['FLAG2', 0x2000],
  ['EXTEND', 0x1000],
  ['FLAG4', 0x0800],
  ['FLAG5', 0x0400],
  ['USER', 0],
  ['ZONE', 0x0100],
  ['HOST', 0x0200],
  ['NTYP3', 0x0300],
  ['FLAG8', 0x0080],
  ['FLAG9', 0x0040],
  ['FLAG10', 0x0020],
  ['FLAG11', 0x0010],
  ['KSK', 0x0001],
  ...Array.from({ length: 16 }, (_, i): [string, number] => [`SIG${i}`, i]),
]);

/** A key's flags: a number, hexadecimal too when it begins with a digit, or mnemonics joined by `|`. */
const keyFlags: Field = {
  read: (scan) => {
    const failure = scan.word('key flags');
    if (failure !== null) return failure;
    const word = scan.tokens.asText();
    if (/^\d+$/.test(word)) {
      const value = scan.numberOfToken('key flags', 0xffff);
      return typeof value === 'number' ? scan.unsigned(value, 2) : value;
    }
    if (/^(0x)?\d[\da-f]{0,3}$|^0x[\da-f]{1,4}$/i.test(word)) return scan.unsigned(Number.parseInt(word, 16), 2);
    let flags = 0;
    for (const part of word.split('|')) {
      const flag = part === '' ? 0 : FLAGS.get(part.toUpperCase());
      if (flag === undefined) return problem('bad-word', `"${scan.shown()}": no such key flag`);
      flags |= flag;
    }
    return scan.unsigned(flags, 2);
  },
  print: u16('key flags').print,
};

const keyProtocol = mnemonic('the protocol (3)', 1, PROTOCOLS);

/** DNSKEY and its kin: flags, protocol, algorithm, key. */
export const dnskey: readonly Field[] = [keyFlags, keyProtocol, algorithm, base64Rest('the public key')];

const NO_KEY = 0xc0;

/** The key of KEY: there is none when both NOKEY flags are set (RFC 2535 §3.1.2). */
const optionalKey: Field = {
  read: (scan) => ((scan.out[scan.at - 4] & NO_KEY) === NO_KEY ? null : base64Rest('the public key').read(scan)),
  print: (print) =>
    (print.wire[print.at - 4] & NO_KEY) === NO_KEY ? print.left === 0 : base64Rest('the public key').print(print),
};

/** KEY, and the end of KEYDATA. */
export const key: readonly Field[] = [keyFlags, keyProtocol, algorithm, optionalKey];

/** RKEY's flags are reserved and zero (draft-reid-dnsext-rkey §2). */
export const rkeyRule: RdataRule = (wire, start) =>
  wire[start] === 0 && wire[start + 1] === 0 ? null : 'the flags of RKEY must be 0';

const DIGESTS: Mnemonics = new Map([
  ['SHA1', 1],
  ['SHA-1', 1],
  ['SHA256', 2],
  ['SHA-256', 2],
  ['GOST', 3],
  ['SHA384', 4],
  ['SHA-384', 4],
]);

export const dsDigestType: Field = mnemonic('the digest type', 1, DIGESTS);

/** A rule for types whose digest's length follows from the octet at `typeAt` and that begins at `digestAt`. */
export function digestLength(typeAt: number, digestAt: number, lengths: ReadonlyMap<number, number>): RdataRule {
  return (wire, start, end) => {
    const type = wire[start + typeAt];
    const wanted = lengths.get(type);
    const length = end - start - digestAt;
    return wanted === undefined || wanted === length
      ? null
      : `a digest of type ${type} has ${wanted} octets; this one has ${length}`;
  };
}

export const dsRule: RdataRule = digestLength(
  3,
  4,
  new Map([
    [1, 20],
    [2, 32],
    [4, 48],
  ]),
);

export const sshfpRule: RdataRule = digestLength(
  1,
  2,
  new Map([
    [1, 20],
    [2, 32],
  ]),
);

const ZONEMD_LEAST = 12; // RFC 8976 §2.2.4

export const zonemdRule: RdataRule = (wire, start, end) => {
  const broken = digestLength(
    5,
    6,
    new Map([
      [1, 48],
      [2, 64],
    ]),
  )(wire, start, end);
  const length = end - start - 6;
  return (
    broken ?? (length < ZONEMD_LEAST ? `a digest has at least ${ZONEMD_LEAST} octets; this one has ${length}` : null)
  );
};

/** The type a signature covers, by mnemonic or number. */
export const typeCovered: Field = {
  read: (scan) => {
    const failure = scan.word('the type covered');
    if (failure !== null) return failure;
    const { text, start, end } = scan.tokens;
    const number = scanNumber(text, start, end, 0xffff);
    const type = number === NOT_A_NUMBER ? scanTypeName(text, start, end) : number;
    return type < 0 ? problem('unknown-type', `"${scan.shown()}" is no record type`) : scan.unsigned(type, 2);
  },
  print: (print) => {
    const type = print.take(2);
    return type >= 0 && print.put(typeName(type));
  },
};

const SIGNER_AT = 18;

/** The signer is the owner or an ancestor of it, so it has no more labels than the owner (RFC 4034 §3.1.3, §3.1.7). */
export const rrsigRule: RdataRule = (wire, start) => {
  let labels = 0;
  for (let at = start + SIGNER_AT; wire[at] !== 0; at += 1 + wire[at]) labels++;
  return labels > wire[start + 3] ? `the signer has ${labels} labels, more than the owner's ${wire[start + 3]}` : null;
};

const DAY = 86400;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Days from 1970-01-01 to the first of January of a year from 0 on. */
function daysToYear(year: number): number {
  const leaps = (y: number): number => Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return 365 * (year - 1970) + leaps(year - 1) - leaps(1969);
}

/** Seconds since 1970 of `YYYYMMDDHHMMSS`, UTC; null: there is no such time. */
export function secondsOfDate(text: string): number | null {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 60) return null;
  const days = MONTH_DAYS.map((count, i) => (i === 1 && isLeap(year) ? 29 : count));
  if (day < 1 || day > days[month - 1]) return null;
  const before = days.slice(0, month - 1).reduce((sum, count) => sum + count, 0);
  return (daysToYear(year) + before + day - 1) * DAY + hour * 3600 + minute * 60 + second;
}

/** `YYYYMMDDHHMMSS`, UTC, of 32 bits of seconds taken as a time from 1970 to 2106. */
export function dateOfSeconds(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\D/g, '').slice(0, 14);
}

/**
 * A time as RFC 4034 §3.2 writes it: `YYYYMMDDHHMMSS` or, if `plain`, seconds since 1970. Years beyond 2106 wrap round,
 * as the 32 bits on the wire do (RFC 4034 §3.1.5).
 */
export function time(what: string, plain: boolean): Field {
  return {
    read: (scan) => {
      const failure = scan.word(what);
      if (failure !== null) return failure;
      const { start, end } = scan.tokens;
      if (plain && end - start <= 10) {
        const value = scan.numberOfToken(what, 0xffffffff);
        return typeof value === 'number' ? scan.unsigned(value, 4) : value;
      }
      const value = secondsOfDate(scan.tokens.asText());
      if (value === null)
        return problem('bad-time', `"${scan.shown()}" is no time such as 20300131235959; ${what} goes here`);
      return scan.unsigned(value >>> 0, 4);
    },
    print: (print) => {
      const seconds = print.take(4);
      return seconds >= 0 && print.put(dateOfSeconds(seconds));
    },
  };
}
