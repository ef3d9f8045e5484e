import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AddressState,
  ASSUMED_UP,
  wantedAddresses,
  withAddresses,
  withResult,
} from '../../../src/app/goavail/results.ts';

/** `-5 +8`: down with the fifth result, up with the eighth. `results`: 1 is a success. */
function changes(results: string, threshold: number): string {
  let state = ASSUMED_UP;
  const found: string[] = [];
  for (const [i, result] of results.split(' ').entries()) {
    const next = withResult(state, result === '1', threshold);
    if (next.up !== state.up) found.push(`${next.up ? '+' : '-'}${i + 1}`);
    state = next;
  }
  return found.join(' ');
}

// The specification's examples in the form that it recommends: the change comes with the Tth result in a row.
test.each([
  ['G1', 2, '1 1 0 0 0 1 1 1', '-4 +7'],
  ['G2, five failures', 5, '0 0 0 0 0 1', '-5'],
  ['G2, four failures', 5, '0 0 0 0 1', ''],
  ['G3', 1, '1 0 1', '-2 +3'],
  ['G4', 2, '0 0 0 1 1 0 1 1 1', '-2 +5'],
  ['G4 with three', 3, '0 0 0 1 1 0 1 1 1', '-3 +9'],
  ['once an outage', 1, '0 0 0 0', '-1'],
  ['flapping below the threshold', 2, '0 1 0 1 0 1', ''],
] as const)('%s', (_, threshold, results, expected) => {
  expect(changes(results, threshold)).toBe(expected);
});

test('the state is that of the newest run as long as the threshold', () => {
  const results = fc.array(fc.boolean(), { maxLength: 60 });
  fc.assert(
    fc.property(results, fc.integer({ min: 1, max: 6 }), (passes, threshold) => {
      const state = passes.reduce((was, one) => withResult(was, one, threshold), ASSUMED_UP);
      let expected = true;
      let row = 0;
      for (const [i, one] of passes.entries()) {
        row = i > 0 && passes[i - 1] === one ? row + 1 : 1;
        if (row >= threshold) expected = one;
      }
      expect(state.up).toBe(expected);
      expect(state.against).toBeLessThan(threshold);
    }),
  );
});

describe('what should be published', () => {
  const states = (up: string): ReadonlyMap<string, AddressState> =>
    new Map([...up].map((sign, i) => [`127.0.0.${i + 1}`, { up: sign === '+', against: 0 }]));

  test.each([
    ['all that are up', '+-+', ['127.0.0.1', '127.0.0.2', '127.0.0.3'], ['127.0.0.1', '127.0.0.3']],
    ['the last one, although it is down', '---', ['127.0.0.2'], ['127.0.0.2']],
    ['what is up instead of what was kept', '--+', ['127.0.0.2'], ['127.0.0.3']],
    ['the first, where none is published', '---', [], ['127.0.0.1']],
    ['none of what is listed no more', '--', ['127.0.0.9'], ['127.0.0.1']],
  ] as const)('%s', (_, up, published, expected) => {
    expect([...wantedAddresses(states(up), new Set(published))]).toEqual(expected);
  });

  test('addresses that stay keep their results in a row', () => {
    const one = { up: false, against: 1 };
    const known = new Map([
      ['a', one],
      ['b', ASSUMED_UP],
    ]);
    expect([...withAddresses(known, ['c', 'a'])]).toEqual([
      ['c', ASSUMED_UP],
      ['a', one],
    ]);
  });
});
