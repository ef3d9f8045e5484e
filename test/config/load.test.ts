import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { z } from 'zod';
import { configSchema, loadConfig } from '../../src/config/load.ts';
import { forNetwork } from '../../src/config/paths.ts';
import { nameText, ROOT } from '../../src/dns/name.ts';
import { BASE, folderOf, parse } from './config-fixture.ts';

const REFERENCE = new URL('../../conf/edgemanage.yaml', import.meta.url).pathname;

test('the annotated reference loads without a fault', () => {
  const { config, faults } = loadConfig(REFERENCE);
  expect(faults).toEqual([]);
  expect(config?.staticZones).toHaveLength(1);
});

/** The reference with what is switched off in it switched on: lines whose `#` is not followed by one blank. */
function withExamples(): string {
  return readFileSync(REFERENCE, 'utf8').replace(/^( *)#(?=[^ #]| {2})/gm, '$1');
}

test('so it does with its examples switched on, but for the secrets that everybody makes for himself', () => {
  const key = `key "xfr.file.example.net" { algorithm hmac-sha256; secret "${Buffer.alloc(32, 7).toString('base64')}"; };`;
  const files = { '/nowhere/transfer.key': key };
  expect(parse(withExamples(), files).faults.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^server\.cookie_secret\[0\]: expected 32 hexadecimal digits/),
    'transfer.keys[0].secret: expected a secret in base64',
  ]);
  const own = withExamples()
    .replace('  - YOUR-OWN-SECRET', `  - ${'5a'.repeat(16)}`)
    .replace('YOUR-OWN-SECRET', Buffer.alloc(32, 9).toString('base64'));
  const folder = folderOf({
    'slack.url': 'https://hooks.example.net/s',
    'hooks.secret': 'x',
    'mail.password': 'y',
    'etcd.password': 'z',
    'admin.tokens': `anna ${'0'.repeat(48)}`,
    'read.tokens': `ben ${'1'.repeat(48)}`,
  });
  const secrets = ['slack.url', 'hooks.secret', 'mail.password', 'etcd.password', 'admin.tokens', 'read.tokens'];
  for (const file of secrets) chmodSync(join(folder, file), 0o600);
  const keys = { [join(folder, 'transfer.key')]: key };
  expect(parse(own, keys, join(folder, 'e.yaml'))).toMatchObject({
    faults: [],
    config: { transfer: { allow: { length: 3 } }, notices: { length: 5 }, vantage: { members: { length: 3 } } },
  });
});

test.each([
  ['in the file', 'ZXhhbXBsZSBvbmx5OiBtYWtlIHlvdXIgb3duIGtleQ==', ''],
  ['in a key file', '', 'YW4gZXhhbXBsZSBzZWNyZXQgZm9yIGEga2V5IGZpbGU='],
  ['from the page about secondaries', '5VJ2g2ZzPuxOEcpbMOjTUHn4l1hgYc5rVFAfYgRzxbQ=', ''],
  ['in a key file, from the page', '', '5VJ2g2ZzPuxOEcpbMOjTUHn4l1hgYc5rVFAfYgRzxbQ='],
])('a secret that was printed in an example is refused: %s', (_, inFile, inKeyFile) => {
  const keys = inFile === '' ? 'key_files: [k]' : `keys: [{name: a., algorithm: hmac-sha256, secret: "${inFile}"}]`;
  const { faults } = parse(`${BASE}transfer: {${keys}}\n`, {
    '/nowhere/k': `key "a" { algorithm hmac-sha256; secret "${inKeyFile}"; };`,
  });
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatchObject({
    severity: 'error',
    message: expect.stringMatching(/everybody knows it; make one/),
  });
  expect(faults[0].at?.line).toBe(inFile === '' ? 1 : 17);
});

test('the annotated reference names every key there is', () => {
  const doc = parseDocument(withExamples(), { version: '1.1' });
  const historic = ['command_reap_timeout', 'rotationhistory_store', 'soa_template'];
  const known = keysOf(configSchema).filter((key) => !historic.includes(key));
  expect(known.length).toBeGreaterThan(80);
  // A map from networks has no keys of its own.
  const written = writtenKeys(doc.contents).filter(
    (key) => !/^(?:dnet_edge_count|checks|judges|safety|publish|notices|vantage)\./.test(key),
  );
  expect(written.sort()).toEqual([...new Set(known)].sort());
});

