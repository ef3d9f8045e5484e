import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBindKeys } from '../../src/config/bind-keys.ts';
import { nameText } from '../../src/dns/name.ts';

/** `name algorithm base64` of every key, then `line:col message` of every fault. */
function read(text: string): string[] {
  const { keys, faults } = parseBindKeys('k', text);
  return [
    ...keys.map(
      ({ name, algorithm, secret }) => `${nameText(name)} ${algorithm} ${Buffer.from(secret).toString('base64')}`,
    ),
    ...faults.map(({ at, message }) => `${at?.line}:${at?.col} ${message}`),
  ];
}

test.each([
  ['one key', 'key "a.test" {\n\talgorithm hmac-sha256;\n\tsecret "AQID";\n};\n', ['a.test. hmac-sha256 AQID']],
  [
    'two keys, no quotation marks',
    'key a {algorithm hmac-sha384;secret AQ/D;};key B. {secret AQ/D; algorithm HMAC-SHA512;};',
    ['a. hmac-sha384 AQ/D', 'b. hmac-sha512 AQ/D'],
  ],
  [
    'an unquoted secret with two slashes: a comment begins there',
    'key a { algorithm hmac-sha1; secret AA//AA==; };',
    ['1:37 the secret is not base64'],
  ],
  ['a quoted secret that holds two slashes', 'key a { algorithm hmac-sha1; secret "AA//"; };', ['a. hmac-sha1 AA//']],
  [
    'the three sorts of comment',
    '// key x {\n# key y {\n/* key z {\n */ key a { algorithm hmac-md5; /* s */ secret "AQID"; }; // end',
    ['a. hmac-md5 AQID'],
  ],
  ['no semicolon at the end of the file', 'key a { algorithm hmac-sha256; secret "AQID"; }', ['a. hmac-sha256 AQID']],
  ['an empty file', '', []],
  ['no secret', 'key a { algorithm hmac-sha256; };', ['1:1 key "a" lacks its secret']],
  ['no algorithm', '\n key a { secret "AQID"; };', ['2:2 key "a" lacks its algorithm']],
  [
    'an unsupported algorithm, and a good key after it',
    'key a { algorithm hmac-sha224; secret "AQID"; };\nkey b { algorithm hmac-sha256; secret "AQID"; };',
    ['b. hmac-sha256 AQID', '1:19 no algorithm that is supported here, such as hmac-sha256'],
  ],
  [
    'a secret that is not base64',
    'key a { algorithm hmac-sha256; secret "A?ID"; };',
    ['1:39 the secret is not base64'],
  ],
  ['an empty secret', 'key a { algorithm hmac-sha256; secret ""; };', ['1:39 the secret is not base64']],
  [
    'another statement',
    'options { directory "/"; { }; };\nkey a { algorithm hmac-sha256; secret "AQID"; };',
    ['a. hmac-sha256 AQID', '1:1 expected a key statement: key "NAME" { … };'],
  ],
  [
    'an unknown clause',
    'key a { algo hmac-sha256; algorithm hmac-sha256; secret "AQID"; };',
    ['1:9 expected algorithm NAME; or secret "BASE64";'],
  ],
  ['a missing semicolon', 'key a { algorithm hmac-sha256 secret "AQID"; };', ['1:31 expected ";"']],
  ['no end', 'key a { algorithm hmac-sha256; secret "AQID";', ['1:1 this key statement has no end']],
  [
    'a broken quotation',
    'key a { algorithm hmac-sha256; secret "AQID; };',
    ['1:39 this quotation has no end on its line'],
  ],
  ['no name', 'key { algorithm hmac-sha256; secret "AQID"; };', ['1:7 expected "{" after the name of the key']],
  [
    'a bad name',
    'key "a..b" { algorithm hmac-sha256; secret "AQID"; };',
    ["1:5 expected the key's name, a domain name"],
  ],
  [
    'a key word and nothing',
    'key',
    ["1:4 expected the key's name, a domain name", '1:4 expected "{" after the name of the key'],
  ],
])('%s', (_, text, expected) => {
  const got = read(text);
  for (const line of expected) expect(got).toContain(line);
  // A fault may have others in its wake, but a key must not appear or vanish.
  expect(got.filter((line) => !/^\d/.test(line))).toEqual(expected.filter((line) => !/^\d/.test(line)));
  expect(got.some((line) => /^\d/.test(line))).toBe(expected.some((line) => /^\d/.test(line)));
});

test('a secret in the wrong place is not quoted', () => {
  for (const text of ['TOPSECRET', '"TOPSECRET";', 'key a { algorithm TOPSECRET; secret TOP?SECRET; TOPSECRET }']) {
    expect(JSON.stringify(parseBindKeys('k', text).faults)).not.toMatch(/TOP/);
  }
});

test('no text makes it throw or go on for ever, and every column is on its line', () => {
  const words = fc.constantFrom(
    'key ',
    '"a" ',
    '{ ',
    '} ',
    '}; ',
    '; ',
    'algorithm ',
    'secret ',
    'hmac-sha256',
    '"',
    '\\',
    '//',
    '/*',
    '*/',
    '#',
    '\n',
    '/',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(words, { maxLength: 40 }).map((list) => list.join('')),
        fc.string(),
      ),
      (text) => {
        for (const { at } of parseBindKeys('k', text).faults) {
          const line = text.split('\n')[(at?.line ?? 0) - 1];
          expect(at?.col).toBeLessThanOrEqual(line.length + 1);
        }
      },
    ),
    { numRuns: 500 },
  );
});
