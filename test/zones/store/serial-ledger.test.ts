import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ZoneImage } from '../../../src/zones/image/image.ts';
import { install, STATIC } from './store-fixture.ts';

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
    expect(here.faults).toContainEqual({ name: null, codes: ['serials-unreadable'] });
    // The file was written anew with the zones, so that nothing is wrong any more.
    expect(here.faults.at(-1)).toEqual({ name: null, codes: [] });
    expect(here.store.faults()).toEqual([]);
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

  describe('of a static zone under which it had other contents', () => {
    /** What each version is (serial, content), and whether the serial is then ambiguous; `restart` before the version. */
    const STORIES: Readonly<Record<string, readonly (readonly [number, string, boolean, 'restart'?])[]>> = {
      'stay ambiguous over a restart, until the serial is higher': [
        [7, 'a', false],
        [7, 'b', true],
        [7, 'b', true, 'restart'],
        [8, 'b', false],
        [8, 'b', false, 'restart'],
      ],
      'stay so when the first content comes back': [
        [7, 'a', false],
        [7, 'b', true],
        [7, 'a', true],
        [7, 'a', true, 'restart'],
      ],
      'are told by the highest of them, not by the last': [
        [9, 'a', false],
        [5, 'b', true],
        [6, 'b', true],
        [9, 'c', true, 'restart'],
        [10, 'c', false],
      ],
      'may pass the end of their numbers': [
        [4_294_967_295, 'a', false],
        [4_294_967_295, 'b', true],
        [1, 'b', false],
      ],
    };
    test.each(Object.entries(STORIES))('%s', async (_, versions) => {
      const here = install();
      const settings = { staticZoneDir: here.path('static') };
      for (const [index, [serial, content, ambiguous, restart]] of versions.entries()) {
        here.write('static/a.test.zone', `${STATIC.replace(' 7 ', ` ${serial} `)}x TXT "${content}"\n`);
        if (restart !== undefined) await here.store.close();
        if (index === 0 || restart !== undefined) {
          here.open(settings);
          await here.store.load();
        } else await here.store.reload();
        const what = `version ${index}`;
        expect(here.entry('a.test.').serial, what).toBe(serial);
        const codes = here.entry('a.test.').faults.map(({ code }) => code);
        expect(codes, what).toEqual(ambiguous ? ['serial-not-raised'] : []);
      }
    });
  });
});