test('what is left out gets its default', () => {
  const { config, faults } = parse(BASE, {}, '/etc/edgewise/edgemanage.yaml');
  expect(faults).toEqual([]);
  expect(config).toMatchObject({
    file: '/etc/edgewise/edgemanage.yaml',
    testobject: { port: 80, uri: '/object', local: '/etc/edgewise/object', verify: true },
    dns: { rotateZones: [], ttl: 60 },
    timeout: 10,
    testing: false,
    workers: 10,
    retry: 3,
    edgeCount: 4,
    dnschangeMaxfreq: 10,
    canaryKiller: 0,
    runFrequency: 60,
    settle: 1,
    extraEdgelistDir: null,
    namedDir: null,
    logpath: null,
    logLevel: 'info',
    statefile: '/etc/edgewise/state/{dnet}.state',
    stateDir: '/etc/edgewise/state',
    liveList: null,
    commands: { runBefore: [], runAfter: [], runAfterChanges: [] },
    server: {
      listen: [
        { address: '127.0.0.1', port: 53 },
        { address: '::1', port: 53 },
      ],
      tlsListen: [],
      ednsSize: 1232,
      tcpIdleSeconds: 30,
      tcpMessageSeconds: 10,
      tcpConnections: 1000,
      tcpConnectionsPerClient: 100,
      startupTimeoutSeconds: 30,
      rateLimit: null,
      minimal: false,
    },
    http: { listen: { address: '127.0.0.1', port: 8053 } },
    staticZones: [],
    transfer: { keys: [], allow: [], notify: [], notifyNs: false, catalog: null, watchSeconds: 10 },
  });
  expect(config?.server.udpWorkers).toBeGreaterThanOrEqual(1);
  expect(config?.server.cookieSecrets?.map((secret) => secret.length)).toEqual([16]);
});

test('a file in the manner of edgemanage: empty, quoted and false values', () => {
  const text = `---
${BASE.replace('proto: http\n', 'proto: https\n  port: "5000"\n  verify: no\n').replace('uri: /object', 'uri: object')}
extra_edgelist_dir:
named_dir: ~
live_list: /var/tmp/{dnet}.live
canary_files: canaries/{dnet}
canary_killer: False
dnet_edge_count:
testing: yes
timeout: 2
log_level: DEBUG
commands:
  run_before:
  run_after: []
  run_after_changes:
    - /usr/sbin/rndc reload
`;
  const { config, faults } = parse(
    text.replace('soa_mailbox: hostmaster.', 'rotate_zones:\n  soa_mailbox: host.master@'),
  );
  expect(faults.map(({ severity, message }) => `${severity} ${message}`)).toEqual([
    'warning dns.soa_mailbox: the @ is taken as a dot',
  ]);
  expect(config).toMatchObject({
    testobject: { port: 5000, verify: false, uri: '/object' },
    extraEdgelistDir: null,
    namedDir: null,
    canaryKiller: 0,
    timeout: 2,
    testing: true,
    logLevel: 'debug',
    dns: { rotateZones: [] },
    commands: { runBefore: [], runAfter: [], runAfterChanges: ['/usr/sbin/rndc reload'] },
  });
  expect(nameText(config?.dns.soaMailbox ?? ('\0' as never))).toBe('host\\.master.example.net.');
  expect(forNetwork(config?.liveList ?? '', 'a$&b')).toBe('/var/tmp/a$&b.live');
});

