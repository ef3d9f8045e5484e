import type { TransferRule } from '../../config/types.ts';
import type { WireName } from '../../dns/name.ts';
import type { TsigKey } from '../../dns/tsig-key.ts';
import type { Prefix } from '../../system/address.ts';

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/**
 * Whether an address (16 octets, IPv4 as ::ffff:a.b.c.d) lies in a prefix. Families never match each other; a prefix that is
 * written as mapped IPv4 (::ffff:192.0.2.0/120) is one of IPv4.
 */
export function inPrefix(address: Uint8Array, { octets, bits }: Prefix): boolean {
  const four = isMapped(address);
  if (four !== (octets.length === 4 || (bits >= 96 && isMapped(octets)))) return false;
  const start = 16 - octets.length;
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (address[start + i] !== octets[i]) return false;
  const rest = bits & 7;
  return rest === 0 || ((address[start + whole] ^ octets[whole]) & (0xff00 >> rest) & 0xff) === 0;
}

function isMapped(octets: Uint8Array): boolean {
  return MAPPED.every((octet, i) => octets[i] === octet);
}

/** Who asks, and for what. `key`: the key that the request was signed with and that verified; null: not signed. */
export type TransferClient = {
  readonly address: Uint8Array;
  readonly key: TsigKey | null;
  readonly zone: WireName;
  /** Null: a static zone. */
  readonly network: string | null;
  /** Whether it came over TLS. */
  readonly tls: boolean;
};

/** The first rule that lets the client transfer the zone. What a rule names must all hold; without rules, nobody may. */
export function mayTransfer(rules: readonly TransferRule[], client: TransferClient): boolean {
  return rules.some(
    ({ from, key, tls, networks, zones }) =>
      (!tls || client.tls) &&
      (from === null || inPrefix(client.address, from)) &&
      (key === null || client.key?.name === key) &&
      // A rule for networks says nothing about static zones, and the other way round both lists are alternatives.
      (networks === null && zones === null
        ? true
        : (networks !== null && client.network !== null && networks.includes(client.network)) ||
          (zones?.includes(client.zone) ?? false)),
  );
}
