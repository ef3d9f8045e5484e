import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { parseGoavail } from '../../src/config/goavail-file.ts';
import { BASE, parse } from '../config/config-fixture.ts';
import { type Block, blocksOf, documents, ROOT } from '../support/documents.ts';

/**
 * Every code block of every document is run or loaded as it stands:
 * - `yaml` is a part of edgemanage.yaml or a whole one, `toml` a goavail.toml: the real loaders take them;
 * - `json` can be parsed, `text` (drawings, output, synopses) is only looked at;
 * - `sh` is run by a test that names its document (test/docs/*-process.test.ts), or has a reason not to be run in a comment
 *   before it: `<!-- not run: REASON -->`;
 * - what has a name behind its language, and what is another program's configuration, is run by a test that names it.
 */
const BLOCKS = documents().flatMap(blocksOf);
const SECRET = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ=';
const KEYS = `keys: ${JSON.stringify(
  ['upd.example.net.', 'edgewise-transfer'].map((name) => ({ name, algorithm: 'hmac-sha256', secret: SECRET })),
)}`;

/** Sources of tests, but for this folder's own lists. */
const TESTS = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file !== 'docs/blocks.test.ts')
  .map((file) => readFileSync(join(ROOT, 'test', file), 'utf8'));

const place = ({ file, line }: Block): string => `${file}:${line}`;
const of = (language: string): readonly (readonly [string, Block])[] =>
  BLOCKS.filter((block) => block.language === language).map((block) => [place(block), block]);

test('every block says what it is', () => {
  expect(BLOCKS.length).toBeGreaterThan(30);
  expect(BLOCKS.filter(({ language }) => language === '').map(place)).toEqual([]);
});

test.each(of('yaml'))('%s loads', (_, { text }) => {
  const secret = text.replaceAll('YOUR-OWN-SECRET', SECRET);
  // Keys are made in one example of a page and used in others.
  const own = / keys:/.test(secret) ? secret : secret.replace(/^transfer:$/m, `transfer:\n  ${KEYS}`);
  const keys = Object.keys((parseYaml(own) as object | null) ?? {});
  expect(keys).not.toEqual([]);
  // What the block has itself is not in the rest of the file.
  const rest = Object.entries(parseYaml(`${BASE}transfer: {${KEYS}}\n`) as object).filter(
    ([key]) => !keys.includes(key),
  );

  const { faults } = parse(`${own}\n${rest.map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`).join('')}`);
  expect(faults.filter(({ severity }) => severity === 'error')).toEqual([]);
});

test.each(of('toml'))('%s loads', (_, { text }) => {
  const { faults } = parseGoavail('/nowhere/goavail.toml', text, { type: 'tcp', provider: 'cloudflare' });
  expect(faults.filter(({ severity }) => severity === 'error')).toEqual([]);
});

test.each(of('json'))('%s is JSON', (_, { text }) => {
  expect(() => JSON.parse(text) as unknown).not.toThrow();
});

test('what is not run is little, and says why', () => {
  const skipped = BLOCKS.filter(({ notRun }) => notRun !== null);
  expect(skipped.map((block) => `${place(block)}: ${block.notRun}`)).toSatisfy(
    (list: readonly string[]) => list.length <= NOT_RUN_MAX,
  );
  for (const { language, notRun } of skipped) {
    expect(language).toBe('sh');
    expect(notRun?.length).toBeGreaterThan(15);
  }
});
/** So many blocks of commands may be left to readers; a list that is longer is shown by the failure. */
const NOT_RUN_MAX = 11;

test('a test runs every other block', () => {
  const missing = BLOCKS.filter(({ language, name, file, notRun }) => {
    if (notRun !== null || language === 'text') return false;
    if (['yaml', 'toml', 'json'].includes(language) && name === '') return false;
    const words = `${language} ${name}`.trim();
    const byName = words !== 'sh' && TESTS.some((source) => source.includes(`'${words}'`));
    return !byName && !TESTS.some((source) => source.includes(`follow('${file}'`));
  });
  expect(missing.map(place)).toEqual([]);
});
