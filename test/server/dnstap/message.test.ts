import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nameKey } from '../../../src/dns/name.ts';
import { MessageEncoder, type TapMessage } from '../../../src/server/dnstap/message.ts';
import { decodeDnstap } from '../../support/dnstap.ts';

const octets = (most: number) => fc.uint8Array({ maxLength: most });
const four = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((tail) => {
  const address = new Uint8Array(16);
  address.fill(0xff, 10, 12);
  address.set(tail, 12);
  return address;
});
const six = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .filter((address) => !Buffer.from(address).subarray(0, 12).equals(Buffer.from('00000000000000000000ffff', 'hex')));
const address = fc.oneof(four, six);
const port = fc.integer({ min: 0, max: 65_535 });
const moment = fc.record({
  seconds: fc.oneof(fc.integer({ min: 0, max: 2 ** 31 }), fc.constantFrom(2 ** 31, 2 ** 32 + 1, 2 ** 40)),
  nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
});
const message: fc.Arbitrary<TapMessage> = fc
  .record({
    type: fc.constantFrom(1 as const, 2 as const),
    protocol: fc.constantFrom(1 as const, 2 as const, 3 as const),
    queryAddress: address,
    queryPort: port,
    responseAddress: fc.option(address),
    responsePort: port,
    queryTime: moment,
    responseTime: moment,
    zone: fc.option(fc.constantFrom(nameKey('.'), nameKey('example.com'), nameKey('\\255\\000.example')), { freq: 3 }),
    octets: fc.oneof(
      octets(300),
      fc.constantFrom(0, 127, 128, 65_535).map((length) => new Uint8Array(length).fill(0xa5)),
    ),
    unused: fc.integer({ min: 0, max: 20 }),
  })
  .map(({ octets, unused, ...rest }) => ({ ...rest, octets, length: Math.max(0, octets.length - unused) }));

const shortened = (address: Uint8Array): Buffer => {
  const octets = Buffer.from(address);
  return octets.toString('hex', 0, 12) === '00000000000000000000ffff' ? octets.subarray(12) : octets;
};

/** Long octets compare fast as text. */
const inHex = (fields: { readonly [name: string]: number | Buffer }) =>
  Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, typeof v === 'number' ? v : v.toString('hex')]));

describe('MessageEncoder', () => {
  test('an independent reader finds in a message what was put into it, and nothing else', () => {
    const text = fc.string({ maxLength: 300 });
    fc.assert(
      fc.property(message, text, text, fc.integer({ min: 0, max: 9 }), (given, identity, version, at) => {
        const encoder = new MessageEncoder(identity, version);
        const size = encoder.size(given);
        const out = Buffer.alloc(at + size + 1, 0xee);
        expect(encoder.write(out, at, given)).toBe(at + size);
        expect(out[at + size]).toBe(0xee);
        const sent = Buffer.from(given.octets.subarray(0, given.length));
        const isQuery = given.type === 1;
        const known = {
          type: given.type,
          family: shortened(given.queryAddress).length === 4 ? 1 : 2,
          protocol: given.protocol,
          queryAddress: shortened(given.queryAddress),
          queryPort: given.queryPort,
          responsePort: given.responsePort,
          querySeconds: given.queryTime.seconds,
          queryNanoseconds: given.queryTime.nanoseconds,
          ...(given.responseAddress === null ? {} : { responseAddress: shortened(given.responseAddress) }),
          ...(given.zone === null ? {} : { zone: Buffer.from(given.zone, 'latin1') }),
          ...(isQuery
            ? { query: sent }
            : {
                responseSeconds: given.responseTime.seconds,
                responseNanoseconds: given.responseTime.nanoseconds,
                response: sent,
              }),
        };
        const utf8 = (text: string): string | null => (text === '' ? null : Buffer.from(text).toString());
        const decoded = decodeDnstap(out.subarray(at, at + size));
        expect(inHex(decoded.message)).toEqual(inHex(known));
        expect([decoded.identity, decoded.version]).toEqual([utf8(identity), utf8(version)]);
      }),
    );
  });
});
