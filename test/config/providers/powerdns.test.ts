import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { powerdns, powerdnsFaults } from '../../../src/config/providers/powerdns.ts';
import { valueAt } from '../../../src/config/schema-fault.ts';

const COMMON = 'provider: powerdns, network: net, zone: example.net, names: www, api_key_file: pdns.key';

test('what is not given', () => {
  expect(powerdns.parse(parse(`{${COMMON}, url: "http://127.0.0.1:8081/"}`))).toMatchObject({
    url: 'http://127.0.0.1:8081',
    server: 'localhost',
    api_key_file: 'pdns.key',
    ttl: 60,
  });
});

test.each([
  ['http://[::1]:8081', 'http://[::1]:8081'],
  ['http://127.0.0.1:8081/api/v1/', 'http://127.0.0.1:8081'],
  ['https://dns.example.net/pdns/api', 'https://dns.example.net/pdns'],
  ['https://dns.example.net/pdns', 'https://dns.example.net/pdns'],
])('the url %s', (given, expected) => {
  expect(powerdns.parse(parse(`{${COMMON}, url: "${given}"}`)).url).toBe(expected);
});

test.each([
  ['url: 127.0.0.1:8081', /url/],
  ['url: "http://user:word@127.0.0.1"', /without user, password/],
  ['url: "ftp://127.0.0.1"', /http or https/],
  ['url: "http://127.0.0.1", server: "a/b"', /id of a server/],
  ['url: "http://127.0.0.1", api_key: secret', /api_key/],
  ['server: localhost', /url|address/],
])('%s is refused', (keys, expected) => {
  const result = powerdns.safeParse(parse(`{${COMMON}, ${keys}}`));
  expect(JSON.stringify(result.error?.issues)).toMatch(expected);
});

test.each([
  ['http://127.0.0.1:8081', []],
  ['http://localhost:8081', []],
  ['https://192.0.2.53:8081', []],
  [
    'http://192.0.2.53:8081',
    [
      'warning publish.0.url publish[0].url: by http the API key crosses the network in the clear; https keeps it secret',
    ],
  ],
])('the way to %s', (url, expected) => {
  const value: unknown = parse(`{publish: [{${COMMON}, url: "${url}"}]}`);
  const found = powerdnsFaults((...path) => valueAt(value, path), ['publish', 0], 'publish[0]', 10);
  expect(found.map(({ severity, path, message }) => `${severity} ${path.join('.')} ${message}`)).toEqual(expected);
});
