import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { vantage, vantageConfig } from '../../src/config/section-vantage.ts';
import { vantageSecretFaults, vantageTlsFiles } from '../../src/config/vantage-files.ts';
import { BASE, folderOf, parse } from './config-fixture.ts';

/** The section as one line, which is line 17 from column 10 on. The secrets' files are not there, which is no matter here. */
function faultsOf(text: string): readonly string[] {
  return parse(`${BASE}vantage: ${text}\n`)
    .faults.filter(({ message }) => !/: \/nowhere\/\S+: no such file; /.test(message))
    .map(({ severity, at, message }) => `${severity} ${at?.line}:${at?.col} ${message}`);
}

function configOf(text: string) {
  return vantageConfig(vantage.parse(parseYaml(text)), (path) => join('/etc/edgewise', path));
}

const ETCD =
  '{name: fra1, engine: etcd, endpoints: ["https://192.0.2.10:2379"], prefix: /edgewise/prod/, members: [fra1, ams1, lon1]}';
const PEERS =
  '{name: a, engine: peers, listen: "192.0.2.1:8061", key_file: peers.key, peers: [{name: b, url: "https://192.0.2.2:8061"}]}';
const etcdWith = (more: string): string => ETCD.replace(/}$/, `, ${more}}`);
const peersWith = (more: string): string => PEERS.replace(/}$/, `, ${more}}`);

test('without the section a server decides alone', () => {
  expect(parse(BASE).config?.vantage).toBeNull();
  expect(parse(`${BASE}vantage:\n`).config?.vantage).toBeNull();
});

test('etcd, with what is left out', () => {
  expect(faultsOf(ETCD)).toEqual([]);
  expect(configOf(ETCD)).toEqual({
    engine: 'etcd',
    name: 'fra1',
    endpoints: ['https://192.0.2.10:2379'],
    prefix: 'edgewise/prod',
    members: ['fra1', 'ams1', 'lon1'],
    quorum: 'majority',
    user: null,
    passwordFile: null,
    tls: { caFile: null, certFile: null, keyFile: null },
    lease: 5,
    timeout: 2,
  });
});

test('peers, with what is left out', () => {
  expect(faultsOf(PEERS)).toEqual([]);
  expect(configOf(PEERS)).toEqual({
    engine: 'peers',
    name: 'a',
    listen: { address: '192.0.2.1', port: 8061 },
    keyFile: '/etc/edgewise/peers.key',
    peers: [{ name: 'b', url: 'https://192.0.2.2:8061' }],
    minPeersAgree: 1,
    tls: { caFile: null, certFile: null, keyFile: null },
    timeout: 2,
  });
});

test('everything given', () => {
  const files = 'ca_file: ca.pem, cert_file: own.pem, key_file: own.key';
  expect(
    configOf(etcdWith(`quorum: 2, user: edgewise, password_file: pw, tls: {${files}}, lease: 10, timeout: 0.5`)),
  ).toMatchObject({
    quorum: 2,
    user: 'edgewise',
    passwordFile: '/etc/edgewise/pw',
    tls: { caFile: '/etc/edgewise/ca.pem', certFile: '/etc/edgewise/own.pem', keyFile: '/etc/edgewise/own.key' },
    lease: 10,
    timeout: 0.5,
  });
  expect(configOf(peersWith('min_peers_agree: 0, timeout: 3'))).toMatchObject({ minPeersAgree: 0, timeout: 3 });
  expect(configOf(etcdWith('lease: 2'))).toMatchObject({ timeout: 1 });
});

test.each([
  ['https://192.0.2.10:2379', 'https://192.0.2.10:2379'],
  ['HTTPS://Etcd.Example.NET:02379/', 'https://etcd.example.net:2379'],
  ['http://[2001:DB8::1]:80', 'http://[2001:db8::1]:80'],
])('an endpoint %s is %s', (given, read) => {
  expect(configOf(ETCD.replace('https://192.0.2.10:2379', given))).toMatchObject({ endpoints: [read] });
});

test.each([
  '192.0.2.10:2379',
  'https://192.0.2.10',
  'https://192.0.2.10:2379/v3',
  'https://192.0.2.10:2379/?a',
  'https://user:pw@192.0.2.10:2379',
  'https://192.0.2.10:0',
  'https://192.0.2.10:65536',
  'https://192.0.2.10:23790000',
  'https://[2001:db8::zz]:2379',
  'https://2001:db8::1:2379',
  'ftp://192.0.2.10:2379',
  'https://a b:2379',
  'https://:2379',
])('%s is no endpoint', (given) => {
  expect(faultsOf(ETCD.replace('https://192.0.2.10:2379', given))).toEqual([
    expect.stringMatching(
      /^error 17:\d+ vantage\.endpoints\[0\]: expected a URL with a port and without a path, such as https:/,
    ),
  ]);
});

const LIST = 'members: [fra1, ams1, lon1]';

