/** The keys of a provider of kind `cloudflare`. */
import { z } from 'zod';
import { type CheckFaults, withoutEffect } from '../checks/keys.ts';
import { flag, optional, parsed, path, section } from '../fields.ts';
import { apiAddress, clearTextFaults, publishKeys } from './keys.ts';

/** Cloudflare's value for a TTL that it chooses itself; a proxied record has no other. */
export const AUTOMATIC_TTL = 1;
const DEFAULT_TTL = 60;
/** 30 is what an Enterprise zone may have; others have 60 (developers.cloudflare.com/dns/manage-dns-records/reference/ttl). */
const TTLS = { min: 30, max: 86_400 };
const TTL_EXPECTED = `expected ${TTLS.min} to ${TTLS.max} seconds, or ${AUTOMATIC_TTL} for Cloudflare's automatic TTL`;

export const cloudflare = section({
  provider: z.literal('cloudflare'),
  ...publishKeys,
  ttl: optional(
    z
      .number({ error: TTL_EXPECTED })
      .refine((ttl) => Number.isInteger(ttl), { error: TTL_EXPECTED, abort: true })
      .refine((ttl) => ttl === AUTOMATIC_TTL || (ttl >= TTLS.min && ttl <= TTLS.max), {
        error: TTL_EXPECTED,
        params: { code: 'out-of-range' },
      }),
    null,
  ),
  token_file: optional(path('the file that holds the API token'), null),
  zone_id: optional(
    parsed<string>("the zone's identifier, 32 hexadecimal digits, as the zone's overview page shows it", (value) =>
      /^[0-9a-f]{32}$/i.test(value) ? value.toLowerCase() : null,
    ),
    null,
  ),
  proxied: optional(flag(), null),
  api: optional(apiAddress('https://api.cloudflare.com/client/v4'), null),
  // What is proxied has the automatic TTL.
}).transform((keys) => ({ ...keys, ttl: keys.ttl ?? (keys.proxied === true ? AUTOMATIC_TTL : DEFAULT_TTL) }));

export const cloudflareFaults: CheckFaults = (get, at, head) => {
  const found = clearTextFaults(get, at, head, 'api', 'the API token');
  if (get(...at, 'proxied') !== true || get(...at, 'ttl') === AUTOMATIC_TTL) return found;
  const condition = 'proxied is false: what Cloudflare proxies has its automatic TTL';
  return [...found, ...withoutEffect(get, at, head, ['ttl'], condition)];
};
