/** The kinds of providers: how each is made from its configuration. A new kind is a line of `MAKERS`. */

import { readSecretFile } from '../../config/secret-file.ts';
import type { PublishConfig } from '../../config/section-publish.ts';
import { nameText } from '../../dns/name.ts';
import type { TsigKey } from '../../dns/tsig-key.ts';
import { type Fault, plainFault } from '../../system/fault.ts';
import type { Guard } from '../../system/guard.ts';
import { Secret } from '../../system/secret.ts';
import { madeCloudflare } from './cloudflare-access.ts';
import { powerdnsProvider } from './powerdns.ts';
import type { Provider } from './provider.ts';
import { rfc2136Provider } from './rfc2136.ts';
import { madeRoute53 } from './route53-access.ts';

export type ProviderTools = {
  /** Those of `transfer`. */
  readonly keys: readonly TsigKey[];
  readonly env: NodeJS.ProcessEnv;
  readonly guard: Guard;
  /** What becomes of a change that `apply` no longer waits for. */
  readonly log: (level: 'info' | 'warn', text: string) => void;
};

/** `provider` null: an error among the faults says why. `secrets`: what it was made with that is not in the configuration's own keys. */
export type MadeProvider = {
  readonly provider: Provider | null;
  readonly secrets: readonly Secret[];
  readonly faults: readonly Fault[];
};

type Kind = PublishConfig['provider'];
type Of<K extends Kind> = Extract<PublishConfig, { readonly provider: K }>;

const MAKERS: { readonly [K in Kind]: (config: Of<K>, tools: ProviderTools) => MadeProvider } = {
  rfc2136: ({ zone, to, from, key: name }, { keys, guard }) => {
    const key = keys.find((one) => one.name === name) ?? null;
    if (key === null && name !== null) {
      const message = `the key ${nameText(name)} is not in transfer.keys or transfer.key_files`;
      return { provider: null, secrets: [], faults: [plainFault('missing-secret', message)] };
    }
    const secrets = key === null ? [] : [new Secret(`${key.algorithm} ${Buffer.from(key.secret).toString('base64')}`)];
    return { provider: rfc2136Provider({ zone, to, from, key }, { guard }), secrets, faults: [] };
  },
  powerdns: ({ zone, url, server, api_key_file: file }) => {
    const read = readSecretFile(file);
    if (!read.ok) return { provider: null, secrets: [], faults: [read.fault] };
    const { secret: apiKey, warning } = read;
    const provider = powerdnsProvider({ zone, url, server, apiKey });
    return { provider, secrets: [apiKey], faults: warning === null ? [] : [warning] };
  },
  cloudflare: (config, { env }) => madeCloudflare(config, env),
  route53: (config, { env, log }) => ({ ...madeRoute53(config, env, { log }), secrets: [] }),
};

/** Reads the files of secrets; asks nobody. */
export function makeProvider(config: PublishConfig, tools: ProviderTools): MadeProvider {
  const maker = MAKERS[config.provider] as (config: PublishConfig, tools: ProviderTools) => MadeProvider;
  return maker(config, tools);
}
