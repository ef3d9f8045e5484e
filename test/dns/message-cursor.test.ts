import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expandName, MessageCursor } from '../../src/dns/message-cursor.ts';
import { MessagePacker } from '../../src/dns/message-writer.ts';
import { lowerName, nameText } from '../../src/dns/name.ts';
import { encodeOpt, encodeQuery, u16, wireName } from '../support/dns-query.ts';
import { ixfrQuery } from '../support/transfer-client.ts';

/** A message of 12 octets of header and these. */
const body = (...octets: number[]): Uint8Array => Uint8Array.from([...new Array<number>(12).fill(0), ...octets]);
const text = (name: Uint8Array | null): string | null => (name === null ? null : nameText(lowerName(name)));

describe('names', () => {
  const labels = (count: number): number[] => new Array<number[]>(count).fill([1, 0x61]).flat();
  test.each([
    ['written out', body(1, 0x61, 1, 0x62, 0), 12, 'a.b.'],
    ['the root', body(0), 12, '.'],
    ['a pointer', body(1, 0x62, 0, 0xc0, 12), 15, 'b.'],
    ['labels and a pointer', body(1, 0x62, 0, 1, 0x61, 0xc0, 12), 15, 'a.b.'],
    ['a pointer to labels and a pointer', body(1, 0x62, 0, 1, 0x61, 0xc0, 12, 0xc0, 15), 19, 'a.b.'],
    ['a pointer to a root', body(0, 0xc0, 12), 13, '.'],
    ['255 octets', body(...labels(127), 0), 12, 'a.'.repeat(127)],
    ['256 octets, the end by a pointer', body(1, 0x62, 0, ...labels(127), 0xc0, 12), 15, null],
    ['a pointer to itself', body(0xc0, 12), 12, null],
    ['labels and a pointer to their beginning', body(1, 0x61, 0xc0, 12), 12, null],
    ['two that point to each other', body(0xc0, 14, 0xc0, 12), 14, null],
    ['a pointer forward', body(0xc0, 14, 0), 12, null],
    ['a pointer into the header', body(0xc0, 4), 12, null],
    ['half a pointer', body(0, 0xc0), 13, null],
    ['no root', body(1, 0x61), 12, null],
    ['a label over the end', body(5, 0x61), 12, null],
    ['a label of type 01', body(0x41, 0), 12, null],
    ['a label of type 10', body(0x80, 0), 12, null],
    ['past the end', body(), 12, null],
  ])('%s', (_, message, at, expected) => {
    expect(text(expandName(message, at))).toBe(expected);
  });

  test('a chain of pointers to pointers ends after 127 of them', () => {
    const long = new Uint8Array(16_384);
    for (let at = 14; at < long.length; at += 2) long.set([0xc0 | ((at - 2) >> 8), (at - 2) & 255], at);
    long[12] = 0;
    expect(text(expandName(long, 12 + 2 * 127))).toBe('.');
    expect(text(expandName(long, 12 + 2 * 128))).toBeNull();
    expect(text(expandName(long, 16_382))).toBeNull();
  });
});

