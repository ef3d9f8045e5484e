import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ZoneImage } from '../../../src/zones/image/image.ts';
import { printSnapshot } from '../../../src/zones/write/snapshot.ts';
import { install, key, STATIC } from './store-fixture.ts';

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

  test('a zone that was signed elsewhere says when its first signature ends, however large it is', async () => {
    const here = install();
    const rrsig = (end: string) => `@ 300 RRSIG SOA 13 2 300 ${end} 20260101000000 1 @ AAAA\n`;
    const many = Array.from({ length: 20_000 }, (_, i) => `h${i} 300 IN TXT "${'x'.repeat(200)}"\n`).join('');
    const signed = `${STATIC}${rrsig('20270301000000')}${rrsig('20261201000000').replace('SOA', 'NS')}`;
    here.write('static/signed.test.zone', signed);
    here.write('static/large.test.zone', signed + many);
    here.write('static/plain.test.zone', STATIC);
    here.open({ staticZoneDir: here.path('static') });
    await here.store.load();
    const ends = Object.fromEntries(here.store.entries().map(({ name, signaturesEnd }) => [name, signaturesEnd]));
    const end = Date.UTC(2026, 11, 1) / 1000;
    expect(ends).toEqual({ 'signed.test': end, 'large.test': end, 'plain.test': null });
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

  test('names of files that are not ASCII are A-labels, however they are composed', async () => {
    const here = install();
    here.write('zones/net/b\u00fccher.test.zone', '');
    here.write('zones/net/bu\u0308cher.test.zone', '');
    here.write('zones/net/\u0151.test.zone', '');
    here.write('zones/net/b\u00fc cher.test.zone', '');
    here.open();
    await here.store.load();
    expect(
      here.store
        .entries()
        .map(({ origin }) => origin)
        .sort(),
    ).toEqual([key('xn--8fa.test.'), key('xn--bcher-kva.test.')].sort());
    expect(
      here.store
        .faults()
        .map(({ code }) => code)
        .sort(),
    ).toEqual(['zone-name', 'zone-twice']);
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

  test('$INCLUDE reads from the folders of include_dirs, links considered', async () => {
    const here = install();
    here.write('shared/common', '$INCLUDE net/own\nshared TXT "x"\n');
    here.write('zones/net/own', 'own TXT "y"\n');
    here.write('secret/x', 'x TXT "secret"\n');
    here.write('zones/net/good.test.zone', `$INCLUDE ${here.path('shared/common')}\n`);
    symlinkSync(here.path('shared/common'), here.path('zones/link'));
    here.write('zones/net/link.test.zone', '$INCLUDE link\n');
    symlinkSync(here.path('secret/x'), here.path('shared/out'));
    here.write('zones/net/out.test.zone', `$INCLUDE ${here.path('shared/out')}\n`);
    const { limits } = here.settings().zoneFiles;
    here.open({ zoneFiles: { limits, includeDirs: [here.path('nowhere'), here.path('shared')] } });
    await here.store.load();
    expect(here.records('good.test.')).toContain('shared.good.test. 300 IN TXT "x"');
    expect(here.records('link.test.')).toContain('own.link.test. 300 IN TXT "y"');
    expect(here.entry('out.test.').state).toBe('broken');
    expect(here.entry('out.test.').faults[0].message).toContain('include_dirs');
    here.open();
    await here.store.load();
    expect(here.entry('good.test.').state).toBe('broken');
  });

  test('a zone over its limits is broken, others are not', async () => {
    const here = install();
    here.write('zones/net/big.test.zone', '$GENERATE 1-10 a$ A 192.0.2.$\n');
    here.write('zones/net/small.test.zone', '$GENERATE 1-5 a$ A 192.0.2.$\n');
    here.open({ zoneFiles: { includeDirs: [], limits: { records: 100, generated: 9, octets: 10_000 } } });
    expect(await here.store.load()).toMatchObject({ loaded: 1, failed: 1 });
    expect(here.entry('big.test.').faults).toMatchObject([{ code: 'too-many-generated', at: { line: 1, col: 11 } }]);
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
