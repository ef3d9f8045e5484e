import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareNames,
  isWithin,
  labelsOf,
  lowerName,
  type NameProblem,
  nameFromText,
  nameKey,
  nameText,
  parentName,
  ROOT,
  textFromWire,
  type WireName,
  wireFromName,
  wireNameLength,
} from '../../src/dns/name.ts';
import { scanName } from '../../src/zones/text/name.ts';
import { wireName } from '../support/read-zone.ts';

const ORIGIN = wireName('Example.');
const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

function key(text: string): WireName {
  const name = nameKey(text);
  if (name === null) throw new Error(text);
  return name;
}

/** Wire names with any octets in their labels. */
const wireNames = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 10 }), { maxLength: 8 })
  .map((labels) => Uint8Array.from([...labels.flatMap((label) => [label.length, ...label]), 0]));

describe('nameFromText', () => {
  const rows: readonly (readonly [text: string, wire: string | NameProblem])[] = [
    ['a', `0161${hex(ORIGIN)}`],
    ['.', '00'],
    ['a.', '016100'],
    ['a.b.', '0161016200'],
    ['\\065.', '014100'],
    ['\\..', '012e00'],
    ['\\\\.', '015c00'],
    ['a\\032b.', '0361206200'],
    ['*.a.', '012a016100'],
    ['', 'empty-name'],
    ['a..b', 'empty-label'],
    ['.a', 'empty-label'],
    ['..', 'empty-label'],
    ['a\\', 'bad-escape'],
    ['a\\25', 'bad-escape'],
    ['a\\256', 'bad-escape'],
    ['a\\2b5', 'bad-escape'],
    ['B\u00fccher.example.', `0d786e2d2d62636865722d6b7661${hex(wireName('example.'))}`],
    ['B\u00dcCHER.', '0d786e2d2d62636865722d6b766100'],
    ['bu\u0308cher.', '0d786e2d2d62636865722d6b766100'],
    ['\u0151', `07786e2d2d386661${hex(ORIGIN)}`],
    ['*.\u0151.', '012a07786e2d2d38666100'],
    ['a\\.b.\u0151.', '03612e6207786e2d2d38666100'],
    ['\u4f8b\u3048.\u30c6\u30b9\u30c8.', hex(wireName('xn--r8jz45g.xn--zckzah.'))],
    ['a\\.\u0151', 'not-idna'],
    ['\\\u00fc', 'not-idna'],
    ['b\u00fc cher', 'not-idna'],
    ['b\u00fc/cher', 'not-idna'],
    ['b\u00fc%41', 'not-idna'],
    ['b\u00fc\\000', 'not-idna'],
    ['a\u3002b', 'not-idna'],
    ['\uff11', 'not-idna'],
    ['\u00ad', 'not-idna'],
    ['\ufffd', 'not-idna'],
    ['\ud800', 'not-idna'],
    ['\u00fc'.repeat(64), 'label-too-long'],
    ['a'.repeat(64), 'label-too-long'],
    [`${'a'.repeat(63)}.`, `3f${'61'.repeat(63)}00`],
    [`${`${'a'.repeat(49)}.`.repeat(5)}aaa.`, `${`31${'61'.repeat(49)}`.repeat(5)}0361616100`],
    [`${`${'a'.repeat(49)}.`.repeat(5)}aaaa.`, 'name-too-long'],
    [`${`${'a'.repeat(49)}.`.repeat(4)}${'a'.repeat(46)}`, 'name-too-long'],
  ];
  test.each(rows)('%s', (text, expected) => {
    const wire = nameFromText(text, ORIGIN);
    expect(typeof wire === 'string' ? wire : hex(wire)).toBe(expected);
  });

  test('@ is the origin; without an origin relative names are a problem', () => {
    expect(nameFromText('@', ORIGIN)).toEqual(ORIGIN);
    expect(nameFromText('@', null)).toBe('no-origin');
    expect(nameFromText('a', null)).toBe('no-origin');
    expect(nameFromText('a.', null)).toEqual(wireName('a.'));
  });
});

describe('text and wire', () => {
  test('are inverse for any octets', () => {
    fc.assert(
      fc.property(wireNames, (wire) => {
        expect(wireNameLength(wire)).toBe(wire.length);
        expect(nameFromText(textFromWire(wire), null)).toEqual(wire);
        expect(nameText(lowerName(wire))).toBe(textFromWire(wireFromName(lowerName(wire))));
      }),
    );
  });

  test('the scanner and nameFromText agree on any text', () => {
    const characters = fc.constantFrom(...'aB.\\0129@*- "');
    fc.assert(
      fc.property(fc.array(characters, { maxLength: 20 }), (chars) => {
        const text = chars.join('');
        const octets = Buffer.from(text, 'latin1');
        const out = new Uint8Array(600);
        const end = scanName(octets, 0, octets.length, out, 3, ORIGIN);
        const wire = nameFromText(text, ORIGIN);
        expect(end < 0 ? null : hex(out.subarray(3, end))).toBe(typeof wire === 'string' ? null : hex(wire));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['.', '.'],
    ['A.b.', 'A.b.'],
    ['a\\.b.', 'a\\.b.'],
    ['\\$\\@\\;\\(\\)\\"\\\\.', '\\$\\@\\;\\(\\)\\"\\\\.'],
    ['a[b]=c', 'a\\091b\\]\\=c.example.'],
    ['[bits.', '\\091bits.'], // BIND refuses \[ here
    ['_a-b/c*d.', '_a-b/c*d.'],
    ['\\000\\032\\127\\255.', '\\000\\032\\127\\255.'],
  ])('%s prints as %s', (text, printed) => {
    const wire = nameFromText(text, wireName('example.'));
    expect(typeof wire === 'string' ? wire : textFromWire(wire)).toBe(printed);
  });
});

describe('comparing', () => {
  test('ignores the case of A to Z only', () => {
    expect(key('WWW.Example.')).toBe(key('www.example'));
    expect(key('\\192.')).not.toBe(key('\\224.'));
  });

  test('parents and descendants', () => {
    expect(parentName(key('a.b.'))).toBe(key('b.'));
    expect(parentName(key('a.'))).toBe(ROOT);
    expect(parentName(ROOT)).toBe(ROOT);
    expect(isWithin(key('a.b.'), key('b.'))).toBe(true);
    expect(isWithin(key('b.'), key('b.'))).toBe(true);
    expect(isWithin(key('ab.'), key('b.'))).toBe(false);
    expect(isWithin(key('b.'), key('a.b.'))).toBe(false);
    expect(isWithin(key('a.b.'), ROOT)).toBe(true);
    expect(labelsOf(key('a.B\\.c.'))).toEqual(['a', 'b.c']);
  });

  test('canonical order: the example of RFC 4034 §6.1', () => {
    const ordered = [
      'example.',
      'a.example.',
      'yljkjljk.a.example.',
      'Z.a.example.',
      'zABC.a.EXAMPLE.',
      'z.example.',
      '\\001.z.example.',
      '*.z.example.',
      '\\200.z.example.',
    ].map(key);
    expect([...ordered].reverse().sort(compareNames)).toEqual(ordered);
    expect(compareNames(ordered[3], ordered[3])).toBe(0);
  });
});
