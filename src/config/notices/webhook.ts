/** The keys of a target `webhook`: plain JSON by POST. */
import { z } from 'zod';
import { section } from '../fields.ts';
import { type NoticeFaults, noticeKeys, urlKeys } from './keys.ts';
import { oneOf, secretFile, secretVariable } from './secrets.ts';
import { urlFaults } from './slack.ts';

const secretKeys = {
  secret_file: secretFile('the secret that signs messages'),
  secret_env: secretVariable('the secret that signs messages'),
};

export const webhook = section({ to: z.literal('webhook'), ...noticeKeys, ...urlKeys, ...secretKeys });

export const webhookFaults: NoticeFaults = (get, at, head) => [
  ...urlFaults(get, at, head),
  ...oneOf(get, at, head, Object.keys(secretKeys), false),
];
