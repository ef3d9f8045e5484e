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
import { key } from './key-docs.ts';
import type { TransferConfig } from './types.ts';

const tsigKey = section({
  name: key(domainName(), 'The name of the key, which the other side knows, too.', { example: 'xfr.example.net.' }),
  algorithm: key(
    text('hmac-sha256').transform((value, context) => {
      const algorithm = tsigAlgorithm(value);
      if (algorithm !== null) return algorithm;
      const message = 'expected hmac-sha256, hmac-sha384, hmac-sha512, hmac-sha1 or hmac-md5';
      context.issues.push({ code: 'custom', input: value, message });
      return z.NEVER;
    }),
    'HMAC of the key; the last two are for old peers.',
    { value: 'hmac-sha256, hmac-sha384, hmac-sha512, hmac-sha1 or hmac-md5', example: 'hmac-sha256' },
  ),
  secret: key(
    text('a secret in base64').transform((value, context) => {
      const octets = secretOctets(value);
      if (octets !== null && !isPublishedSecret(octets)) return octets;
      const message = octets === null ? 'expected a secret in base64' : PUBLISHED_SECRET;
      context.issues.push({ code: 'custom', input: value, message });
      return z.NEVER;
    }),
    'The secret in base64, as `openssl rand -base64 32` prints it.',
    { isSecret: true, value: 'a secret in base64' },
  ),
});

const scope = {
  networks: key(
    optional(oneOrMany(text('a network'), 'a list of networks'), null),
    'Only the zones of these networks.',
    { otherwise: 'all' },
  ),
  zones: key(optional(oneOrMany(domainName(), 'a list of zones'), null), 'Only these zones.', { otherwise: 'all' }),
};

const allow = section({
  from: key(optional(prefix(), null), 'Who may transfer: addresses.', {
    otherwise: 'any address that has the key',
    example: '192.0.2.0/24',
  }),
  key: key(optional(domainName(), null), 'The TSIG key that the other side must sign with.', {
    otherwise: 'none is needed',
    example: 'xfr.example.net.',
  }),
  tls: key(optional(flag(), false), 'Only over TLS.'),
  ...scope,
});
const notify = section({
  to: key(endpoint(53), 'The address of the secondary, port 53 where none is given.', { example: '192.0.2.53' }),
  from: key(
    optional(address(), null),
    'The address that NOTIFY comes from, by which the secondary must know this server.',
    { otherwise: 'the address under `server.listen` that the system would route from' },
  ),
  key: key(optional(domainName(), null), 'The TSIG key that NOTIFY is signed with.', { otherwise: 'it is not signed' }),
  ...scope,
});

const catalog = z.preprocess(
  (value) => (typeof value === 'string' ? { zone: value } : value === false ? null : value),
  optional(
    section({
      zone: key(absoluteName(), 'The name of the catalog zone, or what the names of all end with.', {
        example: 'catalog.example.net.',
      }),
      per: key(
        optional(z.enum(['all', 'network'], { error: 'expected all or network' }), 'all' as const),
        'One catalog for all networks, or one for each, named `NETWORK.ZONE`.',
      ),
    }),
    null,
  ),
);

const transfer = section({
  keys: key(optional(list(tsigKey, 'a list of {name, algorithm, secret}'), []), 'TSIG keys (RFC 8945).', {
    otherwise: 'none',
  }),
  key_files: key(
    optional(oneOrMany(path('a file of key statements'), 'a list of files'), []),
    'Files with key statements of BIND, as `tsig-keygen` prints them.',
    { otherwise: 'none', example: '[transfer.key]' },
  ),
  allow: key(
    optional(list(allow, 'a list of {from, key, tls, networks, zones}'), []),
    'Who may transfer zones. An entry with both `from` and `key` needs both.',
    { otherwise: 'nobody' },
  ),
  notify: key(optional(list(notify, 'a list of {to, from, key, networks, zones}'), []), 'Who is notified of changes.', {
    otherwise: 'nobody',
  }),
  notify_ns: key(
    optional(flag(), false),
    'Also notify the servers in the NS records of each zone, on port 53 and unsigned.',
  ),
  catalog: key(catalog, 'A catalog zone (RFC 9432) from which secondaries learn the zones.', {
    otherwise: 'none',
    value: 'a section, or the name of the catalog zone',
    example: '{zone: catalog.example.net., per: all}',
  }),
  watch: key(
    z.preprocess(
      (value) => (value === false ? 0 : value),
      optional(number('seconds, 0 for never', { min: 0, max: 86_400, integer: false }), 10),
    ),
    'Time between two looks at the serial of each secondary. 0 or false: never.',
    { default: '10' },
  ),
});

export const transferKeys = {
  transfer: key(optional(transfer, null), 'Zone transfers, NOTIFY and their keys.', {
    otherwise: 'nobody may transfer, nobody is notified',
  }),
};

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
