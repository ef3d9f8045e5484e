import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { ZoneImage } from '../../src/zones/image.ts';
import { printSnapshot } from '../../src/zones/snapshot.ts';
import { Installation, key } from './zone-store-fixture.ts';

const STATIC = '$TTL 300\n@ SOA ns host 7 7200 900 1209600 300\n@ NS ns\nns A 192.0.2.1\n';

let made: Installation[] = [];
afterEach(async () => {
  await Promise.all(made.map((installation) => installation.close()));
  made = [];
});

function install(...args: ConstructorParameters<typeof Installation>): Installation {
  const installation = new Installation(...args);
  made.push(installation);
  return installation;
}

describe('load', () => {
  test("a network's include file becomes a zone with SOA, NS and live names", async () => {
    const here = install();
    here.write('zones/net/example.test.zone', 'mail A 192.0.2.7\n');
    const summary = await here.store.load();
    expect(summary).toMatchObject({ loaded: 1, failed: 0, unchanged: 0, removed: 0 });
    expect(here.changes).toMatchObject([{ kind: 'image', zone: 0, origin: key('example.test.'), network: 'net' }]);
    expect(here.records('example.test.')).toEqual([
      'example.test. 300 IN NS ns1.example.net.',
      'mail.example.test. 300 IN A 192.0.2.7',
    ]);
    expect(here.entry('example.test.')).toMatchObject({
      name: 'example.test',
      state: 'ok',
      serial: here.now,
      records: 3,
      loadedAt: here.now,
      faults: [],
    });
    const { image } = here.entry('example.test.');
    if (image === null) throw new Error('no image');
    expect(ZoneImage.attach(image)).toMatchObject({ serial: here.now, isLive: true });
  });

  test('static zones come from static_zones and static_zone_dir, the root among them', async () => {
    const here = install();
    const file = here.write('elsewhere/one.db', STATIC);
    here.write('static/two.test.zone', STATIC);
    here.write('static/..zone', '. 300 SOA a. b. 9 2 3 4 5\n. 300 NS ns.\nns. 300 A 192.0.2.1\n');
    here.open({ staticZones: [{ name: key('one.test.'), file }], staticZoneDir: here.path('static') });
    await here.store.load();
    expect(here.store.faults()).toEqual([]);
    const entries = here.store.entries().map(({ name, network, serial, state }) => ({ name, network, serial, state }));
    expect(entries).toEqual([
      { name: 'one.test', network: null, serial: 7, state: 'ok' },
      { name: '.', network: null, serial: 9, state: 'ok' },
      { name: 'two.test', network: null, serial: 7, state: 'ok' },
    ]);
  });

  test('a bad file breaks its own zone only', async () => {
    const here = install();
    here.write('zones/net/bad.test.zone', 'mail A 192.0.2.\n');
    here.write('zones/net/good.test.zone', '');
    expect(await here.store.load()).toMatchObject({ loaded: 1, failed: 1 });
    expect(here.changes).toMatchObject([
      { kind: 'broken', origin: key('bad.test.'), network: 'net' },
      { kind: 'image', origin: key('good.test.') },
    ]);
    expect(here.entry('bad.test.')).toMatchObject({ state: 'broken', serial: 0, records: 0, image: null });
    expect(here.entry('bad.test.').faults[0].at).toMatchObject({ line: 1, text: 'mail A 192.0.2.' });
    expect(here.faults).toHaveLength(1);
  });

  test.each([
    ['in two networks', 'zones/other/example.test.zone', '', 'network net'],
    ['static as well', 'static/example.test.zone', STATIC, 'network net'],
  ])('a zone %s is an error that names both files, and the first counts', async (_name, second, text, owner) => {
    const here = install();
    const first = here.write('zones/net/example.test.zone', '');
    here.write(second, text);
    here.write('zones/other/x.test.zone', '');
    here.write('static/y.test.zone', STATIC);
    here.open({ networks: ['net', 'other'], staticZoneDir: here.path('static') });
    await here.store.load();
    const faults = here.store.faults();
    expect(faults).toMatchObject([{ severity: 'error', code: 'zone-twice', at: { file: here.path(second) } }]);
    expect(faults[0].message).toContain(first);
    expect(faults[0].message).toContain(owner);
    expect(here.entry('example.test.').network).toBe('net');
    expect(here.store.entries()).toHaveLength(3);
  });

  test('names that are no zones, folders, backups and hidden files make none', async () => {
    const here = install();
    here.write('zones/net/a..b.zone', '');
    here.write('zones/net/.example.test.zone', '');
    here.write('zones/net/example.test.zone~', '');
    here.write('zones/net/folder.zone/x', '');
    here.write(`zones/net/0\\04725.2.0.192.in-addr.arpa.zone`, '');
    await here.store.load();
    expect(here.store.entries().map(({ origin }) => origin)).toEqual([key('0\\04725.2.0.192.in-addr.arpa.')]);
    expect(here.store.faults().map(({ code }) => code)).toEqual(['zone-name']);
  });

  test('a missing folder of a network is a warning, of static zones an error', async () => {
    const here = install();
    here.open({ networks: ['net', 'new'], staticZoneDir: here.path('nowhere') });
    await here.store.load();
    expect(here.store.faults().map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      'warning folder-unreadable',
      'error folder-unreadable',
    ]);
  });

  test('$INCLUDE stays inside the zones folder, links considered', async () => {
    const here = install();
    const secret = here.write('secret/x', 'leak TXT "x"\n');
    here.write('zones/common', 'shared TXT "x"\n');
    symlinkSync(secret, here.path('zones/link'));
    here.write('zones/net/good.test.zone', '$INCLUDE common\n');
    here.write('zones/net/link.test.zone', '$INCLUDE link\n');
    here.write('zones/net/up.test.zone', '$INCLUDE ../secret/x\n');
    await here.store.load();
    expect(here.records('good.test.')).toContain('shared.good.test. 300 IN TXT "x"');
    expect(here.entry('link.test.').state).toBe('broken');
    expect(here.entry('up.test.').state).toBe('broken');
  });

  test('what is no regular file breaks its zone and is not waited for', async () => {
    const here = install();
    execFileSync('mkfifo', [here.path('zones/net/pipe.test.zone'), here.path('zones/pipe')]);
    here.write('zones/net/includes.test.zone', '$INCLUDE pipe\n');
    symlinkSync('/dev/zero', here.path('zones/net/device.test.zone'));
    symlinkSync('loop.test.zone', here.path('zones/net/loop.test.zone'));
    symlinkSync('nowhere', here.path('zones/net/dangling.test.zone'));
    expect(await here.store.load()).toMatchObject({ loaded: 0, failed: 5 });
    expect(here.store.entries().map(({ state }) => state)).toEqual(Array(5).fill('broken'));
  });

  test('a rotate label that makes no name in a zone is none of its names', async () => {
    const here = install();
    const long = `${'a'.repeat(60)}.`.repeat(4);
    here.write(`zones/net/${long}test.zone`, '');
    here.write('zones/net/example.test.zone', '');
    const { dns } = here.settings();
    const rotateZones = ['www.very.long', 'www.elsewhere.', '@', 'WWW', 'www', ''];
    here.open({ dns: { ...dns, rotateZones } });
    expect(await here.store.load()).toMatchObject({ loaded: 2, failed: 0 });
    const { image } = here.entry('example.test.');
    if (image === null) throw new Error('no image');
    const text = printSnapshot(ZoneImage.attach(image), { v4: [Uint8Array.of(192, 0, 2, 1)], v6: [] }, 1);
    const owners = text
      .split('\n')
      .filter((line) => line.includes('\tA\t'))
      .map((line) => line.split('\t')[0]);
    expect(owners.sort()).toEqual(['WWW.example.test.', 'example.test.', 'www.very.long.example.test.']);
  });

  test('gives the event loop back while it loads many zones', async () => {
    const here = install();
    for (let i = 0; i < 2000; i++) here.write(`zones/net/z${i}.test.zone`, `mail A 192.0.2.7\n@ MX 10 mail\n`);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const summary = await here.store.load();
    clearInterval(timer);
    expect(summary.loaded).toBe(2000);
    expect(here.changes).toHaveLength(2000);
    expect(new Set(here.changes.map(({ zone }) => zone)).size).toBe(2000);
    expect(turns).toBeGreaterThan(10);
    expect(await here.store.reload()).toMatchObject({ loaded: 0, unchanged: 2000 });
  });
});

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

