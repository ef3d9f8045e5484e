import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogFile } from '../../src/system/log-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-log-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('makes the file and its folder, and goes on in one that is there', async () => {
  const file = join(folder, 'deep', 'er', 'log');
  LogFile.open(file).write('one\n');
  LogFile.open(file).write('two\n');
  expect(await readFile(file, 'utf8')).toBe('one\ntwo\n');
});

test('goes to another file of the name once it is opened again, not before', async () => {
  const file = join(folder, 'log');
  const log = LogFile.open(file);
  log.write('one\n');
  await rename(file, `${file}.1`);
  log.write('two\n');
  log.reopen();
  log.write('three\n');
  log.reopen(); // the same file
  log.write('four\n');
  expect(await readFile(`${file}.1`, 'utf8')).toBe('one\ntwo\n');
  expect(await readFile(file, 'utf8')).toBe('three\nfour\n');
});

test.each([
  ['a folder in its place', (file: string) => mkdir(file)],
  ['a pipe that nobody reads', async (file: string) => void execFileSync('mkfifo', [file])],
  [
    'a file in its folder',
    async (file: string) => {
      await rename(join(file, '..'), join(folder, 'old'));
      await writeFile(join(file, '..'), '');
    },
  ],
])('%s: opening it again throws, and the old file stays in use', async (_, spoil) => {
  const file = join(folder, 'logs', 'log');
  const log = LogFile.open(file);
  const kept = join(folder, 'kept');
  await rename(file, kept);
  await spoil(file);
  expect(() => log.reopen()).toThrow();
  log.write('still here\n');
  expect(await readFile(kept, 'utf8')).toBe('still here\n');
});

test('a full disk costs lines, never an exception; what fits into memory comes out later', async () => {
  const file = join(folder, 'log');
  const full = LogFile.open('/dev/full');
  expect(full.writeFault()).toBe(null);
  for (let i = 0; i < 3000; i++) full.write(`${'x'.repeat(1000)}\n`);
  expect(full.writeFault()).toBe('/dev/full: no space is left on the disk (ENOSPC)');
  // The same object, with room again.
  Object.assign(full, { file });
  full.reopen();
  expect(full.writeFault()).toBe(null);
  full.write('after\n');
  const text = await readFile(file, 'utf8');
  expect(text.length).toBeGreaterThan(1_000_000);
  expect(text.length).toBeLessThan(1_100_000);
  expect(text.endsWith('after\n')).toBe(true);
});

test('a reader that is slow is no fault', () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const log = LogFile.open(pipe);
  for (let i = 0; i < 200; i++) log.write(`${'x'.repeat(1000)}\n`);
  expect(log.writeFault()).toBe(null);
  closeSync(reader);
  expect(log.writeFault()).toMatch(/pipe: .*EPIPE/);
});

test('a file that cannot be opened: standard error until it can, which is said', async () => {
  const file = join(folder, 'logs', 'log');
  await writeFile(join(folder, 'logs'), 'a file where the folder should be');
  const { log, fault } = LogFile.openOrStandardError(file);
  expect(fault).toContain(file);
  expect(log.isStandardError).toBe(true);
  expect(() => log.reopen()).toThrow();
  expect(log.isStandardError).toBe(true);
  await rm(join(folder, 'logs'));
  log.reopen();
  expect(log.isStandardError).toBe(false);
  log.write('one\n');
  expect(await readFile(file, 'utf8')).toBe('one\n');
});

test('a file that can be opened: no fault', () => {
  expect(LogFile.openOrStandardError(join(folder, 'log'))).toMatchObject({ fault: null });
});