test.each([
  ['something else', '7', 'vantage: expected a section, such as {name: a, engine: peers, …}, got 7'],
  ['no engine', '{name: a}', 'vantage.engine: missing; expected the engine by which vantages agree: etcd or peers'],
  [
    'another engine',
    '{name: a, engine: raft}',
    'vantage.engine: expected the engine by which vantages agree: etcd or peers, got "raft"',
  ],
  ['a slip in a key', etcdWith('qorum: all'), 'unknown key "qorum", did you mean "quorum"?'],
  [
    'a key of the other engine',
    etcdWith('min_peers_agree: 1'),
    'unknown key "min_peers_agree"; known here: engine, name, endpoints',
  ],
  ['a name with a space', PEERS.replace('name: a', 'name: f 1'), 'vantage.name: expected a name of up to 64 letters'],
  [
    'a name that is no member',
    ETCD.replace('fra1', 'fra'),
    'vantage.name: "fra" is not in vantage.members; did you mean "fra1"?',
  ],
  [
    'a member twice',
    ETCD.replace('lon1', 'ams1'),
    'vantage.members[2]: "ams1" is given twice; each vantage has one vote',
  ],
  [
    'one member',
    ETCD.replace(LIST, 'members: [fra1]'),
    'vantage.members: expected the names of all vantages, this one among them: at least two, got a list',
  ],
  [
    'ten members',
    ETCD.replace(LIST, 'members: [fra1, b, c, d, e, f, g, h, i, j]'),
    'vantage.members: expected at most 9 vantages',
  ],
  [
    'no endpoint',
    ETCD.replace('"https://192.0.2.10:2379"', ''),
    'vantage.endpoints: expected at least one URL of etcd',
  ],
  [
    'an endpoint twice',
    ETCD.replace('2379"', '2379", "HTTPS://192.0.2.10:2379/"'),
    'vantage.endpoints[1]: "https://192.0.2.10:2379" is given twice',
  ],
  [
    'a prefix with a space',
    ETCD.replace('/edgewise/', '/edge wise/'),
    'vantage.prefix: expected the beginning of our keys in etcd',
  ],
  [
    'a prefix with nothing between slashes',
    ETCD.replace('/edgewise/', '/edgewise//'),
    'vantage.prefix: expected the beginning',
  ],
  [
    'a quorum of none',
    etcdWith('quorum: 0'),
    'vantage.quorum: expected majority, any, all, or the number of vantages that must see an edge down, got 0',
  ],
  ['a quorum of one and a half', etcdWith('quorum: 1.5'), 'vantage.quorum: expected majority'],
  [
    'a quorum of more than there are',
    etcdWith('quorum: 4'),
    'vantage.quorum: expected at most 3, the number of vantage.members, got 4; no edge would ever be down',
  ],
  ['a lease of a second', etcdWith('lease: 1'), 'vantage.lease: expected seconds, 2 to 60, got 1'],
  [
    'a timeout of a lease',
    etcdWith('timeout: 5'),
    'vantage.timeout: expected less than the lease of 5 s, got 5; one slow request would cost the decider its lease',
  ],
  [
    'a timeout of nothing',
    peersWith('timeout: 0'),
    'vantage.timeout: expected seconds, greater than 0, at most 60, got 0',
  ],
  ['a user without a password', etcdWith('user: u'), 'vantage.password_file: missing; user needs it'],
  ['a password without a user', etcdWith('password_file: u'), 'vantage.user: missing; password_file needs it'],
  [
    'a certificate without its key',
    etcdWith('tls: {cert_file: c}'),
    'vantage.tls.key_file: missing; cert_file needs it',
  ],
  ['a key without a certificate', peersWith('tls: {key_file: c}'), 'vantage.tls.cert_file: missing; key_file needs it'],
  [
    'no key of peers',
    PEERS.replace('key_file: peers.key, ', ''),
    'vantage.key_file: missing; expected the file that holds the key which all peers share',
  ],
  ['no peer', PEERS.replace(/\[\{.*\}\]/, '[]'), 'vantage.peers: expected at least one peer'],
  [
    'a peer that is this one',
    PEERS.replace('name: b', 'name: a'),
    'vantage.peers[0].name: "a" is this vantage itself; expected only the others',
  ],
  [
    'a peer twice',
    PEERS.replace('}]', '}, {name: b, url: "http://192.0.2.3:8061"}]'),
    'vantage.peers[1].name: "b" is the name of another peer already',
  ],
  [
    'an address twice',
    PEERS.replace('}]', '}, {name: c, url: "https://192.0.2.2:8061"}]'),
    'vantage.peers[1].url: "https://192.0.2.2:8061" is the address of another peer already',
  ],
  [
    'a peer without an address',
    PEERS.replace(', url: "https://192.0.2.2:8061"', ''),
    'vantage.peers[0].url: missing; expected a URL with a port',
  ],
  [
    'a password in the address',
    PEERS.replace('//192.0.2.2', '//u:p4ss@192.0.2.2'),
    'vantage.peers[0].url: expected a URL with a port and without a path',
  ],
  [
    'more agreeing than there are',
    peersWith('min_peers_agree: 2'),
    'vantage.min_peers_agree: expected at most 1, the number of vantage.peers, got 2; no change would ever be believed',
  ],
  [
    'fewer than none',
    peersWith('min_peers_agree: -1'),
    'vantage.min_peers_agree: expected a number of peers, 0 to 8, got -1',
  ],
  ['no address to listen on', PEERS.replace('192.0.2.1:8061', 'here'), 'vantage.listen: expected an address and port'],
])('%s is an error', (_, text, message) => {
  const found = faultsOf(text);
  expect(found).toEqual([expect.stringMatching(/^error 17:\d+ /)]);
  expect(found[0].replace(/17:\d+ /, '')).toContain(`error ${message}`);
  expect(found[0]).not.toContain('p4ss');
});

