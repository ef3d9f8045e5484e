import { problem } from '../text/problem.ts';
import type { Field, RdataRule } from './field.ts';
import { base64Rest } from './field-base64.ts';
import { type Mnemonics, mnemonic, u16 } from './field-number.ts';

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
    for (const part of word.replace(/\|$/, '').split('|')) {
      const flag = FLAGS.get(part.toUpperCase());
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

const SIGNER_AT = 18;

/** The signer is the owner or an ancestor of it, so it has no more labels than the owner (RFC 4034 §3.1.3, §3.1.7). */
export const rrsigRule: RdataRule = (wire, start) => {
  let labels = 0;
  for (let at = start + SIGNER_AT; wire[at] !== 0; at += 1 + wire[at]) labels++;
  return labels > wire[start + 3] ? `the signer has ${labels} labels, more than the owner's ${wire[start + 3]}` : null;
};
