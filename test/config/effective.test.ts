import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { effectiveText } from '../../src/config/effective.ts';
import { BASE, folderOf, parse } from './config-fixture.ts';

/** What `edgewise check --effective` prints. */

function effective(text: string): string {
  const file = join(folderOf({ 'e.yaml': text }), 'e.yaml');
  return (effectiveText(file) ?? '').replaceAll(file, 'e.yaml');
}

test('each value has its line, each default says that it is one, the rest is said in words', () => {
  const lines = effective(`${BASE}retry: 5\nserver: {edns_size: 1400}\n`).split('\n');
  const of = (key: string): string | undefined =>
    lines
      .find((line) => line.trimStart().startsWith(key))
      ?.replaceAll(/ +/g, ' ')
      .trim();
  expect(of('host:')).toBe('host: www.example.com # e.yaml:2');
  expect(of('port:')).toBe('port: 80 # default');
  expect(of('retry:')).toBe('retry: 5 # e.yaml:17');
  expect(of('edns_size:')).toBe('edns_size: 1400 # e.yaml:18');
  expect(of('workers:')).toBe('workers: 10 # default');
  expect(of('# state_dir:')).toBe('# state_dir: the folder of statefile');
});

const CONF = readFileSync(new URL('../../conf/edgemanage.yaml', import.meta.url), 'utf8');
const SECTIONS = `${BASE}
checks:
  a: [{kind: http, uri: "/x:y#z"}, {kind: tcp, port: 4, send: "PING\\r\\n"}]
  b: {combine: any, of: [{kind: dns, query: example.com, data: [1.2.3.4], type: A}]}
  c: [{kind: icmp}, {kind: command, program: /bin/true, unknown: 3}]
judges: {a: {rise_fall: {rise: 2, fall: 3}}, b: goodenough}
safety: {a: {below: {fallback: b}, min_up: 50%, reference: [{address: 127.0.0.1, kind: tcp, port: 1}]}, b: {fill: none}}
publish: [{provider: route53, network: a, zone: z.test, names: "@", weighted: {weight: 1}}]
notices: [{to: email, from: a@b.test, recipients: [c@d.test]}, {to: command, program: /bin/true, events: [hold]}]
vantage: {name: a, engine: peers, listen: "[::1]:8061", key_file: k, peers: [{name: b, url: "http://[::1]:2"}]}
transfer: {allow: {}, watch: no, catalog: c.test., notify: [{to: "::1"}]}
server: {rate_limit: {whitelist: ["::1", 127.0.0.0/8]}, cookie_secret: no, tls_listen: [], nsid: "0x00"}
http: off
`.replace('allow: {}, ', '');

test.each([
  ['the least that loads', BASE],
  ['the annotated configuration', CONF],
  ['every kind of section', SECTIONS],
  ['repeated keys, of which the last counts', `${BASE}retry: 7\nretry: 8\n`],
  ['http alone', `${BASE}http: {hosts: a.test}\n`],
])('what is printed loads as the same configuration: %s', (_, text) => {
  const before = parse(text);
  expect(before.faults.filter(({ severity }) => severity === 'error')).toEqual([]);
  const after = parse(effective(text));
  expect(after.faults.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(after.config).toEqual(before.config);
});

test.each([
  ['a TSIG key', 'transfer: {keys: [{name: a., algorithm: hmac-sha256, secret: GEHEIM}]}'],
  ['a TSIG key where a list belongs', 'transfer: {keys: {name: a., secret: GEHEIM}}'],
  ['a TSIG key alone', 'transfer: {keys: GEHEIM}'],
  ['transfer is a text', 'transfer: GEHEIM'],
  ['a cookie secret', 'server: {cookie_secret: [GEHEIM]}'],
  ['the URL of a webhook', 'notices: [{to: slack, url: "https://x.test/GEHEIM"}]'],
  ['of a kind that is none', 'notices: [{to: slak, url: "https://x.test/GEHEIM"}]'],
  ['beside one of a kind that is none', 'notices: [{to: slack, url: "https://x.test/GEHEIM"}, {to: what}]'],
  ['without the list', 'notices: {to: slack, url: "https://x.test/GEHEIM"}'],
  ['as a text', 'notices: "https://x.test/GEHEIM"'],
  ['a header of a check', 'checks: {a: [{kind: http, headers: {Authorization: GEHEIM}}]}'],
  ['a header of a check of no kind', 'checks: {a: [{headers: {Authorization: GEHEIM}}]}'],
  ['an unknown key', 'passwort: GEHEIM'],
  ['an unknown key in a section', 'server: {passwort: GEHEIM}'],
  ['a header of a reference', 'safety: {a: {reference: [{address: 1.2.3.4, kind: http, headers: {A: GEHEIM}}]}}'],
])('no secret is shown: %s', (_, text) => {
  const shown = effective(`${BASE}${text}\n`);
  expect(shown).toContain('testobject:');
  expect(shown).not.toContain('GEHEIM');
});

test('a file that is no YAML, or is not there', () => {
  expect(effective('a: [')).toBe('');
  expect(effectiveText('/nowhere/e.yaml')).toBeNull();
});
