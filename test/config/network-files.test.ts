import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCanaries } from '../../src/config/canary-file.ts';
import { parseEdgeList } from '../../src/config/edge-list.ts';
import { listNetworks, readNetworkFiles } from '../../src/config/network-files.ts';
import type { Config } from '../../src/config/types.ts';
import { BASE, folderOf, parse } from './config-fixture.ts';

function configOf(folder: string, more = ''): Config {
  const { config } = parse(BASE + more, {}, join(folder, 'e.yaml'));
  if (config === null) throw new Error('the fixture does not load');
  return config;
}

/** Reads network `net` of a folder with these files; faults as `file:line:col severity code message`. */
function read(files: { readonly [path: string]: string }) {
  const folder = folderOf(files);
  const { files: network, faults } = readNetworkFiles(
    configOf(folder, 'extra_edgelist_dir: extra\ncanary_files: canaries/{dnet}\ncanary_killer: 0\n'),
    'net',
  );
  const said = faults.map(({ at, severity, code, message }) =>
    `${at?.file}:${at?.line}:${at?.col} ${severity} ${code} ${message}`.replaceAll(`${folder}/`, ''),
  );
  return { edges: network?.edges ?? null, canaries: [...(network?.canaries ?? [])], said };
}

test.each([
  [
    'names and addresses in their order',
    'b.test\n192.0.2.1\n2001:db8::1\na\n',
    ['b.test', '192.0.2.1', '2001:db8::1', 'a'],
    [],
  ],
  ['comments, blank lines, spaces, CRLF, BOM, no final newline', '\uFEFF# x\r\n\r\n  a  \r\n\tb', ['a', 'b'], []],
  ['an indented # is a comment, with a warning', 'a\n  #b\n', ['a'], ['edges/net:2:3 warning edge-name an indented #']],
  [
    'a comment behind an edge',
    'a\n b # c\n',
    null,
    ['edges/net:2:2 error edge-name expected one host name or address, got "b # c"'],
  ],
  ...[
    ['0.0.0.0', 'the unspecified address'],
    ['0.1.2.3', 'the unspecified address'],
    ['::', 'the unspecified address'],
    ['224.0.0.251', 'a multicast address'],
    ['239.255.255.255', 'a multicast address'],
    ['ff02::1', 'a multicast address'],
    ['fe80::1', 'a link-local address'],
    ['febf::1', 'a link-local address'],
    ['255.255.255.255', 'the broadcast address'],
    ['240.0.0.1', 'of a range that is reserved'],
    ['::ffff:127.0.0.1', 'an IPv4 address inside IPv6'],
    ['::FFFF:7f00:1', 'an IPv4 address inside IPv6'],
  ].map(([address, why]): [string, string, null, string[]] => [
    `no server's address: ${address}`,
    `${address}\n127.0.0.1\n`,
    null,
    [`edges/net:1:1 error edge-name ${address} cannot be an edge: it is ${why}`],
  ]),
  ['an address that only looks like one of those', '1.0.0.0\n::1\n', ['1.0.0.0', '::1'], []],
  ['an address out of range', '192.0.2.300\n', null, ['edges/net:1:1 error edge-name expected one host name']],
  ['a path', '../x\n', null, ['edges/net:1:1 error edge-name']],
  [
    'every bad line, in one go',
    'a b\nc\nd,e\n',
    null,
    ['edges/net:1:1 error edge-name', 'edges/net:3:1 error edge-name'],
  ],
  [
    'an edge twice, however it is spelled',
    'a.test\nA.test.\n2001:db8::1\n2001:DB8:0::1\n',
    ['a.test', '2001:db8::1'],
    [
      'edges/net:2:1 warning duplicate-edge A.test. is listed before, in edges/net:1',
      'edges/net:4:1 warning duplicate-edge 2001:DB8:0::1 is listed before',
    ],
  ],
  ['no edge', '# none\n', [], ['edges/net:1:1 warning no-edges lists no edge']],
])('edge list: %s', (_, list, edges, expected) => {
  const got = read({ 'edges/net': list });
  expect(got.edges).toEqual(edges);
  for (const [i, text] of expected.entries()) expect(got.said[i]).toContain(text);
  expect(got.said).toHaveLength(expected.length);
});

