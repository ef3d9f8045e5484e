/** The keys of a provider of kind `powerdns`. */
import { z } from 'zod';
import type { CheckFaults } from '../checks/keys.ts';
import { optional, parsed, path, section } from '../fields.ts';
import { key } from '../key-docs.ts';
import { apiAddress, clearTextFaults, publishKeys, setTtl } from './keys.ts';

export const powerdns = section({
  provider: key(z.literal('powerdns'), 'PowerDNS, by its HTTP API.'),
  ...publishKeys,
  ttl: key(setTtl(), 'How long resolvers may keep the set.'),
  /** Without the path that every API has. */
  url: key(
    apiAddress('http://127.0.0.1:8081').transform((url) => url.replace(/\/api(?:\/v1)?$/, '')),
    'The address of the API, without `/api/v1`.',
    { example: 'http://127.0.0.1:8081' },
  ),
  server: key(
    optional(
      parsed<string>('the id of a server, such as localhost', (value) =>
        /^[A-Za-z0-9._:-]{1,100}$/.test(value) ? value : null,
      ),
      'localhost',
    ),
    'The id of the server behind the API.',
  ),
  api_key_file: key(path('the file that holds the API key'), 'The file with the API key in its only line.', {
    example: 'powerdns.key',
  }),
});

export const powerdnsFaults: CheckFaults = (get, at, head) => clearTextFaults(get, at, head, 'url', 'the API key');
