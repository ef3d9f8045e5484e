/**
 * SipHash-2-4, the keyed hash of server cookies (RFC 9018 §4.4). A 64-bit word is two 32-bit halves here, low half
 * first, because numbers of 64 bits would be allocated. State: v0 to v3.
 */
const state = new Int32Array(8);

const INITIAL = Int32Array.of(
  0x70736575,
  0x736f6d65,
  0x6e646f6d,
  0x646f7261,
  0x6e657261,
  0x6c796765,
  0x79746573,
  0x74656462,
);

/** Adds 64-bit word `b` to word `a`. */
function add(a: number, b: number): void {
  const low = (state[a] >>> 0) + (state[b] >>> 0);
  state[a + 1] = state[a + 1] + state[b + 1] + (low > 0xffffffff ? 1 : 0);
  state[a] = low;
}

/** Turns word `a` left by `bits` (1 to 31), then XORs word `b` in. */
function turn(a: number, bits: number, b: number): void {
  const low = state[a];
  const high = state[a + 1];
  state[a] = ((low << bits) | (high >>> (32 - bits))) ^ state[b];
  state[a + 1] = ((high << bits) | (low >>> (32 - bits))) ^ state[b + 1];
}

/** Turns a word by 32 bits. */
function swap(a: number): void {
  const low = state[a];
  state[a] = state[a + 1];
  state[a + 1] = low;
}

function rounds(count: number): void {
  for (let i = 0; i < count; i++) {
    add(0, 2);
    turn(2, 13, 0);
    swap(0);
    add(4, 6);
    turn(6, 16, 4);
    add(0, 6);
    turn(6, 21, 0);
    add(4, 2);
    turn(2, 17, 4);
    swap(4);
  }
}

/** Hashes `data[0..length)` with a key of four 32-bit words (little-endian) and writes 8 octets to `out[at]`. */
export function sipHash(key: Int32Array, data: Uint8Array, length: number, out: Uint8Array, at: number): void {
  for (let i = 0; i < 8; i++) state[i] = INITIAL[i] ^ key[i & 3];
  const whole = length & ~7;
  for (let i = 0; i < whole; i += 8) block(word(data, i, 4), word(data, i + 4, 4));
  const rest = length - whole;
  const low = word(data, whole, Math.min(rest, 4));
  const high = word(data, whole + 4, Math.max(rest - 4, 0)) | (length << 24);
  block(low, high);
  state[4] ^= 0xff;
  rounds(4);
  const resultLow = state[0] ^ state[2] ^ state[4] ^ state[6];
  const resultHigh = state[1] ^ state[3] ^ state[5] ^ state[7];
  for (let i = 0; i < 4; i++) {
    out[at + i] = resultLow >>> (8 * i);
    out[at + 4 + i] = resultHigh >>> (8 * i);
  }
}

function block(low: number, high: number): void {
  state[6] ^= low;
  state[7] ^= high;
  rounds(2);
  state[0] ^= low;
  state[1] ^= high;
}

/** Up to four octets as a little-endian number. */
function word(data: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = 0; i < count; i++) value |= data[at + i] << (8 * i);
  return value;
}
