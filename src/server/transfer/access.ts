import type { TransferRule } from '../../config/types.ts';
import type { WireName } from '../../dns/name.ts';
import type { TsigKey } from '../../dns/tsig-key.ts';
import { prefixHolds } from '../../system/prefix.ts';

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

/**
 * The first rule that lets the client transfer the zone. What a rule names must all hold; without rules, nobody may.
 */
export function mayTransfer(rules: readonly TransferRule[], client: TransferClient): boolean {
  return rules.some(
    ({ from, key, tls, networks, zones }) =>
      (!tls || client.tls) &&
      (from === null || prefixHolds(from, client.address)) &&
      (key === null || client.key?.name === key) &&
      // A rule for networks says nothing about static zones, and the other way round both lists are alternatives.
      (networks === null && zones === null
        ? true
        : (networks !== null && client.network !== null && networks.includes(client.network)) ||
          (zones?.includes(client.zone) ?? false)),
  );
}
