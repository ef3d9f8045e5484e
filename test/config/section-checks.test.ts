import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { pingForbidden } from '../../src/system/icmp-socket.ts';
import { BASE, folderOf, parse } from './config-fixture.ts';

/** The checks of `net`, written from line 17 on. */
function plan(text: string) {
  const { config, faults } = parse(`${BASE}checks:\n  net: ${text}\n`);
  const places = faults.map(({ severity, at, message }) => `${severity} ${at?.line}:${at?.col} ${message}`);
  return { plan: config?.checks.get('net'), places };
}

test('without the section no network has checks of its own', () => {
  expect(parse(BASE).config?.checks).toEqual(new Map());
  expect(parse(`${BASE}checks:\n`).config?.checks).toEqual(new Map());
});

test.each([
  ['a list: all must pass', '[{kind: http}]', 'all', ['http']],
  ['a section', '{combine: any, of: [{kind: http}, {kind: http}]}', 'any', ['http', 'http-2']],
  ['a section that says no more than the list', '{of: [{kind: http}]}', 'all', ['http']],
  ['names', '[{kind: http, name: web}, {kind: http}]', 'all', ['web', 'http']],
  ['a name that is the kind of another', '[{kind: http}, {kind: http, name: http}]', 'all', ['http-2', 'http']],
  ['three of a kind', '[{kind: http}, {kind: http}, {kind: http}]', 'all', ['http', 'http-2', 'http-3']],
  [
    'a name such as was made up',
    '[{kind: http}, {kind: http, name: http-2}, {kind: http}]',
    'all',
    ['http', 'http-2', 'http-3'],
  ],
  [
    'ports',
    '[{kind: tcp, port: 25}, {kind: tcp, port: 443}, {kind: tcp, port: 443}]',
    'all',
    ['tcp', 'tcp:443', 'tcp-2'],
  ],
])('%s', (_, text, combine, names) => {
  const got = plan(text);
  expect(got.places).toEqual([]);
  expect(got.plan?.combine).toBe(combine);
  expect(got.plan?.of.map(({ name }) => name)).toEqual(names);
});

test('the options of http', () => {
  const text = `[{kind: http, host: a.test, port: 8443, scheme: https, uri: health, status: [200-299, 301, "404"], verify: no,
    body: {sha256: ${'AB'.repeat(32)}}, headers: {X-Health: "yes"}}, {kind: http, status: 200, body: {file: object.bin}}]`;
  const { places, plan: got } = plan(text);
  expect(places).toEqual([]);
  expect(got?.of).toMatchObject([
    {
      host: 'a.test',
      port: 8443,
      scheme: 'https',
      uri: '/health',
      status: [
        [200, 299],
        [301, 301],
        [404, 404],
      ],
      verify: false,
      body: { sha256: 'ab'.repeat(32), file: null },
      headers: { 'X-Health': 'yes' },
    },
    { status: [[200, 200]], body: { file: '/nowhere/object.bin' }, uri: null },
  ]);
});

test('the options of command', () => {
  const text =
    '[{kind: command, program: /bin/true}, {kind: command, program: /bin/x, args: [], ok: [0, 1], unknown: 3}]';
  const { places, plan: got } = plan(text);
  expect(places).toEqual([]);
  expect(got?.of).toMatchObject([
    { name: 'command', program: '/bin/true', args: ['{edge}', '{address}'], ok: [0], unknown: [] },
    { name: 'command-2', program: '/bin/x', args: [], ok: [0, 1], unknown: [3] },
  ]);
});

