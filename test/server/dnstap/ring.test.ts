import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRing, RingReader, RingWriter } from '../../../src/server/dnstap/ring.ts';
import { framesOf } from '../../support/dnstap.ts';

/** Writes a message; whether there was room. */
function put(writer: RingWriter, message: Uint8Array): boolean {
  const at = writer.reserve(message.length);
  if (at < 0) return false;
  writer.data.set(message, at);
  writer.commit();
  return true;
}

describe('a ring', () => {
  test('gives back every message that had room, whole and in order, wherever it wraps', () => {
    const message = fc.record({ length: fc.integer({ min: 1, max: 90 }), fill: fc.nat(255) });
    const step = fc.oneof(
      message.map((value) => ({ kind: 'put', ...value }) as const),
      fc.integer({ min: 1, max: 300 }).map((most) => ({ kind: 'take', most }) as const),
      fc.constantFrom({ kind: 'writer restarts' } as const, { kind: 'reader restarts' } as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const shared = createRing(256);
        let writer = new RingWriter(shared);
        let reader = new RingReader(shared);
        const expected: Buffer[] = [];
        const found: Buffer[] = [];
        const take = (most: number): number => {
          const frames = reader.take(most);
          if (frames === null) return 0;
          const messages = framesOf(frames.octets) as Buffer[];
          expect(messages.length).toBe(frames.count);
          expect(frames.count).toBeGreaterThan(0);
          found.push(...messages);
          return frames.count;
        };
        for (const each of steps) {
          if (each.kind === 'put') {
            const octets = Buffer.alloc(each.length, each.fill);
            if (put(writer, octets)) expected.push(octets);
            else expect(expected.length).toBeGreaterThan(found.length); // never refused when empty
          } else if (each.kind === 'take') take(each.most);
          else if (each.kind === 'writer restarts') writer = new RingWriter(shared);
          else reader = new RingReader(shared);
        }
        while (take(100) > 0);
        expect(found).toEqual(expected);
      }),
    );
  });

  test('goes on when its positions pass 2^31 and 2^32', () => {
    for (const start of [2 ** 31 - 100, 2 ** 32 - 100]) {
      const shared = createRing(256);
      new Int32Array(shared).fill(start | 0, 0, 2);
      const writer = new RingWriter(shared);
      const reader = new RingReader(shared);
      for (let i = 0; i < 20; i++) {
        expect(put(writer, Buffer.alloc(30, i))).toBe(true);
        expect(framesOf(reader.take(1000)?.octets ?? Buffer.alloc(0))).toEqual([Buffer.alloc(30, i)]);
      }
    }
  });

  test('is full at its size, and has room again for what is read', () => {
    const shared = createRing(256);
    const writer = new RingWriter(shared);
    let count = 0;
    while (put(writer, Buffer.alloc(60))) count++;
    expect(count).toBe(4);
    expect(new RingReader(shared).take(1)?.count).toBe(1);
    expect(put(writer, Buffer.alloc(60))).toBe(true);
    expect(put(writer, Buffer.alloc(60))).toBe(false);
  });
});
