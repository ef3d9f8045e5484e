import { expect, test } from 'vitest';
import { differenceText, zoneDifference } from '../../src/cli/export-diff.ts';

const zone = (serial: number, ...records: readonly string[]): string =>
  [
    '; as the exporter writes it',
    '$TTL 300',
    `a.test.\t300\tIN\tSOA\tns.a.test. host.a.test. ${serial} 3600 600 86400 300`,
    ...records,
    '',
  ].join('\n');

test('records that came and went, and both serials', () => {
  const [before, after] = [zone(5, 'a.test.\t300\tIN\tA\t192.0.2.1'), zone(6, 'a.test.\t300\tIN\tA\t192.0.2.2')];
  expect(zoneDifference(before, after)).toEqual({
    oldSerial: 5,
    newSerial: 6,
    removed: ['a.test. 300 IN A 192.0.2.1'],
    added: ['a.test. 300 IN A 192.0.2.2'],
  });
  expect(differenceText('a.test', zoneDifference(before, after), 1)).toBe(
    'a.test: serial 5 → 6\n  - a.test. 300 IN A 192.0.2.1\n  … and 1 more\n',
  );
});

test('a new zone', () => {
  expect(zoneDifference(null, zone(5))).toMatchObject({ oldSerial: null, newSerial: 5, removed: [] });
});

test('order, comments and the room between words are no difference', () => {
  const before = zone(5, 'a.test.\t300\tIN\tA\t192.0.2.1', 'a.test.\t300\tIN\tA\t192.0.2.2', '; one');
  const after = zone(5, 'a.test. 300 IN A 192.0.2.2', 'a.test. 300  IN A  192.0.2.1');
  expect(zoneDifference(before, after)).toMatchObject({ removed: [], added: [] });
});

test.each([
  ['the room inside quotes', 'a.test. 300 IN TXT "one  two"', 'a.test. 300 IN TXT "one two"'],
  ['behind an escaped quote', 'a.test. 300 IN TXT "\\"  x" "y"', 'a.test. 300 IN TXT "\\" x" "y"'],
  ['text that looks like an SOA', 'a.test. 300 IN TXT "the SOA a b 7 c"', 'a.test. 300 IN TXT "the SOA a b 8 c"'],
])('%s is one', (_, old, fresh) => {
  expect(zoneDifference(zone(5, old), zone(6, fresh))).toEqual({
    oldSerial: 5,
    newSerial: 6,
    removed: [old],
    added: [fresh],
  });
});

test('another refresh time in the SOA is one', () => {
  const { removed, added } = zoneDifference(zone(5), zone(6).replace(' 3600 ', ' 60 '));
  expect([removed, added]).toEqual([
    ['a.test. 300 IN SOA ns.a.test. host.a.test. … 3600 600 86400 300'],
    ['a.test. 300 IN SOA ns.a.test. host.a.test. … 60 600 86400 300'],
  ]);
});
