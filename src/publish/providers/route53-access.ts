/** Where Route 53's API is asked: from a target's keys and the environment. Credentials are AWS' own affair. */
import { readApiAddress } from '../../config/providers/keys.ts';
import { type Fault, plainFault } from '../../system/fault.ts';
import type { Provider } from './provider.ts';
import { type Route53Tools, route53Provider } from './route53.ts';
import type { ListedSet } from './route53-sets.ts';

/** The keys of a target that this kind makes use of. */
export type Route53Keys = {
  readonly name: string;
  readonly zone: string;
  readonly zone_id: string | null;
  readonly region: string | null;
  readonly profile: string | null;
  readonly weighted: { readonly set_identifier: string | null; readonly weight: number } | null;
  readonly api: string | null;
};

const API_VARIABLE = 'EDGEWISE_ROUTE53_API';
/** Of the partition that is not China's or the government's, which need a region. */
const USUAL_REGION = 'us-east-1';

/** `provider` null: an error among the faults says why. Reads no credentials: AWS' client does, when it first needs them. */
export function madeRoute53(
  keys: Route53Keys,
  env: Readonly<NodeJS.ProcessEnv>,
  tools: Route53Tools = {},
): { readonly provider: Provider<ListedSet> | null; readonly faults: readonly Fault[] } {
  const given = env[API_VARIABLE] ?? '';
  const api = keys.api ?? (given === '' ? null : readApiAddress(given));
  if (api === null && given !== '') {
    // Not shown: a user and password may be in it.
    const message = `${API_VARIABLE}: expected an http or https address without user and password, such as http://127.0.0.1:8080`;
    return { provider: null, faults: [plainFault('bad-value', message)] };
  }
  const { zone, zone_id: zoneId, profile, weighted } = keys;
  const region = [keys.region, env['AWS_REGION'], env['AWS_DEFAULT_REGION']].find((one) => (one ?? '') !== '');
  const provider = route53Provider(
    {
      zone,
      zoneId,
      api,
      region: region ?? USUAL_REGION,
      profile,
      weighted: weighted === null ? null : { setIdentifier: weighted.set_identifier, weight: weighted.weight },
    },
    tools,
  );
  return { provider, faults: [] };
}