test('a missing edge list is an error, a missing extra list or canary file is none', () => {
  expect(read({ 'canaries/net': '' })).toEqual({
    edges: null,
    canaries: [],
    said: ['edges/net:1:1 error unreadable-file edge list: no such file'],
  });
  expect(read({ 'edges/net': 'a' })).toEqual({ edges: ['a'], canaries: [], said: [] });
});

test('extra edges come after the listed ones, duplicates across both only once', () => {
  expect(read({ 'edges/net': 'b\na\n', 'extra/net': 'c\nA\n' })).toMatchObject({
    edges: ['b', 'a', 'c'],
    said: ['extra/net:2:1 warning duplicate-edge A is listed before, in edges/net:2'],
  });
});

test('a list that is a folder is an error', () => {
  const folder = folderOf({});
  mkdirSync(join(folder, 'edges/net'), { recursive: true });
  expect(readNetworkFiles(configOf(folder), 'net')).toMatchObject({
    files: null,
    faults: [{ code: 'unreadable-file', message: 'edge list: is a folder, not a file' }],
  });
});

test.each([
  [
    'zones and addresses',
    'a.test: 192.0.2.9\nb.test.: "2001:db8::9"\n',
    [
      ['a.test', '192.0.2.9'],
      ['b.test', '2001:db8::9'],
    ],
    [],
  ],
  [
    'an address that is a number to YAML 1.1',
    'a.test: 2001:20:30:40:50:1:2:3\n',
    [['a.test', '2001:20:30:40:50:1:2:3']],
    [],
  ],
  ['an empty file', '', [], []],
  ['only comments', '# none\n', [], []],
  [
    'values that are no addresses are left out',
    'a.test: host.test\nb.test: 192.0.2.9\nc.test:\nd.test: [192.0.2.9]\n',
    [['b.test', '192.0.2.9']],
    [
      'canaries/net:1:9 warning canary-address the canary of a.test must be an address, got "host.test"',
      'canaries/net:3:1 warning canary-address',
      'canaries/net:4:1 warning canary-address',
    ],
  ],
  ['keys that are no zones', '"a..b": 192.0.2.9\n', [], ['canaries/net:1:1 warning canary-zone']],
  [
    'a zone twice: the last counts',
    'a.test: 192.0.2.9\na.test: 192.0.2.8\n',
    [['a.test', '192.0.2.8']],
    ['canaries/net:2:1 warning duplicate-key'],
  ],
  [
    'an edge of the network',
    'a.test: 192.0.2.1\n',
    [['a.test', '192.0.2.1']],
    ['canaries/net:1:9 warning canary-is-edge 192.0.2.1 is in the edge list too'],
  ],
])('canary file: %s', (_, text, canaries, expected) => {
  const got = read({ 'edges/net': '192.0.2.1\n', 'canaries/net': text });
  expect(got.canaries).toEqual(canaries);
  for (const [i, said] of expected.entries()) expect(got.said[i]).toContain(said);
  expect(got.said).toHaveLength(expected.length);
});

test.each([
  ['a list', '- a\n', 'canaries/net:1:1 error wrong-type expected a map from zones to addresses'],
  ['a text', 'a\n', 'canaries/net:1:1 error wrong-type'],
  ['an open quotation', 'a.test: "1\n', 'canaries/net:2:1 error yaml-syntax'],
])('a canary file that is %s is an error', (_, text, expected) => {
  const got = read({ 'edges/net': 'a', 'canaries/net': text });
  expect(got.edges).toBeNull();
  expect(got.said[0]).toContain(expected);
});

