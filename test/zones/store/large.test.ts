import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ZONE_LIMITS } from '../../../src/config/limits.ts';
import { install, key } from './store-fixture.ts';

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

  test.each([
    ['by $GENERATE', '$GENERATE 1-40000 g$ A 192.0.2.1\n', 40_002],
    ['by several $GENERATE', '$GENERATE 1-20000 g$ A 192.0.2.1\n$GENERATE 1-20000 h$ A 192.0.2.1\n', 40_002],
    ['by an included file', '$INCLUDE included\n', 12_003],
    ['by many included files', '$INCLUDE part1 a\n$INCLUDE part2 b\n', 12_002],
  ])('is so by what it makes: %s', async (_name, text, records) => {
    const here = install();
    here.write('zones/included', large('1'));
    here.write('zones/part1', large('1').slice(0, large('1').indexOf('host-6000')));
    here.write('zones/part2', large('1').slice(large('1').indexOf('host-6000')).replace('x TXT "1"\n', ''));
    here.write('zones/net/a-large.test.zone', text);
    here.write('zones/net/small.test.zone', '$GENERATE 1-9 g$ A 192.0.2.1\n');
    expect(await here.store.load()).toMatchObject({ loaded: 2, failed: 0 });
    expect(here.changes.map(({ origin }) => origin)).toEqual([key('small.test.'), key('a-large.test.')]);
    expect(here.entry('a-large.test.')).toMatchObject({ state: 'ok', records });
    expect(await here.store.reload()).toMatchObject({ loaded: 0, unchanged: 2 });
  });

  test('over its limits is reported as such', async () => {
    const here = install();
    here.open({ zoneFiles: { includeDirs: [], limits: { ...ZONE_LIMITS, generated: 35_000 } } });
    here.write('zones/net/a.test.zone', '$GENERATE 1-35001 g$ A 192.0.2.1\n');
    expect(await here.store.load()).toMatchObject({ loaded: 0, failed: 1 });
    const [fault] = here.entry('a.test.').faults;
    expect(fault).toMatchObject({ code: 'too-many-generated', message: expect.stringContaining('over 35000') });
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
