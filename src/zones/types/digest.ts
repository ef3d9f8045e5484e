import type { Field, RdataRule } from './field.ts';
import { type Mnemonics, mnemonic } from './field-number.ts';

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