test('networks are the files of the folder, sorted, without what editors leave behind', () => {
  const names = ['b', 'a', 'c.d', '.hidden', 'a~', '#a#', 'a.bak', 'a.swp', 'a.dpkg-old', 'a.rpmsave'];
  const folder = folderOf(Object.fromEntries(names.map((name) => [`edges/${name}`, 'x'])));
  mkdirSync(join(folder, 'edges/folder'));
  symlinkSync('a', join(folder, 'edges/link'));
  symlinkSync('nowhere', join(folder, 'edges/broken'));
  symlinkSync('loop', join(folder, 'edges/loop'));
  expect(listNetworks(configOf(folder))).toEqual({ networks: ['a', 'b', 'c.d', 'link'], faults: [] });
});

test('a missing edgelist_dir is a fault', () => {
  expect(listNetworks(configOf('/nowhere'))).toMatchObject({
    networks: [],
    faults: [{ severity: 'error', code: 'unreadable-file', message: 'edgelist_dir: no such file' }],
  });
});

test.each(['..', '.', '', 'a/b', '../edges/net', 'net~'])('%j is no network, whatever files there are', (name) => {
  const folder = folderOf({ 'edges/net': 'a', 'edges/net~': 'a' });
  expect(readNetworkFiles(configOf(folder), name)).toMatchObject({ files: null, faults: [{ code: 'bad-value' }] });
});

test('no text makes reading throw', () => {
  const lines = fc.array(
    fc.constantFrom('a', '192.0.2.1', '#', ' #x', ': ', 'b: 1.2.3.4', '? ', '- ', '{', '*a', '&a ', '\r', '\uFEFF'),
  );
  const text = fc.oneof(
    fc.string(),
    lines.map((list) => list.join('\n')),
  );
  fc.assert(
    fc.property(text, (given) => {
      for (const { at } of [...parseEdgeList('f', given).faults, ...parseCanaries('f', given).faults]) {
        expect(at?.line).toBeGreaterThanOrEqual(1);
        expect(at?.col).toBeGreaterThanOrEqual(1);
      }
      for (const address of parseCanaries('f', given).canaries.values()) expect(address).toMatch(/^[\d.a-f:]+$/i);
    }),
    { numRuns: 300 },
  );
});

describe('canaries and the zones of their network', () => {
  const files = { 'edges/net': '127.0.0.1\n', 'zones/net/Example.COM.zone': '', 'zones/net/other.test.zone': '' };

  test.each<[string, string, [string, string][], string[]]>([
    ['as the include file is spelled', 'example.com: 127.0.0.9', [['Example.COM', '127.0.0.9']], []],
    ['in capitals', 'OTHER.TEST.: 127.0.0.9', [['other.test', '127.0.0.9']], []],
    [
      'for no zone',
      'othr.test: 127.0.0.9',
      [['othr.test', '127.0.0.9']],
      [
        'canaries/net:1:1 warning canary-zone the canary of othr.test is for no zone of this network (no othr.test.zone)',
      ],
    ],
    [
      'for one zone in two spellings: the last counts',
      'other.test: 127.0.0.8\nOther.Test: 127.0.0.9',
      [['other.test', '127.0.0.9']],
      ['canaries/net:2:1 warning canary-zone the canary of other.test is given twice'],
    ],
    [
      'one machine in two spellings',
      'other.test: "::0:9"\nexample.com: "::9"',
      [
        ['other.test', '::0:9'],
        ['Example.COM', '::0:9'],
      ],
      [],
    ],
    [
      "no server's address",
      'other.test: 0.0.0.0',
      [],
      ['canaries/net:1:13 warning canary-address the canary of other.test cannot be 0.0.0.0: it is the unspecified'],
    ],
  ])('%s', (_name, text, canaries, expected) => {
    const got = read({ ...files, 'canaries/net': text });
    expect(got.canaries).toEqual(canaries);
    expect(got.said).toHaveLength(expected.length);
    for (const [i, said] of expected.entries()) expect(got.said[i]).toContain(said);
  });
});