describe('messages', () => {
  test('question, SOA and OPT of a request for differences', () => {
    const query = ixfrQuery('Zone.example', 4_000_000_000);
    const octets = Uint8Array.from([...query, ...encodeOpt({})]);
    octets[11] = 1;
    const cursor = MessageCursor.over(octets);
    const question = cursor?.question();
    expect([text(question?.name ?? null), question?.type, question?.class]).toEqual(['zone.example.', 251, 1]);
    expect(cursor?.question()).toBeNull();
    expect([cursor?.next(), cursor?.section, cursor?.type, cursor?.isLast]).toEqual(['record', 'authority', 6, false]);
    expect([text(cursor?.owner() ?? null), cursor?.soaSerial()]).toEqual(['zone.example.', 4_000_000_000]);
    expect([cursor?.next(), cursor?.section, cursor?.type, cursor?.isLast]).toEqual(['record', 'additional', 41, true]);
    expect(cursor?.soaSerial()).toBeNull();
    expect(cursor?.next()).toBe('end');
    expect(cursor?.next()).toBe('end');
  });

  test.each([
    ['shorter than a header', new Uint8Array(11), null],
    ['a header', new Uint8Array(12), ['end']],
    ['octets behind it', new Uint8Array(13), ['malformed']],
    ['a question cut short', encodeQuery({ name: 'a.test' }).slice(0, -1), ['malformed']],
    ['a record cut short', encodeQuery({ name: 'a.test', edns: {} }).slice(0, -1), ['malformed']],
    [
      'octets behind the last record',
      encodeQuery({ name: 'a.test', edns: {}, trailing: new Uint8Array(1) }),
      ['record', 'malformed'],
    ],
    ['65,535 of everything', encodeQuery({ name: 'a.test', counts: [65_535, 65_535, 65_535, 65_535] }), ['malformed']],
    ['65,535 records', encodeQuery({ name: 'a.test', edns: {}, counts: [1, 0, 0, 65_535] }), ['record', 'malformed']],
  ])('%s', (_, octets, steps) => {
    const cursor = MessageCursor.over(octets);
    expect(cursor === null ? null : (steps ?? []).map(() => cursor.next())).toEqual(steps);
  });

  const names = fc
    .array(fc.constantFrom('a', 'B', 'mail', 'x'.repeat(63)), { maxLength: 3 })
    .map((labels) => wireName(`${labels.map((label) => `${label}.`).join('')}example.test.`));
  test('the compressed records of a message are found again, each at its place', () => {
    const packer = new MessagePacker();
    fc.assert(
      fc.property(names, fc.array(fc.tuple(names, fc.nat(0xffffffff)), { maxLength: 30 }), (asked, records) => {
        packer.begin(
          Uint8Array.from([...new Array<number>(5).fill(0), 1, ...new Array<number>(6).fill(0), ...asked, 0, 2, 0, 1]),
        );
        for (const [owner, ttl] of records) packer.add(owner, 2, ttl, owner, owner.length, 65_535);
        const octets = packer.out.slice(0, packer.finish());
        const cursor = MessageCursor.over(octets);
        if (cursor === null) throw new Error('no header');
        expect(cursor.question()?.name).toEqual(asked);
        for (const [owner, ttl] of records) {
          expect([cursor.next(), cursor.type, cursor.class, cursor.ttl]).toEqual(['record', 2, 1, ttl]);
          expect([cursor.owner(), expandName(octets, cursor.rdata)]).toEqual([owner, owner]);
        }
        expect(cursor.next()).toBe('end');
      }),
    );
  });

  test('whatever the octets: it ends, stays inside, and takes as many steps as records fit', () => {
    const pieces = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          [0],
          [0xc0, 12],
          [1, 0x61],
          [0xc0, 0xff],
          [0, 0, 6, 0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0],
        ),
      },
      { weight: 1, arbitrary: fc.array(fc.nat(255), { maxLength: 20 }) },
    );
    const counts = fc.oneof(fc.constantFrom(0, 1, 2, 65_535), fc.nat(65_535));
    fc.assert(
      fc.property(fc.tuple(counts, counts, counts, counts), fc.array(pieces, { maxLength: 40 }), (four, parts) => {
        const octets = Uint8Array.from([0, 0, 0, 0, ...four.flatMap(u16), ...parts.flat()]);
        const cursor = MessageCursor.over(octets);
        if (cursor === null) return;
        cursor.question();
        let before = 12;
        for (let left = octets.length / 11 + 1; cursor.next() === 'record'; left--) {
          expect(left).toBeGreaterThan(0);
          expect(cursor.start).toBeGreaterThanOrEqual(before);
          expect(cursor.rdata).toBeGreaterThanOrEqual(cursor.start + 11);
          expect(cursor.end).toBeGreaterThanOrEqual(cursor.rdata);
          expect(cursor.end).toBeLessThanOrEqual(octets.length);
          before = cursor.end;
          const owner = cursor.owner();
          if (owner !== null) expect([owner.length <= 255, owner.at(-1)]).toEqual([true, 0]);
          const serial = cursor.soaSerial();
          if (serial !== null) expect(serial).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
