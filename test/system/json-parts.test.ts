import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  droppedText,
  FLAG,
  listOf,
  mapOf,
  NUMBER,
  objectOf,
  oneOf,
  readParts,
  TEXT,
} from '../../src/system/json-parts.ts';

const ENTRY = objectOf({ at: NUMBER, up: FLAG, why: TEXT.default('') });
const SCHEMA = objectOf({
  names: listOf(TEXT).default([]),
  times: mapOf(NUMBER).default(new Map()),
  entries: mapOf(objectOf({ list: listOf(ENTRY).default([]), kind: oneOf(['a', 'b']) })).default(new Map()),
});
const EMPTY = { names: [], times: new Map(), entries: new Map() };
const GOOD = { at: 1, up: true, why: '' };

test.each<[string, unknown, object, readonly string[]]>([
  ['nothing missing', { names: ['x'], times: { y: '2.5' } }, { names: ['x'], times: new Map([['y', 2.5]]) }, []],
  ['keys that nobody asked for', { other: { deep: [] } }, {}, []],
  ['an item of a list', { names: ['x', 2, 'y', null] }, { names: ['x', 'y'] }, ['names[1]: expected text']],
  ['a list that is none', { names: 'x' }, {}, ['names: expected a list']],
  [
    'numbers that are too large or none',
    { times: { a: 1, b: '1e5', c: 'NaN', 'd.e': true } },
    { times: new Map([['a', 1]]) },
    ['times.b: expected a number', 'times.c: expected a number', 'times["d.e"]: expected a number'],
  ],
  [
    'an object that lacks what it needs, and only that',
    { entries: { one: { list: [GOOD, { at: 2 }, { up: true, at: 3, why: 4 }], kind: 'a' }, two: { list: [] } } },
    { entries: new Map([['one', { list: [GOOD, { ...GOOD, at: 3 }], kind: 'a' }]]) },
    [
      'entries.one.list[1].up: expected true or false',
      'entries.one.list[2].why: expected text',
      'entries.two.kind: expected a, b',
    ],
  ],
  ['null is what is missing', { names: null, times: { a: null }, entries: { x: null } }, {}, []],
])('left out: %s', (_, value, expected, dropped) => {
  expect(readParts(SCHEMA, value)).toEqual({ value: { ...EMPTY, ...expected }, dropped });
});

test('what is no object at all, or lacks what it needs, is nothing', () => {
  for (const value of [null, undefined, 7, 'x', [], [1]]) expect(readParts(SCHEMA, value)).toBeNull();
  expect(readParts(objectOf({ need: TEXT }), { need: 5 })).toBeNull();
});

test('any object is read, its prototype included, and what was read is read again without loss', () => {
  const key = fc.constantFrom(
    'names',
    'times',
    'entries',
    'one',
    'list',
    'kind',
    'at',
    'up',
    '__proto__',
    'constructor',
  );
  const leaf = fc.jsonValue({ maxDepth: 0 });
  const inner = fc.dictionary(key, fc.oneof(leaf, fc.dictionary(key, leaf), fc.array(fc.dictionary(key, leaf))));
  const tree = fc.oneof(leaf, inner, fc.dictionary(key, inner));
  fc.assert(
    fc.property(fc.dictionary(key, tree), (value) => {
      const parts = readParts(SCHEMA, JSON.parse(JSON.stringify(value)));
      expect(parts).not.toBeNull();
      if (parts === null) return;
      const { names, times, entries } = parts.value;
      const again = { names, times: Object.fromEntries(times), entries: Object.fromEntries(entries) };
      expect(readParts(SCHEMA, again)).toEqual({ value: parts.value, dropped: [] });
    }),
  );
});

test('a sentence names the first five', () => {
  expect(droppedText([])).toBeNull();
  expect(droppedText(['a', 'b'])).toBe('a; b');
  expect(droppedText(['a', 'b', 'c', 'd', 'e'])).toBe('a; b; c; d; e');
  expect(droppedText(['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toBe('a; b; c; d; e; and 2 more');
});

test('a thousand bad entries are left out in one go', () => {
  const times = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`t${i}`, i % 2 === 0 ? i : 'x']));
  const parts = readParts(SCHEMA, { times });
  expect(parts?.dropped).toHaveLength(500);
  expect(parts?.value.times.size).toBe(500);
});