describe('a large zone', () => {
  const large = (word: string): string =>
    Array.from({ length: 12_000 }, (_, i) => `host-${i} TXT "some text that takes room"`)
      .join('\n')
      .concat(`\nx TXT "${word}"\n`);

  test('is loaded beside the main thread, which does not wait, and is as any other', async () => {
    const here = install();
    here.write('zones/net/a-large.test.zone', large('1'));
    here.write('zones/net/small.test.zone', '');
    expect(await here.store.load()).toMatchObject({ loaded: 2, failed: 0 });
    expect(here.changes.map(({ origin }) => origin)).toEqual([key('small.test.'), key('a-large.test.')]);
    expect(here.entry('a-large.test.')).toMatchObject({ state: 'ok', serial: here.now, records: 12_003 });
    expect(here.records('a-large.test.')).toContain('x.a-large.test. 300 IN TXT "1"');
    expect(await here.store.reload()).toMatchObject({ loaded: 0, unchanged: 2 });

    here.write('zones/net/a-large.test.zone', large('2\n'));
    expect(await here.store.reload()).toMatchObject({ failed: 1, unchanged: 1 });
    expect(here.entry('a-large.test.').state).toBe('stale');
    expect(here.entry('a-large.test.').faults[0].at).toMatchObject({ line: 12_001 });
    expect(here.entry('small.test.').state).toBe('ok');
  });

  test('that changes or goes while it is loaded is loaded again or dropped', async () => {
    const here = install();
    here.write('zones/net/a.test.zone', large('1'));
    here.write('zones/net/b.test.zone', large('1'));
    const loaded = here.store.load();
    await here.store.reload();
    rmSync(here.path('zones/net/b.test.zone'));
    here.write('zones/net/a.test.zone', large('2'));
    await Promise.all([loaded, here.store.reload()]);
    here.store.watch();
    await here.until(() => here.records('a.test.').includes('x.a.test. 300 IN TXT "2"'));
    expect(here.store.entry(key('b.test.'))).toBe(null);
  });

  test('a store that is closed while it loads publishes nothing more', async () => {
    const here = install();
    here.write('zones/net/a.test.zone', large('1'));
    const loaded = here.store.load();
    await here.store.close();
    await loaded;
    expect(here.changes).toEqual([]);
  });
});

