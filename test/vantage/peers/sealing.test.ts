import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { open, SEALING_OCTETS, seal } from '../../../src/vantage/peers/sealing.ts';

const CONTEXT = Buffer.from('between a and b');
const keys = fc
  .constantFrom(16, 24, 32)
  .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
  .map((octets) => createSecretKey(octets));
const kinds = fc.constantFrom('request' as const, 'answer' as const);
const texts = fc.string({ unit: 'grapheme', maxLength: 200 });

test('what was sealed opens, with keys of each length', () => {
  fc.assert(
    fc.property(keys, kinds, texts, (key, kind, text) => {
      const sealed = seal(key, kind, CONTEXT, text);
      expect(sealed).toHaveLength(Buffer.byteLength(text) + SEALING_OCTETS);
      expect(open(key, kind, CONTEXT, sealed)).toBe(text);
    }),
  );
});

test('any flipped bit is refused', () => {
  fc.assert(
    fc.property(keys, texts, fc.nat(), (key, text, at) => {
      const sealed = seal(key, 'request', CONTEXT, text);
      const bit = at % (sealed.length * 8);
      sealed.writeUInt8(sealed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(open(key, 'request', CONTEXT, sealed)).toBeNull();
    }),
  );
});

test('any part of it, and anything behind it, is refused', () => {
  fc.assert(
    fc.property(keys, texts, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }), (key, text, at, more) => {
      const sealed = seal(key, 'request', CONTEXT, text);
      expect(open(key, 'request', CONTEXT, sealed.subarray(0, at % sealed.length))).toBeNull();
      expect(open(key, 'request', CONTEXT, sealed.subarray(1 + (at % sealed.length)))).toBeNull();
      expect(open(key, 'request', CONTEXT, Buffer.concat([sealed, more]))).toBeNull();
    }),
  );
});

test('another key, another context, the other kind', () => {
  fc.assert(
    fc.property(keys, keys, kinds, texts, (key, other, kind, text) => {
      fc.pre(!key.equals(other));
      const sealed = seal(key, kind, CONTEXT, text);
      expect(open(other, kind, CONTEXT, sealed)).toBeNull();
      expect(open(key, kind, Buffer.from('between a and c'), sealed)).toBeNull();
      expect(open(key, kind === 'request' ? 'answer' : 'request', CONTEXT, sealed)).toBeNull();
    }),
  );
});

test('octets of a stranger are refused', () => {
  fc.assert(
    fc.property(keys, fc.uint8Array({ maxLength: 100 }), (key, octets) => {
      expect(open(key, 'request', CONTEXT, octets)).toBeNull();
    }),
  );
});

describe('two of the same text', () => {
  test('are two messages, of which nothing can be read', () => {
    const key = createSecretKey(Buffer.alloc(32, 1));
    const [one, other] = [seal(key, 'answer', CONTEXT, 'a secret'), seal(key, 'answer', CONTEXT, 'a secret')];
    expect(one.equals(other)).toBe(false);
    expect(one.toString('latin1')).not.toContain('secret');
  });

  test('of which the tag cut short is refused', () => {
    const key = createSecretKey(Buffer.alloc(32, 1));
    const sealed = seal(key, 'answer', CONTEXT, '');
    for (let length = 0; length < sealed.length; length += 1) {
      expect(open(key, 'answer', CONTEXT, sealed.subarray(0, length))).toBeNull();
    }
  });
});
