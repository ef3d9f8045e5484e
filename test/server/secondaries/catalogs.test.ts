import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { lowerName, nameText, type WireName } from '../../../src/dns/name.ts';
import { TRANSPORT } from '../../../src/server/answer/front-end.ts';
import { Catalogs } from '../../../src/server/secondaries/catalogs.ts';
import { forEachRecord } from '../../../src/zones/image/cursor.ts';
import { ZoneImage } from '../../../src/zones/image/image.ts';
import { catalogDigest, catalogImage } from '../../../src/zones/write/catalog.ts';
import { printRecord } from '../../../src/zones/write/print-record.ts';
import { wireName } from '../../support/dns-query.ts';
import { TestResponder } from '../../support/dns-responder.ts';
import { eventually } from '../../support/edgewise.ts';

const folder = mkdtempSync(join(tmpdir(), 'edgewise-catalogs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const key = (name: string): WireName => lowerName(wireName(name));
const CATALOG = key('catalog.test');
const all = { zone: CATALOG, per: 'all' } as const;
const each = { zone: CATALOG, per: 'network' } as const;
const member = (name: string, network: string | null = 'net') => ({ origin: key(name), network });

/** `owner type rdata`, the catalog's name left out. */
function linesOf(image: SharedArrayBuffer, origin = 'catalog.test'): readonly string[] {
  const lines: string[] = [];
  forEachRecord(ZoneImage.attach(image), (owner, type, ttl, rdata) => {
    const [, , ...rest] = printRecord(owner, type, ttl, rdata).split(/\s+/);
    lines.push(`${nameText(lowerName(owner)).replace(`${origin}.`, '@')} ${rest.join(' ')}`);
  });
  return lines;
}
/** The label of each member: zone → label. */
const idsOf = (image: SharedArrayBuffer): ReadonlyMap<string, string> =>
  new Map(
    linesOf(image).flatMap((line) => {
      const found = /^(\w+)\.zones\.@ PTR (\S+)$/.exec(line.replace(' IN ', ' '));
      return found === null ? [] : [[found[2], found[1]] as const];
    }),
  );

describe('a catalog zone (RFC 9432 §4)', () => {
  test('has SOA, NS invalid., the version, and a member and its group for each zone', () => {
    const image = catalogImage(
      CATALOG,
      [
        { origin: key('a.test'), group: 'net' },
        { origin: key('b.test'), group: null },
      ],
      7,
    );
    const lines = linesOf(image).map((line) => line.replace(' IN ', ' ').replace(/\b[0-9a-f]{40}\b/, 'ID'));
    expect(lines[0]).toMatch(/^@ SOA invalid\. invalid\. 7 /);
    expect(lines.slice(1).sort()).toEqual([
      '@ NS invalid.',
      'ID.zones.@ PTR a.test.',
      'ID.zones.@ PTR b.test.',
      'group.ID.zones.@ TXT "net"',
      'version.@ TXT "2"',
    ]);
  });

  test('says the same for the same members in any order, and something else for others', () => {
    const [a, b] = [
      { origin: key('a.test'), group: 'net' },
      { origin: key('b.test'), group: 'net' },
    ];
    expect(catalogDigest([a, b])).toBe(catalogDigest([b, a]));
    expect(new Set([[a, b], [a], [a, { ...b, group: 'other' }], []].map(catalogDigest)).size).toBe(4);
  });
});

describe('the catalogs there are', () => {
  const open = (name: string): Catalogs => new Catalogs(join(folder, name));

  test('one of all: every zone, static ones too, and it stays when it is empty', () => {
    const catalogs = open('all');
    const { changed } = catalogs.update(all, [], [member('a.test'), member('s.test', null)], 100);
    expect(changed.map(({ origin, network, serial }) => [origin, network, serial])).toEqual([[CATALOG, null, 100]]);
    expect([...idsOf(changed[0].image).keys()].sort()).toEqual(['a.test.', 's.test.']);
    expect(catalogs.update(all, [], [], 200)).toMatchObject({ changed: [{ serial: 200 }], gone: [] });
  });

  test('one for each network: below its name, without static zones, gone with the network', () => {
    const catalogs = open('each');
    const { changed } = catalogs.update(
      each,
      ['One', 'two'],
      [member('a.test', 'One'), member('b.test', 'two'), member('s.test', null)],
      100,
    );
    expect(changed.map(({ origin, network }) => [nameText(origin), network])).toEqual([
      ['one.catalog.test.', 'One'],
      ['two.catalog.test.', 'two'],
    ]);
    const after = catalogs.update(each, ['One'], [member('a.test', 'One')], 200);
    expect(after.changed).toEqual([]);
    expect(after.gone.map(({ origin }) => nameText(origin))).toEqual(['two.catalog.test.']);
    expect(catalogs.origins().map(nameText)).toEqual(['one.catalog.test.']);
    expect(new Set(changed.map(({ zone }) => zone)).size).toBe(2);
  });

  test('one for each network: there, and empty, when its last zone is gone', () => {
    const catalogs = open('empty');
    expect(catalogs.update(each, ['one'], [member('a.test', 'one')], 100).changed).toHaveLength(1);
    const { changed, gone } = catalogs.update(each, ['one'], [], 200);
    expect([changed.map(({ origin, serial }) => [nameText(origin), serial]), gone]).toEqual([
      [['one.catalog.test.', 200]],
      [],
    ]);
    expect(idsOf(changed[0].image).size).toBe(0);
  });

  test('a zone that moves to another network changes both', () => {
    const catalogs = open('moves');
    catalogs.update(
      each,
      ['one', 'two'],
      [member('a.test', 'one'), member('b.test', 'two'), member('c.test', 'two')],
      100,
    );
    const { changed } = catalogs.update(
      each,
      ['one', 'two'],
      [member('a.test', 'one'), member('b.test', 'one'), member('c.test', 'two')],
      200,
    );
    expect(changed.map(({ origin, serial }) => [nameText(origin), serial])).toEqual([
      ['one.catalog.test.', 200],
      ['two.catalog.test.', 200],
    ]);
  });

  test('a network whose name is no label has none', () => {
    expect(open('long').update(each, ['n'.repeat(64)], [member('a.test', 'n'.repeat(64))], 100).changed).toEqual([]);
  });

  test('a zone keeps its label as long as it is served, over restarts; one that comes back is the same member', async () => {
    const first = open('labels');
    const before = first.update(all, [], [member('a.test'), member('b.test')], 100).changed[0];
    const without = first.update(all, [], [member('b.test')], 200).changed[0];
    expect([...idsOf(without.image).keys()]).toEqual(['b.test.']);
    const back = first.update(all, [], [member('b.test'), member('a.test')], 300).changed[0];
    expect(idsOf(back.image)).toEqual(idsOf(before.image));
    await first.close();
    const again = open('labels').update(all, [], [member('a.test'), member('b.test')], 400).changed[0];
    expect(idsOf(again.image)).toEqual(idsOf(before.image));
  });

  test('serials: kept over a restart with the same zones, raised with others, whatever the clock says', async () => {
    const first = open('serials');
    expect(first.update(all, [], [member('a.test')], 1000).changed[0].serial).toBe(1000);
    expect(first.update(all, [], [member('a.test')], 1001).changed).toEqual([]);
    expect(first.update(all, [], [member('b.test')], 1000).changed[0].serial).toBe(1001);
    await first.close();
    const second = open('serials');
    expect(second.update(all, [], [member('b.test')], 5000).changed[0].serial).toBe(1001);
    await second.close();
    expect(open('serials').update(all, [], [member('c.test')], 10).changed[0].serial).toBe(1002);
  });

  test('a file that makes no sense costs a new serial', () => {
    writeFileSync(join(folder, 'bad'), '{"catalog": 5');
    expect(open('bad').update(all, [], [member('a.test')], 1000).changed[0].serial).toBe(1000);
  });

  test.each([
    ['nothing is left of it', () => 'null', 300],
    ['a list', () => '[1]', 300],
    ['half of it is there', (good: string) => good.slice(0, -9), 300],
    ['its only serial is none', (good: string) => good.replace(':200', ':1e300'), 300],
    ['another catalog makes no sense', (good: string) => good.replace('{', '{"x":null,'), 200],
    ['another has no digest', (good: string) => good.replace('{', '{"x":{"serial":7},'), 200],
  ])('a file of which %s: said, kept aside, and what is good goes on', async (name, spoil, serial) => {
    const file = join(folder, name);
    const first = new Catalogs(file);
    first.update(all, [], [member('a.test')], 200);
    await first.close();
    const text = spoil(readFileSync(file, 'utf8'));
    writeFileSync(file, text);
    const said: string[] = [];
    const second = new Catalogs(file, (message) => said.push(message));
    expect(said).toEqual([expect.stringContaining(`${file}: `)]);
    expect(said[0]).toContain(`it is kept as ${file}.bad`);
    expect(second.update(all, [], [member('a.test')], 300).changed[0].serial).toBe(serial);
    await second.close();
    expect(readFileSync(`${file}.bad`, 'utf8')).toBe(text);
    const third = new Catalogs(file, (message) => said.push(message));
    expect(third.update(all, [], [member('a.test')], 400).changed[0].serial).toBe(serial);
    expect(said).toHaveLength(1);
  });

  test('serials that cannot be saved are said and are a fault, and nothing else suffers', async () => {
    writeFileSync(join(folder, 'blocked'), '');
    const said: string[] = [];
    const catalogs = new Catalogs(join(folder, 'blocked', 'catalogs.json'), (message) => said.push(message));
    expect(catalogs.update(all, [], [member('a.test')], 100).changed).toHaveLength(1);
    await eventually(
      async () => said.length,
      (count) => count > 0,
    );
    expect(catalogs.faults()).toMatchObject([
      expect.stringMatching(/^the serials of catalogs are not saved in \S+blocked/),
    ]);
    expect(catalogs.update(all, [], [member('b.test')], 200).changed).toMatchObject([{ serial: 200 }]);
    await catalogs.close();
  });

  test('none when none is configured any more', () => {
    const catalogs = open('none');
    catalogs.update(all, [], [member('a.test')], 100);
    expect(catalogs.update(null, [], [member('a.test')], 200).gone.map(({ origin }) => origin)).toEqual([CATALOG]);
    expect(catalogs.get(CATALOG)).toBeNull();
  });
});

describe('a catalog is read by transfer only (RFC 9432 §7)', () => {
  const origin = key('catalog.test');
  const image = catalogImage(origin, [{ origin: key('a.test'), group: 'net' }], 7);
  const [id] = idsOf(image).values();
  const server = new TestResponder([]);
  server.responder.apply([{ kind: 'zone', zone: 5, origin, image, slot: -1, network: 0, catalog: true }]);

  test.each([
    ['its SOA, as secondaries ask for it', 'catalog.test', 'SOA', 'NOERROR', 1],
    ['its NS', 'catalog.test', 'NS', 'REFUSED', 0],
    ['anything at its apex', 'catalog.test', 'ANY', 'REFUSED', 0],
    ['its version', 'version.catalog.test', 'TXT', 'REFUSED', 0],
    ['a member', `${id}.zones.catalog.test`, 'PTR', 'REFUSED', 0],
    ['whether there is a member', `${id}.zones.catalog.test`, 'SOA', 'REFUSED', 0],
    ['whether there is none', 'nobody.zones.catalog.test', 'PTR', 'REFUSED', 0],
  ])('%s', (_, name, type, rcode, answers) => {
    for (const transport of [TRANSPORT.udp4, TRANSPORT.tcp]) {
      const { rcode: seen, answer, authority, additional } = server.ask({ name, type }, transport);
      expect([seen, answer.length, authority.length + additional.length]).toEqual([rcode, answers, 0]);
    }
  });
});
