import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { edgemanageYaml } from '../../src/config/goavail-convert.ts';
import { type GoavailUse, parseGoavail } from '../../src/config/goavail-file.ts';
import { loadConfig } from '../../src/config/load.ts';
import { readNetworkFiles } from '../../src/config/network-files.ts';
import { BASE, folderOf, parse } from './config-fixture.ts';

const TOML = `failure_threshold = 3
interval = 5
port = 8443
slack_addr = "T0/B0/verysecret"
[Members]
peers = ["127.0.0.2:8080", "[::1]:8080"]
local_addr = "127.0.0.1:8080"
min_peers_agree = 1
crypto_key = "verysecret678901"
[Cloudflare]
dns_domain = "example.test"
dns_proxied = true
hostnames = ["cloud", "www.example.test"]
ip_addresses = ["127.0.0.11", "::1", "127.0.0.12"]
[Route53]
aws_domain = "no.test"
hostnames = ["yes"]
ip_addresses = ["127.0.0.13"]
ttl = 30
aws_zoneid = "Z1"
`;

function convert(use: GoavailUse, toml = TOML): string {
  const { goavail, faults } = parseGoavail('/nowhere/goavail.toml', toml, use);
  if (goavail === null) throw new Error(JSON.stringify(faults));
  return edgemanageYaml(goavail, 'mynet');
}

const TCP: GoavailUse = { type: 'tcp', provider: 'cloudflare' };

test('what is printed loads, once the files are made that it lists', () => {
  const text = convert(TCP);
  const folder = folderOf({ 'edgemanage.yaml': text });
  const lines = [...text.matchAll(/^# {3}(\S.*)$/gm)].map(([, line]) => line).filter((line) => !line.startsWith('-'));
  execFileSync('sh', ['-e'], { cwd: folder, input: lines.join('\n') });
  writeFileSync(join(folder, 'peers.key'), 'raw:verysecret678901\n', { mode: 0o600 });
  const { config, faults } = loadConfig(join(folder, 'edgemanage.yaml'));
  expect(faults).toEqual([]);
  expect(config?.vantage).toMatchObject({
    engine: 'peers',
    name: '127.0.0.1-8080',
    listen: { address: '127.0.0.1', port: 8080 },
    keyFile: join(folder, 'peers.key'),
    peers: [
      { name: '127.0.0.2-8080', url: 'http://127.0.0.2:8080' },
      { name: '1--8080', url: 'http://[::1]:8080' },
    ],
    minPeersAgree: 1,
  });
  if (config === null) throw new Error('no configuration');
  expect(config.checks.get('mynet')).toMatchObject({ combine: 'all', of: [{ kind: 'tcp', port: 8443 }] });
  expect(config.judges.get('mynet')).toEqual({ kind: 'rise_fall', rise: 3, fall: 3 });
  expect(config).toMatchObject({ runFrequency: 5, edgeCount: 3, retry: 1, timeout: 10, dns: { ttl: 300 } });
  expect(readNetworkFiles(config, 'mynet').files?.edges).toEqual(['127.0.0.11', '::1', '127.0.0.12']);
  expect(readFileSync(join(folder, 'zones/mynet/cloud.example.test.zone'), 'utf8')).toBe('');
});

test('what is not carried out yet stands in comments, without secrets', () => {
  const text = convert(TCP);
  expect(text).toContain(
    '#   - {provider: cloudflare, network: mynet, token_file: cloudflare.token, zone: example.test, names: [cloud.example.test., www.example.test.], proxied: true}',
  );
  expect(text).toContain('put crypto_key, with "raw:" before');
  expect(text).toContain('# notices:');
  expect(text).not.toContain('verysecret');
});

test('members that are no vantages are said', () => {
  const members = (lines: string): string => convert(TCP, TOML.replace(/^peers = [\s\S]*?^crypto_key.*$/m, lines));
  const many = Array.from({ length: 9 }, (_, i) => `"127.0.1.${i}:80"`).join(', ');
  for (const [lines, why] of [
    ['peers = ["127.0.0.2:80"]\nlocal_addr = "node-a:80"', 'local_addr is a name'],
    ['peers = ["127.0.0.1"]\nlocal_addr = "127.0.0.1:80"', 'peers has this node alone'],
    [`peers = [${many}]\nlocal_addr = "127.0.0.1:80"`, 'there are 9 peers, and at most 8 are asked'],
    [
      'peers = ["127.0.0.1", "127.0.0.2"]\nlocal_addr = "127.0.0.1:80"\nmin_peers_agree = 2',
      'min_peers_agree is more than the 1 other peers',
    ],
  ] as const) {
    const text = members(lines);
    expect(text).toContain(`# Vantage points: [Members] cannot be converted, since ${why}`);
    expect(text).not.toMatch(/^vantage:/m);
  }
  expect(members('')).toContain('# Vantage points: goavail.toml has no peers, or no local_addr.');
  const open = members('peers = ["127.0.0.2"]\nlocal_addr = "127.0.0.1"');
  expect(open).toContain('# `openssl rand -hex 32` and put it into the file peers.key of every node');
  expect(open).toContain('    - {name: 127.0.0.2-80, url: "http://127.0.0.2:80"}\n  min_peers_agree: 0');
});

test('Route 53, with names that YAML takes for something else', () => {
  const text = convert({ type: 'tcp', provider: 'route53' });
  expect(text).toContain('ttl: 30 # Route53.ttl');
  expect(text).toContain('  host: no.test\n');
  expect(text).toContain(
    '#   - {provider: route53, network: mynet, zone_id: Z1, zone: no.test, names: [yes.no.test.], ttl: 30, weighted: {weight: 0}}',
  );
});

test.each(['cloudflare', 'route53'] as const)('what keeps the records at %s is a target that loads', (provider) => {
  const lines = /^# publish:\n#( .*)$/m.exec(convert({ type: 'tcp', provider }));
  const { config, faults } = parse(`${BASE}publish:\n${lines?.[1]}\n`.replaceAll('mynet', 'net'));
  expect(faults).toEqual([]);
  expect(config?.publish).toMatchObject([
    provider === 'cloudflare'
      ? { names: ['cloud.example.test', 'www.example.test'] }
      : { names: ['yes.no.test'], ttl: 30, weighted: { set_identifier: null, weight: 0 } },
  ]);
});

test('more addresses than can be live', () => {
  const many = Array.from({ length: 70 }, (_, i) => `"127.0.1.${i}"`).join(', ');
  const text = convert(TCP, TOML.replace(/^ip_addresses = \["127.0.0.11".*$/m, `ip_addresses = [${many}]`));
  expect(text).toContain('edge_count: 64\n');
  expect(text).toContain('# There are 70 of them; at most 64 can be live here.');
});

test('a file with a line feed in its name stays in its comment', () => {
  const { goavail } = parseGoavail('/nowhere/a\nedge_count: 1', TOML, TCP);
  if (goavail === null) throw new Error('no value');
  const folder = folderOf({});
  writeFileSync(join(folder, 'e.yaml'), edgemanageYaml(goavail, 'mynet'));
  expect(loadConfig(join(folder, 'e.yaml')).config?.edgeCount).toBe(3);
});
