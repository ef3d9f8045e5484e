import { addressOctets, type Prefix, parsePrefix } from './address.ts';
import { isMapped, prefixHolds } from './prefix.ts';

/** The first that matches counts. */
const UNFIT: readonly (readonly [prefix: string, what: string])[] = [
  ['0.0.0.0/8', 'the unspecified address, which names no machine'],
  ['::', 'the unspecified address, which names no machine'],
  ['224.0.0.0/4', 'a multicast address, which no server has'],
  ['fe80::/10', 'a link-local address, which nobody beyond this link can reach'],
  ['ff00::/8', 'a multicast address, which no server has'],
  ['255.255.255.255', 'the broadcast address, which no server has'],
  ['240.0.0.0/4', 'of a range that is reserved (240.0.0.0/4)'],
];

const LIST: readonly (readonly [Prefix, string])[] = UNFIT.flatMap(([text, what]) => {
  const prefix = parsePrefix(text);
  return prefix === null ? [] : [[prefix, what] as const];
});

/** Why no server can be asked or published under this address, a phrase after "it is"; null: one can. */
export function unfitAddress(address: string): string | null {
  const octets = addressOctets(address);
  if (octets === null) return null;
  if (isMapped(octets)) return 'an IPv4 address inside IPv6; write it as IPv4';
  const whole = octets.length === 16 ? octets : Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...octets]);
  return LIST.find(([prefix]) => prefixHolds(prefix, whole))?.[1] ?? null;
}
