import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Guard } from '../../../src/system/guard.ts';
import { FolderWatch } from '../../../src/zones/store/watch.ts';
import { type Installation, install, key } from './store-fixture.ts';

describe('watch', () => {
  /** Loads, watches, and gives the notification and the rescan nothing to be confused by. */
  async function watched(files: Readonly<Record<string, string>>): Promise<Installation> {
    const here = install();
    for (const [path, text] of Object.entries(files)) here.write(path, text);
    await here.store.load();
    here.changes.length = 0;
    here.store.watch();
    return here;
  }
  const has = (here: Installation, name: string, line: string): boolean => {
    const entry = here.store.entry(key(name));
    return entry !== null && entry.image !== null && here.records(name).includes(line);
  };

  test('a file written anew, in place', async () => {
    const here = await watched({ 'zones/net/a.test.zone': 'x TXT "1"\n' });
    here.write('zones/net/a.test.zone', 'x TXT "2"\n');
    await here.until(() => has(here, 'a.test.', 'x.a.test. 300 IN TXT "2"'));
  });

  test('a file renamed over', async () => {
    const here = await watched({ 'zones/net/a.test.zone': 'x TXT "1"\n' });
    renameSync(here.write('new', 'x TXT "2"\n'), here.path('zones/net/a.test.zone'));
    await here.until(() => has(here, 'a.test.', 'x.a.test. 300 IN TXT "2"'));
    expect(here.changes.map(({ kind }) => kind)).toEqual(['image']);
  });

  test('a file moved away and written anew, as some editors save, never takes the zone away', async () => {
    const here = await watched({ 'zones/net/a.test.zone': 'x TXT "1"\n' });
    renameSync(here.path('zones/net/a.test.zone'), here.path('zones/net/a.test.zone~'));
    here.write('zones/net/a.test.zone', 'x TXT "2"\n');
    await here.until(() => has(here, 'a.test.', 'x.a.test. 300 IN TXT "2"'));
    expect(here.changes.map(({ kind }) => kind)).toEqual(['image']);
  });

  test('a new file, a removed file', async () => {
    const here = await watched({ 'zones/net/a.test.zone': '' });
    here.write('zones/net/b.test.zone', '');
    await here.until(() => here.store.entry(key('b.test.')) !== null);
    rmSync(here.path('zones/net/a.test.zone'));
    await here.until(() => here.store.entry(key('a.test.')) === null);
    expect(here.changes.map(({ kind }) => kind)).toEqual(['image', 'gone']);
  });

  test('an included file, wherever it lies below the folder', async () => {
    const here = await watched({
      'zones/deep/er/common': 'x TXT "1"\n',
      'zones/net/a.test.zone': '$INCLUDE deep/er/common\n',
    });
    here.write('zones/deep/er/common', 'x TXT "2"\n');
    await here.until(() => has(here, 'a.test.', 'x.a.test. 300 IN TXT "2"'));
  });

  test('a folder that appears later', async () => {
    const here = install();
    here.open({ networks: ['net', 'new'] });
    await here.store.load();
    here.store.watch();
    here.write('zones/new/a.test.zone', '');
    await here.until(() => here.store.entry(key('a.test.')) !== null);
    here.write('zones/new/b.test.zone', '');
    await here.until(() => here.store.entry(key('b.test.')) !== null);
  });

  test('a folder that is replaced', async () => {
    const here = await watched({ 'zones/net/a.test.zone': 'x TXT "1"\n', 'next/a.test.zone': 'x TXT "2"\n' });
    renameSync(here.path('zones/net'), here.path('old'));
    renameSync(here.path('next'), here.path('zones/net'));
    await here.until(() => has(here, 'a.test.', 'x.a.test. 300 IN TXT "2"'));
    here.write('zones/net/a.test.zone', 'x TXT "3"\n');
    await here.until(() => has(here, 'a.test.', 'x.a.test. 300 IN TXT "3"'));
  });

  test('a file at the end of a link to elsewhere', async () => {
    const here = install();
    const target = here.write('elsewhere/a', 'x TXT "1"\n');
    symlinkSync(target, here.path('zones/net/a.test.zone'));
    await here.store.load();
    here.store.watch();
    writeFileSync(target, 'x TXT "2"\n');
    await here.until(() => has(here, 'a.test.', 'x.a.test. 300 IN TXT "2"'));
  });

  // As Kubernetes mounts a ConfigMap: a.test.zone → ..data/a.test.zone, ..data → a folder named by the time.
  test('a link in the folder that is swapped for another version', async () => {
    const here = install();
    const version = (number: number): string => {
      here.write(`zones/net/..v${number}/a.test.zone`, `x TXT "${number}"\n`);
      symlinkSync(`..v${number}`, here.path('zones/net/..data_tmp'));
      renameSync(here.path('zones/net/..data_tmp'), here.path('zones/net/..data'));
      return `x.a.test. 300 IN TXT "${number}"`;
    };
    const first = version(1);
    symlinkSync('..data/a.test.zone', here.path('zones/net/a.test.zone'));
    await here.store.load();
    expect(has(here, 'a.test.', first)).toBe(true);
    here.store.watch();
    const second = version(2);
    await here.until(() => has(here, 'a.test.', second));
    const third = version(3);
    await here.until(() => has(here, 'a.test.', third));
  });

  // A checkout that is swapped by a link far above the files: nothing changes in any folder that holds one.
  test('a folder above that is swapped by a link', async () => {
    const here = install();
    here.write('checkouts/1/net/a.test.zone', 'x TXT "1"\n');
    here.write('checkouts/2/net/a.test.zone', 'x TXT "2"\n');
    symlinkSync('checkouts/1', here.path('current'));
    here.open({ zonetemplateDir: here.path('current') });
    await here.store.load();
    here.store.watch();
    symlinkSync('checkouts/2', here.path('next'));
    renameSync(here.path('next'), here.path('current'));
    await here.until(() => has(here, 'a.test.', 'x.a.test. 300 IN TXT "2"'));
    here.write('checkouts/2/net/a.test.zone', 'x TXT "3"\n');
    await here.until(() => has(here, 'a.test.', 'x.a.test. 300 IN TXT "3"'));
  });

  test('a broken file is tried again at its next change', async () => {
    const here = await watched({ 'zones/net/a.test.zone': 'x TXT "1"\n' });
    here.write('zones/net/a.test.zone', 'x TXT "2\n');
    await here.until(() => here.entry('a.test.').state === 'stale');
    here.write('zones/net/a.test.zone', 'x TXT "3"\n');
    await here.until(() => has(here, 'a.test.', 'x.a.test. 300 IN TXT "3"'));
    expect(here.entry('a.test.').state).toBe('ok');
  });
});

test('a look that becomes due while another one lasts is made when that has ended', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgewise-watch-'));
  let looks = 0;
  const watch = new FolderWatch({
    paths: () => new Map([[folder, null]]),
    guard: new Guard({ report: () => undefined, now: () => 0 }),
    onChange: async () => {
      looks++;
      if (looks > 1) return;
      watch.again(20);
      await new Promise((resolve) => setTimeout(resolve, 300)); // then the next look of its own is far away
    },
  });
  onTestFinished(() => {
    watch.close();
    rmSync(folder, { recursive: true });
  });
  watch.again(0);
  await vi.waitFor(() => expect(looks).toBe(2), { timeout: 10_000 });
});
