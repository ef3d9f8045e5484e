import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { BASE, folderOf, parse } from './config-fixture.ts';

/** The safety rules of `net`, written from line 18 on. */
function rules(text: string) {
  const { config, faults } = parse(`${BASE}safety:\n  net: ${text}\n`);
  const places = faults.map(({ severity, at, message }) => `${severity} ${at?.line}:${at?.col} ${message}`);
  return { rules: config?.safety.get('net'), places };
}

test('without the section no network has safety rules', () => {
  expect(parse(BASE).config?.safety).toEqual(new Map());
  expect(parse(`${BASE}safety:\n`).config?.safety).toEqual(new Map());
});

test('what is not given is off', () => {
  expect(rules('{}').rules).toEqual({
    fill: 'failing',
    minUp: null,
    below: 'keep',
    fallback: null,
    holdUp: null,
    reference: [],
  });
  expect(rules('{hold_up: 60}')).toMatchObject({ rules: { holdUp: 60 }, places: [] });
  expect(rules('{min_up: 2, below: all}')).toMatchObject({
    rules: { minUp: { value: 2, percent: false }, below: 'all' },
    places: [],
  });
  expect(rules('{min_up: " 12.5 % "}').rules).toMatchObject({ minUp: { value: 12.5, percent: true }, below: 'keep' });
  expect(rules('{fill: none}')).toMatchObject({ rules: { fill: 'none' }, places: [] });
});

test('references are checks, each with its address', () => {
  const two = '[{address: 127.0.0.1, kind: tcp, port: 53}, {address: "::1", kind: http, name: web, timeout: 5}]';
  const { rules: found, places } = rules(`{reference: ${two}}`);
  expect(places).toEqual([]);
  expect(found?.reference).toMatchObject([
    { address: '127.0.0.1', check: { kind: 'tcp', name: 'tcp 127.0.0.1 port 53', port: 53, timeout: 3 } },
    { address: '::1', check: { kind: 'http', name: 'web', timeout: 5 } },
  ]);
});

test('files of a reference are beside the configuration', () => {
  const { rules: found } = rules('{reference: [{address: 127.0.0.1, kind: tcp, port: 1, tls: true, verify: ca.pem}]}');
  expect(found?.reference[0].check).toMatchObject({ verify: '/nowhere/ca.pem' });
});

