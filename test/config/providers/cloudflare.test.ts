import { expect, test } from 'vitest';
import { cloudflare, cloudflareFaults } from '../../../src/config/providers/cloudflare.ts';

const GIVEN = { provider: 'cloudflare', network: 'net', zone: 'example.org', names: ['cloud'] };
const ID = '023e105f4ecef8ad9ca31a8372d0c353';

test('what is not given', () => {
  expect(cloudflare.parse(GIVEN)).toMatchObject({ ttl: 60, token_file: null, zone_id: null, proxied: null, api: null });
});

test.each([
  [{ ttl: 300 }, { ttl: 300 }],
  [{ ttl: 1 }, { ttl: 1 }],
  [{ ttl: 30 }, { ttl: 30 }],
  [{ proxied: true }, { proxied: true, ttl: 1 }],
  [{ proxied: false }, { proxied: false, ttl: 60 }],
  [{ token_file: 'cloudflare.token' }, { token_file: 'cloudflare.token' }],
  [{ zone_id: ID.toUpperCase() }, { zone_id: ID }],
  [{ api: 'http://127.0.0.1:8080/client/v4/' }, { api: 'http://127.0.0.1:8080/client/v4' }],
])('%j', (keys, expected) => {
  expect(cloudflare.parse({ ...GIVEN, ...keys })).toMatchObject(expected);
});

test.each([
  [{ ttl: 2 }, 'expected 30 to 86400 seconds, or 1 for'],
  [{ ttl: 86_401 }, 'expected 30 to 86400 seconds'],
  [{ ttl: 60.5 }, 'expected 30 to 86400 seconds'],
  [{ ttl: '60' }, 'expected 30 to 86400 seconds'],
  [{ proxied: 'yes' }, 'expected true or false'],
  [{ token_file: '' }, 'expected the file that holds the API token'],
  [{ zone_id: 'example.org' }, '32 hexadecimal digits'],
  [{ api: 'api.cloudflare.com' }, 'expected an http or https address'],
  [{ api: 'https://user:pass@127.0.0.1/' }, 'without user, password'],
  [{ api: 'https://127.0.0.1/?a=b' }, 'query'],
  [{ token: 'verysecret' }, 'unknown key "token"'],
])('%j is refused', (keys, message) => {
  const { error } = cloudflare.safeParse({ ...GIVEN, ...keys });
  expect(error?.issues.map((issue) => issue.message).join()).toContain(message);
  expect(JSON.stringify(error?.issues)).not.toContain('verysecret');
});

test.each([
  [{ proxied: true, ttl: 300 }, ['publish[0].ttl: has no effect unless proxied is false']],
  [{ proxied: true, ttl: 1 }, []],
  [{ proxied: true }, []],
  [{ ttl: 300 }, []],
  [{ api: 'http://gateway.example/v4' }, ['publish[0].api: by http the API token crosses the network']],
  [{ api: 'http://127.0.0.1:8080' }, []],
  [{ api: 'http://[::1]:8080' }, []],
  [{ api: 'https://gateway.example/v4' }, []],
  [{ api: 5 }, []],
])('what %j contradicts', (keys, messages) => {
  const values: { readonly [key: string]: unknown } = { ...GIVEN, ...keys };
  const found = cloudflareFaults((...path) => values[String(path[2])], ['publish', 0], 'publish[0]', 10);
  expect(found.map(({ message }) => message)).toEqual(messages.map((text) => expect.stringContaining(text)));
});
