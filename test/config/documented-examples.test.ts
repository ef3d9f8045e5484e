import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BASE, parse } from './config-fixture.ts';

/** What a reader copies from a page must load as it stands, each block by itself. */

const OWN = /^(publish|notices|transfer|vantage):/m;
/** The first example of docs/providers.md shows a target's shape only; its key is made further down. */
const KEY =
  'transfer: {keys: [{name: upd.example.net., algorithm: hmac-sha256, secret: "c2VjcmV0LXNlY3JldC1zZWNyZXQ="}]}\n';

function examples(page: string): readonly string[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^```yaml\S*\n(.*?)^```$/gms)].map(([, block]) => block).filter((block) => OWN.test(block));
}

test.each([
  ['providers.md', 5],
  ['notices.md', 1],
  ['vantage.md', 2],
])('the examples of docs/%s load', (page, least) => {
  const blocks = examples(page);
  expect(blocks.length).toBeGreaterThanOrEqual(least);
  for (const block of blocks) {
    const key = /^transfer:/m.test(block) ? '' : KEY;
    const own = block.replaceAll('YOUR-OWN-SECRET', 'c2VjcmV0LXNlY3JldC1zZWNyZXQ=');

    const { faults } = parse(`${BASE}${key}${own}`);
    expect(faults.filter(({ severity }) => severity === 'error')).toEqual([]);
  }
});