test('programs are looked for', () => {
  const text = `${BASE}checks:
  net-a:
    - {kind: command, program: /bin/true}
    - {kind: command, program: /nowhere/check}
    - {kind: command, program: /bin}
    - {kind: command, program: /etc/passwd}
`;
  const folder = folderOf({ 'e.yaml': text, 'edges/net-a': 'x', 'zones/x': '', object: '' });
  const { faults } = loadConfig(join(folder, 'e.yaml'));
  expect(faults.map(({ severity, at, message }) => `${severity} ${at?.line}:${at?.col} ${message}`)).toEqual([
    'warning 20:32 checks.net-a[1].program: no file at /nowhere/check; no edge can be judged by it',
    'error 21:32 checks.net-a[2].program: /bin is a folder, expected a file',
    expect.stringMatching(/^error 22:32 checks\.net-a\[3\]\.program: \/etc\/passwd is not executable: .*EACCES/),
  ]);
});

test('the options of dns, and what they are without', () => {
  const text = `[{kind: dns, query: A.Test}, {kind: dns, port: 5353, transport: tcp, query: b.test., type: mx, rcode: nxdomain,
    data: [10 a.test, 20 b.test], match: any}, {kind: dns, query: ".", type: TYPE65280, data: '\\# 1 00'}]`;
  const { places, plan: got } = plan(text);
  expect(places).toEqual([]);
  const more = { timeout: null, data: null, rcode: 0 };
  expect(got?.of).toEqual([
    { ...more, kind: 'dns', name: 'dns', port: 53, transport: 'udp', query: '\x01a\x04test\0', type: 6, match: 'all' },
    {
      ...{ ...more, kind: 'dns', name: 'dns:5353', port: 5353, transport: 'tcp', query: '\x01b\x04test\0', type: 15 },
      ...{ rcode: 3, data: ['10 a.test', '20 b.test'], match: 'any' },
    },
    {
      ...{ ...more, kind: 'dns', name: 'dns:53', port: 53, transport: 'udp', query: '\0', type: 65_280 },
      ...{ data: ['\\# 1 00'], match: 'all' },
    },
  ]);
});

test('the options of icmp, and what they are without', () => {
  const text = '[{kind: icmp}, {kind: icmp, count: 1}, {kind: icmp, count: 20, max_loss: 12.5, interval: 0.5}]';
  const { places, plan: got } = plan(text);
  expect(places).toEqual([]);
  expect(got?.of).toEqual([
    { kind: 'icmp', name: 'icmp', timeout: null, count: 3, max_loss: 50, interval: 0.2 },
    { kind: 'icmp', name: 'icmp-2', timeout: null, count: 1, max_loss: 50, interval: 0.2 },
    { kind: 'icmp', name: 'icmp-3', timeout: null, count: 20, max_loss: 12.5, interval: 0.5 },
  ]);
});

test('where the system forbids ICMP it is said, once', () => {
  const text = `${BASE}checks: {net-a: [{kind: http}, {kind: icmp}, {kind: icmp}]}\n`;
  const folder = folderOf({ 'e.yaml': text, 'edges/net-a': 'x', 'zones/x': '', object: '' });
  const { faults } = loadConfig(join(folder, 'e.yaml'));
  const forbidden = pingForbidden();
  expect(faults.map(({ severity, at, message }) => `${severity} ${at?.line}:${at?.col} ${message}`)).toEqual(
    forbidden === null
      ? []
      : [`warning 17:39 checks.net-a[1].kind: ${forbidden.message}; until then checks by icmp say nothing`],
  );
});

