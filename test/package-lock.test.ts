import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

type Locked = { readonly packages: Readonly<Record<string, { readonly optionalDependencies?: object }>> };

const { packages } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package-lock.json'), 'utf8')) as Locked;

/** Where a package finds its dependency: beside it or in a folder above. */
function isLocked(path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, folder.lastIndexOf('node_modules/'))) {
    const at = `${folder === '' ? '' : `${folder.replace(/\/$/, '')}/`}node_modules/${name}`;
    if (at in packages) return true;
    if (folder === '') return false;
  }
}

test('the lockfile has the optional packages of every platform, or npm ci would refuse it', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isLocked(path, name)),
  );
  expect(missing).toEqual([]);
});
