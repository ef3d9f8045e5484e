import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseTokens, readTokenFile, tokenDigest } from '../../src/config/token-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'edgewise-tokens-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ANNA = 'a'.repeat(48);
const BEN = 'Ben-0123456789+/~._==';

test('each line is a name and a token; comments and empty lines do not count', () => {
  const { tokens, faults } = parseTokens('t', `# who\n\nanna ${ANNA}\r\n  ben.b@ops+1\t${BEN}  \n#carl ${ANNA}x\n`);
  expect(faults).toEqual([]);
  expect(tokens).toEqual([
    { name: 'anna', digest: tokenDigest(ANNA) },
    { name: 'ben.b@ops+1', digest: tokenDigest(BEN) },
  ]);
});

test.each([
  ['empty', '', [], [/^t: has no token/]],
  ['only comments', '# anna x\n', [], [/^t: has no token/]],
  ['no name', `${ANNA}\n`, [], [/^t:1: expected a name and a token/, /^t: has no token/]],
  ['three words', `anna ${ANNA} b\nben ${BEN}\n`, ['ben'], [/^t:1: expected a name and a token/]],
  ['short', `\nanna 0123456789abcde\nben 0123456789abcdef\n`, ['ben'], [/^t:2: a token of 15 characters is too short/]],
  ['long', `anna ${'x'.repeat(257)}\nben ${'x'.repeat(256)}\n`, ['ben'], [/^t:1: a token has at most 256/]],
  ['no token characters', `anna "${ANNA}"\nben ${BEN}\n`, ['ben'], [/^t:1: a token has letters/]],
  ['a name with a line of a log in it', `an\u0007na ${ANNA}\nben ${BEN}\n`, ['ben'], [/^t:1: a name has/]],
  ['a name twice', `anna ${ANNA}\nanna ${BEN}\n`, ['anna'], [/^t:2: anna has a token already/]],
  ['a token twice', `anna ${ANNA}\nben ${ANNA}\n`, ['anna'], [/^t:2: line 1 has the same token/]],
] as const)('%s: the line lets nobody in, the others do', (_, text, names, expected) => {
  const { tokens, faults } = parseTokens('t', text);
  expect(tokens.map(({ name }) => name)).toEqual(names);
  expect(faults.map(({ message }) => message)).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  for (const { message } of faults) expect(message).not.toMatch(/aaaa|Ben-0|01234/);
});

test('a file of nothing but rubbish has some twenty faults, and a huge one at most a thousand tokens', () => {
  expect(parseTokens('t', 'x\n'.repeat(10_000)).faults).toHaveLength(21);
  const many = Array.from({ length: 1100 }, (_, i) => `n${i} ${String(i).padStart(16, '0')}\n`).join('');
  expect(parseTokens('t', many).tokens).toHaveLength(1000);
});

test('a file that everybody may read is a warning, one that is gone lets nobody in, one that is no file says nothing', () => {
  const file = join(folder, 'tokens');
  writeFileSync(file, `anna ${ANNA}\n`);
  chmodSync(file, 0o644);
  expect(readTokenFile(file)).toMatchObject({ tokens: [{ name: 'anna' }], faults: [{ code: 'open-secret' }] });
  chmodSync(file, 0o640);
  expect(readTokenFile(file)).toMatchObject({ tokens: [{ name: 'anna' }], faults: [] });
  expect(readTokenFile(join(folder, 'none'))).toMatchObject({ tokens: [], faults: [{ code: 'unreadable-file' }] });
  expect(readTokenFile(folder)).toMatchObject({ tokens: null, faults: [{ code: 'unreadable-file' }] });
});
