/** `transfer:`, who may transfer zones, who is notified of changes, and with which keys. */
import { z } from 'zod';
import type { TsigKey } from '../dns/tsig-key.ts';
import { isPublishedSecret, PUBLISHED_SECRET, secretOctets, tsigAlgorithm } from '../dns/tsig-key.ts';
import {
  absoluteName,
  address,
  domainName,
  endpoint,
  flag,
  list,
  number,
  oneOrMany,
  optional,
  path,
  prefix,
  section,
  text,
} from './fields.ts';
import type { TransferConfig } from './types.ts';

const key = section({
  name: domainName(),
  algorithm: text('hmac-sha256').transform((value, context) => {
    const algorithm = tsigAlgorithm(value);
    if (algorithm !== null) return algorithm;
    const message = 'expected hmac-sha256, hmac-sha384, hmac-sha512, hmac-sha1 or hmac-md5';
    context.issues.push({ code: 'custom', input: value, message });
    return z.NEVER;
  }),
  secret: text('a secret in base64').transform((value, context) => {
    const octets = secretOctets(value);
    if (octets !== null && !isPublishedSecret(octets)) return octets;
    const message = octets === null ? 'expected a secret in base64' : PUBLISHED_SECRET;
    context.issues.push({ code: 'custom', input: value, message });
    return z.NEVER;
  }),
});

const scope = {
  networks: optional(oneOrMany(text('a network'), 'a list of networks'), null),
  zones: optional(oneOrMany(domainName(), 'a list of zones'), null),
};

const allow = section({
  from: optional(prefix(), null),
  key: optional(domainName(), null),
  tls: optional(flag(), false),
  ...scope,
});
const notify = section({
  to: endpoint(53),
  from: optional(address(), null),
  key: optional(domainName(), null),
  ...scope,
});

const catalog = z.preprocess(
  (value) => (typeof value === 'string' ? { zone: value } : value === false ? null : value),
  optional(
    section({
      zone: absoluteName(),
      per: optional(z.enum(['all', 'network'], { error: 'expected all or network' }), 'all' as const),
    }),
    null,
  ),
);

const transfer = section({
  keys: optional(list(key, 'a list of {name, algorithm, secret}'), []),
  key_files: optional(oneOrMany(path('a file of key statements'), 'a list of files'), []),
  allow: optional(list(allow, 'a list of {from, key, tls, networks, zones}'), []),
  notify: optional(list(notify, 'a list of {to, from, key, networks, zones}'), []),
  notify_ns: optional(flag(), false),
  catalog,
  watch: z.preprocess(
    (value) => (value === false ? 0 : value),
    optional(number('seconds, 0 for never', { min: 0, max: 86_400, integer: false }), 10),
  ),
});

export const transferKeys = { transfer: optional(transfer, null) };

/** `fileKeys`: what the `key_files` hold. */
export function transferConfig(given: z.output<typeof transfer> | null, fileKeys: readonly TsigKey[]): TransferConfig {
  const keys = given ?? transfer.parse({});
  return {
    keys: [...keys.keys, ...fileKeys],
    allow: keys.allow,
    notify: keys.notify,
    notifyNs: keys.notify_ns,
    catalog: keys.catalog,
    watchSeconds: keys.watch,
  };
}
