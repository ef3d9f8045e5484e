/**
 * Sets at a PowerDNS server, by its HTTP API, which knows no "only if it is still so": a set is looked at once more just
 * before it is replaced, and what changes in that moment is found by the next read.
 */
import { nameKey, parentName, type WireName } from '../../dns/name.ts';
import { canonicalAddress } from '../../system/address.ts';
import { aliasFault, cutFault, nameInZone } from './names-in-zone.ts';
import { type ApiChange, type ApiSet, PowerdnsApi, type PowerdnsSpec, type ZoneSets } from './powerdns-api.ts';
import { type Correction, type HeldSet, type Provider, ProviderError, type SetKey } from './provider.ts';

export type { PowerdnsSpec } from './powerdns-api.ts';

export function powerdnsProvider(spec: PowerdnsSpec): Provider {
  const api = new PowerdnsApi(spec);
  return {
    kind: 'powerdns',
    extra: [],
    read: async (keys, signal) => {
      const sets = await api.setsAt(
        keys.map(({ name }) => nameInZone(name, spec.zone)),
        signal,
      );
      return keys.flatMap((key) => heldSet(sets, key, spec) ?? []);
    },
    apply: async (corrections, signal) => {
      if (corrections.length === 0) return [];
      const names = corrections.map(({ name }) => nameInZone(name, spec.zone));
      // Only the whole zone shows disabled records, which a replacement would remove.
      const sets = (await api.wholeZone(signal)) ?? (await api.setsAt(names, signal));
      await api.change(
        corrections.map((correction) => changeOf(sets, correction, spec)),
        signal,
      );
      return [];
    },
    close: () => api.close(),
  };
}

/** Null: there is no such set. Throws where the name can have none. */
function heldSet(sets: ZoneSets, { name, type }: SetKey, spec: PowerdnsSpec): HeldSet | null {
  const wire = nameInZone(name, spec.zone);
  checkName(sets, wire, name, spec);
  const found = (sets.get(wire) ?? []).filter((set) => set.type === type && set.records.some(isEnabled));
  const enabled = found.flatMap(({ records }) => records.filter(isEnabled));
  if (enabled.length === 0) return null;
  const addresses = enabled.map(({ content }) => {
    const address = canonicalAddress(content);
    if (address !== null && address.includes(':') === (type === 'AAAA')) return address;
    throw new ProviderError('malformed', `a record of ${name} ${type} is no address: ${content.slice(0, 50)}`);
  });
  return { name, type, ttl: found[0].ttl ?? null, addresses: addresses.sort(), extra: [], own: null };
}

function isEnabled({ disabled }: ApiSet['records'][number]): boolean {
  return disabled !== true;
}

/** Types that answer in the place of addresses. */
const ALIASES: readonly string[] = ['CNAME', 'ALIAS', 'LUA'];

function checkName(sets: ZoneSets, wire: WireName, name: string, { zone }: PowerdnsSpec): void {
  const origin = nameKey(zone);
  const typesAt = (at: WireName): readonly string[] =>
    (sets.get(at) ?? []).filter(({ records }) => records.some(isEnabled)).map(({ type }) => type);
  const alias = typesAt(wire).find((type) => ALIASES.includes(type));
  if (alias !== undefined) throw aliasFault(name, alias);
  for (let at = wire; ; at = parentName(at)) {
    const types = typesAt(at);
    if (at !== wire && types.includes('DNAME')) throw aliasFault(name, 'DNAME');
    if (at === origin) return;
    if (types.includes('NS')) throw cutFault(name, at, zone);
  }
}

function changeOf(sets: ZoneSets, { name, type, was, to }: Correction, spec: PowerdnsSpec): ApiChange {
  const now = heldSet(sets, { name, type }, spec);
  const text = (set: HeldSet | null): string => (set === null ? '' : `${set.ttl} ${set.addresses.join()}`);
  if (text(now) !== text(was)) {
    throw new ProviderError('conflict', `${name} ${type} is no longer what it was when it was read`);
  }
  const wanted = to?.addresses ?? [];
  const found = (sets.get(nameInZone(name, spec.zone)) ?? []).filter((set) => set.type === type);
  const kept = found
    .flatMap(({ records }) => records)
    .filter((record) => !isEnabled(record) && !wanted.includes(canonicalAddress(record.content) ?? record.content));
  return {
    name: `${name}.`,
    type,
    ttl: to?.ttl ?? found[0]?.ttl ?? 0,
    records: [...wanted.map((content) => ({ content, disabled: false })), ...kept],
  };
}
