import { expect, test } from 'vitest';
import { route53 } from '../../../src/config/providers/route53.ts';

const GIVEN = { provider: 'route53', network: 'net', zone: 'example.org', names: ['cloud'] };

function messages(keys: object): readonly string[] {
  const read = route53.safeParse({ ...GIVEN, ...keys });
  return read.success ? [] : read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('what is not given', () => {
  expect(route53.parse(GIVEN)).toMatchObject({
    ttl: 60,
    zone_id: null,
    region: null,
    profile: null,
    weighted: null,
    api: null,
  });
});

test('what is given', () => {
  const keys = {
    ttl: 0,
    zone_id: '/hostedzone/Z0123456789ABCDEFGHIJ',
    region: 'cn-north-1',
    profile: 'my profile',
    weighted: { weight: 0 },
    api: 'http://127.0.0.1:8080/',
  };
  expect(route53.parse({ ...GIVEN, ...keys })).toMatchObject({
    ...keys,
    zone_id: 'Z0123456789ABCDEFGHIJ',
    weighted: { set_identifier: null, weight: 0 },
    api: 'http://127.0.0.1:8080',
  });
  expect(route53.parse({ ...GIVEN, weighted: { set_identifier: 'blue', weight: 255 } })).toMatchObject({
    weighted: { set_identifier: 'blue', weight: 255 },
  });
});

test.each([
  [{ zone_id: 'example.org' }, "zone_id: expected the hosted zone's id"],
  [{ zone_id: 5 }, "zone_id: expected the hosted zone's id"],
  [{ region: 'US East' }, 'region: expected a region of AWS'],
  [{ profile: '' }, "profile: expected a profile of AWS' shared files"],
  [{ weighted: true }, 'weighted: expected a section with set_identifier and weight'],
  [{ weighted: { set_identifier: 'blue' } }, 'weighted.weight: expected the weight of the set, 0 to 255'],
  [{ weighted: { weight: 256 } }, 'weighted.weight: expected the weight of the set, 0 to 255'],
  [{ weighted: { weight: 1, set_identifier: '' } }, 'weighted.set_identifier: expected the SetIdentifier'],
  [{ weighted: { weight: 1, set_identifier: 'x'.repeat(129) } }, 'weighted.set_identifier: expected the SetIdentifier'],
  [{ weighted: { weight: 1, identifier: 'x' } }, 'weighted: unknown key "identifier"'],
  [{ ttl: -1 }, 'ttl: expected seconds, 0 to 2147483647'],
  [{ api: 'http://user:word@127.0.0.1/' }, 'api: expected an http or https address'],
  [{ token_file: 'x' }, ': unknown key "token_file"'],
])('%j is refused', (keys, message) => {
  expect(messages(keys)).toEqual([expect.stringContaining(message)]);
});
