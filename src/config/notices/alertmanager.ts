/** The keys of a target `alertmanager`: whatever takes Alertmanager's webhook, version 4. */
import { z } from 'zod';
import { optional, parsed, section } from '../fields.ts';
import { isHttpUrl, noticeKeys, urlKeys } from './keys.ts';

export const alertmanager = section({
  to: z.literal('alertmanager'),
  ...noticeKeys,
  ...urlKeys,
  /** Where this server's page is, as the receivers of a message reach it. */
  external_url: optional(
    parsed<string>("the URL of this server's page, such as http://dns1.example.net:8053/", (value) =>
      isHttpUrl(value) ? value : null,
    ),
    null,
  ),
});
