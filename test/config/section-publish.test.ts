import { describe, expect, test } from 'vitest';
import type { PublishConfig } from '../../src/config/section-publish.ts';
import { BASE, parse } from './config-fixture.ts';

const KEY = 'transfer: {keys: [{name: upd.example.net., algorithm: hmac-sha256, secret: c2VjcmV0IG9mIGEgdGVzdA==}]}\n';

/** The targets of the list `text`, whose first line is line 18. */
function targets(text: string): { readonly publish: readonly PublishConfig[]; readonly places: readonly string[] } {
  const { config, faults } = parse(`${BASE}publish:\n${text}\n${KEY}`);
  const places = faults.map(({ severity, at, message }) => `${severity} ${at?.line}:${at?.col} ${message}`);
  return { publish: config?.publish ?? [], places };
}

/** One target of kind `rfc2136` with other keys. */
function target(keys: string): ReturnType<typeof targets> {
  return targets(`  - {provider: rfc2136, network: net, to: "127.0.0.1:5353", key: upd.example.net., ${keys}}`);
}

test('without the section nothing is published elsewhere', () => {
  expect(parse(BASE).config?.publish).toEqual([]);
  expect(parse(`${BASE}publish:\n`).config?.publish).toEqual([]);
});

test('what is not given', () => {
  expect(target('zone: Example.net, names: "@"')).toMatchObject({
    places: [],
    publish: [
      {
        provider: 'rfc2136',
        name: 'rfc2136 example.net',
        zone: 'example.net',
        names: ['example.net'],
        types: ['A', 'AAAA'],
        ttl: 60,
        owner: true,
        every: 300,
        timeout: 10,
      },
    ],
  });
});

test.each([
  ['"@"', ['example.net']],
  ['[www, a.b]', ['www.example.net', 'a.b.example.net']],
  ['[WWW.Example.NET., www]', ['www.example.net']],
  ['["*"]', ['*.example.net']],
  ['example.net.', ['example.net']],
])('the names %s', (names, expected) => {
  expect(target(`zone: example.net., names: ${names}`)).toMatchObject({ places: [], publish: [{ names: expected }] });
});

test('a type, too, is there once', () => {
  const { publish } = target('zone: example.net, names: www, types: [AAAA, A, AAAA]');
  expect(publish.map(({ types }) => types)).toEqual([['AAAA', 'A']]);
});

test('owner: no is a no', () => {
  expect(target('zone: example.net, names: www, owner: no').publish[0]).toMatchObject({ owner: false });
});

test('targets of one zone have names of their own', () => {
  const one = (keys: string): string =>
    `  - {provider: rfc2136, to: "127.0.0.1", key: upd.example.net., zone: example.net, ${keys}}`;
  const { publish, places } = targets(
    [
      one('network: net, names: a'),
      one('network: net, names: b'),
      one('network: net, names: c'),
      one('network: net, names: d, name: rfc2136 example.net 2'),
    ].join('\n'),
  );
  expect(places).toEqual([]);
  expect(publish.map(({ name }) => name)).toEqual([
    'rfc2136 example.net',
    'rfc2136 example.net net',
    'rfc2136 example.net 3',
    'rfc2136 example.net 2',
  ]);
});

describe('faults', () => {
  test.each([
    ['zone: example.net, names: []', 'expected at least one name, such as "@"'],
    ['names: www', 'publish[0].zone: missing'],
    ['zone: example.net', 'publish[0].names'],
    ['zone: "a..b", names: www', 'expected the zone at the provider, such as example.net'],
    ['zone: ".", names: www', 'expected the zone at the provider, such as example.net'],
    ['zone: example.net, names: www.example.org.', 'in it, got "www.example.org."'],
    ['zone: example.net, names: [www, "a..b"]', 'in it, got "a..b"'],
    ['zone: example.net, names: www, types: []', 'expected at least one type, A or AAAA'],
    ['zone: example.net, names: www, types: [MX]', 'expected A or AAAA'],
    ['zone: example.net, names: www, every: 1', 'publish[0].every'],
    ['zone: example.net, names: www, timeout: 0', 'publish[0].timeout'],
    ['zone: example.net, names: www, ttl: -1', 'publish[0].ttl'],
    ['zone: example.net, names: www, nmaes: www', 'unknown key "nmaes", did you mean "names"?'],
    ['zone: example.net, names: www, name: "a\\tb"', 'expected a name of up to 100 letters'],
  ])('%s', (keys, message) => {
    const { places } = target(keys);
    expect(places).not.toEqual([]);
    expect(places[0]).toMatch(/^error 18:\d+ /);
    expect(places[0]).toContain(message);
  });

  test('an unknown kind, and none', () => {
    expect(targets('  - {provider: rfc1035, network: net}').places[0]).toMatch(
      /^error 18:\d+ publish\[0\]\.provider: expected a kind of provider \(.*rfc2136.*\)/,
    );
    expect(targets('  - {network: net}').places[0]).toMatch(/^error 18:\d+ publish\[0\]/);
    expect(targets('  - www').places[0]).toMatch(/^error 18:\d+ publish\[0\]: expected a provider with its keys/);
  });

  test('a key that is not there', () => {
    const { places } = targets(
      '  - {provider: rfc2136, network: net, to: "127.0.0.1", key: none., zone: example.net, names: www}',
    );
    expect(places).toEqual(['error 18:61 publish[0].key: no key none. in transfer.keys or transfer.key_files']);
  });

  test('two that keep the same sets, and two of one name', () => {
    const one = (keys: string): string =>
      `  - {provider: rfc2136, to: "127.0.0.1", key: upd.example.net., network: net, zone: example.net, ${keys}}`;
    expect(targets(`${one('names: [a, "@"]')}\n${one('names: example.net.')}`).places).toEqual([
      expect.stringMatching(/^error 19:\d+ publish\[1\]\.names: example\.net\. A is already kept by publish\[0\]/),
    ]);
    expect(targets(`${one('names: a, types: [A]')}\n${one('names: a, types: [AAAA]')}`).places).toEqual([]);
    expect(targets(`${one('names: a, name: x')}\n${one('names: b, name: x')}`).places).toEqual([
      expect.stringMatching(/^error 19:\d+ publish\[1\]\.name: another provider has the name "x" already/),
    ]);
  });
});

test('weighted sets of one name are apart by their identifiers', () => {
  const one = (keys: string): string => `  - {provider: route53, network: net, zone: example.net, names: a, ${keys}}`;
  const [blue, green] = ['blue', 'green'].map((id) => one(`weighted: {set_identifier: ${id}, weight: 1}`));
  expect(targets(`${blue}\n${green}`).places).toEqual([]);
  expect(targets(`${blue}\n${blue}`).places).toEqual([
    expect.stringMatching(/^error 19:\d+ publish\[1\]\.names: a\.example\.net\. A is already kept by publish\[0\]/),
  ]);
});
