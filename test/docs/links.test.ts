import { readdirSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { anchorsOf, documents, linkFault, linksOf, ROOT } from '../support/documents.ts';

/** Readers find every document, and nothing leads nowhere. */

test.each(documents())('the links of %s lead somewhere', (file) => {
  const broken = linksOf(file).flatMap(({ target }) => {
    const wrong = linkFault(file, target);
    return wrong === null ? [] : [`${target}: ${wrong}`];
  });
  expect(broken).toEqual([]);
});

test('every file in docs/ is in its index, once', () => {
  const files = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => /\.(?:md|json)$/.test(file) && file !== 'README.md',
  );
  expect(files.length).toBeGreaterThan(12);
  const listed = linksOf('docs/README.md')
    .map(({ target }) => normalize(target.split('#')[0]))
    .filter((target) => !target.startsWith('..') && target !== '.');
  expect([...new Set(listed)].sort()).toEqual(files.sort());
});

test('README leads to the index', () => {
  expect(linksOf('README.md').map(({ target }) => target)).toContain('docs/README.md');
});

test.each([
  ['a file that is not there', 'docs/no-such.md', 'there is no such file'],
  ['an anchor that is not there', 'docs/checks.md#no-such', 'docs/checks.md has no heading with this anchor'],
  ['an anchor of its own that is not there', '#no-such', 'README.md has no heading with this anchor'],
  ['a path out of the repository', '../x.md', 'leads out of the repository'],
  ['a heading', 'docs/checks.md#icmp', null],
  ['a folder', 'nagios/', null],
])('%s', (_, target, wrong) => {
  expect(linkFault('README.md', target)).toBe(wrong);
});

test('anchors are those that GitHub makes', () => {
  const anchors = anchorsOf('docs/notices.md');
  expect(anchors.has('notices-who-is-told-what-happens')).toBe(true);
  expect(anchors.has('')).toBe(false);
});
