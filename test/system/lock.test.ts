import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Locks, lockOffset } from '../../src/system/lock.ts';
import { LockFile } from '../../src/system/lock-fcntl.ts';
import { lockNetwork } from '../../src/system/lock-network.ts';
import { PidLocks } from '../../src/system/lock-pid-file.ts';

let folder: string;
let file: string;
const children = new Set<ChildProcess>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgewise-lock-'));
  file = join(folder, 'edgemanage.lock');
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  await rm(folder, { recursive: true });
});

/** A process that runs the statements, with `file` and what our modules export in scope, says so, and stays. */
async function holder(statements: string): Promise<ChildProcess> {
  const built = (name: string): string => new URL(`../../dist/system/${name}.js`, import.meta.url).href;
  const script = `
    import koffi from ${JSON.stringify(import.meta.resolve('koffi'))};
    import { openSync } from 'node:fs';
    import { LockFile } from ${JSON.stringify(built('lock-fcntl'))};
    import { PidLocks } from ${JSON.stringify(built('lock-pid-file'))};
    import { Locks } from ${JSON.stringify(built('lock'))};
    const file = ${JSON.stringify(file)};
    ${statements}
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(child);
  if (child.stdout === null) throw new Error('no output');
  await once(child.stdout, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Both ways of locking one number, as far apart as two processes can be. */
const WAYS = [
  { name: 'record locks', open: (path: string) => LockFile.open(path), code: 'LockFile.open(file)' },
  { name: 'pid files', open: (path: string) => new PidLocks(path), code: 'new PidLocks(file)' },
];

describe.each(WAYS)('$name', ({ open, code }) => {
  test('another process is kept out until it is killed; nothing stale remains', async () => {
    const child = await holder(`${code}.tryLock(7);`);
    const locks = open(file);
    expect(locks?.tryLock(7)).toBe(false);
    expect(locks?.tryLock(8)).toBe(true);
    await kill(child);
    expect(locks?.tryLock(7)).toBe(true);
    locks?.close();
  });

  test('whether somebody else has one can be asked, whoever is gone does not count', async () => {
    const child = await holder(`${code}.tryLock(7);`);
    const locks = open(file);
    locks?.tryLock(9);
    expect([7, 8, 9].map((offset) => locks?.isHeldElsewhere(offset))).toEqual([true, false, false]);
    await kill(child);
    expect(locks?.isHeldElsewhere(7)).toBe(false);
    locks?.close();
  });

  test('what is unlocked can be locked again', () => {
    const locks = open(file);
    expect(locks?.tryLock(7)).toBe(true);
    locks?.unlock(7);
    const other = open(file);
    expect(other?.tryLock(7)).toBe(true);
    other?.unlock(7);
    expect(locks?.tryLock(7)).toBe(true);
    locks?.unlock(7);
  });

  test('a lock file that cannot be opened is an error', () => {
    expect(() => open(join(folder, 'missing', 'lock'))).toThrow(/ENOENT/);
  });
});

describe('a whole network', () => {
  test('is had at once where it is free, by a server with both of its locks', async () => {
    const a = Locks.open(file);
    const b = Locks.open(file);
    expect(await lockNetwork(a, 'n', 'server', 0)).toBe(true);
    expect(b.isLocked('network', 'n') && b.isLocked('server', 'n')).toBe(true);
    expect(await lockNetwork(b, 'other', 'run', 0)).toBe(true);
    expect(a.isLocked('server', 'other')).toBe(false);
    a.close();
    b.close();
  });

  test('is waited for while a run or a change of a mode has it', async () => {
    const a = Locks.open(file);
    const b = Locks.open(file);
    a.tryLock('network', 'n');
    const waiting = lockNetwork(b, 'n', 'server', 60_000);
    a.unlock('network', 'n');
    expect(await waiting).toBe(true);
    a.close();
    b.close();
  });

  test('is not waited for where a server has it, nor longer than that; nothing is kept then', async () => {
    const a = Locks.open(file);
    const b = Locks.open(file);
    await lockNetwork(a, 'n', 'server', 0);
    expect(await lockNetwork(b, 'n', 'run', Number.POSITIVE_INFINITY)).toBe(false);
    a.unlock('network', 'n');
    expect(await lockNetwork(b, 'n', 'server', 0)).toBe(false);
    expect(a.isLocked('network', 'n')).toBe(false);
    a.unlock('server', 'n');
    a.tryLock('network', 'n');
    expect(await lockNetwork(b, 'n', 'server', 30)).toBe(false);
    a.close();
    b.close();
  });
});

test('closing twice closes nothing that was opened in between', () => {
  const locks = Locks.open(file);
  locks.close();
  const other = openSync(file, 'r');
  locks.close();
  expect(fstatSync(other).isFile()).toBe(true);
  closeSync(other);
});

test('a pid file of another process that got the same number is stale, one that is half written too', async () => {
  await writeFile(`${file}.7`, `${process.pid} 1\n`);
  await writeFile(`${file}.8`, '');
  const locks = new PidLocks(file);
  expect(locks.tryLock(7)).toBe(true);
  expect(locks.tryLock(8)).toBe(true);
  expect(await readdir(folder)).toEqual(['edgemanage.lock', 'edgemanage.lock.7', 'edgemanage.lock.8']);
});

describe('locks by name', () => {
  test('networks, servers and edges of the same name are different locks', () => {
    const a = Locks.open(file);
    const b = Locks.open(file);
    expect(a.tryLock('network', 'n')).toBe(true);
    expect(b.tryLock('network', 'n')).toBe(false);
    expect(b.tryLock('network', 'other')).toBe(true);
    expect(b.tryLock('server', 'n')).toBe(true);
    expect(b.tryLock('edge', 'n')).toBe(true);
    a.close();
    expect(b.tryLock('network', 'n')).toBe(true);
    b.close();
  });

  test('asking whether somebody has one leaves it as it was', () => {
    const a = Locks.open(file);
    const b = Locks.open(file);
    expect(b.isLocked('server', 'n')).toBe(false);
    a.tryLock('server', 'n');
    expect(b.isLocked('server', 'n')).toBe(true);
    expect(a.isLocked('server', 'n')).toBe(true);
    expect(a.tryLock('server', 'n')).toBe(false);
    a.close();
    b.close();
  });

  test('asking never keeps anybody out meanwhile', async () => {
    // An edge_conf that looks for a server while one starts.
    await holder(`
      const asker = Locks.open(file);
      setInterval(() => { for (let i = 0; i < 2000; i++) { asker.isLocked('server', 'n'); asker.isWholeLocked(); } }, 0);`);
    const locks = Locks.open(file);
    const refused = Array.from({ length: 20_000 }, () => {
      const taken = locks.tryLock('server', 'n');
      if (taken) locks.unlock('server', 'n');
      return taken;
    }).filter((taken) => !taken);
    expect(refused).toHaveLength(0);
    locks.close();
  });

  test('opening and closing the same file elsewhere in the process loses nothing', () => {
    const a = Locks.open(file);
    a.tryLock('network', 'n');
    Locks.open(file).close();
    const b = Locks.open(file);
    expect(b.tryLock('network', 'n')).toBe(false);
    a.close();
    b.close();
  });

  test('offsets fit what a file offset can be', () => {
    const offsets = ['', 'a', 'mynet', 'edge.example', '::1'].flatMap((name) =>
      (['network', 'server', 'edge'] as const).map((kind) => lockOffset(kind, name)),
    );
    expect(new Set(offsets).size).toBe(15);
    for (const offset of offsets) expect(Number.isSafeInteger(offset)).toBe(true);
  });
});

/** As Python's `fcntl.lockf(file, LOCK_EX | LOCK_NB)`: the traditional lock (F_SETLK, 6) on the whole file. */
const ORIGINAL_LOCK = `
  const fcntl = koffi.load(null).func('int fcntl(int fd, int cmd, ...)');
  const lockf = () => {
    const flock = Buffer.alloc(32);
    flock.writeInt16LE(1, 0);
    return fcntl(openSync(file, 'w'), 6, 'void *', flock) === 0;
  };`;

describe("edgemanage's own lock", () => {
  test('keeps us out', async () => {
    const child = await holder(`${ORIGINAL_LOCK} if (!lockf()) process.exit(1);`);
    const locks = Locks.open(file);
    expect(locks.tryLock('network', 'n')).toBe(false);
    expect(locks.isWholeLocked()).toBe(true);
    await kill(child);
    expect(locks.tryLock('network', 'n')).toBe(true);
    expect(locks.isWholeLocked()).toBe(false);
    locks.close();
  });

  test('is kept out by us, whichever network we run', async () => {
    const locks = Locks.open(file);
    locks.tryLock('network', 'n');
    const child = await holder(`${ORIGINAL_LOCK} if (lockf()) process.exit(1);`);
    expect(child.exitCode).toBeNull();
    locks.close();
  });
});

test('the folder of the lock file is made: a first start has none of its folders yet', () => {
  const locks = Locks.open(join(folder, 'new', 'folder', 'lock'));
  expect(locks.tryLock('network', 'net')).toBe(true);
  locks.close();
});

describe('a lock file that is removed or replaced', () => {
  test.each([
    ['removed', () => rm(file)],
    ['replaced', () => rm(file).then(() => writeFile(file, ''))],
    ['removed with its folder', () => rm(join(folder, 'own'), { recursive: true })],
  ])('%s is taken anew, and keeps others out again', async (what, spoil) => {
    const path = what === 'removed with its folder' ? join(folder, 'own', 'lock') : file;
    const locks = Locks.open(path);
    expect(locks.tryLock('network', 'n')).toBe(true);
    expect(locks.retake()).toEqual({ retaken: false, lost: [] });
    await spoil();
    expect(locks.retake()).toEqual({ retaken: true, lost: [] });
    expect(Locks.open(path).tryLock('network', 'n')).toBe(false);
    expect(locks.retake()).toEqual({ retaken: false, lost: [] });
    locks.close();
  });

  test('what another has by now is lost, and the rest kept', async () => {
    const locks = Locks.open(file);
    for (const name of ['a', 'b']) expect(locks.tryLock('network', name)).toBe(true);
    await rm(file);
    const other = Locks.open(file);
    expect(other.tryLock('network', 'a')).toBe(true);
    expect(locks.retake()).toEqual({ retaken: true, lost: [{ kind: 'network', name: 'a' }] });
    expect(other.tryLock('network', 'b')).toBe(false);
    locks.unlock('network', 'a'); // is not ours any more
    expect(Locks.open(file).tryLock('network', 'a')).toBe(false);
    locks.close();
    other.close();
  });
});
