/** Which names of a zone can have addresses, and what is said of one that cannot. */
import { isWithin, nameKey, nameText, type WireName } from '../../dns/name.ts';
import { ProviderError } from './provider.ts';

/** The name as it is compared; throws unless it is one in the zone. */
export function nameInZone(text: string, zone: string): WireName {
  const [name, origin] = [nameKey(text), nameKey(zone)];
  if (name === null) throw new ProviderError('name', `${text} is no domain name`);
  if (origin !== null && isWithin(name, origin)) return name;
  throw new ProviderError('name', `${text} is not in the zone ${zone}: look at zone and names`);
}

/** `type`: of the record at the name that answers in the place of addresses. */
export function aliasFault(name: string, type: string): ProviderError {
  const advice = `take it out of names, or remove the ${type}`;
  return new ProviderError('name', `${name} is an alias (${type}) and can have no addresses: ${advice}`);
}

/** `cut`: the zone below `zone` that the name is in. */
export function cutFault(name: string, cut: WireName, zone: string): ProviderError {
  const below = nameText(cut).slice(0, -1);
  return new ProviderError('name', `${name} is in the zone ${below}, cut out of ${zone}: give that one as zone`);
}
