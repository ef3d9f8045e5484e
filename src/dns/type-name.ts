import { LOWER } from './name.ts';

/** Every mnemonic that BIND 9.18 knows, by code; a type here need not have a codec. */
const MNEMONICS: readonly (readonly [number, string])[] = [
  [1, 'A'],
  [2, 'NS'],
  [3, 'MD'],
  [4, 'MF'],
  [5, 'CNAME'],
  [6, 'SOA'],
  [7, 'MB'],
  [8, 'MG'],
  [9, 'MR'],
  [10, 'NULL'],
  [11, 'WKS'],
  [12, 'PTR'],
  [13, 'HINFO'],
  [14, 'MINFO'],
  [15, 'MX'],
  [16, 'TXT'],
  [17, 'RP'],
  [18, 'AFSDB'],
  [19, 'X25'],
  [20, 'ISDN'],
  [21, 'RT'],
  [22, 'NSAP'],
  [23, 'NSAP-PTR'],
  [24, 'SIG'],
  [25, 'KEY'],
  [26, 'PX'],
  [27, 'GPOS'],
  [28, 'AAAA'],
  [29, 'LOC'],
  [30, 'NXT'],
  [31, 'EID'],
  [32, 'NIMLOC'],
  [33, 'SRV'],
  [34, 'ATMA'],
  [35, 'NAPTR'],
  [36, 'KX'],
  [37, 'CERT'],
  [38, 'A6'],
  [39, 'DNAME'],
  [40, 'SINK'],
  [41, 'OPT'],
  [42, 'APL'],
  [43, 'DS'],
  [44, 'SSHFP'],
  [45, 'IPSECKEY'],
  [46, 'RRSIG'],
  [47, 'NSEC'],
  [48, 'DNSKEY'],
  [49, 'DHCID'],
  [50, 'NSEC3'],
  [51, 'NSEC3PARAM'],
  [52, 'TLSA'],
  [53, 'SMIMEA'],
  [55, 'HIP'],
  [56, 'NINFO'],
  [57, 'RKEY'],
  [58, 'TALINK'],
  [59, 'CDS'],
  [60, 'CDNSKEY'],
  [61, 'OPENPGPKEY'],
  [62, 'CSYNC'],
  [63, 'ZONEMD'],
  [64, 'SVCB'],
  [65, 'HTTPS'],
  [66, 'DSYNC'],
  [67, 'HHIT'],
  [68, 'BRID'],
  [99, 'SPF'],
  [100, 'UINFO'],
  [101, 'UID'],
  [102, 'GID'],
  [103, 'UNSPEC'],
  [104, 'NID'],
  [105, 'L32'],
  [106, 'L64'],
  [107, 'LP'],
  [108, 'EUI48'],
  [109, 'EUI64'],
  [249, 'TKEY'],
  [250, 'TSIG'],
  [251, 'IXFR'],
  [252, 'AXFR'],
  [253, 'MAILB'],
  [254, 'MAILA'],
  [255, 'ANY'],
  [256, 'URI'],
  [257, 'CAA'],
  [258, 'AVC'],
  [259, 'DOA'],
  [260, 'AMTRELAY'],
  [261, 'RESINFO'],
  [262, 'WALLET'],
  [32768, 'TA'],
  [32769, 'DLV'],
  [65533, 'KEYDATA'],
];

/** IANA's others: read, but written as `TYPE###`, since files that Edgewise writes must load in BIND. */
const READ_ONLY: readonly (readonly [number, string])[] = [
  [128, 'NXNAME'], // RFC 9824
  [263, 'CLA'],
  [264, 'IPN'],
];

const NAME_OF: ReadonlyMap<number, string> = new Map(MNEMONICS);

/** `A`, `MX`, … or `TYPE65280` (RFC 3597 §5). */
export function typeName(code: number): string {
  return NAME_OF.get(code) ?? `TYPE${code}`;
}

const SLOTS = 1024;

function hash(text: Uint8Array, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum = (Math.imul(sum, 33) + LOWER[text[i]]) | 0;
  return (sum ^ (sum >>> 10)) & (SLOTS - 1);
}

type Entry = { readonly lower: Uint8Array; readonly code: number };

/** Open addressing over the mnemonics, so that finding a type makes no string. */
const ENTRIES: readonly (Entry | null)[] = (() => {
  const slots: (Entry | null)[] = Array.from({ length: SLOTS }, () => null);
  for (const [code, name] of [...MNEMONICS, ...READ_ONLY]) {
    const lower = Uint8Array.from(name.toLowerCase(), (char) => char.charCodeAt(0));
    let slot = hash(lower, 0, lower.length);
    while (slots[slot] !== null) slot = (slot + 1) % SLOTS;
    slots[slot] = { lower, code };
  }
  return slots;
})();

/**
 * The code of the type written in `text[start..end)`, a mnemonic or `TYPE###` in any case; -1: there is no such type.
 */
export function scanTypeName(text: Uint8Array, start: number, end: number): number {
  for (let slot = hash(text, start, end); ; slot = (slot + 1) % SLOTS) {
    const entry = ENTRIES[slot];
    if (entry === null) return scanGenericName('type', text, start, end);
    if (sameWord(entry.lower, text, start, end)) return entry.code;
  }
}

function sameWord(lower: Uint8Array, text: Uint8Array, start: number, end: number): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) if (LOWER[text[start + i]] !== lower[i]) return false;
  return true;
}

/** The number of `TYPE###` or `CLASS###` (RFC 3597 §5); -1: not of that form, or over 65535. */
export function scanGenericName(prefix: 'type' | 'class', text: Uint8Array, start: number, end: number): number {
  const digits = start + prefix.length;
  if (end <= digits || end > digits + 5) return -1;
  for (let i = 0; i < prefix.length; i++) if (LOWER[text[start + i]] !== prefix.charCodeAt(i)) return -1;
  let value = 0;
  for (let i = digits; i < end; i++) {
    const digit = text[i] - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value > 0xffff ? -1 : value;
}

/** Whether the type is only for queries and messages, so that no zone holds it (RFC 6895 §3.1). */
export function isMetaType(code: number): boolean {
  return code === 0 || code === 41 || (code >= 128 && code <= 255);
}

/** MD and MF, which a master file must not have any more (RFC 1035 §3.3.4, §3.3.5). */
export function isObsoleteType(code: number): boolean {
  return code === 3 || code === 4;
}
