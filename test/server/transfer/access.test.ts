import { expect, test } from 'vitest';
import type { TransferRule } from '../../../src/config/types.ts';
import { lowerName } from '../../../src/dns/name.ts';
import { mayTransfer } from '../../../src/server/transfer/access.ts';
import { parsePrefix } from '../../../src/system/address.ts';
import { clientAddress } from '../../../src/system/client-address.ts';
import { prefixHolds } from '../../../src/system/prefix.ts';
import { wireName } from '../../support/dns-query.ts';
import { testKey } from '../../support/transfer-client.ts';

const name = (text: string) => lowerName(wireName(text));
const rule = (given: {
  from?: string;
  key?: string;
  tls?: boolean;
  networks?: string[];
  zones?: string[];
}): TransferRule => ({
  from: given.from === undefined ? null : parsePrefix(given.from),
  key: given.key === undefined ? null : name(given.key),
  tls: given.tls ?? false,
  networks: given.networks ?? null,
  zones: given.zones?.map(name) ?? null,
});

test.each([
  ['192.0.2.0/24', '192.0.2.255', true],
  ['192.0.2.0/24', '192.0.3.0', false],
  ['192.0.2.128/25', '192.0.2.127', false],
  ['192.0.2.1', '192.0.2.1', true],
  ['0.0.0.0/0', '203.0.113.1', true],
  ['0.0.0.0/0', '::1', false],
  ['::/0', '192.0.2.1', false],
  ['::ffff:192.0.2.0/120', '192.0.2.9', true],
  ['::ffff:192.0.2.0/120', '192.0.3.9', false],
  ['::ffff:192.0.2.0/120', '::1', false],
  ['::ffff:0.0.0.0/96', '192.0.2.9', true],
  ['::/64', '192.0.2.9', false],
  ['2001:db8::/33', '2001:db8:7fff::1', true],
  ['2001:db8::/33', '2001:db8:8000::1', false],
])('%s holds %s: %s', (prefix, address, expected) => {
  const parsed = parsePrefix(prefix);
  if (parsed === null) throw new Error('no prefix');
  expect(prefixHolds(parsed, clientAddress(address))).toBe(expected);
});

const LOCAL = { from: '127.0.0.0/8' };
test.each([
  ['no rule', [], {}, false],
  ['an address', [rule(LOCAL)], {}, true],
  ['an address, from elsewhere', [rule(LOCAL)], { address: '192.0.2.1' }, false],
  ['a key', [rule({ key: 'k' })], { key: 'k' }, true],
  ['a key, not signed', [rule({ key: 'k' })], {}, false],
  ['a key, signed with another', [rule({ key: 'k' })], { key: 'other' }, false],
  ['both, without the key', [rule({ ...LOCAL, key: 'k' })], {}, false],
  ['both, from elsewhere', [rule({ ...LOCAL, key: 'k' })], { key: 'k', address: '192.0.2.1' }, false],
  ['both', [rule({ ...LOCAL, key: 'k' })], { key: 'k' }, true],
  ['its network', [rule({ networks: ['net'] })], {}, true],
  ['another network', [rule({ networks: ['other'] })], {}, false],
  ['a network, for a static zone', [rule({ networks: ['net'] })], { network: null }, false],
  ['its zone', [rule({ zones: ['zone.test'] })], { network: null }, true],
  ['another zone', [rule({ zones: ['other.test'] })], {}, false],
  ['TLS, over TCP', [rule({ key: 'k', tls: true })], { key: 'k' }, false],
  ['TLS', [rule({ key: 'k', tls: true })], { key: 'k', tls: true }, true],
  ['TLS, without the key', [rule({ key: 'k', tls: true })], { tls: true }, false],
  ['no TLS asked for, over TLS', [rule({ key: 'k' })], { key: 'k', tls: true }, true],
  ['the second rule', [rule({ key: 'k' }), rule(LOCAL)], {}, true],
])('%s', (_, rules, client, expected) => {
  const {
    address = '127.0.0.1',
    key = null,
    network = 'net',
    tls = false,
  } = client as {
    address?: string;
    key?: string | null;
    network?: string | null;
    tls?: boolean;
  };
  const asks = {
    address: clientAddress(address),
    key: key === null ? null : testKey(key),
    zone: name('zone.test'),
    network,
    tls,
  };
  expect(mayTransfer(rules, asks)).toBe(expected);
});
