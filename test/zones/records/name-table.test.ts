import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lowerName } from '../../../src/dns/name.ts';
import { NameTable } from '../../../src/zones/records/name-table.ts';
import { RecordStore } from '../../../src/zones/records/record-store.ts';
import { wireName } from '../../support/read-zone.ts';

describe('NameTable', () => {
  test('equal names get one number, whatever their case; the first spelling is kept', () => {
    const table = new NameTable();
    expect(table.intern(wireName('WWW.example.'))).toBe(0);
    expect(table.intern(wireName('www.example.'))).toBe(0);
    expect(table.intern(wireName('.'))).toBe(1);
    expect(table.wireOf(0)).toEqual(wireName('WWW.example.'));
    expect(table.size).toBe(2);
  });

  test('reads a name inside other octets', () => {
    const table = new NameTable();
    const octets = Uint8Array.of(9, 9, ...wireName('a.b.'), 7);
    expect(table.wireOf(table.intern(octets, 2))).toEqual(wireName('a.b.'));
  });

  test('behaves as a map through its growth', () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.array(label, { maxLength: 2 }), { minLength: 200, maxLength: 900 }), (names) => {
        const table = new NameTable();
        const expected = new Map<string, number>();
        for (const labels of names) {
          const wire = Uint8Array.from([...labels.flatMap((octets) => [octets.length, ...octets]), 0]);
          const id = expected.get(lowerName(wire)) ?? expected.size;
          expected.set(lowerName(wire), id);
          expect(table.intern(wire)).toBe(id);
        }
        for (const [name, id] of expected) expect(lowerName(table.octets, table.offsetOf(id))).toBe(name);
      }),
      { numRuns: 20 },
    );
  });
});

describe('RecordStore', () => {
  test('keeps what was added through its growth', () => {
    const store = new RecordStore();
    const octets = Uint8Array.from({ length: 300 }, (_, i) => i);
    for (let i = 0; i < 2000; i++) {
      expect(store.add(i % 7, i % 65536, i * 3, octets, i % 100, (i % 100) + (i % 200), i % 3, i)).toBe(i);
    }
    store.setTtl(5, 77);
    expect(store.size).toBe(2000);
    for (let i = 0; i < 2000; i++) {
      const rdata = store.rdata.subarray(store.rdataStart(i), store.rdataEnd(i));
      expect(Buffer.compare(rdata, octets.subarray(i % 100, (i % 100) + (i % 200)))).toBe(0);
      expect([store.ownerOf(i), store.typeOf(i), store.ttlOf(i)]).toEqual([i % 7, i, i === 5 ? 77 : i * 3]);
      expect([store.fileOf(i), store.lineOf(i)]).toEqual([i % 3, i]);
    }
  });
});
