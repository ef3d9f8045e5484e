/** The keys of a provider of kind `powerdns`. */
import { z } from 'zod';
import type { CheckFaults } from '../checks/keys.ts';
import { optional, parsed, path, section } from '../fields.ts';
import { apiAddress, clearTextFaults, publishKeys, setTtl } from './keys.ts';

export const powerdns = section({
  provider: z.literal('powerdns'),
  ...publishKeys,
  ttl: setTtl(),
  /** Without the path that every API has. */
  url: apiAddress('http://127.0.0.1:8081').transform((url) => url.replace(/\/api(?:\/v1)?$/, '')),
  server: optional(
    parsed<string>('the id of a server, such as localhost', (value) =>
      /^[A-Za-z0-9._:-]{1,100}$/.test(value) ? value : null,
    ),
    'localhost',
  ),
  api_key_file: path('the file that holds the API key'),
});

export const powerdnsFaults: CheckFaults = (get, at, head) => clearTextFaults(get, at, head, 'url', 'the API key');
