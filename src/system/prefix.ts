import type { Prefix } from './address.ts';

/** Octets that an IPv4 address begins with where 16 are wanted: `::ffff:a.b.c.d` (RFC 4291 section 2.5.5.2). */
const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

/** Whether 16 octets hold an IPv4 address. */
export function isMapped(octets: Uint8Array): boolean {
  if (octets.length !== 16) return false;
  for (let i = 0; i < 12; i++) if (octets[i] !== MAPPED[i]) return false;
  return true;
}

/**
 * Whether the prefix holds an address of 16 octets (an IPv4 one as `::ffff:a.b.c.d`). Families never hold each other's
 * addresses, so `::/0` is all of IPv6 and nothing of IPv4; a prefix that is written as mapped IPv4
 * (`::ffff:192.0.2.0/120`) is one of IPv4. Allocates nothing.
 */
export function prefixHolds({ octets, bits }: Prefix, address: Uint8Array): boolean {
  const isIpv4 = octets.length === 4 || (bits >= 96 && isMapped(octets));
  if (isMapped(address) !== isIpv4) return false;
  const start = 16 - octets.length;
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (address[start + i] !== octets[i]) return false;
  const rest = bits & 7;
  return rest === 0 || ((address[start + whole] ^ octets[whole]) & (0xff00 >> rest) & 0xff) === 0;
}
