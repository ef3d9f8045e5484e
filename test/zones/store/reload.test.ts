import { renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { install, key } from './store-fixture.ts';

describe('reload', () => {
  test('publishes what changed and nothing else', async () => {
    const here = install();
    here.write('zones/net/a.test.zone', 'x TXT "1"\n');
    here.write('zones/net/b.test.zone', 'x TXT "1"\n');
    here.write('zones/net/c.test.zone', 'x TXT "1"\n');
    await here.store.load();
    const zones = here.store.entries().map(({ zone }) => zone);
    here.changes.length = 0;
    here.now += 10;
    here.write('zones/net/a.test.zone', 'x TXT "2"\n');
    rmSync(here.path('zones/net/b.test.zone'));
    here.write('zones/net/d.test.zone', '');
    expect(await here.store.reload()).toMatchObject({ loaded: 2, unchanged: 1, removed: 1, failed: 0 });
    expect(here.changes).toMatchObject([
      { kind: 'gone', zone: zones[1], origin: key('b.test.') },
      { kind: 'image', zone: zones[0], origin: key('a.test.') },
      { kind: 'image', zone: 3, origin: key('d.test.') },
    ]);
    expect(here.records('a.test.')).toContain('x.a.test. 300 IN TXT "2"');
    expect(here.entry('a.test.').serial).toBe(here.now);
    expect(here.entry('c.test.').serial).toBe(here.now - 10);
  });

  test('a zone that comes back has its number again', async () => {
    const here = install();
    const file = here.write('zones/net/a.test.zone', '');
    await here.store.load();
    here.write('zones/net/b.test.zone', '');
    rmSync(file);
    await here.store.reload();
    here.write('zones/net/a.test.zone', '');
    await here.store.reload();
    expect(here.entry('a.test.').zone).toBe(0);
    expect(here.entry('b.test.').zone).toBe(1);
    expect(here.entry('a.test.').serial).toBe(here.now + 1);
  });

  test('a file removed while its folder is read is no fault of its zone', async () => {
    const here = install(
      {},
      // The first zone's fault is told before the second zone's file is opened.
      { onFaults: () => rmSync(here.path('zones/net/b.test.zone'), { force: true }) },
    );
    here.write('zones/net/b.test.zone', 'x TXT "1"\n');
    await here.store.load();
    const { zone, image } = here.entry('b.test.');
    here.changes.length = 0;
    here.write('zones/net/a.test.zone', 'x FOO\n');
    here.write('zones/net/b.test.zone', 'x TXT "2"\n');
    here.write('zones/net/c.test.zone', '');
    expect(await here.store.reload()).toMatchObject({ loaded: 1, failed: 1, removed: 0 });
    expect(here.entry('b.test.')).toMatchObject({ state: 'ok', faults: [], image });
    expect(await here.store.reload()).toMatchObject({ removed: 1 });
    expect(here.changes).toContainEqual(expect.objectContaining({ kind: 'gone', zone, origin: key('b.test.') }));
  });

  test('a link that leads nowhere is a fault', async () => {
    const here = install();
    symlinkSync('nowhere', here.path('zones/net/a.test.zone'));
    expect(await here.store.load()).toMatchObject({ failed: 1 });
    expect(here.entry('a.test.').state).toBe('broken');
  });

  test('a zone that breaks keeps its last good version, and mends', async () => {
    const here = install();
    here.write('zones/net/a.test.zone', 'x TXT "1"\n');
    await here.store.load();
    const { image, serial, loadedAt } = here.entry('a.test.');
    here.changes.length = 0;
    here.now += 10;
    here.write('zones/net/a.test.zone', 'x TXT "2\n');
    expect(await here.store.reload()).toMatchObject({ loaded: 0, failed: 1 });
    expect(here.changes).toEqual([]);
    expect(here.entry('a.test.')).toMatchObject({ state: 'stale', serial, loadedAt });
    expect(here.entry('a.test.').image).toBe(image);
    expect(here.entry('a.test.').faults.map(({ code }) => code)).toEqual(['unterminated-quote']);
    expect(await here.store.reload()).toMatchObject({ unchanged: 1, failed: 0 });

    here.write('zones/net/a.test.zone', 'x TXT "3"\n');
    await here.store.reload();
    expect(here.changes).toMatchObject([{ kind: 'image' }]);
    expect(here.entry('a.test.')).toMatchObject({ state: 'ok', serial: here.now, faults: [] });
    expect(here.faults.at(-1)).toEqual({ name: 'a.test', codes: [] });
  });

  test('a stale zone that gets its old text back is well again without news', async () => {
    const here = install();
    here.write('zones/net/a.test.zone', 'x TXT "1"\n');
    await here.store.load();
    here.changes.length = 0;
    here.write('zones/net/a.test.zone', 'x TXT "2\n');
    await here.store.reload();
    here.write('zones/net/a.test.zone', 'x TXT "1"\n');
    await here.store.reload();
    expect(here.entry('a.test.').state).toBe('ok');
    expect(here.changes).toEqual([]);
  });

  test('comments and spacing are no change', async () => {
    const here = install();
    here.write('zones/net/a.test.zone', 'x TXT "1"\n');
    await here.store.load();
    here.changes.length = 0;
    here.now += 10;
    here.write('zones/net/a.test.zone', '; hello\nx    300 IN   TXT   "1"\n');
    await here.store.reload();
    expect(here.changes).toEqual([]);
    expect(here.entry('a.test.').serial).toBe(here.now - 10);
  });

  test('a change of an included file reloads who includes it', async () => {
    const here = install();
    here.write('zones/common', 'x TXT "1"\n');
    here.write('zones/net/a.test.zone', '$INCLUDE common\n');
    here.write('zones/net/b.test.zone', '');
    await here.store.load();
    here.changes.length = 0;
    here.write('zones/common', 'x TXT "2"\n');
    expect(await here.store.reload()).toMatchObject({ loaded: 1, unchanged: 1 });
    rmSync(here.path('zones/common'));
    expect(await here.store.reload()).toMatchObject({ failed: 1, unchanged: 1 });
    here.write('zones/common', 'x TXT "3"\n');
    expect(await here.store.reload()).toMatchObject({ loaded: 1, unchanged: 1 });
    expect(here.records('a.test.')).toContain('x.a.test. 300 IN TXT "3"');
  });

  test('new settings: networks come and go, a zone moves, made records change', async () => {
    const here = install();
    here.write('zones/net/a.test.zone', '');
    here.write('zones/net/b.test.zone', '');
    here.write('zones/other/c.test.zone', '');
    await here.store.load();
    const serial = here.entry('a.test.').serial;
    here.changes.length = 0;

    renameSync(here.path('zones/net/a.test.zone'), here.path('zones/other/a.test.zone'));
    await here.store.reload(here.settings({ networks: ['net', 'other'] }));
    expect(here.changes).toMatchObject([
      { kind: 'image', zone: 0, network: 'other' },
      { kind: 'image', zone: 2, network: 'other', origin: key('c.test.') },
    ]);
    expect(here.entry('a.test.').serial).toBe(serial + 1);

    here.changes.length = 0;
    await here.store.reload(here.settings({ networks: ['other'] }));
    expect(here.changes).toMatchObject([{ kind: 'gone', zone: 1, network: 'net' }]);

    here.changes.length = 0;
    const { dns } = here.settings();
    await here.store.reload(
      here.settings({ networks: ['other'], dns: { ...dns, nsRecords: [key('ns2.example.net.')] } }),
    );
    expect(here.changes).toHaveLength(2);
    expect(here.records('c.test.')).toEqual(['c.test. 300 IN NS ns2.example.net.']);
  });

  test('a folder that is lost keeps its zones', async () => {
    const here = install();
    here.write('zones/net/a.test.zone', '');
    await here.store.load();
    renameSync(here.path('zones/net'), here.path('zones/moved'));
    expect(await here.store.reload()).toMatchObject({ removed: 0 });
    expect(here.entry('a.test.').state).toBe('ok');
    expect(here.store.faults().map(({ code }) => code)).toEqual(['folder-unreadable']);
  });

  test('a file of the same size and time as before is still seen to differ', async () => {
    const here = install();
    const file = here.write('zones/net/a.test.zone', 'x TXT "1"\n');
    const time = new Date('2025-01-01T00:00:00Z');
    utimesSync(file, time, time);
    await here.store.load();
    writeFileSync(file, 'x TXT "2"\n');
    utimesSync(file, time, time);
    await here.store.reload();
    expect(here.records('a.test.')).toContain('x.a.test. 300 IN TXT "2"');
  });
});
