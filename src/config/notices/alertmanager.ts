/** The keys of a target `alertmanager`: whatever takes Alertmanager's webhook, version 4. */
import { z } from 'zod';
import { optional, parsed, section } from '../fields.ts';
import { key } from '../key-docs.ts';
import { isHttpUrl, noticeKeys, urlKeys } from './keys.ts';

export const alertmanager = section({
  to: key(z.literal('alertmanager'), 'The webhook form of Alertmanager, version 4.'),
  ...noticeKeys,
  ...urlKeys,
  /** Where this server's page is, as the receivers of a message reach it. */
  external_url: key(
    optional(
      parsed<string>("the URL of this server's page, such as http://dns1.example.net:8053/", (value) =>
        isHttpUrl(value) ? value : null,
      ),
      null,
    ),
    'Where the page of this server is, as the receivers of a message reach it.',
    { otherwise: '`http://HOST/`', example: 'http://dns1.example.net:8053/' },
  ),
});
