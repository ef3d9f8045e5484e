import { expect, test } from 'vitest';
import { parsePrefix } from '../../src/system/address.ts';
import { clientAddress } from '../../src/system/client-address.ts';
import { prefixHolds } from '../../src/system/prefix.ts';

test.each([
  ['192.0.2.0/24', '192.0.2.255', true],
  ['192.0.2.0/24', '192.0.3.0', false],
  ['192.0.2.1', '192.0.2.1', true],
  ['192.0.2.1', '192.0.2.2', false],
  ['192.0.2.128/25', '192.0.2.127', false],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['0.0.0.0/0', '::', false],
  ['::/0', '2001:db8::1', true],
  ['::/0', '::1', true],
  ['::/0', '192.0.2.1', false],
  ['::/64', '192.0.2.1', false],
  ['::/64', '::1', true],
  ['::/96', '192.0.2.1', false],
  ['::ffff:0:0/96', '192.0.2.1', true],
  ['::ffff:192.0.2.0/120', '192.0.2.77', true],
  ['::ffff:192.0.2.0/120', '192.0.3.77', false],
  ['::ffff:0:0/95', '192.0.2.1', false],
  ['2001:db8::/32', '2001:db8:ffff::', true],
  ['2001:db8::/33', '2001:db8:8000::', false],
  ['2001:db8::/32', '192.0.2.1', false],
])('%s, %s: %s', (text, address, holds) => {
  const prefix = parsePrefix(text);
  if (prefix === null) {
    // `::ffff:0:0/95` has a bit beyond its length set: not a prefix at all.
    expect(holds).toBe(false);
    return;
  }
  expect(prefixHolds(prefix, clientAddress(address))).toBe(holds);
});