test.each([
  [
    'a password by http',
    etcdWith('user: u, password_file: p').replace('https', 'http'),
    ['vantage.endpoints[0]: by http the password crosses the network in the clear; https keeps it secret'],
  ],
  [
    'a password by http to this host',
    etcdWith('user: u, password_file: p').replace('https://192.0.2.10', 'http://127.0.0.1'),
    [],
  ],
  ['http without a password', ETCD.replace('https', 'http'), []],
  [
    'authorities for nothing',
    etcdWith('tls: {ca_file: c}').replace('https', 'http'),
    ['vantage.tls.ca_file: has no effect unless an endpoint begins with https'],
  ],
  [
    'authorities for no peer',
    peersWith('tls: {ca_file: c, cert_file: c, key_file: k}').replace('https', 'http'),
    ['vantage.tls.ca_file: has no effect unless the url of a peer begins with https'],
  ],
])('%s', (_, text, messages) => {
  expect(faultsOf(text)).toEqual(
    messages.map((message) => expect.stringMatching(/^warning 17:\d+ /) && expect.stringContaining(message)),
  );
});

test('files of secrets: missing, readable for everybody, sound', () => {
  const folder = folderOf({
    'open.key': 'x'.repeat(16),
    'own.key': '5a'.repeat(32),
    'empty.key': '\n',
    'odd.key': 'x'.repeat(32),
  });
  chmodSync(join(folder, 'open.key'), 0o644);
  chmodSync(join(folder, 'own.key'), 0o600);
  const of = (file: string) => {
    const config = vantageConfig(vantage.parse(parseYaml(PEERS.replace('peers.key', file))), (path) =>
      join(folder, path),
    );
    return vantageSecretFaults(config).map(({ severity, code, path, message }) => ({ severity, code, path, message }));
  };
  const at = { severity: 'warning', path: ['vantage', 'key_file'] };
  expect(of('own.key')).toEqual([]);
  expect(of('none.key')).toEqual([
    {
      ...at,
      code: 'unreadable-file',
      message: expect.stringMatching(/none\.key: .*; no peer can be asked without it$/),
    },
  ]);
  chmodSync(join(folder, 'odd.key'), 0o600);
  expect(of('odd.key')).toEqual([
    {
      ...at,
      code: 'unreadable-file',
      message: expect.stringContaining('the line can be read as the key itself or base64'),
    },
  ]);
  expect(of('empty.key')).toEqual([{ ...at, code: 'unreadable-file', message: expect.stringContaining('is empty') }]);
  expect(of('open.key')).toEqual([{ ...at, code: 'open-secret', message: expect.stringContaining('chmod o-r') }]);
  expect(JSON.stringify([of('open.key'), of('empty.key')])).not.toContain('xxx');
  const etcd = configOf(etcdWith('user: u, password_file: nowhere'));
  expect(vantageSecretFaults(etcd)).toMatchObject([
    { path: ['vantage', 'password_file'], message: expect.stringMatching(/; etcd cannot be asked without it$/) },
  ]);
  expect(vantageTlsFiles(configOf(etcdWith('tls: {ca_file: c}')))).toMatchObject([
    { path: ['vantage', 'tls', 'ca_file'], file: '/etc/edgewise/c' },
  ]);
});

test.each([
  ['a slip in a key', etcdWith('qorum: all'), 'qorum: all'],
  ['a member twice', ETCD.replace('lon1', 'ams1'), 'ams1]'],
  ['a quorum of more than there are', etcdWith('quorum: 4'), '4}'],
  ['a user without a password', etcdWith('user: u'), 'user: u'],
  ['a peer that is this one', PEERS.replace('name: b', 'name: a'), 'a, url'],
  ['more agreeing than there are', peersWith('min_peers_agree: 2'), '2}'],
])('the place of %s', (_, text, there) => {
  const line = `vantage: ${text}`;
  const [fault] = parse(`${BASE}${line}\n`).faults;
  expect(line.slice((fault.at?.col ?? 0) - 1)).toMatch(new RegExp(`^${there}`));
});
