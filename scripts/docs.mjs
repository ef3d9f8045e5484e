// `npm run docs`: writes the documents that are made from the code. test/docs/generated.test.ts fails when one is stale.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildIfStale, requireNode, root } from './prepare.mjs';

/**
 * The generated documents, a module of scripts/docs/ for each kind. A module exports `documents()`, which resolves to a
 * list of `{file, make}`: the path from the top of the repository, and what returns its text, or a promise of it. It
 * imports what it describes from `dist`, inside that function: a build comes first.
 */
const KINDS = [
  // One a line.
  () => import('./docs/configuration.mjs'),
  () => import('./docs/logs.mjs'),
  () => import('./docs/man.mjs'),
  () => import('./docs/metrics.mjs'),
  () => import('./docs/openapi.mjs'),
];

export async function documents() {
  const lists = await Promise.all(KINDS.map(async (load) => (await load()).documents()));
  const all = lists.flat();
  return [...all, { file: 'package.json', make: () => manifest(all.map(({ file }) => file)) }];
}

/** package.json, naming the man pages: npm installs those that are listed, and no folder of them. */
function manifest(files) {
  const { files: shipped, ...rest } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const man = files.filter((file) => /^man\/.*\.\d$/.test(file)).sort();
  const entries = Object.entries({ ...rest, man }).filter(([key]) => key !== 'man');
  const at = entries.findIndex(([key]) => key === 'bin') + 1;
  entries.splice(at, 0, ['man', man], ['files', shipped]);
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  requireNode();
  buildIfStale();
  for (const { file, make } of await documents()) {
    const path = join(root, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, await make());
    console.log(file);
  }
}