test.each([
  ['off', 'http: false\n', { http: null }],
  ['its default', 'http:\n', { http: { listen: { address: '127.0.0.1', port: 8053 } } }],
  [
    'a port alone is not enough, an address is',
    'http: {listen: "::1"}\n',
    { http: { listen: { address: '::1', port: 8053 } } },
  ],
  ['cookies off', 'server: {cookie_secret: false}\n', { server: { cookieSecrets: null } }],
  ['no rate limit', 'server: {rate_limit: false}\n', { server: { rateLimit: null } }],
  [
    'a rate limit with defaults',
    'server: {rate_limit: {}}\n',
    { server: { rateLimit: { perSecond: 20, slip: 2, ipv4Prefix: 24, ipv6Prefix: 56, whitelist: [], size: 262_144 } } },
  ],
  ['an empty section', 'server:\ntransfer:\nprobe:\ncommands:\n', { server: { ednsSize: 1232 } }],
  ['NSID as text', 'server: {nsid: ns1}\n', { server: { nsid: Uint8Array.of(0x6e, 0x73, 0x31) } }],
  ['NSID as octets', 'server: {nsid: "0x00fF"}\n', { server: { nsid: Uint8Array.of(0, 255) } }],
  [
    'one address to listen on',
    'server: {listen: 127.0.0.1:5300}\n',
    { server: { listen: [{ address: '127.0.0.1', port: 5300 }] } },
  ],
  [
    'port 0 twice',
    'server: {listen: ["127.0.0.1:0", "127.0.0.1:0"]}\n',
    { server: { listen: [{ port: 0 }, { port: 0 }] } },
  ],
  ['watching off', 'transfer: {watch: false}\n', { transfer: { watchSeconds: 0 } }],
  [
    'a catalog by its name alone',
    'transfer: {catalog: cat.}\n',
    { transfer: { catalog: { zone: '\x03cat\0', per: 'all' } } },
  ],
  ['state folder', 'state_dir: s\n', { stateDir: '/nowhere/s' }],
  ['a file called y', 'static_zone_dir: y\n', { staticZoneDir: '/nowhere/y' }],
  [
    'keys for transfers',
    'transfer:\n  keys: [{name: K.test, algorithm: HMAC-MD5.SIG-ALG.REG.INT., secret: "AQID"}]\n  allow: [{from: "2001:db8::/32", key: k.test., zones: A.test}]\n',
    {
      transfer: {
        keys: [{ name: '\x01k\x04test\0', algorithm: 'hmac-md5', secret: Uint8Array.of(1, 2, 3) }],
        allow: [{ from: { bits: 32 }, key: '\x01k\x04test\0', tls: false, networks: null, zones: ['\x01a\x04test\0'] }],
      },
    },
  ],
])('%s', (_, text, expected) => {
  const { config, faults } = parse(BASE + text);
  expect(faults).toEqual([]);
  expect(config).toMatchObject(expected);
});

test('keys from a file in the format of BIND', () => {
  const { config, faults } = parse(`${BASE}transfer: {key_files: a.key, notify: [{to: 127.0.0.1, key: a}]}\n`, {
    '/nowhere/a.key': 'key "a" { algorithm hmac-sha512; secret "AQID"; };',
  });
  expect(faults).toEqual([]);
  expect(config?.transfer.keys).toEqual([
    { name: '\x01a\0', algorithm: 'hmac-sha512', secret: Uint8Array.of(1, 2, 3) },
  ]);
});

test('faults of a key file come after those of the configuration, with the places of their own file', () => {
  const { config, faults } = parse(`${BASE}transfer: {key_files: [b.key, a.key]}\nworkers: 0\n`, {
    '/nowhere/a.key': '\nkey "a" { algorithm hmac-sha512; };',
  });
  expect(config).toBeNull();
  expect(faults.map(({ at, message }) => `${at?.file}:${at?.line}:${at?.col} ${message}`)).toEqual([
    '/nowhere/e.yaml:17:24 /nowhere/b.key: no such file',
    '/nowhere/e.yaml:18:10 workers: expected a number of parallel fetches, 1 to 10000, got 0',
    '/nowhere/a.key:2:1 key "a" lacks its secret',
  ]);
});

test('a folder of state files with {dnet} in it is left for the one above', () => {
  const { config } = parse(BASE.replace('state/{dnet}.state', '/var/x/{dnet}/state'));
  expect(config?.stateDir).toBe('/var/x');
});

test('a file that cannot be read is one fault', () => {
  const folder = folderOf({});
  mkdirSync(join(folder, 'dir'));
  for (const [name, said] of [
    ['absent.yaml', 'no such file'],
    ['dir', 'is a folder, not a file'],
  ]) {
    const { config, faults } = loadConfig(join(folder, name));
    expect(config).toBeNull();
    expect(faults).toMatchObject([
      { code: 'unreadable-file', message: said, at: { file: join(folder, name), line: 1 } },
    ]);
  }
});

test('paths that lead nowhere are warnings at their keys', () => {
  const folder = folderOf({ 'e.yaml': BASE });
  mkdirSync(join(folder, 'zones'));
  const { config, faults } = loadConfig(join(folder, 'e.yaml'));
  expect(config).not.toBeNull();
  expect(faults.map(({ severity, at }) => `${severity} ${at?.line}:${at?.col}`)).toEqual([
    'warning 5:10',
    'warning 12:15',
  ]);
});

