import { describe, expect, test } from 'vitest';
import type { WireName } from '../../../src/dns/name.ts';
import {
  lagOf,
  type SecondaryState,
  SecondaryTable,
  stateOf,
  type WatchRow,
} from '../../../src/server/secondaries/secondary-table.ts';

const zone = (name: string): WireName => name as WireName;
const rowOf = (table: SecondaryTable, name = 'a'): WatchRow => {
  const found = [...table.all()].find((row) => row.zone === zone(name));
  if (found === undefined) throw new Error('no row');
  return found;
};

test('lag counts from the first serial that the secondary lacks to the answer that has it', () => {
  const table = new SecondaryTable(10);
  table.expect(0, zone('a'), 5, 100);
  const row = rowOf(table);
  expect(lagOf(row, 101)).toBeNull(); // never heard
  table.record(row, { serial: 5 }, 101);
  expect(lagOf(row, 150)).toBe(0);
  table.expect(0, zone('a'), 6, 200);
  table.expect(0, zone('a'), 7, 205);
  expect(lagOf(row, 206)).toBe(6);
  table.record(row, { serial: 6 }, 207);
  expect(lagOf(row, 208)).toBe(8);
  table.record(row, { error: 'silence' }, 209);
  expect([lagOf(row, 210), row.error]).toEqual([10, 'silence']);
  table.record(row, { serial: 7 }, 211);
  expect([lagOf(row, 212), row.error]).toEqual([0, null]);
});

test('a secondary that is ahead, by circle arithmetic, does not have our serial', () => {
  const table = new SecondaryTable(10);
  table.expect(0, zone('a'), 0xfffffff0, 0);
  table.record(rowOf(table), { serial: 3 }, 1);
  expect([stateOf(rowOf(table)), lagOf(rowOf(table), 5)]).toEqual(['ahead', 5]);
});

test.each<[string, number, number | null, SecondaryState]>([
  ['never answered', 5, null, 'unknown'],
  ['ours', 5, 5, 'current'],
  ['one less', 5, 4, 'behind'],
  ['one more', 5, 6, 'ahead'],
  ['over the end of the circle', 3, 0xffffffff, 'behind'],
  ['over its end, the other way', 0xffffffff, 3, 'ahead'],
  ['a date beside a clock', 1_795_900_000, 2_026_112_801, 'ahead'],
  ['half the circle away, which is undefined', 5, 5 + 2 ** 31, 'ahead'],
  ['zero', 5, 0, 'behind'],
])('serials: %s', (_, ourSerial, serial, expected) => {
  expect(stateOf({ ourSerial, serial })).toBe(expected);
});

describe('what is reported of a secondary', () => {
  type Heard = { readonly serial: number } | { readonly error: string };
  /** Our serial is 5 from the start; reports by time. */
  const reports = (heard: readonly (readonly [number, Heard])[]): readonly unknown[] => {
    const table = new SecondaryTable(10);
    table.expect(0, zone('a'), 5, 0);
    return heard.map(([now, result]) => {
      table.record(rowOf(table), result, now);
      return table.report(rowOf(table), now);
    });
  };

  test.each<[string, readonly (readonly [number, Heard])[], readonly unknown[]]>([
    [
      'a flip that takes a moment: nothing',
      [
        [0.5, { serial: 4 }],
        [2, { serial: 5 }],
      ],
      [null, null],
    ],
    [
      'behind, once it lasts',
      [
        [1, { serial: 4 }],
        [10, { serial: 4 }],
        [30, { serial: 4 }],
        [31, { serial: 5 }],
      ],
      [null, 'behind', null, 'well'],
    ],
    [
      'ahead, at once, and once',
      [
        [0.1, { serial: 6 }],
        [10, { serial: 6 }],
        [11, { serial: 5 }],
      ],
      ['ahead', null, 'well'],
    ],
    [
      'silent, once it lasts',
      [
        [1, { error: 'x' }],
        [5, { error: 'x' }],
        [11, { error: 'x' }],
        [12, { serial: 5 }],
      ],
      [null, null, 'silent', 'well'],
    ],
    [
      'silent and back with an old version',
      [
        [1, { error: 'x' }],
        [11, { error: 'x' }],
        [12, { serial: 4 }],
      ],
      [null, 'silent', 'behind'],
    ],
    [
      'ahead, then behind for a moment, then well',
      [
        [1, { serial: 6 }],
        [2, { serial: 4 }],
        [3, { serial: 5 }],
      ],
      ['ahead', null, 'well'],
    ],
  ])('%s', (_, heard, expected) => {
    expect(reports(heard)).toEqual(expected);
  });
});

