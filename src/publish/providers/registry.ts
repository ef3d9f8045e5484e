/** The kinds of providers: how each is made from its configuration. A new kind is a line of `MAKERS`. */
import type { PublishConfig } from '../../config/section-publish.ts';
import type { TsigKey } from '../../dns/tsig-key.ts';
import type { Fault } from '../../system/fault.ts';
import type { Guard } from '../../system/guard.ts';
import { Secret } from '../../system/secret.ts';
import { madeCloudflare } from './cloudflare-access.ts';
import type { Provider } from './provider.ts';
import { rfc2136Provider } from './rfc2136.ts';

export type ProviderTools = {
  /** Those of `transfer`. */
  readonly keys: readonly TsigKey[];
  readonly env: NodeJS.ProcessEnv;
  readonly guard: Guard;
};

/** `provider` null: an error among the faults says why. `secrets`: what it was made with. */
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
    const secrets = key === null ? [] : [new Secret(Buffer.from(key.secret).toString('base64'))];
    return { provider: rfc2136Provider({ zone, to, from, key }, { guard }), secrets, faults: [] };
  },
  cloudflare: (config, { env }) => madeCloudflare(config, env),
};

/** Reads the files of secrets; asks nobody. */
export function makeProvider(config: PublishConfig, tools: ProviderTools): MadeProvider {
  const maker = MAKERS[config.provider] as (config: PublishConfig, tools: ProviderTools) => MadeProvider;
  return maker(config, tools);
}