test('networks that are named but not listed are warnings at their names', () => {
  const more =
    'dnet_edge_count: {net-a: 1, net-b: 2}\ntransfer:\n  allow: [{from: ::1, networks: [net-a, net-c]}]\n' +
    '  notify: [{to: ::1, networks: net-d}]\n' +
    'notices:\n  - {to: command, program: /bin/true, networks: [net-e, net-a, net-f]}\n';
  const folder = folderOf({ 'e.yaml': BASE + more, 'edges/net-a': 'x', 'zones/x': '', object: '' });
  const { config, faults } = loadConfig(join(folder, 'e.yaml'));
  expect(config?.dnetEdgeCount).toEqual(
    new Map([
      ['net-a', 1],
      ['net-b', 2],
    ]),
  );
  expect(
    faults.map(({ severity, code, at, message }) => `${severity} ${code} ${at?.line}:${at?.col} ${message}`),
  ).toEqual([
    'warning unknown-reference 17:29 no network "net-b": there is no such file in edgelist_dir',
    'warning unknown-reference 19:41 no network "net-c": there is no such file in edgelist_dir',
    'warning unknown-reference 20:32 no network "net-d": there is no such file in edgelist_dir',
    'warning unknown-reference 22:50 no network "net-e": there is no such file in edgelist_dir',
    'warning unknown-reference 22:64 no network "net-f": there is no such file in edgelist_dir',
  ]);
});

const MORE = `server: {listen: [127.0.0.1:5300], rate_limit: {size: 1024}}
transfer:
  keys:
    - {name: k., algorithm: hmac-sha256, secret: AQID}
  allow:
    - key: k.
dnet_edge_count:
  a: 1
`;

test('no text makes loading throw', () => {
  const lines = `${BASE}${MORE}`.split('\n');
  const word = fc.constantFrom(
    'a: ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '&x ',
    '*x',
    '<<: ',
    '!!',
    '? ',
    '"',
    "'",
    '|',
    '\t',
    ': ',
    '\n',
    '  ',
  );
  const mutated = fc
    .array(fc.tuple(fc.nat(lines.length - 1), fc.oneof(word, fc.string({ maxLength: 12 }))), { maxLength: 6 })
    .map((edits) => {
      const copy = [...lines];
      for (const [at, text] of edits)
        copy[at] = copy[at].slice(0, copy[at].length >> 1) + text + copy[at].slice(copy[at].length >> 1);
      return copy.join('\n');
    });
  const values = fc.dictionary(fc.constantFrom(...Object.keys(configSchema.shape), '__proto__', 'x'), fc.jsonValue());
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ maxLength: 60 }),
        fc.array(word, { maxLength: 30 }).map((words) => words.join('')),
        mutated,
        values.map((value) => JSON.stringify(value)),
      ),
      (text) => {
        const { config, faults } = parse(text);
        expect(config !== null || faults.some(({ severity }) => severity === 'error')).toBe(true);
        for (const { at } of faults) {
          if (at === null || at.text === '') continue;
          expect(at.col).toBeLessThanOrEqual(at.text.length + 1);
        }
      },
    ),
    { numRuns: 400 },
  );
}, 60_000);

/** `server.listen`, … of a schema, lists and optional parts looked through. */
function keysOf(schema: unknown, path = ''): string[] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([key, value]) => [path + key, ...keysOf(value, `${path}${key}.`)]);
  }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return keysOf(schema.unwrap(), path);
  if (schema instanceof z.ZodArray) return keysOf(schema.element, path);
  if (schema instanceof z.ZodPipe) return [...keysOf(schema.in, path), ...keysOf(schema.out, path)];
  return [];
}

function writtenKeys(node: unknown, path = ''): string[] {
  if (isSeq(node)) return [...new Set(node.items.flatMap((item) => writtenKeys(item, path)))];
  if (!isMap(node)) return [];
  return node.items.flatMap(({ key, value }) => {
    const name = path + String(isScalar(key) ? key.value : '');
    return [name, ...writtenKeys(value, `${name}.`)];
  });
}

