import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { rfc2136, rfc2136Faults } from '../../../src/config/providers/rfc2136.ts';
import { valueAt } from '../../../src/config/schema-fault.ts';

const COMMON = 'provider: rfc2136, network: net, zone: example.net, names: www';

const found = (keys: string): readonly string[] => {
  const value: unknown = parse(`{publish: [{${COMMON}, ${keys}}]}`);
  return rfc2136Faults((...path) => valueAt(value, path), ['publish', 0], 'publish[0]', 10).map(
    ({ severity, path, message }) => `${severity} ${path.join('.')} ${message}`,
  );
};

test('what is not given', () => {
  expect(rfc2136.parse(parse(`{${COMMON}, to: 127.0.0.1, key: Upd.example.net}`))).toMatchObject({
    to: { address: '127.0.0.1', port: 53 },
    from: null,
    key: '\u0003upd\u0007example\u0003net\0',
    unsigned: false,
    ttl: 60,
  });
});

describe('keys that are fine together', () => {
  test.each([
    'to: "127.0.0.1:5353", key: upd.example.net.',
    'to: "[::1]:53", from: "::1", key: upd',
    'to: 127.0.0.1, unsigned: true',
    'to: 192.0.2.53, from: 192.0.2.1, key: upd, unsigned: false',
  ])('%s', (keys) => {
    expect(rfc2136.safeParse(parse(`{${COMMON}, ${keys}}`)).success).toBe(true);
    expect(found(keys)).toEqual([]);
  });
});

test.each([
  ['to: 127.0.0.1', ['publish.0 publish[0]: needs key']],
  ['to: 127.0.0.1, key: null, unsigned: false', ['publish.0 publish[0]: needs key']],
  ['to: 127.0.0.1, key: upd, unsigned: true', ['publish.0.unsigned publish[0].unsigned: contradicts key']],
  ['to: "0.0.0.0", key: upd', ['publish.0.to publish[0].to: 0.0.0.0 is every address']],
  ['to: "127.0.0.1:0", key: upd', ['publish.0.to publish[0].to: nobody listens on port 0']],
  ['to: "[ff02::1]:53", key: upd', ['publish.0.to publish[0].to: ff02::1 is not the address of one server']],
  ['to: 127.0.0.1, from: "::1", key: upd', ['publish.0.from publish[0].from: ::1 and 127.0.0.1 are not']],
  [
    'to: 192.0.2.53, from: 127.0.0.1',
    ['publish.0.from publish[0].from: 127.0.0.1 reaches', 'publish.0 publish[0]: needs key'],
  ],
])('%s is an error', (keys, expected) => {
  expect(found(keys)).toEqual(
    expected.map((start) => expect.stringMatching(`^error ${start.replace(/[.[\]"]/g, '\\$&')}`)),
  );
});