test('one that is ahead is not notified again: it would take nothing', () => {
  const table = new SecondaryTable(10);
  table.expect(0, zone('a'), 5, 0);
  expect([1, 20, 40].map((now) => table.record(rowOf(table), { serial: 6 }, now))).toEqual([false, false, false]);
});

test('a secondary that a zone concerns no more is not asked, and not shown', () => {
  const table = new SecondaryTable(10);
  for (const target of [0, 1]) table.expect(target, zone('a'), 5, 0);
  table.retain(zone('a'), new Set([1]));
  table.retain(zone('never'), new Set([1]));
  expect([...table.all()].map(({ target }) => target)).toEqual([1]);
  expect(table.due(100, 10).map(({ target }) => target)).toEqual([1]);
});

test('a zone that goes while it is asked for is not asked for again', () => {
  const table = new SecondaryTable(10);
  table.expect(0, zone('a'), 5, 0);
  const [row] = table.due(0, 10);
  table.forget(zone('a'));
  expect(table.record(row, { serial: 4 }, 50)).toBe(false);
  expect(table.due(1000, 10)).toEqual([]);
});

test('asked at once, then every interval; never twice at once', () => {
  const table = new SecondaryTable(10);
  table.expect(0, zone('a'), 5, 0);
  const names = (now: number): readonly string[] => table.due(now, 100).map((row) => row.zone);
  expect(names(0)).toEqual(['a']);
  expect(names(30)).toEqual([]); // no answer yet
  table.record(rowOf(table), { serial: 5 }, 30);
  expect([names(39), names(40)]).toEqual([[], ['a']]);
  table.record(rowOf(table), { error: 'silence' }, 42);
  expect([names(51), names(52)]).toEqual([[], ['a']]);
});

test('one that is behind is asked a second after the change, then after 1, 2, 4 … seconds, at most an interval', () => {
  const table = new SecondaryTable(5);
  table.expect(0, zone('a'), 5, 0);
  table.record(table.due(0, 1)[0], { serial: 5 }, 0);
  table.expect(0, zone('a'), 6, 3);
  const asked: number[] = [];
  for (let now = 3; now <= 25; now++) {
    for (const row of table.due(now, 1)) {
      asked.push(now);
      table.record(row, { serial: 5 }, now);
    }
  }
  expect(asked).toEqual([4, 5, 7, 11, 16, 21]);
  table.expect(0, zone('a'), 7, 25); // news: soon again
  expect(table.due(26, 1)).toHaveLength(1);
});

test('where not all can be asked, those behind come first', () => {
  const table = new SecondaryTable(10);
  for (const name of ['a', 'b', 'c']) table.expect(0, zone(name), 5, 0);
  for (const row of table.due(0, 100)) table.record(row, { serial: row.zone === 'c' ? 4 : 5 }, 1);
  expect(table.due(20, 1).map((row) => row.zone)).toEqual(['c']);
});

test("one secondary that answers nothing takes nobody else's turn", () => {
  const table = new SecondaryTable(10);
  const zones = Array.from({ length: 1000 }, (_, i) => zone(`z${i}`));
  for (const name of zones) for (const target of [0, 1]) table.expect(target, name, 5, 0);
  const asked = new Set<string>();
  for (let now = 0; now < 40; now++) {
    for (const row of table.due(now, 50)) {
      if (row.target === 1) asked.add(row.zone);
      table.record(row, row.target === 0 ? { error: 'silence' } : { serial: 5 }, now);
    }
  }
  expect(asked.size).toBe(zones.length);
});

test('told again once it has been behind for an interval, and once an interval from then on', () => {
  const table = new SecondaryTable(10);
  table.expect(0, zone('a'), 5, 0);
  const again = [1, 9, 10, 15, 20, 21].map((now) => table.record(rowOf(table), { serial: 4 }, now));
  expect(again).toEqual([false, false, true, false, true, false]);
  expect(table.record(rowOf(table), { serial: 5 }, 40)).toBe(false);
});

test('a zone that goes is forgotten', () => {
  const table = new SecondaryTable(10);
  table.expect(0, zone('a'), 5, 0);
  table.expect(1, zone('a'), 5, 0);
  table.forget(zone('a'));
  expect([...table.all()]).toEqual([]);
});
