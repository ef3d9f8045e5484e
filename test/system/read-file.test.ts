import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readFile, readFileNow, readInput } from '../../src/system/read-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'edgewise-read-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

writeFileSync(at('good'), 'text\n');
writeFileSync(at('empty'), '');
mkdirSync(at('folder'));
execFileSync('mkfifo', [at('pipe')]);
symlinkSync(at('pipe'), at('link-to-pipe'));
symlinkSync('/dev/zero', at('endless'));
symlinkSync(at('loop'), at('loop'));
symlinkSync(at('nothing'), at('dangling'));
writeFileSync(at('huge'), '');
truncateSync(at('huge'), 2 ** 40); // a terabyte that takes no space

const FORMS = [
  ['at once', async (path: string, max: number) => readFileNow(path, max)],
  ['later', readFile],
  ['as input', async (path: string, max: number) => readInput(path, max)],
] as const;

for (const [form, read] of FORMS) {
  test.each([
    ['a pipe', 'pipe', 'is a pipe, not a regular file'],
    ['a link to a pipe', 'link-to-pipe', 'is a pipe, not a regular file'],
    ['a device without end', 'endless', 'is a device, not a regular file'],
    ['a folder', 'folder', 'is a folder, not a file'],
    ['nothing', 'nothing', 'no such file'],
    ['a link to nothing', 'dangling', 'no such file'],
    ['a circle of links', 'loop', 'its symbolic links lead in a circle'],
    ['a file below a file', 'good/below', 'what should be a folder on the way to it is a file'],
    ['a file of a terabyte', 'huge', 'is longer than 1 MiB'],
  ])(`${form}: %s is refused`, async (_what, name, message) => {
    expect(await read(at(name), 2 ** 20)).toMatchObject({ ok: false, message });
  });

  test.each([
    ['a file', 'good', 'text\n'],
    ['an empty file', 'empty', ''],
  ])(`${form}: %s is read whole`, async (_what, name, text) => {
    const found = await read(at(name), 100);
    expect(found.ok && found.octets.toString()).toBe(text);
  });

  test(`${form}: the bound is the last length that is taken`, async () => {
    expect(await read(at('good'), 5)).toMatchObject({ ok: true });
    expect(await read(at('good'), 4)).toMatchObject({
      ok: false,
      code: 'too-large',
      message: 'is longer than 4 octets',
    });
  });

  test(`${form}: a file of /proc, which has no size, is read to its end and within the bound`, async () => {
    const found = await read('/proc/self/maps', 2 ** 24);
    expect(found.ok && found.octets.length).toBeGreaterThan(1000);
    expect(await read('/proc/self/maps', 100)).toMatchObject({ ok: false, code: 'too-large' });
  });

  test(`${form}: a socket is refused`, async () => {
    const server = createServer().listen(at(`socket-${form}`));
    await new Promise((resolve) => server.once('listening', resolve));
    expect(await read(at(`socket-${form}`), 100)).toMatchObject({ ok: false, code: 'not-a-file' });
    server.close();
  });
}

test.skipIf(process.getuid?.() === 0)('what may not be read is said to be forbidden', () => {
  writeFileSync(at('secret'), 'x');
  chmodSync(at('secret'), 0);
  expect(readFileNow(at('secret'), 100)).toMatchObject({ ok: false, code: 'EACCES', message: 'permission denied' });
});

test('nothing else in src reads files by itself', () => {
  const SRC = join(import.meta.dirname, '..', '..', 'src');
  // Our own package.json and the page's own files; /proc, which has no size and is no operator's.
  const OWN = ['system/version.ts', 'system/descriptors.ts', 'server/control/page/static-files.ts'];
  // A copy of what was just read in the one way.
  const COPY = 'system/set-aside.ts';
  const ALLOWED = new Set(['system/read-file.ts', COPY, ...OWN]);
  const readers = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !ALLOWED.has(file) && !file.startsWith('demo/'))
    .filter((file) => {
      const imports =
        readFileSync(join(SRC, file), 'utf8').match(/import \{[^}]*\} from 'node:fs(?:\/promises)?'/g) ?? [];
      return imports.some((text) => /\b(?:readFile|readFileSync|createReadStream|copyFile|appendFile\w*)\b/.test(text));
    });
  expect(readers).toEqual([]);
});
