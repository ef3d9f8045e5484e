import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientAddress, isWildcard } from '../../src/system/client-address.ts';

const hex = (text: string): string => Buffer.from(clientAddress(text)).toString('hex');

describe('clientAddress', () => {
  test.each([
    { text: '192.0.2.1', octets: '00000000000000000000ffffc0000201' },
    { text: '0.0.0.0', octets: '00000000000000000000ffff00000000' },
    { text: '::', octets: '00000000000000000000000000000000' },
    { text: '::1', octets: '00000000000000000000000000000001' },
    { text: '2001:db8::', octets: '20010db8000000000000000000000000' },
    { text: '2001:db8::8:1', octets: '20010db8000000000000000000080001' },
    { text: '1:2:3:4:5:6:7:8', octets: '00010002000300040005000600070008' },
    { text: '::ffff:192.0.2.1', octets: '00000000000000000000ffffc0000201' },
    { text: '64:ff9b::192.0.2.33', octets: '0064ff9b0000000000000000c0000221' },
    { text: 'fe80::1%eth0', octets: 'fe800000000000000000000000000001' },
    { text: 'nonsense', octets: '00000000000000000000000000000000' },
  ])('$text', ({ text, octets }) => {
    expect(hex(text)).toBe(octets);
  });

  test('any IPv6 address, as the system writes it', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const groups = new URL(`http://[${text}]/`).hostname.slice(1, -1); // the canonical spelling
        expect(hex(groups)).toBe(hex(text));
      }),
    );
  });
});

test.each([
  { address: '0.0.0.0', wildcard: true },
  { address: '::', wildcard: true },
  { address: '127.0.0.1', wildcard: false },
  { address: '::1', wildcard: false },
])('$address is a wildcard: $wildcard', ({ address, wildcard }) => {
  expect(isWildcard(address)).toBe(wildcard);
});
