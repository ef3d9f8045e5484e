/** The keys of a target `slack`: an incoming webhook, of Slack or of what takes the same form. */
import { z } from 'zod';
import { section } from '../fields.ts';
import { key } from '../key-docs.ts';
import { type NoticeFaults, noticeKeys, urlKeys } from './keys.ts';
import { oneOf } from './secrets.ts';

export const slack = section({
  to: key(z.literal('slack'), 'An incoming webhook of Slack, or of what takes the same form.'),
  ...noticeKeys,
  ...urlKeys,
});

export const urlFaults: NoticeFaults = (get, at, head) => oneOf(get, at, head, Object.keys(urlKeys), true);
