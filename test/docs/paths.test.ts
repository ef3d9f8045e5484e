import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { INDEX } from '../../src/server/control/api/operations/root.ts';
import { OPERATIONS } from '../../src/server/control/operations.ts';
import { ROOT } from '../support/documents.ts';

/** Every read of the API, as documents write it: `/api/v1/networks/NET`. */
const READS = OPERATIONS.filter(({ method, tag }) => method === 'GET' && tag !== null).map(({ path }) =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => (name === 'network' ? 'NET' : name.toUpperCase())),
);

test('there are reads', () => {
  expect(READS).toContain('/api/v1/networks/NET/edges/EDGE');
});

test.each(READS)('%s is in the list of paths and in docs/api.md', (path) => {
  expect(INDEX.split('\n').map((line) => line.split(' ')[0])).toContain(path);
  // As code, with a query perhaps.
  const page = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');
  expect([...page.matchAll(/`(?:GET )?(\/[^`?]*)/g)].map(([, written]) => written)).toContain(path);
});
