/** The keys of a provider of kind `cloudflare`. */
import { z } from 'zod';
import { type CheckFaults, withoutEffect } from '../checks/keys.ts';
import { flag, optional, parsed, path, section } from '../fields.ts';
import { key } from '../key-docs.ts';
import { apiAddress, clearTextFaults, publishKeys } from './keys.ts';

/** Cloudflare's value for a TTL that it chooses itself; a proxied record has no other. */
export const AUTOMATIC_TTL = 1;
const DEFAULT_TTL = 60;
/** 30 is what an Enterprise zone may have; others have 60 (developers.cloudflare.com/dns/manage-dns-records/reference/ttl). */
const TTLS = { min: 30, max: 86_400 };
const TTL_EXPECTED = `expected ${TTLS.min} to ${TTLS.max} seconds, or ${AUTOMATIC_TTL} for Cloudflare's automatic TTL`;

export const cloudflare = section({
  provider: key(z.literal('cloudflare'), 'Cloudflare, by its API v4.'),
  ...publishKeys,
  ttl: key(
    optional(
      z
        .number({ error: TTL_EXPECTED })
        .refine((ttl) => Number.isInteger(ttl), { error: TTL_EXPECTED, abort: true })
        .refine((ttl) => ttl === AUTOMATIC_TTL || (ttl >= TTLS.min && ttl <= TTLS.max), {
          error: TTL_EXPECTED,
          params: { code: 'out-of-range' },
        }),
      null,
    ),
    'How long resolvers may keep the set; 1 is the automatic TTL of Cloudflare.',
    { otherwise: '60, or 1 for what is proxied', value: '30 to 86400 seconds, or 1' },
  ),
  token_file: key(
    optional(path('the file that holds the API token'), null),
    'The file with an API token in its only line (permission Zone / DNS / Edit).',
    { otherwise: '`CLOUDFLARE_API_TOKEN` or `CF_API_TOKEN` of the environment' },
  ),
  zone_id: key(
    optional(
      parsed<string>("the zone's identifier, 32 hexadecimal digits, as the zone's overview page shows it", (value) =>
        /^[0-9a-f]{32}$/i.test(value) ? value.toLowerCase() : null,
      ),
      null,
    ),
    'The identifier of the zone, as its overview page shows it.',
    { otherwise: 'looked up by the name of the zone' },
  ),
  proxied: key(optional(flag(), null), 'Whether Cloudflare stands between clients and edges.', {
    otherwise: 'each record as it is found; a new name is not',
  }),
  api: key(
    optional(apiAddress('https://api.cloudflare.com/client/v4'), null),
    'Another address of the API, for a gateway or a test.',
    { otherwise: '`EDGEWISE_CLOUDFLARE_API` of the environment, or the one of Cloudflare' },
  ),
  // What is proxied has the automatic TTL.
}).transform((keys) => ({ ...keys, ttl: keys.ttl ?? (keys.proxied === true ? AUTOMATIC_TTL : DEFAULT_TTL) }));

export const cloudflareFaults: CheckFaults = (get, at, head) => {
  const found = clearTextFaults(get, at, head, 'api', 'the API token');
  if (get(...at, 'proxied') !== true || get(...at, 'ttl') === AUTOMATIC_TTL) return found;
  const condition = 'proxied is false: what Cloudflare proxies has its automatic TTL';
  return [...found, ...withoutEffect(get, at, head, ['ttl'], condition)];
};
