/** Rounds for each word and at the end: HalfSipHash-1-3, as hash tables use it (Linux: `hsiphash`). */
const WORD_ROUNDS = 1;
const FINAL_ROUNDS = 3;

const rotl = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

/**
 * HalfSipHash with 64 bits of output (Aumasson and Bernstein, 2016) over the first `count` 32-bit words, keyed by two
 * more. A message is whole words, least significant octet first. Writes two words to `out` and allocates nothing.
 */
export function halfSipHash(
  key0: number,
  key1: number,
  words: Int32Array,
  count: number,
  out: Int32Array,
  wordRounds: number = WORD_ROUNDS,
  finalRounds: number = FINAL_ROUNDS,
): void {
  let v0 = key0;
  let v1 = key1 ^ 0xee;
  let v2 = 0x6c796765 ^ key0;
  let v3 = 0x74656462 ^ key1;
  // The words, then the length in octets, then twice nothing but rounds, after each of which half the result is there.
  for (let i = 0; i < count + 3; i++) {
    const word = i < count ? words[i] : i === count ? (4 * count) << 24 : 0;
    if (i === count + 1) v2 ^= 0xee;
    if (i === count + 2) v1 ^= 0xdd;
    v3 ^= word;
    for (let rounds = i <= count ? wordRounds : finalRounds; rounds > 0; rounds--) {
      v0 = (v0 + v1) | 0;
      v1 = rotl(v1, 5) ^ v0;
      v0 = rotl(v0, 16);
      v2 = (v2 + v3) | 0;
      v3 = rotl(v3, 8) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = rotl(v3, 7) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = rotl(v1, 13) ^ v2;
      v2 = rotl(v2, 16);
    }
    v0 ^= word;
    if (i === count + 1) out[0] = v1 ^ v3;
  }
  out[1] = v1 ^ v3;
}
