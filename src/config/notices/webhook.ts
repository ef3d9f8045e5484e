/** The keys of a target `webhook`: plain JSON by POST. */
import { z } from 'zod';
import { section } from '../fields.ts';
import { key } from '../key-docs.ts';
import { type NoticeFaults, noticeKeys, urlKeys } from './keys.ts';
import { oneOf, secretFile, secretVariable } from './secrets.ts';
import { urlFaults } from './slack.ts';

const secretKeys = {
  secret_file: key(
    secretFile('the secret that signs messages'),
    'The file with the secret that signs messages (HMAC-SHA256) in its only line.',
    { otherwise: 'they are not signed' },
  ),
  secret_env: key(
    secretVariable('the secret that signs messages'),
    'The variable of the environment that holds that secret.',
    { otherwise: 'they are not signed' },
  ),
};

export const webhook = section({
  to: key(z.literal('webhook'), 'Plain JSON by POST (docs/notices.schema.json).'),
  ...noticeKeys,
  ...urlKeys,
  ...secretKeys,
});

export const webhookFaults: NoticeFaults = (get, at, head) => [
  ...urlFaults(get, at, head),
  ...oneOf(get, at, head, Object.keys(secretKeys), false),
];
