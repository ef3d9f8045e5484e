/** Where and with what Cloudflare's API is asked: from a target's keys, files and the environment. */
import { readApiAddress } from '../../config/providers/keys.ts';
import { readSecretFile } from '../../config/secret-file.ts';
import { type Fault, plainFault } from '../../system/fault.ts';
import { Secret } from '../../system/secret.ts';
import { type CloudflareSpec, cloudflareProvider } from './cloudflare.ts';
import type { CloudflareAuth } from './cloudflare-api.ts';
import type { CloudflareOwn } from './cloudflare-batch.ts';
import type { Provider } from './provider.ts';

/** `auth` null: one of the faults is an error. */
export type CloudflareAccess = {
  readonly auth: CloudflareAuth | null;
  readonly faults: readonly Fault[];
};

/** As Cloudflare's own tools name it, and as many others do. */
const TOKEN_VARIABLES = ['CLOUDFLARE_API_TOKEN', 'CF_API_TOKEN'];

/** `tokenFile` null: the environment alone; a token comes before goavail's key and e-mail address. */
export function cloudflareAccess(
  tokenFile: string | null,
  env: Readonly<NodeJS.ProcessEnv>,
  head: string,
): CloudflareAccess {
  if (tokenFile !== null) {
    const read = readSecretFile(tokenFile);
    if (!read.ok) return { auth: null, faults: [read.fault] };
    return { auth: { kind: 'token', token: read.secret }, faults: read.warning === null ? [] : [read.warning] };
  }
  const auth = environmentAuth(env);
  if (auth !== null) return { auth, faults: [] };
  const message = `${head}: no API token: name its file in token_file, or set ${TOKEN_VARIABLES.join(' or ')}, or CF_API_KEY and CF_API_EMAIL`;
  return { auth: null, faults: [plainFault('missing-secret', message)] };
}

/** Null: neither a token nor a whole key is set. */
export function environmentAuth(env: Readonly<NodeJS.ProcessEnv>): CloudflareAuth | null {
  const of = (name: string): string => env[name]?.trim() ?? '';
  const token = TOKEN_VARIABLES.map(of).find((text) => text !== '');
  if (token !== undefined) return { kind: 'token', token: new Secret(token) };
  const [key, email] = [of('CF_API_KEY'), of('CF_API_EMAIL')];
  return key === '' || email === '' ? null : { kind: 'key', key: new Secret(key), email };
}

/** The keys of a target that this kind makes use of. */
export type CloudflareKeys = Pick<CloudflareSpec, 'zone' | 'ttl' | 'proxied'> & {
  readonly name: string;
  readonly token_file: string | null;
  readonly zone_id: string | null;
  readonly api: string | null;
};

export const CLOUDFLARE_API = 'https://api.cloudflare.com/client/v4';
const API_VARIABLE = 'EDGEWISE_CLOUDFLARE_API';

/** `provider` null: an error among the faults says why. `secrets`: what it was made with. */
export function madeCloudflare(
  keys: CloudflareKeys,
  env: Readonly<NodeJS.ProcessEnv>,
): {
  readonly provider: Provider<CloudflareOwn> | null;
  readonly secrets: readonly Secret[];
  readonly faults: readonly Fault[];
} {
  const head = `publish "${keys.name}"`;
  const { auth, faults } = cloudflareAccess(keys.token_file, env, head);
  const given = env[API_VARIABLE] ?? '';
  const api = keys.api ?? (given === '' ? CLOUDFLARE_API : readApiAddress(given));
  if (api === null) {
    // Not shown: a user and password may be in it.
    const message = `${API_VARIABLE}: expected an http or https address without user and password, such as http://127.0.0.1:8080`;
    return { provider: null, secrets: [], faults: [...faults, plainFault('bad-value', message)] };
  }
  if (auth === null) return { provider: null, secrets: [], faults };
  const { zone, ttl, proxied, zone_id: zoneId } = keys;
  const provider = cloudflareProvider({ zone, zoneId, ttl, proxied, auth, api });
  return { provider, secrets: [auth.kind === 'token' ? auth.token : auth.key], faults };
}
