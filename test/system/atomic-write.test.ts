import { execFileSync } from 'node:child_process';
import {
  chown,
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeLiveList } from '../../src/publish/live-list.ts';
import { replaceFile, sweepTemporaries, writeAtomic } from '../../src/system/atomic-write.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-atomic-'));
  file = join(folder, 'file');
});
afterEach(() => rm(folder, { recursive: true }));

test('a file is replaced by another one, readable for all, with nothing left beside it', async () => {
  await writeFile(file, 'old', { mode: 0o600 });
  const old = await stat(file);
  const umask = process.umask(0o077);
  await writeAtomic(file, 'new').finally(() => process.umask(umask));
  const now = await stat(file);
  expect(await readFile(file, 'utf8')).toBe('new');
  expect(now.ino).not.toBe(old.ino); // who has the old one open reads it to its end
  expect(now.mode & 0o777).toBe(0o644);
  expect(await readdir(folder)).toEqual(['file']);
});

test('a symbolic link stays one, and its target is replaced', async () => {
  await mkdir(join(folder, 'there'));
  const target = join(folder, 'there', 'target');
  await writeFile(target, 'old');
  await symlink(target, file);
  await writeAtomic(file, 'new');
  expect(await readlink(file)).toBe(target);
  expect(await readFile(target, 'utf8')).toBe('new');
  expect(await readdir(join(folder, 'there'))).toEqual(['target']);
});

test('a link to nothing gets its target; a link to itself is refused', async () => {
  await symlink('link', file);
  await symlink('target', join(folder, 'link'));
  await writeAtomic(file, 'new');
  expect(await readFile(join(folder, 'target'), 'utf8')).toBe('new');
  expect(await readlink(file)).toBe('link');
  await symlink('round', join(folder, 'round'));
  await expect(writeAtomic(join(folder, 'round'), 'new')).rejects.toThrow('too many links');
});

// Devices of the test's own: what is tested here may be wrong, and then /dev/null would be gone.
test.each<[string, boolean, (path: string) => unknown]>([
  ['a pipe', true, (path) => execFileSync('mkfifo', [path])],
  ['a socket', true, (path) => listenAt(path)],
  ['a device', process.getuid?.() === 0, (path) => execFileSync('mknod', [path, 'c', '1', '3'])],
])('%s is not replaced, through a link neither', async (kind, isPossible, make) => {
  if (!isPossible) return;
  const special = join(folder, 'special');
  const made = await make(special);
  try {
    await symlink(special, file);
    const before = await lstat(special);
    for (const path of [special, file]) {
      await expect(writeAtomic(path, 'new')).rejects.toThrow(`${special}: is ${kind}, not a regular file`);
      expect(() => replaceFile(path, 'new')).toThrow(`${special}: is ${kind}, not a regular file`);
    }
    expect((await lstat(special)).ino).toBe(before.ino);
    expect((await readdir(folder)).sort()).toEqual(['file', 'special']);
  } finally {
    if (made instanceof Server) made.close();
  }
});

function listenAt(path: string): Promise<Server> {
  const server = createServer();
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

test.runIf(process.getuid?.() === 0).each([
  { what: "somebody's link to a file of root", link: 12345, target: 0, follows: false },
  { what: "somebody's link to a file of another", link: 12345, target: 12346, follows: false },
  { what: "somebody's link to their own file", link: 12345, target: 12345, follows: true },
  { what: "root's link to a file of another", link: 0, target: 12345, follows: true },
])('root meets $what', async ({ link, target, follows }) => {
  const other = join(folder, 'other');
  await writeFile(other, 'old');
  await chown(other, target, target);
  await symlink(other, file);
  await lchown(file, link, link);
  const writing = writeAtomic(file, 'new');
  if (follows) await writing;
  else await expect(writing).rejects.toThrow(`is a link by user ${link}`);
  expect(await readFile(other, 'utf8')).toBe(follows ? 'new' : 'old');
});

test.each([
  ['the target is a folder', 'folder'],
  ['the folder is missing', join('missing', 'file')],
])('a failure throws and leaves nothing: %s', async (_, name) => {
  await mkdir(join(folder, 'folder'));
  await expect(writeAtomic(join(folder, name), 'new')).rejects.toThrow(/EISDIR|ENOENT/);
  expect(await readdir(folder)).toEqual(['folder']);
});

// Only root can give files away, and only root takes them.
test.runIf(process.getuid?.() === 0)("what root replaces stays its owner's", async () => {
  await writeFile(file, 'old');
  await chown(file, 12345, 12346);
  await writeAtomic(file, 'new');
  expect(await stat(file)).toMatchObject({ uid: 12345, gid: 12346 });
});

// Root may write where others may not, so the folder is one that nobody can write to.
test.each([
  ['a folder that is not there', () => join(folder, 'gone', 'file'), 'no such file (ENOENT)'],
  [
    'a file in its folder',
    () => join(folder, 'file', 'below'),
    'what should be a folder on the way to it is a file (ENOTDIR)',
  ],
  ['a folder of the kernel', () => '/proc/self/file', '(ENOENT)'],
])(
  '%s: the error is the same each time, and names the file and not what is written on the way',
  async (_, at, text) => {
    await writeFile(join(folder, 'file'), 'a file');
    const path = at();
    const messages = new Set<string>();
    for (let i = 0; i < 2; i++) {
      for (const write of [async () => writeAtomic(path, 'x'), async () => replaceFile(path, 'x')]) {
        const error: unknown = await write().catch((thrown: unknown) => thrown);
        messages.add(String(error));
        expect(error).toMatchObject({ code: expect.stringMatching(/^E/) });
      }
    }
    expect([...messages]).toEqual([expect.stringContaining(path)]);
    expect([...messages][0]).toContain(text);
    expect([...messages][0]).not.toContain('.tmp');
  },
);

test('only leavings of processes that are gone are swept', async () => {
  const names = ['.file.4194305-1.tmp', `.file.${process.pid}-1.tmp`, '.file.tmp', 'file.4194305-1.tmp', '.file'];
  for (const name of names) await writeFile(join(folder, name), '');
  await sweepTemporaries(folder);
  expect((await readdir(folder)).sort()).toEqual(names.slice(1).sort()); // no process has the first number
  await sweepTemporaries(join(folder, 'missing'));
});

test('what an earlier process with our number left is swept, as in a container', async () => {
  const old = join(folder, `.zone.${process.pid}-7.tmp`);
  const own = join(folder, `.zone.${process.pid}-8.tmp`);
  for (const path of [old, own]) await writeFile(path, '');
  const before = performance.timeOrigin / 1000 - 60;
  await utimes(old, before, before);
  await sweepTemporaries(folder);
  expect(await readdir(folder)).toEqual([`.zone.${process.pid}-8.tmp`]);
});

test('the live list is names, one a line, and is left alone while it says so', async () => {
  await writeLiveList(file, ['a', 'b']);
  expect(await readFile(file, 'utf8')).toBe('a\nb\n');
  const { ino } = await stat(file);
  await writeLiveList(file, ['a', 'b']);
  expect((await stat(file)).ino).toBe(ino);
  await writeLiveList(file, ['b']);
  expect(await readFile(file, 'utf8')).toBe('b\n');
});
