import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { madeRoute53, type Route53Keys } from '../../../src/publish/providers/route53-access.ts';
import { useAwsEnvironment } from '../../support/aws-environment.ts';
import { MockRoute53 } from '../../support/mock-route53.ts';

const KEYS: Route53Keys = {
  name: 'route53 example.test',
  zone: 'example.test',
  zone_id: null,
  region: null,
  profile: null,
  weighted: null,
  api: null,
};
const WWW = { name: 'www.example.test', type: 'A' } as const;
let mock: MockRoute53;

beforeEach(async () => {
  useAwsEnvironment();
  mock = await new MockRoute53().start();
});
afterEach(() => mock.stop());

test.each([
  [
    'the key',
    (): Partial<Route53Keys> => ({ api: mock.url }),
    (): object => ({ EDGEWISE_ROUTE53_API: 'http://127.0.0.1:9' }),
  ],
  ['the environment', () => ({}), () => ({ EDGEWISE_ROUTE53_API: `${mock.url}/` })],
] as const)('the API may be elsewhere: %s', async (_, keys, env) => {
  mock.put({ ...WWW, values: ['192.0.2.1'] });
  const { provider, faults } = madeRoute53({ ...KEYS, ...keys() }, { ...env() });
  expect(faults).toEqual([]);
  expect(await provider?.read([WWW], new AbortController().signal)).toMatchObject([{ addresses: ['192.0.2.1'] }]);
  await provider?.close();
});

test('an address of an API that is none is a fault, and is not shown', () => {
  const { provider, faults } = madeRoute53(KEYS, { EDGEWISE_ROUTE53_API: 'http://user:word@127.0.0.1/' });
  expect(provider).toBeNull();
  expect(JSON.stringify(faults)).toContain('EDGEWISE_ROUTE53_API: expected');
  expect(JSON.stringify(faults)).not.toContain('word@');
});

test.each([
  [{ region: 'cn-north-1' }, { AWS_REGION: 'eu-west-1' }, 'cn-north-1'],
  [{}, { AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-west-2' }, 'eu-west-1'],
  [{}, { AWS_REGION: '', AWS_DEFAULT_REGION: 'eu-west-2' }, 'eu-west-2'],
  [{}, {}, 'us-east-1'],
])('%j and %j: region %s', async (keys, env, region) => {
  const { provider } = madeRoute53({ ...KEYS, ...keys, api: mock.url }, env);
  await provider?.read([WWW], new AbortController().signal);
  expect(mock.regions).toContain(region);
  await provider?.close();
});

test("AWS' client is loaded when it is first needed", () => {
  const dist = join(import.meta.dirname, '..', '..', '..', 'dist', 'publish', 'providers');
  const program = `
    import { createRequire } from 'node:module';
    import { madeRoute53 } from ${JSON.stringify(join(dist, 'route53-access.js'))};
    await import(${JSON.stringify(join(dist, 'registry.js'))});
    const isLoaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('client-route-53'));
    const { provider } = madeRoute53(${JSON.stringify({ ...KEYS, zone_id: 'Z1', api: 'http://127.0.0.1:9' })}, {});
    const before = isLoaded();
    await provider.read([{ name: 'www.example.test', type: 'A' }], AbortSignal.timeout(30_000)).catch(() => undefined);
    console.log(before, isLoaded());
    await provider.close();`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(output.trim()).toBe('false true');
});
