import { expect, test } from 'vitest';
import { providerAccess, slackApi } from '../../src/config/goavail-environment.ts';

test("the provider's own address, and what the environment lacks", () => {
  expect(providerAccess('cloudflare', { CF_API_KEY: 'k' })).toEqual({
    access: { api: 'https://api.cloudflare.com/client/v4', apiFrom: null, missing: ['CF_API_EMAIL'] },
    faults: [],
  });
  expect(providerAccess('route53', { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }).access.missing).toEqual([]);
});

test.each(['CLOUDFLARE_API_TOKEN', 'CF_API_TOKEN'])('%s of blanks is none', (name) => {
  expect(providerAccess('cloudflare', { [name]: ' \n' }).access.missing).toEqual(['CF_API_KEY', 'CF_API_EMAIL']);
  expect(providerAccess('cloudflare', { [name]: 'a' }).access.missing).toEqual([]);
});

test('another address', () => {
  const { access, faults } = providerAccess('route53', { EDGEWISE_ROUTE53_API: 'http://127.0.0.1:8080/' });
  expect(access).toMatchObject({ api: 'http://127.0.0.1:8080', apiFrom: 'EDGEWISE_ROUTE53_API' });
  expect(faults).toEqual([]);
});

test.each(['127.0.0.1:8080', 'ftp://127.0.0.1/', 'http://user:verysecret@127.0.0.1/', '%'])(
  '%s is no address of an API',
  (given) => {
    const { access, faults } = providerAccess('cloudflare', { EDGEWISE_CLOUDFLARE_API: given });
    expect(faults.map(({ message }) => message)).toEqual([
      'EDGEWISE_CLOUDFLARE_API: expected an http or https address without user and password, such as http://127.0.0.1:8080',
    ]);
    expect(access.apiFrom).toBeNull();
  },
);

test.each(['CLOUDFLARE_API_TOKEN', 'CF_API_TOKEN'])(
  "%s takes the place of Cloudflare's key and e-mail address",
  (name) => {
    expect(providerAccess('cloudflare', { [name]: 't' }).access.missing).toEqual([]);
  },
);

test("Slack's own address, another, and what is none", () => {
  expect(slackApi({})).toMatchObject({ api: 'https://hooks.slack.com/services', faults: [] });
  expect(slackApi({ EDGEWISE_SLACK_API: 'http://127.0.0.1:8080/hooks/' })).toMatchObject({
    api: 'http://127.0.0.1:8080/hooks',
    faults: [],
  });
  const { api, faults } = slackApi({ EDGEWISE_SLACK_API: 'verysecret' });
  expect([api, faults.length, JSON.stringify(faults).includes('verysecret')]).toEqual([
    'https://hooks.slack.com/services',
    1,
    false,
  ]);
});
