/** goavail's providers, with its tables and the original's environment. */
import type { ProviderAccess } from '../../config/goavail-environment.ts';
import type { Goavail, GoavailProvider } from '../../config/goavail-file.ts';
import { AUTOMATIC_TTL } from '../../config/providers/cloudflare.ts';
import type { CloudflareOwn } from '../../publish/providers/cloudflare-batch.ts';
import type { AddressType, HeldSet, Provider } from '../../publish/providers/provider.ts';
import { madeRoute53 } from '../../publish/providers/route53-access.ts';
import { canonicalAddresses } from '../../publish/providers/sets.ts';
import { cloudflareStep, goavailCloudflare } from './cloudflare.ts';
import { type StepsToCorrections, wholeSets } from './own-addresses.ts';

export type GoavailTarget = {
  readonly provider: Provider;
  /** Of new sets, seconds; Cloudflare's 1 is "automatic". */
  readonly ttl: number;
  readonly corrections: StepsToCorrections;
};

/**
 * Null: Cloudflare, and the environment has no credentials for it. (AWS' are looked for when they are needed.) The API's
 * address was checked before.
 */
export function goavailTarget(
  provider: GoavailProvider,
  { api, apiFrom }: ProviderAccess,
  env: Readonly<NodeJS.ProcessEnv>,
  log: (level: 'info' | 'warn', text: string) => void,
): GoavailTarget | null {
  if (provider.kind === 'cloudflare') {
    const made = goavailCloudflare(provider, api, env);
    return made === null ? null : { provider: made, ttl: AUTOMATIC_TTL, corrections: recordByRecord };
  }
  const { domain: zone, zoneId, region, ttl } = provider;
  const keys = { name: 'route53', zone, zone_id: zoneId.replace(/^\/hostedzone\//, ''), region, profile: null };
  const weighted = { set_identifier: null, weight: 0 };
  const made = madeRoute53({ ...keys, weighted, api: apiFrom === null ? null : api }, env, { log });
  return made.provider === null ? null : { provider: made.provider, ttl, corrections: wholeSets(ttl) };
}

/** The names as the provider takes them: goavail's Route 53 looked for the first label of each below the domain. */
export function goavailNames(provider: GoavailProvider): readonly string[] {
  const { kind, domain, names } = provider;
  if (kind === 'cloudflare') return names;
  return [...new Set(names.map((name) => (name === domain ? name : `${name.split('.', 1)[0]}.${domain}`)))];
}

/** The families of the addresses. */
export function typesOf({ addresses }: GoavailProvider): readonly AddressType[] {
  const types = addresses.map((address) => (address.includes(':') ? 'AAAA' : 'A'));
  return (['A', 'AAAA'] as const).filter((type) => types.includes(type));
}

/** At Cloudflare one record is made or deleted for each address, and no other is touched. */
const recordByRecord: StepsToCorrections = (key, steps, held) => {
  const known = held as readonly HeldSet<CloudflareOwn>[];
  const coming = steps.filter(({ action }) => action === 'add');
  // What comes in the same pass takes the place of what goes.
  const records = coming.map(({ address }) => {
    return { ...key, id: '', content: address, ttl: AUTOMATIC_TTL, proxied: false, readOnly: false };
  });
  const next = { ...key, ttl: null, addresses: coming.map(({ address }) => address), extra: [], own: { records } };
  return steps.flatMap((step) => {
    const of = step.action === 'add' ? known : [...known, next];
    const found = cloudflareStep(key.name, step, of);
    return found.kind === 'change' ? [{ correction: found.correction, steps: [step] }] : [];
  });
};

/** In a dry run without credentials: what goavail assumed, that every address is published under every name. */
export function assumedProvider({ provider }: Goavail): Provider {
  const addresses = canonicalAddresses(provider.addresses);
  return {
    kind: provider.kind,
    extra: [],
    read: async (keys) =>
      keys.map((key) => ({
        ...key,
        ttl: null,
        addresses: addresses.filter((address) => address.includes(':') === (key.type === 'AAAA')),
        extra: [],
        own: null,
      })),
    apply: async () => [],
    close: async () => undefined,
  };
}
