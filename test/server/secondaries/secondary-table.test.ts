import { expect, test } from 'vitest';
import type { WireName } from '../../../src/dns/name.ts';
import { lagOf, SecondaryTable, type WatchRow } from '../../../src/server/secondaries/secondary-table.ts';

const zone = (name: string): WireName => name as WireName;
const rowOf = (book: SecondaryTable, name = 'a'): WatchRow => {
  const found = [...book.all()].find((row) => row.zone === zone(name));
  if (found === undefined) throw new Error('no row');
  return found;
};

test('lag counts from the first serial that the secondary lacks to the answer that has it', () => {
  const book = new SecondaryTable(10);
  book.expect(0, zone('a'), 5, 100);
  const row = rowOf(book);
  expect(lagOf(row, 101)).toBeNull(); // never heard
  book.heard(row, { serial: 5 }, 101);
  expect(lagOf(row, 150)).toBe(0);
  book.expect(0, zone('a'), 6, 200);
  book.expect(0, zone('a'), 7, 205);
  expect(lagOf(row, 206)).toBe(6);
  book.heard(row, { serial: 6 }, 207);
  expect(lagOf(row, 208)).toBe(8);
  book.heard(row, { error: 'silence' }, 209);
  expect([lagOf(row, 210), row.error]).toEqual([10, 'silence']);
  book.heard(row, { serial: 7 }, 211);
  expect([lagOf(row, 212), row.error]).toEqual([0, null]);
});

test('a secondary that is ahead, by circle arithmetic, lacks nothing', () => {
  const book = new SecondaryTable(10);
  book.expect(0, zone('a'), 0xfffffff0, 0);
  book.heard(rowOf(book), { serial: 3 }, 1);
  expect(lagOf(rowOf(book), 5)).toBe(0);
});

test('asked at once, then every interval; never twice at once', () => {
  const book = new SecondaryTable(10);
  book.expect(0, zone('a'), 5, 0);
  const names = (now: number): readonly string[] => book.due(now, 100).map((row) => row.zone);
  expect(names(0)).toEqual(['a']);
  expect(names(30)).toEqual([]); // no answer yet
  book.heard(rowOf(book), { serial: 5 }, 30);
  expect([names(39), names(40)]).toEqual([[], ['a']]);
  book.heard(rowOf(book), { error: 'silence' }, 42);
  expect([names(51), names(52)]).toEqual([[], ['a']]);
});

test('one that is behind is asked a second after the change, then after 1, 2, 4 … seconds, at most an interval', () => {
  const book = new SecondaryTable(5);
  book.expect(0, zone('a'), 5, 0);
  book.heard(book.due(0, 1)[0], { serial: 5 }, 0);
  book.expect(0, zone('a'), 6, 3);
  const asked: number[] = [];
  for (let now = 3; now <= 25; now++) {
    for (const row of book.due(now, 1)) {
      asked.push(now);
      book.heard(row, { serial: 5 }, now);
    }
  }
  expect(asked).toEqual([4, 5, 7, 11, 16, 21]);
  book.expect(0, zone('a'), 7, 25); // news: soon again
  expect(book.due(26, 1)).toHaveLength(1);
});

test('where not all can be asked, those behind come first', () => {
  const book = new SecondaryTable(10);
  for (const name of ['a', 'b', 'c']) book.expect(0, zone(name), 5, 0);
  for (const row of book.due(0, 100)) book.heard(row, { serial: row.zone === 'c' ? 4 : 5 }, 1);
  expect(book.due(20, 1).map((row) => row.zone)).toEqual(['c']);
});

test("one secondary that answers nothing takes nobody else's turn", () => {
  const book = new SecondaryTable(10);
  const zones = Array.from({ length: 1000 }, (_, i) => zone(`z${i}`));
  for (const name of zones) for (const target of [0, 1]) book.expect(target, name, 5, 0);
  const asked = new Set<string>();
  for (let now = 0; now < 40; now++) {
    for (const row of book.due(now, 50)) {
      if (row.target === 1) asked.add(row.zone);
      book.heard(row, row.target === 0 ? { error: 'silence' } : { serial: 5 }, now);
    }
  }
  expect(asked.size).toBe(zones.length);
});

test('told again once it has been behind for an interval, and once an interval from then on', () => {
  const book = new SecondaryTable(10);
  book.expect(0, zone('a'), 5, 0);
  const again = [1, 9, 10, 15, 20, 21].map((now) => book.heard(rowOf(book), { serial: 4 }, now));
  expect(again).toEqual([false, false, true, false, true, false]);
  expect(book.heard(rowOf(book), { serial: 5 }, 40)).toBe(false);
});

test('a zone that goes is forgotten', () => {
  const book = new SecondaryTable(10);
  book.expect(0, zone('a'), 5, 0);
  book.expect(1, zone('a'), 5, 0);
  book.forget(zone('a'));
  expect([...book.all()]).toEqual([]);
});