test.each([
  ['{fill: some}', 'error 18:15 safety.net.fill: expected failing or none, got "some"'],
  ['{fill: no}', 'error 18:15 safety.net.fill: expected failing or none, got false'],
  [
    '{min_up: 0}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got 0',
  ],
  [
    '{min_up: -1}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got -1',
  ],
  [
    '{min_up: 1.5}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got 1.5',
  ],
  [
    '{min_up: "0%"}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got "0%"',
  ],
  [
    '{min_up: "101%"}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got "101%"',
  ],
  [
    '{min_up: half}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got "half"',
  ],
  [
    '{min_up: true}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got true',
  ],
  [
    '{min_up: 100001}',
    'error 18:17 safety.net.min_up: expected a number of edges, 1 to 100000, or a share of them such as "50%", got 100001',
  ],
  [
    '{min_up: 1, below: none}',
    'error 18:27 safety.net.below: expected keep, all, or fallback: and the network that answers instead, got "none"',
  ],
  ['{hold_up: 0}', 'error 18:18 safety.net.hold_up: expected seconds, greater than 0, at most 3600, got 0'],
  ['{hold_up: 1h}', 'error 18:18 safety.net.hold_up: expected seconds, greater than 0, at most 3600, got "1h"'],
  [
    '{reference: [{kind: tcp, port: 1}]}',
    'error 18:21 safety.net.reference[0].address: missing; expected an address such as 192.0.2.53 or 2001:db8::53',
  ],
  [
    '{reference: [{address: localhost, kind: tcp, port: 1}]}',
    'error 18:31 safety.net.reference[0].address: expected an address such as 192.0.2.53 or 2001:db8::53, got "localhost"',
  ],
  [
    '{reference: [{address: 127.0.0.1, kind: dns, query: a.test, type: A, data: "::1"}]}',
    'error 18:83 safety.net.reference[0].data: expected the data of a record of type A: "::1" is not an IPv4 address',
  ],
  [
    '{reference: [{address: 127.0.0.1, kind: icmp, count: 11, interval: 0.3}]}',
    'error 18:75 safety.net.reference[0]: 11 requests with 0.3 s between them take longer than the timeout of 3 s',
  ],
  [
    '{reference: [{address: 127.0.0.1, kind: icmp, count: 20}]}',
    'error 18:61 safety.net.reference[0]: 20 requests with 0.2 s between them take longer than the timeout of 3 s',
  ],
  [
    '{reference: [{address: 127.0.0.1, kind: icmp, count: 11, interval: 0.3, timeout: 2.5}]}',
    'error 18:75 safety.net.reference[0]: 11 requests with 0.3 s between them take longer than the timeout of 2.5 s',
  ],
  [
    '{reference: [{address: 127.0.0.1, kind: icmp, count: 20, interval: 1}]}',
    'error 18:75 safety.net.reference[0]: 20 requests with 1 s between them take longer than the timeout of 3 s',
  ],
  [
    '{reference: [{address: 127.0.0.1, kind: tcp}]}',
    'error 18:21 safety.net.reference[0].port: missing; expected a port, 1 to 65535',
  ],
  [
    '{reference: [{address: 127.0.0.1, kind: tcp, port: 1, prot: 1}]}',
    'error 18:62 unknown key "prot", did you mean "port"?',
  ],
  [
    '{reference: [{address: 127.0.0.1, kind: tcp, port: 1, timeout: 11}]}',
    'error 18:71 safety.net.reference[0].timeout: expected at most 10, the timeout of all checks together, got 11',
  ],
  ['{below: all}', 'warning 18:9 safety.net.below: has no effect without min_up'],
  ['{fil: none}', 'error 18:9 unknown key "fil", did you mean "fill"?'],
  ['none', 'error 18:8 safety.net: expected a section with keys and values, got "none"'],
])('%s', (text, fault) => {
  expect(rules(text).places).toEqual([fault]);
});

test.each(['{fallback: spare}', '"fallback: spare"', 'fallback:spare'])('another network answers: %s', (below) => {
  const { config, faults } = parse(`${BASE}safety:\n  net:\n    min_up: 1\n    below: ${below}\n`);
  expect(faults).toEqual([]);
  expect(config?.safety.get('net')).toMatchObject({ below: 'fallback', fallback: 'spare' });
});

test.each([
  ['itself', ['net: {min_up: 1, below: {fallback: net}}'], ['18:27 safety.net.below: net cannot be its own fallback']],
  [
    'a circle, and a network that leads to it',
    [
      'a: {min_up: 1, below: {fallback: b}}',
      'b: {min_up: 1, below: {fallback: a}}',
      'c: {min_up: 1, below: {fallback: a}}',
    ],
    [
      "18:25 safety.a.below: these networks are each other's fallback: a, b",
      "19:25 safety.b.below: these networks are each other's fallback: b, a",
    ],
  ],
  ['a chain is none', ['a: {min_up: 1, below: {fallback: b}}', 'b: {min_up: 1, below: {fallback: c}}'], []],
])('%s', (_, lines, expected) => {
  const { faults } = parse(`${BASE}safety:\n${lines.map((line) => `  ${line}\n`).join('')}`);
  expect(faults.map(({ at, message }) => `${at?.line}:${at?.col} ${message}`)).toEqual(expected);
});

test('a fallback that is no network', () => {
  const text = `${BASE}safety: {net: {min_up: 1, below: {fallback: spar}}}\n`;
  const folder = folderOf({ 'e.yaml': text, 'edges/net': '127.0.0.1\n', 'edges/spare': '127.0.0.2\n' });
  const faults = loadConfig(join(folder, 'e.yaml')).faults.filter(({ severity }) => severity === 'error');
  expect(faults.map(({ at, message }) => `${at?.line} ${message}`)).toContain(
    '17 safety.net.below: no network "spar": there is no such file in edgelist_dir',
  );
});
