import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keyOf, namesIn } from '../../../src/vantage/etcd/keys.ts';
import { pack, unpack } from '../../../src/vantage/etcd/packed.ts';

test('every name comes back from its key, whatever is in it', () => {
  const name = fc.string({ unit: 'grapheme', minLength: 1 });
  const roundTrip = (a: string, b: string): void => {
    const key = keyOf('p/views/', a, b);
    expect(key.split('/')).toHaveLength(4);
    expect(namesIn(key, 'p/views/', 2)).toEqual([a, b]);
    expect(namesIn(key, 'p/views/', 1)).toBeNull();
  };
  fc.assert(fc.property(name, name, roundTrip));
});

test.each(['p/sets/a/b', 'p/sets/%', 'p/sets/%zz', 'p/sets/a b', 'p/sets/%61', 'p/sets/\uFFFD'])(
  'the key %s is none of ours',
  (key) => {
    expect(namesIn(key, 'p/sets/', 1)).toBeNull();
  },
);

test('texts come back, short or long; what would be too large is refused both ways', async () => {
  const texts = ['', '{}', 'ä'.repeat(32_768), 'ä'.repeat(32_769), 'x'.repeat(5_000_000)];
  for (const text of texts) {
    const packed = await pack(text);
    if (packed.problem !== null) throw new Error(packed.problem);
    expect(Buffer.byteLength(packed.value)).toBeLessThanOrEqual(65_536);
    expect(await unpack(Buffer.from(packed.value))).toEqual({ value: text, problem: null });
  }
  const wrapped = (octets: Buffer) => unpack(Buffer.from(`{"v":1,"gzip":"${octets.toString('base64')}"}`));
  const refusals = [
    await wrapped(gzipSync(Buffer.alloc(17 << 20))),
    await wrapped(gzipSync('{}').subarray(0, 12)),
    await wrapped(Buffer.from('no gzip')),
    await unpack(Buffer.alloc((1 << 20) + 1)),
  ];
  expect(refusals.map(({ problem }) => problem)).toEqual([
    expect.stringMatching(/decompressed/),
    expect.stringMatching(/decompressed/),
    expect.stringMatching(/decompressed/),
    expect.stringMatching(/at most 1048576 are read/),
  ]);
});
