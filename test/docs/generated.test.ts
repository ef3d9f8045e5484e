import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { documents } from '../../scripts/docs.mjs';
import { root } from '../../scripts/prepare.mjs';

test('generated documents are what `npm run docs` makes of the code', async () => {
  const all = await documents();
  const made = await Promise.all(all.map(async ({ file, make }) => [file, await make()] as const));
  const stale = made.filter(([file, text]) => {
    const path = join(root, file);
    return !existsSync(path) || readFileSync(path, 'utf8') !== text;
  });
  expect(
    stale.map(([file]) => file),
    'run `npm run docs` and commit these',
  ).toEqual([]);
});
