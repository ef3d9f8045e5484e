import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/types.ts';
import type { FailReason, Fetch, Sample } from '../../../src/health/checks/sample.ts';
import { edgesOf } from '../../../src/health/pools/pool.ts';
import {
  hasBadObject,
  lastAddresses,
  neededFiles,
  probePlan,
  probeTargets,
} from '../../../src/health/pools/round-input.ts';
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

const failed = (reason: FailReason | null): Fetch => ({
  address: '127.0.0.1',
  seconds: 10,
  fail: reason === null ? null : { reason, detail: '' },
  phases: { resolve: null, connect: null, tls: null, firstByte: null, total: 10 },
  attempts: 1,
  hops: 0,
  check: 'http',
  checks: [],
});
const sample = (reason: FailReason | null, other: FailReason | null = null): Sample => ({
  edge: 'e',
  at: 0,
  seconds: 10,
  fail: failed(reason).fail,
  primary: failed(reason),
  others: [failed(other)],
  stalledMs: 0,
});

// Specification section 4: "MD5 differs (incl. truncated …)".
test.each<[FailReason | null, boolean]>([
  ['checksum', true],
  ['truncated', true],
  ['too-large', true],
  ['status', false],
  ['timeout', false],
  ['reset', false],
  ['headers-too-large', false],
  [null, false],
])('a fetch that ended with %s is a verification failure: %s', (reason, expected) => {
  expect(hasBadObject(sample(reason))).toBe(expected);
  expect(hasBadObject(sample(null, reason))).toBe(expected);
});

test('no fetch is none', () => {
  expect(hasBadObject(null)).toBe(false);
});

describe('addresses to try when names cannot be looked up', () => {
  const files = { name: 'net', edges: ['a.test', 'b.test', 'c.test', '127.0.0.4', 'new.test'], canaries: new Map() };
  const live = (edge: string, v4: string | null, v6: string | null) => ({ edge, v4, v6, why: '' });
  const state = {
    addresses: new Map([
      ['b.test', ['127.0.0.2']],
      ['gone.test', ['127.0.0.9']],
      ['a.test', ['127.0.0.9']],
    ]),
    live: [live('c.test', '127.0.0.3', '::1'), live('b.test', '127.0.0.9', null), live('127.0.0.4', '127.0.0.4', null)],
  };

  test('those of the newest sample, else as saved, else as published; of names that are listed', () => {
    const samples = new Map([['a.test', sample(null)]]);
    const known = lastAddresses(files, state, samples);
    expect([...known.keys()]).toEqual(['a.test', 'b.test', 'c.test']);
    expect(known.get('a.test')).toEqual([sample(null).primary?.address, ...sample(null).others.map((f) => f.address)]);
    expect(known.get('b.test')).toEqual(['127.0.0.2']);
    expect(known.get('c.test')).toEqual(['127.0.0.3', '::1']);
    expect(probeTargets(files, known)).toContainEqual({ name: 'b.test', canary: false, lastAddresses: ['127.0.0.2'] });
    expect(probeTargets(files, known)).toContainEqual({ name: 'new.test', canary: false });
  });

  test('a sample without an address takes nothing back', () => {
    const none = { ...sample('resolve'), primary: null, others: [] };
    expect(lastAddresses(files, state, new Map([['b.test', none]])).get('b.test')).toEqual(['127.0.0.2']);
  });
});

test('an address that is a canary too is a canary only, however it is spelled', () => {
  const canaries = new Map([['x.test', '::0:9']]);
  expect(edgesOf({ name: 'net', edges: ['::9', '::8', '0::09'], canaries })).toEqual(['::8']);
});

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
