/** Numbers of the DNS message (RFC 1035 §4.1.1, RFC 6895), as far as an authoritative server meets them. */
export const HEADER_LENGTH = 12;

/** A name compression pointer has 14 bits (RFC 1035 §4.1.4): only what lies before this can be pointed to. */
export const POINTER_MAX = 0x4000;

export const TCP_MAX = 65535;
/** Largest UDP message without EDNS, RFC 1035 §4.2.1. */
export const UDP_PLAIN_MAX = 512;

export const OPCODE = { query: 0, notify: 4, update: 5 } as const;

export const RCODE = {
  noError: 0,
  formErr: 1,
  servFail: 2,
  nxDomain: 3,
  notImp: 4,
  refused: 5,
  yxDomain: 6,
  yxRrset: 7,
  nxRrset: 8,
  notAuth: 9,
  notZone: 10,
  badVers: 16,
  badCookie: 23,
} as const;

export const CLASS = { in: 1, ch: 3, none: 254, any: 255 } as const;

export const TYPE = {
  a: 1,
  ns: 2,
  cname: 5,
  soa: 6,
  txt: 16,
  sig: 24,
  aaaa: 28,
  dname: 39,
  opt: 41,
  ds: 43,
  rrsig: 46,
  tkey: 249,
  tsig: 250,
  ixfr: 251,
  axfr: 252,
  mailb: 253,
  maila: 254,
  any: 255,
} as const;

/** EDNS options (IANA DNS EDNS0 Option Codes). */
export const OPTION = { nsid: 3, cookie: 10, keepalive: 11, padding: 12, extendedError: 15 } as const;

/** Extended error codes, RFC 8914 §4; -1: none is sent. */
export const EDE = {
  none: -1,
  notReady: 14,
  prohibited: 18,
  notAuthoritative: 20,
  notSupported: 21,
  invalidData: 24,
} as const;
