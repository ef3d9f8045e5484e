import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/types.ts';
import { neededFiles, probePlan } from '../../../src/health/pools/probe-plan.ts';
import { Installation } from '../../support/installation.ts';

async function withConfig(keys: Readonly<Record<string, unknown>>, use: (config: Config) => void): Promise<void> {
  const site = await Installation.make({ edges: ['127.0.0.1'], keys });
  try {
    const { config } = loadConfig(site.path('edgemanage.yaml'));
    if (config === null) throw new Error('no configuration');
    use(config);
  } finally {
    await site.remove();
  }
}

function readAtMost(config: Config, object: Uint8Array): number | undefined {
  const [check] = probePlan(config, 'mynet', {
    objects: new Map([[config.testobject.local, object]]),
    authorities: new Map(),
  }).checks;
  return check.kind === 'http' ? check.maxBytes : undefined;
}

test('no more is read of a body than tells that it is another object', () =>
  withConfig({}, (config) => {
    expect(readAtMost(config, new Uint8Array(5000))).toBe(5000 + 65_536);
    expect(readAtMost(config, new Uint8Array(0))).toBe(65_536);
    expect(readAtMost(config, new Uint8Array(config.maxObjectBytes))).toBe(config.maxObjectBytes);
  }));

test('nor more than is allowed', () =>
  withConfig({ probe: { max_object_bytes: 1000 } }, (config) => {
    expect(readAtMost(config, new Uint8Array(10))).toBe(1000);
  }));

test('a network without an http check needs no test object, only the authorities that it names', () =>
  withConfig(
    {
      checks: {
        mynet: [{ kind: 'tcp', port: 443, tls: true, host: 'a.test.', verify: 'ca.pem', send: 'é', timeout: 3 }],
        other: [{ kind: 'http' }],
      },
    },
    (config) => {
      const needed = neededFiles(config, 'mynet');
      expect(needed.objects.size).toBe(0);
      const [[file, key]] = [...needed.authorities];
      expect(file).toMatch(/^\/.*\/ca\.pem$/);
      expect(key).toBe('verify of tcp');
      const plan = probePlan(config, 'mynet', { objects: new Map(), authorities: new Map([[file, 'PEM']]) });
      expect(plan.checks).toEqual([
        {
          kind: 'tcp',
          name: 'tcp',
          timeout: 3,
          port: 443,
          tls: { name: 'a.test', verify: true, ca: 'PEM' },
          send: Buffer.from('é'),
          expect: null,
        },
      ]);
      expect([...neededFiles(config, 'other').objects.keys()]).toEqual([config.testobject.local]);
      expect([...neededFiles(config, 'third').objects.keys()]).toEqual([config.testobject.local]);
    },
  ));

test('what an http check leaves out is taken from the test object, which is compared unless it asks for another', () =>
  withConfig(
    {
      checks: {
        mynet: [
          { kind: 'http', port: 8080 },
          { kind: 'http', uri: '/health', scheme: 'https' },
          { kind: 'http', uri: '/x', body: { file: 'other' } },
        ],
      },
    },
    (config) => {
      const { objects, maxBytes } = neededFiles(config, 'mynet');
      expect([...objects.values()]).toEqual(['testobject.local', 'body.file of http-3']);
      const files = new Map([...objects.keys()].map((path) => [path, Buffer.from('object')]));
      const { checks } = probePlan(config, 'mynet', { objects: files, authorities: new Map() });
      const { host, uri } = config.testobject;
      const digest = 'a8cfde6331bd59eb2ac96f8911c4b666';
      expect(checks).toMatchObject([
        { name: 'http', host, uri, port: 8080, proto: 'http', body: { kind: 'md5', digest }, maxBytes: 6 + 65_536 },
        { name: 'http-2', host, uri: '/health', port: 443, proto: 'https', body: null, maxBytes },
        { name: 'http-3', host, uri: '/x', port: config.testobject.port, body: { kind: 'md5', digest } },
      ]);
    },
  ));
