/** What goavail's providers take from the environment. Values of secrets are never kept or shown here. */
import type { Fault } from '../system/fault.ts';
import { plainFault } from '../system/fault.ts';
import type { GoavailProvider } from './goavail-file.ts';
import { readApiAddress } from './providers/keys.ts';

/** `api`: where the provider's API is asked. `missing`: variables of the original's that are not set. */
export type ProviderAccess = {
  readonly api: string;
  /** The variable that set `api`; null: it is the provider's own address. */
  readonly apiFrom: string | null;
  readonly missing: readonly string[];
};

const ACCESS = {
  cloudflare: {
    variable: 'EDGEWISE_CLOUDFLARE_API',
    api: 'https://api.cloudflare.com/client/v4',
    needs: ['CF_API_KEY', 'CF_API_EMAIL'],
    // A token takes the place of both.
    instead: ['CLOUDFLARE_API_TOKEN', 'CF_API_TOKEN'],
  },
  route53: {
    variable: 'EDGEWISE_ROUTE53_API',
    api: 'https://route53.amazonaws.com',
    // Others of AWS' sources of credentials (files, the instance's role) may do as well.
    needs: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
    instead: [],
  },
} as const;

const SLACK = { variable: 'EDGEWISE_SLACK_API', api: 'https://hooks.slack.com/services' };

/** What Slack's webhooks begin with, without final slash. */
export function slackApi(env: Readonly<NodeJS.ProcessEnv>): {
  readonly api: string;
  readonly faults: readonly Fault[];
} {
  return apiOf(SLACK.variable, SLACK.api, env);
}

/** A variable that is no address of an API is a fault. */
export function providerAccess(
  kind: GoavailProvider['kind'],
  env: Readonly<NodeJS.ProcessEnv>,
): { readonly access: ProviderAccess; readonly faults: readonly Fault[] } {
  const { variable, api, needs, instead } = ACCESS[kind];
  const isUnset = (name: string): boolean => (env[name] ?? '').trim() === ''; // as the providers see it
  const missing = instead.every(isUnset) ? needs.filter(isUnset) : [];
  const { api: used, isGiven, faults } = apiOf(variable, api, env);
  return { access: { api: used, apiFrom: isGiven ? variable : null, missing }, faults };
}

function apiOf(
  variable: string,
  usual: string,
  env: Readonly<NodeJS.ProcessEnv>,
): { readonly api: string; readonly isGiven: boolean; readonly faults: readonly Fault[] } {
  const given = env[variable] ?? '';
  if (given === '') return { api: usual, isGiven: false, faults: [] };
  const api = readApiAddress(given);
  if (api !== null) return { api, isGiven: true, faults: [] };
  // Not shown as it is: a user and password may be in it.
  const message = `${variable}: expected an http or https address without user and password, such as http://127.0.0.1:8080`;
  return { api: usual, isGiven: false, faults: [plainFault('bad-value', message)] };
}
