/**
 * Where domain names are inside the rdata of the types that hold any, and how they may be treated.
 * `skip`: octets between the last field and this name. `compress`: RFC 3597 §4 allows it only for RFC 1035's types.
 * `additional`: the name's addresses belong into the additional section. `lower`: lowercased in canonical form
 * (RFC 4034 §6.2 as amended by RFC 6840 §5.1). Whatever follows the last name is opaque.
 */
export type RdataName = {
  readonly skip: number;
  readonly compress: boolean;
  readonly additional: boolean;
  readonly lower: boolean;
};

const name = (skip: number, flags = ''): RdataName => ({
  skip,
  compress: flags.includes('c'),
  additional: flags.includes('a'),
  lower: flags.includes('l'),
});

const NONE: readonly RdataName[] = [];

const BY_TYPE: ReadonlyMap<number, readonly RdataName[]> = new Map([
  [2, [name(0, 'cal')]], // NS
  [3, [name(0, 'cal')]], // MD
  [4, [name(0, 'cal')]], // MF
  [5, [name(0, 'cl')]], // CNAME
  [6, [name(0, 'cl'), name(0, 'cl')]], // SOA
  [7, [name(0, 'cal')]], // MB
  [8, [name(0, 'cl')]], // MG
  [9, [name(0, 'cl')]], // MR
  [12, [name(0, 'cl')]], // PTR
  [14, [name(0, 'cl'), name(0, 'cl')]], // MINFO
  [15, [name(2, 'cal')]], // MX
  [17, [name(0, 'l'), name(0, 'l')]], // RP
  [18, [name(2, 'al')]], // AFSDB
  [21, [name(2, 'al')]], // RT
  [23, [name(0, 'l')]], // NSAP-PTR: on no RFC's list, but BIND compares it without case
  [26, [name(2, 'l'), name(0, 'l')]], // PX
  [30, [name(0, 'l')]], // NXT
  [33, [name(6, 'al')]], // SRV
  [36, [name(2, 'al')]], // KX
  [39, [name(0, 'l')]], // DNAME
  [24, [name(18, 'l')]], // SIG
  [46, [name(18, 'l')]], // RRSIG
  [47, [name(0)]], // NSEC, RFC 6840 §5.1: case kept
  [58, [name(0), name(0)]], // TALINK
  [64, [name(2, 'a')]], // SVCB
  [65, [name(2, 'a')]], // HTTPS
  [107, [name(2)]], // LP
]);

/** Names of a type's rdata that are at a fixed skip from each other; those of NAPTR, A6, HIP and IPSECKEY do not. */
export function rdataNames(type: number): readonly RdataName[] {
  return BY_TYPE.get(type) ?? NONE;
}
