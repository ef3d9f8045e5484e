import { expect, test } from 'vitest';
import type { EtcdVantage } from '../../../src/config/section-vantage.ts';
import type { Config, NetworkFiles } from '../../../src/config/types.ts';
import { configHash } from '../../../src/health/pools/config-hash.ts';
import { BASE, parse } from '../../config/config-fixture.ts';

const NET = 'net';

function configOf(text: string): Config {
  const { config } = parse(`${BASE}${text}`);
  if (config === null) throw new Error(`no configuration: ${text}`);
  return config;
}

const FILES: NetworkFiles = {
  name: NET,
  edges: ['a.example', '192.0.2.1'],
  canaries: new Map([['z.example', '192.0.2.9']]),
};
const VANTAGE: EtcdVantage = {
  engine: 'etcd',
  name: 'ams',
  endpoints: ['http://127.0.0.1:2379'],
  prefix: 'edgewise',
  members: ['ams', 'fra', 'lon'],
  quorum: 'majority',
  user: null,
  passwordFile: null,
  tls: { caFile: null, certFile: null, keyFile: null },
  lease: 10,
  timeout: 5,
};
const PLAIN = configHash(configOf(''), FILES, VANTAGE);

test.each<[string, string, Partial<NetworkFiles>, Partial<EtcdVantage>]>([
  ['the order of edges', '', { edges: ['192.0.2.1', 'a.example'] }, {}],
  ['where files lie', 'state_dir: /elsewhere\n', {}, {}],
  ['who we are and how we reach the store', '', {}, { name: 'fra', endpoints: ['http://127.0.0.2:2379'], timeout: 9 }],
  ['the order of members', '', {}, { members: ['lon', 'fra', 'ams'] }],
  [
    'references, which are near each machine',
    `safety: {${NET}: {reference: [{address: 127.0.0.1, kind: tcp, port: 1}]}}\n`,
    {},
    {},
  ],
])('alike: %s', (_, text, files, vantage) => {
  const config = configOf(text);
  // A section of safety rules without any is no other way to decide.
  const plain = text.includes('safety')
    ? configHash(
        configOf(`safety: {${NET}: {reference: [{address: 127.0.0.9, kind: tcp, port: 9}]}}\n`),
        FILES,
        VANTAGE,
      )
    : PLAIN;
  expect(configHash(config, { ...FILES, ...files }, { ...VANTAGE, ...vantage })).toBe(plain);
});

test.each<[string, string, Partial<NetworkFiles>, Partial<EtcdVantage>]>([
  ['an edge more', '', { edges: [...FILES.edges, '192.0.2.2'] }, {}],
  ['a canary less', '', { canaries: new Map() }, {}],
  ['how often they are asked', 'run_frequency: 30\n', {}, {}],
  ['how edges are judged', `judges: {${NET}: {rise_fall: {rise: 2, fall: 3}}}\n`, {}, {}],
  ['what they are asked', `checks: {${NET}: [{kind: tcp, port: 443}]}\n`, {}, {}],
  ['how many are needed', `safety: {${NET}: {min_up: 2}}\n`, {}, {}],
  ['a member more', '', {}, { members: ['ams', 'fra', 'lon', 'nyc'] }],
  ['the quorum', '', {}, { quorum: 'all' }],
])('different: %s', (_, text, files, vantage) => {
  const found = configHash(configOf(text), { ...FILES, ...files }, { ...VANTAGE, ...vantage });
  expect(found).toMatch(/^[0-9a-f]{16}$/);
  expect(found).not.toBe(PLAIN);
});
