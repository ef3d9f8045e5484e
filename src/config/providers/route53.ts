/** The keys of a provider of kind `route53`. */
import { z } from 'zod';
import { number, optional, parsed, section } from '../fields.ts';
import { key } from '../key-docs.ts';
import { apiAddress, publishKeys, setTtl } from './keys.ts';

/** Of AWS' documentation of ResourceRecordSet. */
const IDENTIFIER_MAX = 128;
const WEIGHT_MAX = 255;

export const route53 = section({
  provider: key(z.literal('route53'), 'Route 53, by the API of AWS.'),
  ...publishKeys,
  ttl: key(setTtl(), 'How long resolvers may keep the set.'),
  zone_id: key(
    optional(
      parsed<string>("the hosted zone's id, such as Z0123456789ABCDEFGHIJ", (value) => {
        const id = value.replace(/^\/hostedzone\//, '');
        return /^[A-Z0-9]{1,32}$/.test(id) ? id : null;
      }),
      null,
    ),
    'The id of the hosted zone, needed where the account has two zones of the name.',
    { otherwise: 'looked up by the name of the zone' },
  ),
  region: key(
    optional(
      parsed<string>('a region of AWS, such as us-east-1', (value) => (/^[a-z0-9-]{1,64}$/.test(value) ? value : null)),
      null,
    ),
    'A region of AWS, needed in China and GovCloud.',
    { otherwise: '`AWS_REGION`, `AWS_DEFAULT_REGION`, or us-east-1' },
  ),
  profile: key(
    optional(
      parsed<string>("a profile of AWS' shared files", (value) => (/^[^\p{Cc}]{1,128}$/u.test(value) ? value : null)),
      null,
    ),
    'A profile of the shared files of AWS.',
    { otherwise: '`AWS_PROFILE`, or default' },
  ),
  /** One weighted set of each name instead of the simple one. `set_identifier` null: the first label of each name. */
  weighted: key(
    optional(
      section(
        {
          set_identifier: key(
            optional(
              parsed<string>(`the SetIdentifier of the set, up to ${IDENTIFIER_MAX} characters`, (value) =>
                value !== '' && value.length <= IDENTIFIER_MAX && !/\p{Cc}/u.test(value) ? value : null,
              ),
              null,
            ),
            'The SetIdentifier of the set.',
            { otherwise: 'the first label of each name' },
          ),
          weight: key(number('the weight of the set', { min: 0, max: WEIGHT_MAX }), 'The weight of the set.', {
            example: '10',
          }),
        },
        'a section with set_identifier and weight',
      ),
      null,
    ),
    'One weighted set of each name instead of the simple one; others of the name are left alone.',
    { otherwise: 'simple sets', example: '{set_identifier: blue, weight: 10}' },
  ),
  api: key(
    optional(apiAddress('https://route53.amazonaws.com'), null),
    'Another address of the API, for a gateway or a test.',
    { otherwise: '`EDGEWISE_ROUTE53_API` of the environment, or the one of AWS' },
  ),
});
