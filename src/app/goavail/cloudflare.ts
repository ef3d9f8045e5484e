/** What goavail does at Cloudflare, record by record. */
import type { GoavailProvider } from '../../config/goavail-file.ts';
import { AUTOMATIC_TTL } from '../../config/providers/cloudflare.ts';
import { cloudflareProvider } from '../../publish/providers/cloudflare.ts';
import { environmentAuth } from '../../publish/providers/cloudflare-access.ts';
import type { CloudflareCorrection, CloudflareOwn } from '../../publish/providers/cloudflare-batch.ts';
import type { HeldSet, Provider, SetKey } from '../../publish/providers/provider.ts';
import { canonicalAddress } from '../../system/address.ts';
import type { AddressStep } from './own-addresses.ts';

/** Null: the environment has neither CF_API_KEY and CF_API_EMAIL nor a token. `api`: the address of the API. */
export function goavailCloudflare(
  { domain, proxied }: Extract<GoavailProvider, { readonly kind: 'cloudflare' }>,
  api: string,
  env: Readonly<NodeJS.ProcessEnv>,
): Provider<CloudflareOwn> | null {
  const auth = environmentAuth(env);
  if (auth === null) return null;
  return cloudflareProvider({ zone: domain, zoneId: null, ttl: AUTOMATIC_TTL, proxied, auth, api });
}

/** Both sets of a name: what is to be read before a step. */
export function keysOf(name: string): readonly SetKey[] {
  return [
    { name, type: 'A' },
    { name, type: 'AAAA' },
  ];
}

export type CloudflareStep =
  /** As it should be already. */
  | { readonly kind: 'none' }
  /** The address is the name's last one, and stays. */
  | { readonly kind: 'last' }
  | { readonly kind: 'change'; readonly correction: CloudflareCorrection };

/**
 * The step that adds an address to a name, or removes it: one record is created or deleted, and no other is touched,
 * whosever it is. `held`: what was read of `keysOf(name)`.
 */
export function cloudflareStep(
  name: string,
  { action, address }: Pick<AddressStep, 'action' | 'address'>,
  held: readonly HeldSet<CloudflareOwn>[],
): CloudflareStep {
  const wanted = canonicalAddress(address) ?? address;
  const type = wanted.includes(':') ? 'AAAA' : 'A';
  const all = held.flatMap(({ own }) => own.records);
  const records = all.filter(({ content }) => (canonicalAddress(content) ?? content) === wanted);
  if ((action === 'add') === records.length > 0) return { kind: 'none' };
  if (action === 'remove' && records.length === all.length) return { kind: 'last' };
  const set = held.find((one) => one.type === type);
  const text = `${action} ${name} ${type} ${wanted}`;
  const correction: CloudflareCorrection =
    action === 'add'
      ? { name, type, was: null, to: { name, type, ttl: AUTOMATIC_TTL, addresses: [wanted] }, text }
      : // Only the records that go are what the correction is about.
        { name, type, was: set === undefined ? null : { ...set, own: { records } }, to: null, text };
  return { kind: 'change', correction };
}
