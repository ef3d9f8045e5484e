import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressOf, pageQuery, WHOLE } from '../../../../src/server/control/page/query.ts';

test.each([
  [{}, WHOLE],
  [
    { q: ' Edge1 ', state: 'failing' },
    { ...WHOLE, q: 'edge1', state: 'failing' },
  ],
  [{ sort: '-last' }, { ...WHOLE, sort: { by: 'last', down: true } }],
  [
    { zsort: 'records', zones: '3' },
    { ...WHOLE, zsort: { by: 'records', down: false }, zones: 3 },
  ],
  [{ state: 'nonsense', sort: '__proto__', zones: '-1', zsort: '--zone' }, WHOLE],
  [{ zones: '1e9', secondaries: '0' }, WHOLE],
  [{ secondaries: '2' }, { ...WHOLE, secondaries: 2 }],
  [
    { q: ['a', 'b'], state: ['live', 'out'] },
    { ...WHOLE, q: 'b', state: 'out' },
  ],
])('%j is read', (fields, query) => {
  expect(pageQuery.parse(fields)).toEqual(query);
});

test('an address leads back to what it was made of', () => {
  const fields = fc.record({
    q: fc.string(),
    state: fc.constantFrom('all', 'failing', 'live', 'out', 'set'),
    sort: fc.constantFrom('edge', '-edge', 'health', '-average'),
    zsort: fc.constantFrom('trouble', '-trouble', 'zone', '-loaded'),
    zones: fc.integer({ min: 1, max: 999 }).map(String),
    secondaries: fc.integer({ min: 1, max: 999 }).map(String),
  });
  fc.assert(
    fc.property(fields, (asked) => {
      const query = pageQuery.parse(asked);
      const again = Object.fromEntries(new URLSearchParams(addressOf(query)));
      expect(pageQuery.parse(again)).toEqual(query);
    }),
  );
});
