import { expect, test } from 'vitest';
import { halfSipHash } from '../../../../src/server/transport/udp/half-siphash.ts';

/** The reference implementation's vectors of HalfSipHash-2-4 with 64 bits: key 00 01 … 07, message 00 01 02 …. */
test.each([
  { octets: 0, hash: '218d1f59b9b83cc8' },
  { octets: 4, hash: 'd5e78a175be52ea1' },
  { octets: 8, hash: 'edfee820bce4858c' },
  { octets: 12, hash: '7bc71f9faef5c799' },
])('$octets octets', ({ octets, hash }) => {
  const message = Uint8Array.from({ length: 12 }, (_, i) => i);
  const out = new Int32Array(2);
  halfSipHash(0x03020100, 0x07060504, new Int32Array(message.buffer), octets / 4, out, 2, 4);
  expect(Buffer.from(out.buffer).toString('hex')).toBe(hash);
});

test('with other rounds, another key or another word the hash is another', () => {
  const hash = (key: number, word: number, rounds?: number): string => {
    const out = new Int32Array(2);
    halfSipHash(key, 0, Int32Array.of(word), 1, out, rounds);
    return out.join();
  };
  const hashes = [hash(1, 1), hash(1, 1), hash(2, 1), hash(1, 2), hash(1, 1, 2)];
  expect(new Set(hashes).size).toBe(4);
});