describe('serials', () => {
  test('are the same after a restart with the same content, higher with another, whatever the clock says', async () => {
    const here = install();
    here.write('zones/net/a.test.zone', 'x TXT "1"\n');
    here.write('zones/net/b.test.zone', 'x TXT "1"\n');
    await here.store.load();
    const first = here.now;
    await here.store.close();

    here.now -= 86400; // set back a day
    here.write('zones/net/b.test.zone', 'x TXT "2"\n');
    here.open();
    await here.store.load();
    expect(here.entry('a.test.').serial).toBe(first);
    expect(here.entry('b.test.').serial).toBe(first + 1);
    expect(here.store.maxSerial('net')).toBe(first + 1);
    expect(here.store.maxSerial('other')).toBe(0);
  });

  test('exceed what the live set has given the zone', async () => {
    const here = install();
    here.write('zones/net/a.test.zone', 'x TXT "1"\n');
    await here.store.load();
    here.live = here.now + 500;
    await here.store.reload();
    expect(here.entry('a.test.').serial).toBe(here.now);
    here.write('zones/net/a.test.zone', 'x TXT "2"\n');
    await here.store.reload();
    expect(here.entry('a.test.').serial).toBe(here.now + 501);
  });

  test('are raised again when the live set flips while they are made durable', async () => {
    const here = install();
    here.write('zones/net/a.test.zone', 'x TXT "1"\n');
    await here.store.load();
    here.now += 10;
    here.write('zones/net/a.test.zone', 'x TXT "2"\n');
    let asked = 0;
    here.open({}, { liveSerial: () => (asked++ === 0 ? here.now - 5 : here.now) });
    await here.store.load();
    const { serial, image } = here.entry('a.test.');
    expect(serial).toBe(here.now + 1);
    if (image === null) throw new Error('no image');
    expect(ZoneImage.attach(image).serial).toBe(here.now + 1);
    expect(readFileSync(here.serialFile, 'utf8')).toContain(`"serial":${here.now + 1}`);
  });

  test('are durable before they are published', async () => {
    const here = install();
    here.write('zones/net/a.test.zone', '');
    let saved = '';
    here.open({}, { onChange: () => (saved = readFileSync(here.serialFile, 'utf8')) });
    await here.store.load();
    expect(JSON.parse(saved)).toMatchObject({
      version: 1,
      zones: { 'a.test.': { network: 'net', serial: here.now } },
    });
  });

  test.each([
    ['half a file', '{"version":1,"zo'],
    ['no JSON', 'hello'],
    ['another version', '{"version":2,"zones":{}}'],
    ['a serial that is none', '{"version":1,"zones":{"a.test.":{"hash":"x","serial":-1}}}'],
    ['a name that is none', '{"version":1,"zones":{"a..test.":{"hash":"x","serial":1}}}'],
    ['an entry that is none', '{"version":1,"zones":{"a.test.":7}}'],
  ])('%s: set aside with an error, and the zones are served', async (_name, text) => {
    const here = install();
    here.write('edgewise-zones.json', text);
    here.write('zones/net/a.test.zone', '');
    await here.store.load();
    expect(here.entry('a.test.').serial).toBe(here.now);
    const [fault] = here.store.faults();
    expect(fault).toMatchObject({ severity: 'error', code: 'serials-unreadable', at: { file: here.serialFile } });
    expect(readFileSync(`${here.serialFile}.bad-${here.now}`, 'utf8')).toBe(text);
    expect(readFileSync(here.serialFile, 'utf8')).toContain('"a.test."');
  });

  test('that cannot be written do not keep zones from being served', async () => {
    const here = install();
    here.write('zones/net/a.test.zone', '');
    here.open({}, { serialFile: here.path('no/such/folder/zones.json') });
    await here.store.load();
    expect(here.entry('a.test.').state).toBe('ok');
    expect(here.changes).toHaveLength(1);
    expect(here.store.faults().map(({ code }) => code)).toEqual(['serials-unwritable']);
    here.write('no/such/folder/x', '');
    await here.store.reload();
    expect(here.store.faults()).toEqual([]);
    expect(readFileSync(here.path('no/such/folder/zones.json'), 'utf8')).toContain('"a.test."');
  });

  test('of a static zone are its own; a change without a higher one is a warning, after a restart too', async () => {
    const here = install();
    here.write('static/a.test.zone', STATIC);
    here.open({ staticZoneDir: here.path('static') });
    await here.store.load();
    expect(here.entry('a.test.').serial).toBe(7);
    here.write('static/a.test.zone', `${STATIC}x TXT "2"\n`);
    await here.store.reload();
    expect(here.entry('a.test.')).toMatchObject({ state: 'ok', serial: 7 });
    expect(here.entry('a.test.').faults.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      'warning serial-not-raised',
    ]);
    await here.store.close();
    here.write('static/a.test.zone', `${STATIC}x TXT "3"\n`);
    here.open({ staticZoneDir: here.path('static') });
    await here.store.load();
    expect(here.entry('a.test.').faults.map(({ code }) => code)).toEqual(['serial-not-raised']);
    here.write('static/a.test.zone', `${STATIC.replace(' 7 ', ' 8 ')}x TXT "3"\n`);
    await here.store.reload();
    expect(here.entry('a.test.')).toMatchObject({ serial: 8, faults: [] });
  });
});

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

  test('a link to elsewhere, by the rescan', async () => {
    const here = install();
    const target = here.write('elsewhere/a', 'x TXT "1"\n');
    symlinkSync(target, here.path('zones/net/a.test.zone'));
    await here.store.load();
    here.store.watch();
    writeFileSync(target, 'x TXT "2"\n');
    await here.until(() => has(here, 'a.test.', 'x.a.test. 300 IN TXT "2"'));
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
