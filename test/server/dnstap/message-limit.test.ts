import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MessageLimit } from '../../../src/server/dnstap/message-limit.ts';
import { LIMIT } from '../../../src/server/dnstap/shared.ts';

/** Whose allowance is whole from `us` on. */
function state(us = 0): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(8);
  new Int32Array(shared)[LIMIT] = us | 0;
  return shared;
}

describe('MessageLimit', () => {
  test('lets through what is allowed in any second, and in the long run all of it, whenever messages come', () => {
    const gaps = fc.array(fc.oneof(fc.constant(0), fc.nat(2000), fc.nat(300_000)), { minLength: 1, maxLength: 300 });
    const start = fc.oneof(fc.constant(1.79e15), fc.constantFrom(2 ** 31 - 5000, 2 ** 32 - 5000));
    fc.assert(
      fc.property(
        gaps,
        start,
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 1, max: 2 }),
        (gaps, at, perSecond, count) => {
          const limit = new MessageLimit(state(at), perSecond);
          let now = at;
          const admitted: number[] = [];
          for (const gap of gaps) {
            now += gap;
            if (limit.admits(count, now)) admitted.push(now);
          }
          expect(admitted[0]).toBe(at + gaps[0]); // never refused after quiet
          const burst = Math.max(count, perSecond / 10);
          for (const [i, from] of admitted.entries()) {
            const within = admitted.slice(i).filter((moment) => moment - from < 1e6).length;
            expect(within * count).toBeLessThanOrEqual(perSecond + burst + count);
          }
        },
      ),
    );
  });

  test('under a flood what passes is spread over the second, as many as allowed', () => {
    const limit = new MessageLimit(state(), 1000);
    const tenths = new Array<number>(20).fill(0);
    for (let us = 0; us < 2e6; us += 10) if (limit.admits(2, 5e12 + us)) tenths[Math.floor(us / 100_000)] += 2;
    expect(tenths[0]).toBeLessThanOrEqual(202);
    for (const tenth of tenths.slice(1)) expect(tenth).toBeGreaterThan(96);
    for (const tenth of tenths.slice(1)) expect(tenth).toBeLessThan(104);
  });

  test('a clock that is set back or has gone round stops nothing', () => {
    const limit = new MessageLimit(state(), 10);
    const moments = [1e15, 1e15 - 3.6e9, 1e15 - 3.6e9 + 2 ** 32 - 1000, 1e15 + 1e13];
    expect(moments.map((moment) => limit.admits(1, moment))).toEqual([true, true, true, true]);
  });

  test('threads share it', () => {
    const shared = state();
    const [one, other] = [new MessageLimit(shared, 20), new MessageLimit(shared, 20)];
    const admitted = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? one : other).admits(1, 7e9));
    expect(admitted.filter((each) => each).length).toBe(2);
  });
});
