import { expect, test } from 'vitest';
import { SIZE_BOUNDS, Stats, sumStats } from '../../src/server/stats.ts';

test.each([
  [12, 0],
  [64, 0],
  [65, 1],
  [512, 5],
  [513, 6],
  [1232, 8],
  [1233, 9],
  [16384, 11],
  [16385, 12],
  [65535, 12],
])('an answer of %d octets is counted in bucket %d', (size, bucket) => {
  const shared = Stats.create(2, 3);
  Stats.attach(shared, 3, 1).countSize(2, size);
  const { sizes } = sumStats(shared, 3);
  expect(sizes[2].counts).toEqual(Array.from({ length: SIZE_BOUNDS.length + 1 }, (_, i) => (i === bucket ? 1 : 0)));
  for (const other of [0, 1, 3]) expect(sizes[other].counts.every((count) => count === 0)).toBe(true);
});

test('nothing that is counted is seen as something else', () => {
  const shared = Stats.create(2, 3);
  const [one, other] = [Stats.attach(shared, 3, 0), Stats.attach(shared, 3, 1)];
  for (let transport = 0; transport < 4; transport++) {
    for (const size of [1, 65535]) one.countSize(transport, size);
    other.addOctets(transport, 65536);
  }
  expect(sumStats(shared, 3)).toMatchObject({ queries: [], answers: [], networks: [0, 0, 0], noZone: 0 });
  other.countQuery(3, 65535, 2);
  other.countQuery(0, 257, -1);
  other.countAnswer(3, 4095);
  const sum = sumStats(shared, 3);
  expect(sum.queries).toEqual([
    { transport: 'udp4', type: 257, count: 1 },
    { transport: 'tls', type: 263, count: 1 },
  ]);
  expect(sum.answers).toEqual([{ transport: 'tls', rcode: 23, count: 1 }]);
  expect(sum.networks).toEqual([0, 0, 1]);
  expect(sum.noZone).toBe(1);
  expect(sum.sizes.map(({ octets }) => octets)).toEqual([65536, 65536, 65536, 65536]);
  expect(Object.values(sum.events).every((count) => count === 0)).toBe(true);
});
