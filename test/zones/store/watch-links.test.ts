import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PathCollector } from '../../../src/zones/store/watch-links.ts';

type Row = readonly [
  name: string,
  links: Readonly<Record<string, string>>,
  path: string,
  /** Below the test's folder: `folder: names`. */
  paths: readonly string[],
];

const ROWS: readonly Row[] = [
  ['no link', {}, 'd/file', []],
  ['a link beside its target', { 'd/file': 'real' }, 'd/file', ['d: file real']],
  ['a link to elsewhere', { 'd/file': '../e/real' }, 'd/file', ['d: file', 'e: real']],
  ['links in a row', { 'd/file': '../e/next', 'e/next': '../f/real' }, 'd/file', ['d: file', 'e: next', 'f: real']],
  ['a folder on the way', { current: 'd' }, 'current/file', [': current', 'd: file']],
  [
    'a link over a folder that is one',
    { 'e/file': '../now/file', now: 'd' },
    'e/file',
    [': now', 'd: file', 'e: file'],
  ],
  [
    'a mounted ConfigMap',
    { 'd/file': '..data/file', 'd/..data': '..v1' },
    'd/file',
    ['d: ..data file', 'd/..v1: file'],
  ],
  ['a link to nothing', { 'd/file': 'gone/away' }, 'd/file', ['d: file', 'd/gone: away']],
  ['a loop', { 'd/file': '../e/file', 'e/file': '../d/file' }, 'd/file', ['d: file', 'e: file']],
  ['a loop of folders', { a: 'b', b: 'a' }, 'a/file', [': a b']],
];

test.each(ROWS)('on the way to a file: %s', (_name, links, path, expected) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'edgewise-links-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['d', 'e', 'f', 'd/..v1']) mkdirSync(join(folder, name));
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(folder, name));
  const collector = new PathCollector();
  collector.file(join(folder, path));
  const paths = Array.from(
    collector.paths,
    ([place, names]) => `${place.slice(folder.length + 1)}: ${[...(names ?? [])].sort().join(' ')}`,
  );
  expect(paths.sort()).toEqual([...expected].sort());
  expect(collector.linked).toBe(expected.length > 0);
});

test('a folder counts with all that is in it', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'edgewise-links-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const collector = new PathCollector();
  symlinkSync('.', join(folder, 'self'));
  collector.file(join(folder, 'self'));
  collector.folder(folder);
  collector.file(join(folder, 'self'));
  expect(collector.paths.get(folder)).toBeNull();
});
