import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepCopy, setAside } from '../../src/system/set-aside.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-aside-'));
  file = join(folder, 'file');
});

afterEach(() => rm(folder, { recursive: true }));

test('a file is set aside under a name that is free', async () => {
  for (const [text, name] of [
    ['one', 'file.bad-1700'],
    ['two', 'file.bad-1700-2'],
    ['three', 'file.bad-1700-3'],
  ]) {
    await writeFile(file, text);
    expect(await setAside(file, 1700.9)).toBe(join(folder, name));
    expect(await readFile(join(folder, name), 'utf8')).toBe(text);
  }
});

test('a copy is kept under a name that is free, and the file stays', async () => {
  await writeFile(file, 'one');
  expect(await keepCopy(file, 1700.9)).toBe(join(folder, 'file.bad-1700'));
  await writeFile(file, 'two');
  expect(await keepCopy(file, 1700)).toBe(join(folder, 'file.bad-1700-2'));
  expect(await readFile(join(folder, 'file.bad-1700'), 'utf8')).toBe('one');
  expect(await readFile(join(folder, 'file.bad-1700-2'), 'utf8')).toBe('two');
  expect(await readFile(file, 'utf8')).toBe('two');
  await rm(file);
  await expect(keepCopy(file, 1700)).rejects.toThrow('ENOENT');
});
