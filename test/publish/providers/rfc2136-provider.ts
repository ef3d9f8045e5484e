import { nameKey } from '../../../src/dns/name.ts';
import type { TsigKey } from '../../../src/dns/tsig-key.ts';
import type { Provider } from '../../../src/publish/providers/provider.ts';
import { type Rfc2136Spec, rfc2136Provider } from '../../../src/publish/providers/rfc2136.ts';
import { throwingGuard } from '../../support/guard.ts';
import { SECRET } from './provider-snippets.ts';

export const ZONE = 'example.test';

export function updateKey(secret = SECRET, algorithm: TsigKey['algorithm'] = 'hmac-sha256'): TsigKey {
  return { name: nameKey('upd.example.net') as TsigKey['name'], algorithm, secret: Buffer.from(secret, 'base64') };
}

/** A provider of `spec`, or of a primary at this port. */
export function provider(port: number, spec: Partial<Rfc2136Spec> = {}): Provider {
  const to = { address: '127.0.0.1', port };
  return rfc2136Provider({ to, from: null, key: updateKey(), zone: ZONE, ...spec }, { guard: throwingGuard() });
}
