import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { BodyDigest } from '../../../src/health/checks/fetch-digest.ts';

test.each<[string, readonly number[]]>([
  ['nothing', []],
  ['one piece', [5000]],
  ['a few', [1, 0, 4095, 20_000]],
  ['as much as is held', [65_535, 1]],
  ['an octet more', [65_535, 1, 1]],
  ['one that is too much at once', [200_000]],
  ['many small ones', Array.from({ length: 500 }, () => 1)],
])('MD5 of %s', (_name, lengths) => {
  const digest = new BodyDigest();
  const expected = createHash('md5');
  for (const [i, length] of lengths.entries()) {
    const chunk = Buffer.alloc(length, i + 1);
    digest.update(chunk);
    expected.update(chunk);
  }
  expect(digest.hex()).toBe(expected.digest('hex'));
});