describe('faults stand where they were written', () => {
  test.each([
    [
      'an unknown kind',
      '[{kind: htp}]',
      /^error 18:16 checks\.net\[0\]\.kind: expected a kind of check \(.*http.*\), got "htp"$/,
    ],
    [
      'an unknown kind in a section',
      '{of: [{kind: 7}]}',
      /^error 18:21 checks\.net\.of\[0\]\.kind: expected a kind of check .*, got 7$/,
    ],
    ['no kind', '[{timeout: 3}]', /^error 18:\d+ checks\.net\[0\]\.kind: missing; expected a kind of check/],
    [
      'a check that is none',
      '[http]',
      /^error 18:9 checks\.net\[0\]: expected a check, such as \{kind: http\}, got "http"$/,
    ],
    ['an unknown key', '[{kind: http, timout: 3}]', /^error 18:22 unknown key "timout", did you mean "timeout"\?$/],
    [
      'an unknown key beside of',
      '{of: [{kind: http}], combin: any}',
      /^error 18:\d+ unknown key "combin", did you mean "combine"\?$/,
    ],
    [
      'an unknown way to combine',
      '{of: [{kind: http}], combine: most}',
      /^error 18:38 checks\.net\.combine: expected all or any, got "most"$/,
    ],
    ['no checks', '[]', /^error 18:8 checks\.net: expected at least one check/],
    [
      'too many',
      `[${Array(17).fill('{kind: http}').join(', ')}]`,
      /^error 18:8 checks\.net: expected at most 16 checks/,
    ],
    [
      'a word',
      'http',
      /^error 18:8 checks\.net: expected a list of checks, or a section with combine and of, got "http"$/,
    ],
    [
      'a timeout that is none',
      '[{kind: http, timeout: soon}]',
      /^error 18:31 checks\.net\[0\]\.timeout: expected seconds, .*, got "soon"$/,
    ],
    [
      'a timeout beyond the whole',
      '[{kind: http, timeout: 11}]',
      /^error 18:31 checks\.net\[0\]\.timeout: expected at most 10, /,
    ],
    [
      'a name twice',
      '[{kind: http, name: a}, {kind: http, name: a}]',
      /^error 18:\d+ checks\.net\[1\]\.name: another check of net has the name "a" already/,
    ],
    ['no port', '[{kind: tcp}]', /^error 18:\d+ checks\.net\[0\]\.port: missing; expected a port, 1 to 65535$/],
    [
      'an authority without TLS',
      '[{kind: tcp, port: 25, verify: ca.pem}]',
      /^warning 18:31 checks\.net\[0\]\.verify: has no effect unless tls is true$/,
    ],
    [
      'octets that are none',
      '[{kind: tcp, port: 25, expect: 220}]',
      /^error 18:39 checks\.net\[0\]\.expect: expected what must come, 1 to 1024 octets of text, got 220$/,
    ],
    [
      'too many octets',
      `[{kind: tcp, port: 25, send: ${'x'.repeat(1025)}}]`,
      /^error 18:37 checks\.net\[0\]\.send: expected what is sent once connected, 1 to 1024 octets/,
    ],
    [
      'no program',
      '[{kind: command}]',
      /^error 18:\d+ checks\.net\[0\]\.program: missing; expected the absolute path of a program/,
    ],
    [
      'a program that is not absolute',
      '[{kind: command, program: check_smtp -H}]',
      /^error 18:34 checks\.net\[0\]\.program: expected the absolute path of a program, .*, got "check_smtp -H"$/,
    ],
    [
      'an argument that is no text',
      '[{kind: command, program: /bin/true, args: [-p, 25]}]',
      /^error 18:56 checks\.net\[0\]\.args\[1\]: expected an argument as text .*, got 25$/,
    ],
    [
      'a placeholder that is none',
      '[{kind: command, program: /bin/true, args: ["{adress}", "{address}", "{}", "a{b}"]}]',
      /^warning 18:52 checks\.net\[0\]\.args\[0\]: \{adress\} is passed on as it is/,
    ],
    [
      'an exit status that is none',
      '[{kind: command, program: /bin/true, ok: [0, 256]}]',
      /^error 18:53 checks\.net\[0\]\.ok\[1\]: expected an exit status, 0 to 255, got 256$/,
    ],
    [
      'an exit status with two meanings',
      '[{kind: command, program: /bin/true, ok: [0, 1], unknown: 1}]',
      /^error 18:\d+ checks\.net\[0\]\.unknown: the exit status 1 passes already/,
    ],
    [
      'an exit status with two meanings, one of them by default',
      '{of: [{kind: command, program: /bin/true, unknown: [3, 0]}]}',
      /^error 18:\d+ checks\.net\.of\[0\]\.unknown: the exit status 0 passes already/,
    ],
    [
      'a status that is none',
      '[{kind: http, status: [200, 20]}]',
      /^error 18:\d+ checks\.net\[0\]\.status\[1\]: expected a status code or a range of them, such as 200 or 200-299, got 20$/,
    ],
    [
      'a range the wrong way round',
      '[{kind: http, status: 299-200}]',
      /^error 18:\d+ checks\.net\[0\]\.status: expected a status code or a range/,
    ],
    [
      'two bodies',
      `[{kind: http, body: {text: ok, md5: ${'a'.repeat(32)}}}]`,
      /^error 18:\d+ checks\.net\[0\]\.body: expected exactly one of file, md5, sha256, text, got a section$/,
    ],
    ['no body', '[{kind: http, body: {}}]', /^error 18:\d+ checks\.net\[0\]\.body: expected exactly one of/],
    [
      'half a digest',
      '[{kind: http, body: {sha256: abcd}}]',
      /^error 18:\d+ checks\.net\[0\]\.body\.sha256: expected a SHA-256 digest in 64 hexadecimal digits, got "abcd"$/,
    ],
    [
      'a field that is ours',
      '[{kind: http, headers: {HOST: x}}]',
      /^error 18:\d+ checks\.net\[0\]\.headers: expected none of host, connection/,
    ],
    [
      'a field twice, in another case of letters',
      '[{kind: http, headers: {X-Health: a, x-health: b}}]',
      /^error 18:\d+ checks\.net\[0\]\.headers: expected each field once/,
    ],
    [
      'a field with a line in it',
      '[{kind: http, headers: {X: "a\\r\\nHost: b"}}]',
      /^error 18:\d+ checks\.net\[0\]\.headers\.X: expected 1 to 1024 printable/,
    ],
    [
      'a name with a line in it',
      '[{kind: http, headers: {"X: a\\r\\nY": b}}]',
      /^error 18:\d+ checks\.net\[0\]\.headers: expected names of header fields/,
    ],
    [
      'a URL for a path',
      '[{kind: http, uri: "http://x/"}]',
      /^error 18:\d+ checks\.net\[0\]\.uri: expected the path of the test object, not a URL/,
    ],
    ['no query', '[{kind: dns}]', /^error 18:\d+ checks\.net\[0\]\.query: missing; expected a domain name$/],
    [
      'no request',
      '[{kind: icmp, count: 0}]',
      /^error 18:29 checks\.net\[0\]\.count: expected a number of echo requests, 1 to 20, got 0$/,
    ],
    [
      'all may be lost',
      '[{kind: icmp, max_loss: 100}]',
      /^error 18:32 checks\.net\[0\]\.max_loss: expected per cent of the requests, 0 to 99, got 100$/,
    ],
    [
      'requests without end',
      '[{kind: icmp, count: 20, interval: 1}]',
      /^error 18:43 checks\.net\[0\]: 20 requests with 1 s between them take longer than the timeout of 10 s$/,
    ],
    [
      'requests beyond the timeout of the check',
      '[{kind: icmp, count: 6, timeout: 1}]',
      /^error 18:29 checks\.net\[0\]: 6 requests with 0\.2 s between them take longer than the timeout of 1 s$/,
    ],
    [
      'less than one may be lost',
      '[{kind: icmp, max_loss: 30}]',
      /^warning 18:22 checks\.net\[0\]\.max_loss: has no effect: it is less than one of 3 requests$/,
    ],
    [
      'time between one request',
      '[{kind: icmp, count: 1, interval: 1}]',
      /^warning 18:32 checks\.net\[0\]\.interval: has no effect: it is the time between requests, and there is one$/,
    ],
    [
      'a query that is no name',
      '[{kind: dns, query: a..b}]',
      /^error 18:28 checks\.net\[0\]\.query: expected a domain name, got "a\.\.b"$/,
    ],
    [
      'a type that no zone holds',
      '[{kind: dns, query: a.test, type: AXFR}]',
      /^error 18:42 checks\.net\[0\]\.type: expected a type of record, such as SOA, A or TYPE65280, got "AXFR"$/,
    ],
    [
      'a code that is none',
      '[{kind: dns, query: a.test, rcode: NXDOMIAN}]',
      /^error 18:43 checks\.net\[0\]\.rcode: expected a response code \(NOERROR, FORMERR, .*\), got "NXDOMIAN"$/,
    ],
    [
      'data of another type',
      '[{kind: dns, query: a.test, type: A, data: [127.0.0.1, "::1"]}]',
      /^error 18:63 checks\.net\[0\]\.data\[1\]: expected the data of a record of type A: "::1" is not an IPv4 address$/,
    ],
    [
      'data that is not in a list',
      '[{kind: dns, query: a.test, type: A, data: a.test}]',
      /^error 18:\d+ checks\.net\[0\]\.data(?:\[0\])?: expected the data of a record of type A: "a\.test" is not an IPv4 address/,
    ],
    [
      'no status code that passes',
      '[{kind: http, status: []}]',
      /^error 18:\d+ checks\.net\[0\]\.status: expected at least one status code or range of them/,
    ],
    [
      'no exit status that passes',
      '[{kind: command, program: /bin/true, ok: []}]',
      /^error 18:\d+ checks\.net\[0\]\.ok: expected at least one exit status/,
    ],
    [
      'data without a record',
      '[{kind: dns, query: a.test, data: []}]',
      /^error 18:42 checks\.net\[0\]\.data: expected the data of at least one record/,
    ],
    [
      'too much data',
      `[{kind: dns, query: a.test, type: A, data: [${Array(65).fill('127.0.0.1').join(', ')}]}]`,
      /^error 18:\d+ checks\.net\[0\]\.data: expected the data of at most 64 records/,
    ],
    [
      'a way to match nothing',
      '[{kind: dns, query: a.test, match: any}]',
      /^warning 18:36 checks\.net\[0\]\.match: has no effect unless data is given$/,
    ],
    [
      'a name with a slash',
      '[{kind: http, name: a/b}]',
      /^error 18:28 checks\.net\[0\]\.name: expected a name of up to 64/,
    ],
  ])('%s', (_, text, fault) => {
    const { places } = plan(text);
    expect(places).toEqual([expect.stringMatching(fault)]);
  });

  test('a map is expected', () => {
    const { faults } = parse(`${BASE}checks: [{kind: http}]\n`);
    expect(faults.map(({ message }) => message)).toEqual([
      'checks: expected a map from networks to their checks, got a list',
    ]);
  });

  test('a network that is not there', () => {
    const text = `${BASE}checks: {net-a: [{kind: http}], net-b: [{kind: http}]}\n`;
    const folder = folderOf({ 'e.yaml': text, 'edges/net-a': 'x', 'zones/x': '', object: '' });
    const { faults } = loadConfig(join(folder, 'e.yaml'));
    expect(faults.map(({ code, at, message }) => `${code} ${at?.line}:${at?.col} ${message}`)).toEqual([
      'unknown-reference 17:33 no network "net-b": there is no such file in edgelist_dir',
    ]);
  });

  test('files that are not there, and a folder', () => {
    const text = `${BASE}checks:\n  a: [{kind: tcp, port: 1, tls: true, verify: ca.pem}]\n  b: {of: [{kind: http, body: {file: sub}}]}\n`;
    const folder = folderOf({ 'e.yaml': text, 'edges/a': 'x', 'edges/b': 'x', 'zones/x': '', 'sub/x': '', object: '' });
    const { config, faults } = loadConfig(join(folder, 'e.yaml'));
    expect(config).not.toBeNull();
    expect(faults.map(({ severity, at, message }) => `${severity} ${at?.line}:${at?.col} ${message}`)).toEqual([
      `warning 18:47 checks.a[0].verify: no file at ${folder}/ca.pem; no edge can be judged without it`,
      `warning 19:38 checks.b.of[0].body.file: ${folder}/sub is a folder, expected a file`,
    ]);
  });
});
