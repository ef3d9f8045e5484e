/** The kinds of providers: of each its keys and, where they can contradict each other, what finds that. */
import type { CheckFaults } from '../checks/keys.ts';
import { cloudflare, cloudflareFaults } from './cloudflare.ts';
import { powerdns, powerdnsFaults } from './powerdns.ts';
import { rfc2136, rfc2136Faults } from './rfc2136.ts';
import { route53 } from './route53.ts';

/** By kind: every key of such a target, with the words for what is expected. */
export const PROVIDER_SCHEMAS = { rfc2136, powerdns, cloudflare, route53 } as const;

export const PROVIDER_FAULTS: { readonly [kind in keyof typeof PROVIDER_SCHEMAS]?: CheckFaults } = {
  rfc2136: rfc2136Faults,
  powerdns: powerdnsFaults,
  cloudflare: cloudflareFaults,
};

export type ProviderSchema = (typeof PROVIDER_SCHEMAS)[keyof typeof PROVIDER_SCHEMAS];
