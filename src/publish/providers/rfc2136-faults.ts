/** What a primary's response codes mean for an operator, with what to do. */
import { RCODE } from '../../dns/message.ts';
import { nameText } from '../../dns/name.ts';
import { rcodeName } from '../../dns/rcode-name.ts';
import { endpointText } from '../../system/address.ts';
import { ProviderError } from './provider.ts';
import type { UpdateServer } from './rfc2136-exchange.ts';

/** `zone`: absolute, lower case, presentation form without the final dot. */
export type Rfc2136Spec = UpdateServer & { readonly zone: string };

/** Of the answer to an UPDATE, which is not NOERROR. */
export function updateFault(rcode: number, { to, key, zone }: Rfc2136Spec): ProviderError {
  const where = endpointText(to);
  const code = rcodeName(rcode);
  switch (rcode) {
    case RCODE.yxDomain:
    case RCODE.yxRrset:
    case RCODE.nxDomain:
    case RCODE.nxRrset:
      return new ProviderError(
        'conflict',
        `a set of ${zone} at ${where} is no longer what it was when it was read (${code})`,
      );
    case RCODE.refused: {
      const who = key === null ? 'from here' : `with the key ${nameText(key.name)}`;
      const advice =
        'allow them (BIND: allow-update, Knot: an acl with action update, PowerDNS: dnsupdate=yes and TSIG-ALLOW-DNSUPDATE)';
      return new ProviderError('credentials', `${where} refuses updates of ${zone} ${who} (${code}): ${advice}`);
    }
    case RCODE.notAuth:
      if (key === null) {
        return new ProviderError('credentials', `${where} takes no unsigned updates of ${zone} (${code}): give a key`);
      }
      return new ProviderError('zone', `${where} is not the primary of ${zone} (${code}): look at zone and to`);
    case RCODE.notZone:
      return new ProviderError(
        'name',
        `${where} says that a name is not in the zone ${zone} (${code}): look at zone and names`,
      );
    case RCODE.notImp:
      return new ProviderError(
        'refused',
        `${where} takes no dynamic updates (${code}): turn them on there, or choose another to`,
      );
    case RCODE.servFail:
      return new ProviderError('trouble', `${where} failed to update ${zone} (${code}): its log says why`);
    default:
      return new ProviderError('refused', `${where} does not accept an update of ${zone} (${code})`);
  }
}

/** Of the answer to a question, which is neither NOERROR nor NXDOMAIN. */
export function queryFault(rcode: number, { to, zone }: Rfc2136Spec): ProviderError {
  const where = endpointText(to);
  const code = rcodeName(rcode);
  switch (rcode) {
    case RCODE.refused: {
      const advice = 'it does not have the zone, or its allow-query leaves us or the key out';
      return new ProviderError('zone', `${where} does not answer for ${zone} (${code}): ${advice}`);
    }
    case RCODE.notAuth:
      return new ProviderError('zone', `${where} has no zone ${zone} (${code}): look at zone and to`);
    case RCODE.servFail:
      return new ProviderError('trouble', `${where} cannot answer for ${zone} (${code}): its log says why`);
    default:
      return new ProviderError('refused', `${where} does not accept a question for ${zone} (${code})`);
  }
}
