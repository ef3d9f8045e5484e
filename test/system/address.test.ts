import { BlockList, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { suggest } from '../../src/config/suggest.ts';
import { addressKey, addressOctets, endpointText, parseEndpoint, parsePrefix } from '../../src/system/address.ts';
import { isHostName } from '../../src/system/host-name.ts';

test.each([
  ['127.0.0.1:53', { address: '127.0.0.1', port: 53 }],
  ['127.0.0.1', { address: '127.0.0.1', port: 5 }],
  ['[::1]:53', { address: '::1', port: 53 }],
  ['[::1]', { address: '::1', port: 5 }],
  ['::1', { address: '::1', port: 5 }],
  ['0.0.0.0:0', { address: '0.0.0.0', port: 0 }],
  ['127.0.0.1:65535', { address: '127.0.0.1', port: 65_535 }],
  ['127.0.0.1:65536', null],
  ['127.0.0.1:', null],
  ['127.0.0.1:-1', null],
  ['[127.0.0.1]:53', null],
  ['::1:53:x', null],
  ['[::1:53', null],
  ['localhost:53', null],
  ['127.0.0.1:53 ', null],
  ['', null],
])('endpoint %j', (text, expected) => {
  expect(parseEndpoint(text, 5)).toEqual(expected);
});

test.each([
  ['1.2.3.4', [1, 2, 3, 4]],
  ['::', Array(16).fill(0)],
  ['::1', [...Array(15).fill(0), 1]],
  ['1::', [0, 1, ...Array(14).fill(0)]],
  ['2001:db8::ff00:42:8329', [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0x42, 0x83, 0x29]],
  ['1:2:3:4:5:6:7:8', [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
  ['::ffff:192.0.2.1', [...Array(10).fill(0), 255, 255, 192, 0, 2, 1]],
  ['1:2:3:4:5:6:192.0.2.1', [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 192, 0, 2, 1]],
  ['fe80::1%lo', null],
  ['1.2.3', null],
  ['example', null],
])('octets of %s', (text, expected) => {
  expect(addressOctets(text)).toEqual(expected === null ? null : Uint8Array.from(expected));
});

test.each([
  ['192.0.2.0/24', 24],
  ['192.0.2.1', 32],
  ['192.0.2.1/32', 32],
  ['0.0.0.0/0', 0],
  ['::/0', 0],
  ['2001:db8::/32', 32],
  ['2001:db8::1', 128],
  ['192.0.2.128/25', 25],
  ['192.0.2.192/25', null],
  ['192.0.2.1/24', null],
  ['128.0.0.0/0', null],
  ['192.0.2.0/33', null],
  ['::/129', null],
  ['192.0.2.0/', null],
  ['192.0.2.0/2x', null],
  ['/24', null],
])('prefix %s', (text, bits) => {
  expect(parsePrefix(text)?.bits ?? null).toBe(bits);
});

test('every spelling of an address that Node accepts has the octets that Node sees', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const octets = addressOctets(text);
      const long =
        Buffer.from(octets ?? [])
          .toString('hex')
          .match(/..../g)
          ?.join(':') ?? '';
      const same = new BlockList();
      if (isIPv6(text)) same.addAddress(long, 'ipv6');
      else same.addAddress(octets?.join('.') ?? '', 'ipv4');
      expect(same.check(text, isIPv6(text) ? 'ipv6' : 'ipv4')).toBe(true);
      expect(addressKey(text.toUpperCase())).toBe(addressKey(text));
      const endpoint = { address: text, port: 7 };
      expect(parseEndpoint(endpointText(endpoint), 0)).toEqual(endpoint);
    }),
  );
});

test.each([
  ['edge1', true],
  ['edge-1.example.com', true],
  ['edge_1.example.com.', true],
  ['_x', true],
  ['1edge', true],
  ['a'.repeat(63), true],
  ['a'.repeat(64), false],
  [`${'a'.repeat(63)}.`.repeat(4), false],
  ['-a', false],
  ['a-', false],
  ['a..b', false],
  ['.', false],
  ['', false],
  ['192.0.2.300', false],
  ['a b', false],
  ['../etc/passwd', false],
  ['a/b', false],
  ['é.example', false],
])('host name %j: %s', (text, expected) => {
  expect(isHostName(text)).toBe(expected);
});

test.each([
  ['goodenuff', 'goodenough'],
  ['worker', 'workers'],
  ['wrokers', 'workers'],
  ['RUN-FREQUENCY', 'run_frequency'],
  ['edge_cuont', 'edge_count'],
  ['zzz', null],
  ['e', null],
])('%s is meant as %s', (typed, meant) => {
  expect(suggest(typed, ['goodenough', 'workers', 'run_frequency', 'edge_count', 'dns'])).toBe(meant);
});
