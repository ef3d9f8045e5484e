/** The keys of a provider of kind `route53`. */
import { z } from 'zod';
import { number, optional, parsed, section } from '../fields.ts';
import { apiAddress, publishKeys, setTtl } from './keys.ts';

/** Of AWS' documentation of ResourceRecordSet. */
const IDENTIFIER_MAX = 128;
const WEIGHT_MAX = 255;

export const route53 = section({
  provider: z.literal('route53'),
  ...publishKeys,
  ttl: setTtl(),
  zone_id: optional(
    parsed<string>("the hosted zone's id, such as Z0123456789ABCDEFGHIJ", (value) => {
      const id = value.replace(/^\/hostedzone\//, '');
      return /^[A-Z0-9]{1,32}$/.test(id) ? id : null;
    }),
    null,
  ),
  region: optional(
    parsed<string>('a region of AWS, such as us-east-1', (value) => (/^[a-z0-9-]{1,64}$/.test(value) ? value : null)),
    null,
  ),
  profile: optional(
    parsed<string>("a profile of AWS' shared files", (value) => (/^[^\p{Cc}]{1,128}$/u.test(value) ? value : null)),
    null,
  ),
  /** One weighted set of each name instead of the simple one. `set_identifier` null: the first label of each name. */
  weighted: optional(
    section(
      {
        set_identifier: optional(
          parsed<string>(`the SetIdentifier of the set, up to ${IDENTIFIER_MAX} characters`, (value) =>
            value !== '' && value.length <= IDENTIFIER_MAX && !/\p{Cc}/u.test(value) ? value : null,
          ),
          null,
        ),
        weight: number('the weight of the set', { min: 0, max: WEIGHT_MAX }),
      },
      'a section with set_identifier and weight',
    ),
    null,
  ),
  api: optional(apiAddress('https://route53.amazonaws.com'), null),
});
