import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse as parseYaml, stringify } from 'yaml';
import { z } from 'zod';
import { flag, list, number, optional, section } from '../../src/config/fields.ts';
import { goavailSchema } from '../../src/config/goavail-keys.ts';
import { key, readBy } from '../../src/config/key-docs.ts';
import { everyKey, type ReferenceKey, referenceKeys } from '../../src/config/key-reference.ts';
import { configSchema } from '../../src/config/load.ts';
import { BASE, parse } from './config-fixture.ts';

/** What the reference says of a key is true of its schema. */

const KEYS = everyKey(referenceKeys(configSchema));
const ALL = [...KEYS, ...everyKey(referenceKeys(goavailSchema))];
const read = (text: string): unknown => parseYaml(text, { version: '1.1' });
const rows = (keys: readonly ReferenceKey[]): readonly (readonly [string, ReferenceKey])[] =>
  keys.map((one, i) => [`${one.path} (${i})`, one]);

test('every key is found, those in lists, maps and kinds, too', () => {
  const paths = new Set(KEYS.map(({ path }) => path));
  for (const path of [
    'testobject.host',
    'server.rate_limit.slip',
    'judges.NETWORK.rise_fall.rise',
    'checks.NETWORK.of[].body.sha256',
    'publish[].weighted.weight',
    'notices[].template.line',
    'vantage.tls.ca_file',
    'vantage.peers[].url',
    'transfer.catalog.per',
  ]) {
    expect(paths).toContain(path);
  }
  expect(KEYS.length).toBeGreaterThan(200);
});

test.each(rows(ALL))('%s says what it is, what may stand there, and what holds without it', (_, one) => {
  expect(one.doc.description).toMatch(/^[`A-Z].{10,}\.$/);
  expect(one.value).not.toBe('');
  const holds = [one.isRequired, one.default !== null, one.doc.otherwise !== undefined];
  expect(holds.filter(Boolean)).toHaveLength(1);
});

const examples = ALL.filter(({ doc }) => doc.example !== undefined);
test.each(rows(examples))('the example of %s is read', (_, { schema, doc }) => {
  const found = schema.safeParse(read(doc.example ?? ''));
  expect(found.error?.issues ?? []).toEqual([]);
});

const defaults = ALL.filter((one) => one.default !== null);
test.each(rows(defaults))('the default of %s is what an absent key gives', (_, one) => {
  const stated = one.schema.safeParse(read(one.default ?? ''));
  expect(stated.error?.issues ?? []).toEqual([]);
  const absent = one.schema.safeParse(undefined);
  if (JSON.stringify(stated.data) === JSON.stringify(absent.data)) return;
  // Some are filled in later: the whole configuration is the same.
  expect(one.path).not.toMatch(/\[\]/);
  const keys = one.path.split('.');
  const nested = keys.reduceRight<unknown>((value, name) => ({ [name]: value }), read(one.default ?? ''));
  const context = one.path.startsWith('vantage.') ? { vantage: PEERS } : {};
  const [without, with_] = [context, merged(context, nested as object)].map((own) => {
    const { config, faults } = parse(`${BASE}${Object.keys(own).length === 0 ? '' : stringify(own)}`);
    expect(faults.filter(({ severity }) => severity === 'error')).toEqual([]);
    return config;
  });
  expect(with_).toEqual(without);
});

const PEERS = {
  name: 'a',
  engine: 'peers',
  listen: '127.0.0.1:1',
  key_file: 'k',
  peers: [{ name: 'b', url: 'http://127.0.0.1:2' }],
};

function merged(left: object, right: object): object {
  return Object.fromEntries(
    [...Object.entries(left), ...Object.entries(right)].map(([name, value]): [string, unknown] => {
      const [a, b] = [left, right].map((one) => (one as Readonly<Record<string, unknown>>)[name]);
      const areBoth = [a, b].every((one) => typeof one === 'object' && one !== null && !Array.isArray(one));
      return [name, areBoth ? merged(a as object, b as object) : (b ?? value)];
    }),
  );
}

test('secrets are marked', () => {
  const secret = KEYS.filter(({ doc }) => doc.isSecret).map(({ path }) => path);
  expect(new Set(secret)).toEqual(
    new Set([
      'server.cookie_secret',
      'transfer.keys[].secret',
      'notices[].url',
      'checks.NETWORK.of[].headers',
      'safety.NETWORK.reference[].headers',
    ]),
  );
});

test('a section takes no key without a description', () => {
  // @ts-expect-error: the compiler refuses it
  const bare = section({ plain: flag() });
  expect(() => referenceKeys(bare)).toThrow('plain has no description');
});

test('one schema may be of several keys', () => {
  const seconds = optional(number('seconds', { min: 0, max: 9 }), 4);
  const kinds = z.discriminatedUnion('kind', [
    section({ kind: key(z.literal('one'), 'The one kind.'), a: key(seconds, 'How long it takes.') }),
    section({
      kind: key(z.literal('two'), 'The other.'),
      b: key(readBy(z.unknown(), section({ c: key(seconds, 'Deep.') })), 'Handed over.'),
    }),
  ]);
  const keys = everyKey(
    referenceKeys(section({ first: key(seconds, 'The first one.'), all: key(list(kinds, 'a list'), 'All.') })),
  );
  expect(keys.map(({ path, default: given, doc }) => [path, given, doc.description])).toEqual([
    ['first', '4', 'The first one.'],
    ['all', null, 'All.'],
    ['all[].kind', null, 'The one kind.'],
    ['all[].a', '4', 'How long it takes.'],
    ['all[].kind', null, 'The other.'],
    ['all[].b', null, 'Handed over.'],
    ['all[].b.c', '4', 'Deep.'],
  ]);
  expect(keys[0].value).toBe('seconds, 0 to 9');
});

/** `# … Default 60.` or `# … Default: …` before a key of conf/edgemanage.yaml. */
test('defaults that conf/edgemanage.yaml states are those of the reference', () => {
  const lines = readFileSync(new URL('../../conf/edgemanage.yaml', import.meta.url), 'utf8').split('\n');
  const seen: string[] = [];
  let comment = '';
  for (const line of lines) {
    const found = /^#? *#? *([a-z_]+):/.exec(line);
    if (found === null) {
      comment = /^ *#/.test(line) ? `${comment} ${line.replace(/^ *#+ */, '')}` : '';
      continue;
    }
    const stated = /Default (\d+(?:\.\d+)?|true|false|[A-Z]{4,})\b/.exec(comment)?.[1];
    comment = '';
    const named = KEYS.filter(({ name }) => name === found[1]);
    if (stated === undefined || named.length === 0) continue;
    seen.push(found[1]);
    expect(
      named.map((one) => one.default ?? one.doc.otherwise),
      found[1],
    ).toContain(stated);
  }
  expect(seen.length).toBeGreaterThan(12);
});

test('conf/edgemanage.yaml has every key of the reference', () => {
  const conf = readFileSync(new URL('../../conf/edgemanage.yaml', import.meta.url), 'utf8');
  const historic = ['command_reap_timeout', 'rotationhistory_store', 'soa_template'];
  const missing = KEYS.filter(({ name }) => !historic.includes(name) && !new RegExp(`\\b${name}\\b`).test(conf));
  expect(missing.map(({ path }) => path)).toEqual([]);
});
