import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessagePacker } from '../../src/dns/message-writer.ts';
import { decodeMessage } from '../support/dns-message.ts';
import { wireName } from '../support/dns-query.ts';

const HEAD = new Uint8Array(12);
const names = fc
  .array(fc.constantFrom('a', 'b', 'A', 'mail', 'x'.repeat(63)), { maxLength: 3 })
  .map((labels) => wireName(`${labels.map((label) => `${label}.`).join('')}example.test.`));
const records = fc.record({
  owner: names,
  ttl: fc.nat(0xffffffff),
  data: fc.oneof(
    names.map((rdata) => ({ type: 2, rdata })),
    names.map((rdata) => ({ type: 15, rdata: Uint8Array.from([0, 10, ...rdata]) })),
    names.map((rdata) => ({ type: 33, rdata: Uint8Array.from([0, 1, 0, 2, 0, 3, ...rdata]) })),
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((rdata) => ({ type: 65_280, rdata })),
  ),
});

test('what is packed is read again: names with their case, every octet of the rdata, within the limit', () => {
  const packer = new MessagePacker();
  fc.assert(
    fc.property(fc.array(records, { maxLength: 40 }), fc.integer({ min: 300, max: 2000 }), (list, limit) => {
      packer.begin(HEAD);
      const packed = list.filter(({ owner, ttl, data }) =>
        packer.add(owner, data.type, ttl, data.rdata, data.rdata.length, limit),
      );
      const length = packer.finish();
      expect(length).toBeLessThanOrEqual(limit);
      const { answer } = decodeMessage(packer.out.slice(0, length));
      expect(answer.map(({ ttl, rdata }) => [ttl, [...rdata]])).toEqual(
        packed.map(({ ttl, data }) => [ttl, [...data.rdata]]),
      );
      expect(answer.map(({ owner }) => wireName(owner))).toEqual(packed.map(({ owner }) => owner));
    }),
    { numRuns: 300 },
  );
});

test('a name that was written is pointed to', () => {
  const packer = new MessagePacker();
  packer.begin(HEAD);
  const owner = wireName('www.example.test');
  for (let i = 0; i < 2; i++) packer.add(owner, 1, 60, Uint8Array.of(192, 0, 2, i), 4, 512);
  expect(packer.finish()).toBe(12 + (owner.length + 14) + (2 + 14));
});

test('thousands of names in one message are all found or written out', () => {
  const packer = new MessagePacker();
  packer.begin(HEAD);
  const owners = Array.from({ length: 2500 }, (_, i) => wireName(`n${i}.example.test`));
  for (const owner of owners) expect(packer.add(owner, 1, 60, Uint8Array.of(1, 2, 3, 4), 4, 65_535)).toBe(true);
  const { answer } = decodeMessage(packer.out.slice(0, packer.finish()));
  expect(answer.map(({ owner }) => wireName(owner))).toEqual(owners);
});