test('names that are not ASCII are their A-labels, wherever a name stands', () => {
  const text = BASE.replace('host: www.example.com', 'host: www.bücher.test')
    .replace('    - ns1.example.net.', '    - ns1.bücher.test.')
    .replace('soa_nameserver: ns1.example.net.', 'soa_nameserver: ns1.BÜCHER.test.')
    .replace('soa_mailbox: hostmaster.example.net.', 'soa_mailbox: host.master@bücher.test.');
  const more =
    'static_zones: [{name: ő.test, file: x}]\ntransfer: {allow: [{from: 127.0.0.1, zones: [bücher.test]}]}\n';
  const { config, faults } = parse(text + more);
  expect(faults.map(({ message }) => message)).toEqual(['dns.soa_mailbox: the @ is taken as a dot']);
  expect(config?.testobject.host).toBe('www.xn--bcher-kva.test');
  expect(config?.dns.nsRecords.map(nameText)).toEqual(['ns1.xn--bcher-kva.test.']);
  expect(nameText(config?.dns.soaNameserver ?? ROOT)).toBe('ns1.xn--bcher-kva.test.');
  expect(nameText(config?.dns.soaMailbox ?? ROOT)).toBe('host\\.master.xn--bcher-kva.test.');
  expect(config?.staticZones.map(({ name }) => nameText(name))).toEqual(['xn--8fa.test.']);
  expect(config?.transfer.allow[0].zones?.map(nameText)).toEqual(['xn--bcher-kva.test.']);
});

test.each([
  ['static_zones: [{name: "b\u00fc cher.test", file: x}]', 'static_zones[0].name: expected a domain name'],
  ['static_zones: [{name: "b\u00fc/cher.test", file: x}]', 'static_zones[0].name: expected a domain name'],
  ['static_zones: [{name: "\u00ad.test", file: x}]', 'static_zones[0].name: expected a domain name'],
])('a name that has no A-label is an error: %s', (line, message) => {
  const { faults } = parse(`${BASE}${line}\n`);
  expect(faults.map((fault) => fault.message)).toEqual([expect.stringContaining(message)]);
});

test('a user who is not ASCII has no mailbox name', () => {
  const { faults } = parse(BASE.replace('hostmaster.example.net.', 'jürgen@example.net.'));
  const errors = faults.filter(({ severity }) => severity === 'error');
  expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('soa_mailbox: expected a mailbox')]);
});

test('include_dirs and zone_limits', () => {
  expect(parse(BASE).config?.zoneFiles).toEqual({
    includeDirs: [],
    limits: { records: 10_000_000, generated: 1_048_576, octets: 536_870_912 },
  });
  const { config } = parse(`${BASE}include_dirs: [/shared, more]\nzone_limits: {records: 5, generated: 0}\n`);
  expect(config?.zoneFiles).toEqual({
    includeDirs: ['/shared', '/nowhere/more'],
    limits: { records: 5, generated: 0, octets: 536_870_912 },
  });
  const { faults } = parse(`${BASE}include_dirs: /shared\nzone_limits: {records: 0, octets: 1e12, generate: 1}\n`);
  expect(faults.map(({ code }) => code).sort()).toEqual(['out-of-range', 'out-of-range', 'unknown-key', 'wrong-type']);
});

test("keys at the top that begin with x- are the operator's own, and may hold anchors", () => {
  const text = `x-notes: {anything: [1, {y: 2}]}\nx-server: &server {edns_size: 1400}\n${BASE}server: *server\n`;
  const { config, faults } = parse(text);
  expect(faults).toEqual([]);
  expect(config?.server.ednsSize).toBe(1400);
  const merged = parse(`x-a: &a {edns_size: 1400}\n${BASE}server: {<<: *a, nsid: one}\n`);
  expect(merged).toMatchObject({ faults: [], config: { server: { ednsSize: 1400 } } });
});

test.each([
  ['x_notes: 1\n', /unknown key "x_notes"/],
  ['server: {x-a: 1}\n', /unknown key "x-a"/],
])('other unknown keys stay errors: %s', (more, message) => {
  expect(parse(BASE + more).faults.map(({ message }) => message)).toEqual([expect.stringMatching(message)]);
});

test.each([
  'statefile',
  'lockfile',
  'healthdata_store',
  'zonetemplate_dir',
  'edgelist_dir',
  'named_dir',
  'state_dir',
  'logpath',
  'live_list',
])('%s: a path that begins with ~ would make a folder of that name', (key) => {
  for (const path of ['~/state', '~', '~edge/x']) {
    const text = `${BASE.replace(new RegExp(`^${key}: .*\n`, 'm'), '')}${key}: ${JSON.stringify(path)}\n`;
    const { faults } = parse(text);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({ severity: 'error', message: expect.stringContaining('"~" is the shell\'s') });
  }
});

test('two documents in one file: words for an operator', () => {
  const { faults } = parse(`${BASE}---\nb: 2\n`);
  expect(faults[0]).toMatchObject({
    at: { line: 17 },
    message: expect.stringMatching(/^a second document begins here/),
  });
  expect(faults.map(({ message }) => message).join()).not.toContain('parseAllDocuments');
});
