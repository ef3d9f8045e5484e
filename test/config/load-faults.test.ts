import { expect, test } from 'vitest';
import { formatFault } from '../../src/system/fault.ts';
import { BASE, parse } from './config-fixture.ts';

/** `text`: lines that come after `BASE`, so the first is line 17; or a function that edits it. */
type Row = {
  readonly name: string;
  readonly text: string | ((base: string) => string);
  /** `line:col severity code message`, in this order; the message may be its beginning. */
  readonly faults: readonly string[];
};

const rows: readonly Row[] = [
  {
    name: 'unknown key at the top, with the word that was meant',
    text: 'goodenuff: 1\n',
    faults: ['17:1 error unknown-key unknown key "goodenuff", did you mean "goodenough"?'],
  },
  {
    name: 'unknown key without a likeness',
    text: 'zzzz: 1\n',
    faults: ['17:1 error unknown-key unknown key "zzzz"'],
  },
  {
    name: 'unknown key in a section lists the known ones',
    text: 'http:\n  zzzzzz: 1\n',
    faults: ['18:3 error unknown-key unknown key "zzzzzz"; known here: listen'],
  },
  {
    name: 'several unknown keys of one section, each at its own place',
    text: 'server: {lisen: "::1", udp_worker: 2}\n',
    faults: [
      '17:10 error unknown-key unknown key "lisen", did you mean "listen"?',
      '17:24 error unknown-key unknown key "udp_worker", did you mean "udp_workers"?',
    ],
  },
  {
    name: 'a word that only breaks off is completed rather than corrected',
    text: (base) => base.replace('proto: http', 'prot: http'),
    faults: [
      '1:1 error missing-key testobject.proto: missing; expected http or https',
      '3:3 error unknown-key unknown key "prot", did you mean "proto"?',
    ],
  },
  {
    name: 'hyphens and capitals',
    text: 'Edge-Count: 3\n',
    faults: ['17:1 error unknown-key unknown key "Edge-Count", did you mean "edge_count"?'],
  },
  {
    name: 'required key missing at the top',
    text: (base) => base.replace('lockfile: lock\n', ''),
    faults: ['1:1 error missing-key lockfile: missing; expected a file'],
  },
  {
    name: 'required section missing',
    text: (base) => base.replace(/testobject:\n(?: {2}.*\n)*/, ''),
    faults: ['1:1 error missing-key testobject: missing; expected the section testobject'],
  },
  {
    name: 'required value left empty',
    text: (base) => base.replace('lockfile: lock', 'lockfile:'),
    faults: ['16:1 error wrong-type lockfile: expected a file, got nothing'],
  },
  {
    name: 'word for a number',
    text: 'edge_count: four\n',
    faults: ['17:13 error wrong-type edge_count: expected a number of edges, 1 to 64, got "four"'],
  },
  {
    name: 'fraction for a whole number',
    text: 'workers: 2.5\n',
    faults: ['17:10 error bad-value workers: expected a number of parallel fetches, 1 to 10000, got 2.5'],
  },
  {
    name: 'number out of range',
    text: 'server:\n  edns_size: 100\n',
    faults: ['18:14 error out-of-range server.edns_size: expected a number of octets, 512 to 4096, got 100'],
  },
  {
    name: 'infinity',
    text: (base) => base.replace('0.7', '.inf'),
    faults: ['11:13 error wrong-type goodenough: expected seconds, greater than 0, at most 3600, got Infinity'],
  },
  {
    name: 'list for a section',
    text: 'http: [1]\n',
    faults: ['17:7 error wrong-type http: expected a section with keys and values, got a list'],
  },
  {
    name: 'section for a text',
    text: (base) => base.replace('lockfile: lock', 'lockfile: {a: 1}'),
    faults: ['16:11 error wrong-type lockfile: expected a file, got a section'],
  },
  {
    name: 'goodenough at the timeout (specification 12.3)',
    text: (base) => base.replace('0.7', '10'),
    faults: ['11:13 error out-of-range goodenough: expected less than the timeout of 10 s, got 10'],
  },
  {
    name: 'goodenough over the timeout of a test set-up',
    text: (base) => `${base.replace('0.7', '3')}testing: true\ntimeout: 2\n`,
    faults: ['11:13 error out-of-range goodenough: expected less than the timeout of 2 s, got 3'],
  },
  {
    name: 'a timeout that has no effect',
    text: 'timeout: 5\n',
    faults: ['17:1 warning ignored timeout: has no effect unless testing is true; the timeout is 10 s'],
  },
  {
    name: 'NS without its final dot',
    text: (base) => base.replace('- ns1.example.net.', '- ns1.example.net'),
    faults: ['8:7 error bad-value dns.ns_records[0]: expected a domain name that ends with a dot'],
  },
  {
    name: 'no NS at all',
    text: (base) => base.replace(/ns_records:\n.*/, 'ns_records: []'),
    faults: ['7:15 error bad-value dns.ns_records: expected at least one name server, got a list'],
  },
  {
    name: 'SOA names without a final dot are whole names, with a warning',
    text: (base) => base.replace('soa_mailbox: hostmaster.example.net.', 'soa_mailbox: hostmaster.example.net'),
    faults: ['10:16 warning bad-value dns.soa_mailbox: no final dot; taken as a whole name'],
  },
  {
    name: 'an empty label',
    text: (base) => base.replace('soa_nameserver: ns1.', 'soa_nameserver: ns1..'),
    faults: ['9:19 error bad-value dns.soa_nameserver: expected a domain name, got "ns1..example.net."'],
  },
  {
    name: 'absolute name among rotate_zones',
    text: (base) => base.replace('dns:\n', 'dns:\n  rotate_zones: [www, www.example.com.]\n'),
    faults: ['7:23 error bad-value dns.rotate_zones[1]: expected a label relative to each zone, such as www'],
  },
  {
    name: 'host with a space',
    text: (base) => base.replace('www.example.com', 'www example'),
    faults: ['2:9 error bad-value testobject.host: expected a host name, got "www example"'],
  },
  {
    name: 'unknown protocol',
    text: (base) => base.replace('proto: http', 'proto: gopher'),
    faults: ['3:10 error bad-value testobject.proto: expected http or https, got "gopher"'],
  },
  {
    name: 'https without a port',
    text: (base) => base.replace('proto: http', 'proto: https'),
    faults: ['3:10 warning ignored testobject.port: not given, so https goes to port 80; say 443 if that is meant'],
  },
  {
    name: 'addresses to listen on',
    text: 'server:\n  listen: ["1.2.3.4:99999", "::1:53:x", 53, "localhost:53"]\n',
    faults: [
      '18:12 error bad-value server.listen[0]: expected an address and port such as',
      '18:29 error bad-value server.listen[1]: expected an address and port such as',
      '18:41 error wrong-type server.listen[2]: expected an address and port such as',
      '18:45 error bad-value server.listen[3]: expected an address and port such as',
    ],
  },
  {
    name: 'one address to listen on, not in a list',
    text: 'http:\n  listen: nowhere\n',
    faults: ['18:11 error bad-value http.listen: expected an address and port'],
  },
  {
    name: 'the same address twice',
    text: 'server:\n  listen: ["127.0.0.1:53", 127.0.0.1]\n',
    faults: ['18:28 error bad-value server.listen: 127.0.0.1 port 53 is already in server.listen'],
  },
  {
    name: 'http.tls without a certificate to use',
    text: 'http:\n  tls: true\n',
    faults: [
      '18:8 error missing-key http.tls: there are no server.tls_certificate and server.tls_key to use; give {cert: FILE, key: FILE}',
    ],
  },
  {
    name: 'http.tls with half of it, and clients without TLS',
    text: 'http:\n  tls: {cert: c.pem}\n  admin: {}\n',
    faults: [
      '18:8 error missing-key http.tls.key: missing; a certificate needs its key',
      '19:10 error missing-key http.admin: needs tokens, clients or both; nobody can be told apart without',
    ],
  },
  {
    name: 'client certificates without TLS',
    text: 'http:\n  admin: {clients: ca.pem}\n  read: {}\n',
    faults: [
      '18:20 error missing-key http.admin.clients: client certificates need http.tls',
      '19:3 error missing-key http.read.tokens: missing; expected a file with a name and a token in each line',
    ],
  },
  {
    name: 'TLS without a certificate',
    text: 'server:\n  tls_listen: 127.0.0.1\n  tls_key: k.pem\n',
    faults: ['18:3 error missing-key server.tls_certificate: missing; tls_listen needs a certificate and its key'],
  },
  {
    name: 'transfers over TLS alone, and no TLS',
    text: 'transfer:\n  allow: [{from: 127.0.0.1, tls: true}]\n',
    faults: ['18:34 warning ignored transfer.allow[0].tls: nobody can come over TLS without server.tls_listen'],
  },
  {
    name: 'prefixes',
    text: 'transfer:\n  allow:\n    - from: 10.0.0.1/8\n    - from: 10.0.0.0/33\n    - from: "fe80::1%eth0"\n',
    faults: [
      '19:13 error bad-value transfer.allow[0].from: expected an address or a prefix',
      '20:13 error bad-value transfer.allow[1].from: expected an address or a prefix',
      '21:13 error bad-value transfer.allow[2].from: expected an address or a prefix',
    ],
  },
  {
    name: 'NOTIFY where it cannot go or come from',
    text: `transfer:
  notify:
    - to: 0.0.0.0
    - to: "[::]:5353"
    - to: "127.0.0.1:0"
    - to: 224.0.0.1
    - to: "ff02::1"
    - {to: 192.0.2.5, from: 127.0.0.1}
    - {to: 192.0.2.5, from: "2001:db8::1"}
    - {to: "2001:db8::5", from: "::1"}
    - {to: 192.0.2.5, from: eth0}
    - {to: 192.0.2.5, from: 239.0.0.1}
    - {to: 127.0.0.2, from: 127.0.0.1}
    - {to: "fe80::5%eth0", from: "fe80::1%eth0"}
    - {to: 192.0.2.5, from: 192.0.2.1}
`,
    faults: [
      '19:11 error bad-value transfer.notify[0].to: 0.0.0.0 is every address of this machine, not one',
      '20:11 error bad-value transfer.notify[1].to: :: is every address of this machine, not one',
      '21:11 error bad-value transfer.notify[2].to: nobody listens on port 0',
      '22:11 error bad-value transfer.notify[3].to: 224.0.0.1 is not the address of one server',
      '23:11 error bad-value transfer.notify[4].to: ff02::1 is not the address of one server',
      '24:29 error bad-value transfer.notify[5].from: 127.0.0.1 reaches this machine only, and 192.0.2.5 is elsewhere',
      '25:29 error bad-value transfer.notify[6].from: 2001:db8::1 and 192.0.2.5 are not of the same family',
      '26:33 error bad-value transfer.notify[7].from: ::1 reaches this machine only, and 2001:db8::5 is elsewhere',
      '27:29 error bad-value transfer.notify[8].from: expected an address such as 192.0.2.53 or 2001:db8::53',
      '28:29 error bad-value transfer.notify[9].from: 239.0.0.1 is not an address of this machine',
    ],
  },
  {
    name: 'an access rule for everybody must say so',
    text: 'transfer:\n  allow:\n    - networks: [a]\n',
    faults: ['19:7 error missing-key transfer.allow[0]: needs from, key or both'],
  },
  {
    name: 'a key that nobody defined',
    text: 'transfer:\n  allow: [{key: a.}]\n  notify: [{to: 127.0.0.1, key: b.}]\n',
    faults: [
      '18:17 error unknown-reference transfer.allow[0].key: no key a. in transfer.keys or transfer.key_files',
      '19:33 error unknown-reference transfer.notify[0].key: no key b. in transfer.keys or transfer.key_files',
    ],
  },
  {
    name: 'keys: unknown algorithm, bad base64, name twice; neither value nor line is shown beside a secret',
    text: 'transfer:\n  keys:\n    - {name: k., algorithm: hmac-sha257, secret: "c2VjcmV0"}\n    - name: K.\n      algorithm: hmac-sha256\n      secret: "not base64!"\n',
    faults: [
      '19:29 error bad-value transfer.keys[0].algorithm: expected hmac-sha256, hmac-sha384',
      '20:13 error duplicate-key transfer.keys[1].name: the key k. is given twice',
      '22:15 error bad-value transfer.keys[1].secret: expected a secret in base64',
    ],
  },
  {
    name: 'a key file that is not there',
    text: 'transfer:\n  key_files: [none.key]\n',
    faults: ['18:15 error unreadable-file /nowhere/none.key: no such file'],
  },
  {
    name: 'cookie secrets',
    text: 'server:\n  cookie_secret:\n    - 00112233445566778899aabbccddee00\n    - abc\n',
    faults: ['20:7 error bad-value server.cookie_secret[1]: expected 32 hexadecimal digits (16 octets)'],
  },
  {
    name: 'static zones',
    text: 'static_zones:\n  - {name: a.test, file: a}\n  - {name: A.TEST., file: b}\n  - {file: c}\n',
    faults: [
      '19:12 error bad-value static_zones[1].name: a.test. is given twice',
      '20:5 error missing-key static_zones[2].name: missing; expected a domain name',
    ],
  },
  {
    name: 'a key given twice: the last one counts, as in edgemanage',
    text: 'edge_count: 2\nedge_count: 3\n',
    faults: ['18:1 warning duplicate-key "edge_count" is given more than once; the last one counts'],
  },
  {
    name: 'keys of other edgemanage versions',
    text: 'command_reap_timeout: 2\nsoa_template: /x\n',
    faults: [
      '17:1 warning ignored command_reap_timeout: a key of some edgemanage version that has no effect here',
      '18:1 warning ignored soa_template: a key of some edgemanage version that has no effect here',
    ],
  },
  {
    name: 'canaries without a killer',
    text: 'canary_files: c\n',
    faults: ['17:1 warning missing-key canary_killer: not given'],
  },
  {
    name: 'a tab as indentation, and a mistake above it; what may be missing below is not reported',
    text: (base) => base.replace('www.example.com', '"a b"').replace('  soa_mailbox', '\tsoa_mailbox'),
    faults: [
      '2:9 error bad-value testobject.host: expected a host name, got "a b"',
      '10:1 error yaml-syntax Tabs are not allowed as indentation',
    ],
  },
  {
    name: 'two open brackets',
    text: 'server: {listen: [',
    faults: ['17:19 error yaml-syntax ', '17:19 error yaml-syntax '],
  },
  {
    name: 'an alias to nothing',
    text: 'live_list: *nowhere\n',
    faults: ['17:12 error yaml-syntax nothing before this is called &nowhere'],
  },
  {
    name: 'nested without end, where composing would run out of stack',
    text: `x: ${'['.repeat(100_000)}\n`,
    faults: ['17:68 error yaml-syntax nested more than 64 deep'],
  },
  {
    name: 'nested lists on one line',
    text: (base) => `${base}${'- '.repeat(10_000)}\n`,
    faults: ['17:129 error yaml-syntax nested more than 64 deep'],
  },
  {
    name: 'aliases that multiply',
    text: () =>
      `a0: &a0 [x, x]\n${Array.from({ length: 60 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]\n`).join('')}`,
    faults: ['1:1 error yaml-syntax aliases (*name) within aliases'],
  },
  {
    name: 'a merge of a map into itself',
    text: 'x: &x {<<: *x}\n',
    faults: ['1:1 error yaml-syntax '],
  },
  {
    name: 'a byte order mark takes no column',
    text: () => '\uFEFFa: *b\n',
    faults: ['1:4 error yaml-syntax nothing before'],
  },
  {
    name: 'an empty file',
    text: () => '',
    faults: ['1:1 error wrong-type expected a map of keys such as testobject, dns and edgelist_dir, got nothing'],
  },
  { name: 'a text instead of a map', text: () => 'hello\n', faults: ['1:1 error wrong-type expected a map of keys'] },
  { name: 'two documents', text: '---\na: 1\n', faults: ['17:1 error yaml-syntax '] },
];

test.each(rows)('$name', ({ text, faults }) => {
  const given = typeof text === 'string' ? BASE + text : text(BASE);
  const loaded = parse(given);
  const said = loaded.faults.map(
    ({ severity, code, at, message }) => `${at?.line}:${at?.col} ${severity} ${code} ${message}`,
  );
  for (const [i, expected] of faults.entries()) expect(said[i]).toContain(expected);
  expect(said).toHaveLength(faults.length);
  expect(loaded.config === null).toBe(loaded.faults.some(({ severity }) => severity === 'error'));
});

test('every problem of a file comes in one go', () => {
  const errors = rows.filter(({ text, faults }) => typeof text === 'string' && !faults.join().includes('yaml-syntax'));
  const once = errors.filter(({ text }) =>
    /^(?:goodenuff|workers|live|http:\n {2}z|transfer:\n {2}key_f)/.test(String(text)),
  );
  const { faults } = parse(BASE + once.map(({ text }) => text).join(''));
  expect(faults.map(({ code }) => code).sort()).toEqual(['bad-value', 'unknown-key', 'unknown-key', 'unreadable-file']);
});

test('a secret is not shown with its fault', () => {
  const { faults } = parse(`${BASE}transfer:\n  keys: [{name: "..", algorithm: x, secret: "TOPSECRET"}]\n`);
  expect(faults.map(formatFault).join('\n')).not.toContain('TOPSECRET');
  expect(faults.map(({ code }) => code)).toEqual(['bad-value', 'bad-value', 'bad-value']);
});

test('nor is a cookie secret on a line of its own', () => {
  const { faults } = parse(`${BASE}server:\n  cookie_secret:\n    - 00112233445566778899aabbccddee00: [\n`);
  expect(faults.map(({ code }) => code)).toContain('yaml-syntax');
  expect(faults.map(formatFault).join('\n')).not.toContain('00112233');
});

test('a fault shows the line with a caret under the column', () => {
  const [fault] = parse(`${BASE}edge_count: four\n`).faults;
  expect(formatFault(fault)).toBe(
    '/nowhere/e.yaml:17:13: error: wrong-type: edge_count: expected a number of edges, 1 to 64, got "four"\n' +
      'edge_count: four\n            ^',
  );
});
