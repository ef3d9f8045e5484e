import { describe, expect, test } from 'vitest';
import { kernelSource, peerKey, sourceAddress } from '../../../src/publish/notify/source-address.ts';

describe('the source of a NOTIFY', () => {
  test.each<[string, string, readonly string[], string | null, string | null]>([
    // to, listen, what the kernel would take, what is taken
    ['the case of the fault', '192.0.2.5', ['127.0.0.1', '192.0.2.53'], '192.0.2.53', '192.0.2.53'],
    ['no route known', '192.0.2.5', ['127.0.0.1', '192.0.2.53'], null, '192.0.2.53'],
    [
      'the kernel takes one that is not listened on',
      '192.0.2.5',
      ['127.0.0.1', '192.0.2.53'],
      '192.0.2.1',
      '192.0.2.53',
    ],
    [
      'two addresses, the second is the way',
      '198.51.100.5',
      ['192.0.2.53', '198.51.100.53'],
      '198.51.100.53',
      '198.51.100.53',
    ],
    ['loopback alone is never taken outside', '192.0.2.5', ['127.0.0.1'], '192.0.2.1', null],
    ['loopback to loopback', '127.0.0.2', ['192.0.2.53', '127.0.0.9'], '127.0.0.1', '127.0.0.9'],
    ['loopback from another address of ours, as before', '127.0.0.2', ['192.0.2.53'], '127.0.0.1', '192.0.2.53'],
    ['a wildcard: the kernel decides', '192.0.2.5', ['0.0.0.0', '192.0.2.53'], '192.0.2.1', null],
    ['the other family says nothing', '192.0.2.5', ['::', '192.0.2.53'], null, '192.0.2.53'],
    ['IPv6 by route', '2001:db8:1::5', ['2001:db8::53', '2001:db8:1::53'], '2001:db8:1:0::53', '2001:db8:1::53'],
    ['IPv6 loopback', '::1', ['2001:db8::53', '::1'], '::1', '::1'],
    ['IPv6 loopback is never taken outside', '2001:db8::5', ['::1', '2001:db8::53'], null, '2001:db8::53'],
    ['IPv6 wildcard', '2001:db8::5', ['::'], '2001:db8::1', null],
    ['IPv4 listens, IPv6 is the target', '2001:db8::5', ['192.0.2.53'], null, null],
    ['a link-local target, on its link', 'fe80::5%eth1', ['fe80::1%eth0', 'fe80::1%eth1'], null, 'fe80::1%eth1'],
    [
      'a link-local address is never taken elsewhere',
      '2001:db8::5',
      ['fe80::1%eth0', '2001:db8::53'],
      null,
      '2001:db8::53',
    ],
    ['nor on another link', 'fe80::5%eth1', ['fe80::1%eth0'], null, null],
    ['IPv4 written as IPv6', '::ffff:192.0.2.5', ['127.0.0.1', '192.0.2.53'], null, '192.0.2.53'],
    ['nothing listens', '192.0.2.5', [], '192.0.2.1', null],
  ])('%s', (_, to, listen, route, expected) => {
    expect(sourceAddress(to, listen, route)).toBe(expected);
    expect(sourceAddress(to, [...listen].reverse(), route)).toBe(expected);
  });

  test('of several that would do the first is taken', () => {
    expect(sourceAddress('192.0.2.5', ['192.0.2.1', '192.0.2.2'], null)).toBe('192.0.2.1');
  });
});

test.each(['127.0.0.1', '127.0.0.2', '::1'])('the kernel says where it would send from to %s', async (to) => {
  expect(await kernelSource(to)).toMatch(to === '::1' ? /^::1$/ : /^127\./);
});

test('what is no address has no way', async () => {
  expect(await kernelSource('no.such.host.invalid')).toBeNull();
});

test('one key an address', () => {
  const spelled = ['192.0.2.5', '::ffff:192.0.2.5', '::ffff:c000:205'].map(peerKey);
  expect(new Set(spelled).size).toBe(1);
  expect(peerKey('fe80::1%eth0')).toBe(peerKey('FE80:0::1'));
  expect(peerKey('nonsense')).toBeNull();
});
