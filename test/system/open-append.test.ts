import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeFolder, makeFolderNow } from '../../src/system/make-folder.ts';
import { openFileForAppend, openForAppend } from '../../src/system/open-append.ts';

const folder = mkdtempSync(join(tmpdir(), 'edgewise-append-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
execFileSync('mkfifo', [at('pipe')]);

test('a file is made, with the folders above it, and appended to', () => {
  for (const line of ['a\n', 'b\n']) {
    const opened = openForAppend(at('new/folders/log'), { folder: true });
    if (!opened.ok) throw new Error(opened.message);
    writeSync(opened.fd, line);
    closeSync(opened.fd);
  }
  expect(readFileSync(at('new/folders/log'), 'utf8')).toBe('a\nb\n');
});

test.each([
  ['a pipe that nobody reads', () => at('pipe'), 'is a pipe that nobody reads, a socket or a device'],
  ['a folder', () => folder, 'is a folder, not a file'],
  ['a file in /proc', () => '/proc/x/y.log', 'no such file'],
])('%s is refused at once', (_what, path, message) => {
  expect(openForAppend(path(), { folder: true })).toMatchObject({ ok: false, message });
});

test('a pipe with a reader can be a log, not a file that is to be kept', () => {
  const reader = openSync(at('pipe'), constants.O_RDONLY | constants.O_NONBLOCK);
  const opened = openForAppend(at('pipe'));
  expect(opened.ok).toBe(true);
  if (opened.ok) closeSync(opened.fd);
  expect(openFileForAppend(at('pipe'))).toMatchObject({ ok: false, code: 'not-a-file' });
  closeSync(reader);
});

test('folders are made like mkdir -p makes them', async () => {
  makeFolderNow(at('p/q/r'));
  makeFolderNow(at('p/q/r'));
  await makeFolder(at('s/t'));
  await Promise.all(['u/v/a', 'u/v/b', 'u/v/a'].map((name) => makeFolder(at(name))));
  execFileSync('test', ['-d', at('p/q/r'), '-a', '-d', at('s/t'), '-a', '-d', at('u/v/b')]);
});

test('what the system lets nobody make ends with its error', async () => {
  expect(() => makeFolderNow('/proc/x/y')).toThrow('ENOENT');
  await expect(makeFolder('/proc/x/y')).rejects.toThrow('ENOENT');
  await expect(makeFolder(at('pipe/below'))).rejects.toThrow('ENOTDIR');
});
