import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextSerial, serialAfterAll, serialCompare, serialMax } from '../../src/dns/serial.ts';

const serial = fc.integer({ min: 1, max: 2 ** 32 - 1 });

describe('serialCompare, RFC 1982 §3.2', () => {
  test.each([
    ['equal', 5, 5, 0],
    ['one after', 6, 5, 1],
    ['one before', 5, 6, -1],
    ['after the wrap', 1, 4_294_967_295, 1],
    ['before the wrap', 4_294_967_295, 1, -1],
    ['as far ahead as is defined', 2 ** 31, 1, 1],
    ['epoch seconds after an old date serial', 1_763_778_000, 2_024_010_101, -1],
  ] as const)('%s', (_name, a, b, sign) => {
    expect(Math.sign(serialCompare(a, b))).toBe(sign);
  });
});

describe('nextSerial', () => {
  test.each([
    ['no serial yet: the clock', 0, 1_763_778_000.9, 1_763_778_000],
    ['an older one: the clock', 1_763_000_000, 1_763_778_000, 1_763_778_000],
    ['the same second: one more', 1_763_778_000, 1_763_778_000.5, 1_763_778_001],
    ['the clock was set back: one more', 1_763_778_000, 1_000_000_000, 1_763_778_001],
    ['a date serial ahead of the clock: one more', 2_024_010_101, 1_763_778_000, 2_024_010_102],
    ['the end of the circle: never 0', 4_294_967_295, 4_294_967_290, 1],
    ['no clock and no serial', 0, 0, 1],
  ] as const)('%s', (_name, old, now, expected) => {
    expect(nextSerial(old, now)).toBe(expected);
  });

  test('is always later than the old one, whole, in range and not 0', () => {
    fc.assert(
      fc.property(serial, fc.double({ min: 0, max: 2 ** 33, noNaN: true }), (old, now) => {
        const next = nextSerial(old, now);
        expect(serialCompare(next, old)).toBeGreaterThan(0);
        expect(Number.isInteger(next) && next > 0 && next < 2 ** 32).toBe(true);
      }),
    );
  });
});

test('serialMax takes the later one and treats 0 as none', () => {
  fc.assert(
    fc.property(serial, serial, (a, b) => {
      expect(serialMax(a, 0)).toBe(a);
      expect(serialMax(0, b)).toBe(b);
      const max = serialMax(a, b);
      expect(max === a || max === b).toBe(true);
      if (Math.abs(a - b) !== 2 ** 31) expect(serialMax(b, a)).toBe(max);
    }),
  );
});

describe('serialAfterAll', () => {
  const YEAR_68 = 2 ** 31;
  test.each<readonly [string, readonly number[], number, number]>([
    ['no serial yet: the clock', [0, 0], 1_763_778_000.9, 1_763_778_000],
    ['all older: the clock', [1_700_000_000, 0, 1_600_000_000], 1_763_778_000, 1_763_778_000],
    ['one ahead of the clock: after it', [1_700_000_000, 2_024_010_101], 1_763_778_000, 2_024_010_102],
    // A zone last edited in 2038, its live set changed a day ago: the clock is just over 2^31 after the zone's serial.
    ['68 years between them', [YEAR_68 - 9, YEAR_68 * 2 - 100], YEAR_68 * 2 + 50, YEAR_68 * 2 - 99],
    ['further apart than serials can be', [YEAR_68 * 2 - 1, YEAR_68 - 1], YEAR_68 * 2 + 50, 50],
  ])('%s', (_name, old, now, expected) => {
    expect(serialAfterAll(old, now)).toBe(expected);
  });

  test('is later than all of them wherever some serial is', () => {
    const near = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 2 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(serial, near, fc.double({ min: 0, max: 2 ** 33, noNaN: true }), (base, ahead, now) => {
        const old = ahead.map((by) => (base + by) % 2 ** 32 || 1);
        const next = serialAfterAll(old, now);
        for (const one of old) expect(serialCompare(next, one)).toBeGreaterThan(0);
      }),
    );
  });
});
