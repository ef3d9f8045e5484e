import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GoavailUse, parseGoavail } from '../../src/config/goavail-file.ts';
import { formatFault } from '../../src/system/fault.ts';
import { Secret } from '../../src/system/secret.ts';

const TCP: GoavailUse = { type: 'tcp', provider: 'cloudflare' };
const IP: GoavailUse = { type: 'ip', provider: 'cloudflare' };

/** Line 1 is `failure_threshold`, line 5 `[Members]`, line 11 `[Cloudflare]`, line 17 `[Route53]`. */
const WHOLE = `failure_threshold = 3
interval = 5
port = 443
slack_addr = "T0/B0/verysecret"
[Members]
peers = ["192.0.2.20:8080", "192.0.2.21:8080"]
local_addr = "192.0.2.10:8080"
min_peers_agree = 1
crypto_key = "0123456789abcdef"
members_port = 7946
[Cloudflare]
dns_domain = "example.com"
dns_proxied = true
hostnames = ["cloud", "www.example.com"]
ip_addresses = ["192.0.2.1", "192.0.2.2"]

[Route53]
aws_domain = "example.net"
hostnames = ["api"]
ip_addresses = ["192.0.2.3"]
ttl = 30
aws_zoneid = "Z1D633PJN98FT9"
aws_region = "eu-west-1"
`;

const FLAT = `failure_threshold = 2
interval = 1
dns_domain = "example.com"
hostnames = ["cloud"]
ip_addresses = ["192.0.2.1"]
`;

/** `line:column code: message` of every fault. */
function faultsOf(text: string, use = TCP): readonly string[] {
  return parseGoavail('/nowhere/goavail.toml', text, use).faults.map(
    ({ at, code, message }) => `${at?.line}:${at?.col} ${code}: ${message}`,
  );
}

describe('what is read', () => {
  test('tables, for Cloudflare', () => {
    const { goavail, faults } = parseGoavail('/nowhere/goavail.toml', WHOLE, TCP);
    expect(goavail).toEqual({
      file: '/nowhere/goavail.toml',
      use: TCP,
      threshold: 3,
      intervalSeconds: 5,
      port: 443,
      slack: expect.any(Secret),
      cluster: {
        peers: ['192.0.2.20:8080', '192.0.2.21:8080'],
        localAddress: '192.0.2.10:8080',
        minPeersAgree: 1,
        key: expect.any(Secret),
      },
      provider: {
        kind: 'cloudflare',
        domain: 'example.com',
        names: ['cloud.example.com', 'www.example.com'],
        addresses: ['192.0.2.1', '192.0.2.2'],
        proxied: true,
      },
    });
    expect(faults.map(({ severity, code, at }) => [severity, code, at?.line])).toEqual([['warning', 'ignored', 10]]);
  });

  test('tables, for Route 53', () => {
    const { goavail } = parseGoavail('/nowhere/goavail.toml', WHOLE, { type: 'tcp', provider: 'route53' });
    expect(goavail?.provider).toEqual({
      kind: 'route53',
      domain: 'example.net',
      names: ['api.example.net'],
      addresses: ['192.0.2.3'],
      ttl: 30,
      zoneId: 'Z1D633PJN98FT9',
      region: 'eu-west-1',
    });
  });

  test("keys flat, as the original's README shows them", () => {
    const { goavail, faults } = parseGoavail('/nowhere/goavail.toml', FLAT, IP);
    expect(goavail).toMatchObject({ threshold: 2, intervalSeconds: 1, port: null, cluster: null, slack: null });
    expect(goavail?.provider).toMatchObject({ names: ['cloud.example.com'], addresses: ['192.0.2.1'], proxied: false });
    expect(faults).toEqual([]);
  });

  test('flat keys for one provider beside a table of the other', () => {
    const text = `${FLAT}[Route53]\naws_domain = "example.net"\nhostnames = ["api"]\nip_addresses = ["192.0.2.9"]\naws_zoneid = "Z1"\n`;
    expect(faultsOf(text, IP)).toEqual([]);
    expect(parseGoavail('/x', text, IP).goavail?.provider.addresses).toEqual(['192.0.2.1']);
    expect(parseGoavail('/x', text, { ...IP, provider: 'route53' }).goavail?.provider.addresses).toEqual(['192.0.2.9']);
  });

  test.each([
    ['other case', FLAT.replace('interval', 'Interval').replace('dns_domain', 'DNS_Domain')],
    ['a byte order mark and CRLF', `\uFEFF${FLAT.replaceAll('\n', '\r\n')}`],
    ['an empty table of the other provider', `${FLAT}[Route53]\naws_domain = ""\nhostnames = []\nip_addresses = []\n`],
    [
      'inline tables',
      'failure_threshold = 2\ninterval = 1\nCloudflare = {dns_domain = "example.com", hostnames = ["cloud"], ip_addresses = ["192.0.2.1"]}',
    ],
    [
      'dotted keys',
      'failure_threshold = 2\ninterval = 1\nCloudflare.dns_domain = "example.com"\nCloudflare.hostnames = ["cloud"]\nCloudflare.ip_addresses = ["192.0.2.1"]',
    ],
  ])('%s', (_, text) => {
    const { goavail, faults } = parseGoavail('/nowhere/goavail.toml', text, IP);
    expect(faults).toEqual([]);
    expect(goavail).toMatchObject({ threshold: 2, intervalSeconds: 1, provider: { names: ['cloud.example.com'] } });
  });
});

const without = (key: string): string => WHOLE.replace(new RegExp(`^${key} = .*$`, 'm'), '');
const set = (key: string, value: string): string =>
  WHOLE.replace(new RegExp(`^${key} = .*$`, 'm'), `${key} = ${value}`);

describe('what is refused', () => {
  test.each([
    [
      'no interval',
      without('interval'),
      '1:1 missing-key: interval: missing; expected seconds between two checks, 1 to 86400',
    ],
    [
      'interval 0',
      set('interval', '0'),
      '2:12 out-of-range: interval: expected seconds between two checks, 1 to 86400, got 0',
    ],
    [
      'half a second',
      set('interval', '0.5'),
      '2:12 bad-value: interval: expected seconds between two checks, 1 to 86400, got 0.5',
    ],
    [
      'interval inf',
      set('interval', 'inf'),
      '2:12 wrong-type: interval: expected seconds between two checks, 1 to 86400, got Infinity',
    ],
    [
      'an interval in quotes',
      set('interval', '"5"'),
      '2:12 wrong-type: interval: expected seconds between two checks, 1 to 86400, got "5"',
    ],
    [
      'a negative threshold',
      set('failure_threshold', '-1'),
      '1:21 out-of-range: failure_threshold: expected a number of results in a row, 0 to 1000, got -1',
    ],
    ['no port with tcp', without('port'), '1:1 missing-key: port: missing; -t tcp needs the port to connect to'],
    ['port 0', set('port', '0'), '3:8 out-of-range: port: expected a port, 1 to 65535, got 0'],
    ['a date for a port', set('port', '2026-11-29'), '3:8 wrong-type: port: expected a port, 1 to 65535, got a date'],
    [
      'a key of 15 octets',
      set('crypto_key', '"0123456789abcde"'),
      '9:14 out-of-range: Members.crypto_key: expected a key of 16, 24 or 32 octets, got 15',
    ],
    [
      'a key of 16 letters and 17 octets',
      set('crypto_key', '"0123456789abcdeé"'),
      '9:14 out-of-range: Members.crypto_key: expected a key of 16, 24 or 32 octets, got 17',
    ],
    [
      'a number for a key, unshown',
      set('crypto_key', '1234'),
      '9:14 wrong-type: Members.crypto_key: expected a key of 16, 24 or 32 octets',
    ],
    [
      'more agreement than peers',
      set('min_peers_agree', '3'),
      '8:19 out-of-range: Members.min_peers_agree: expected at most 2, the number of peers, got 3; nothing would ever be changed',
    ],
    [
      'a peer that is none',
      set('peers', '["192.0.2.20:8080", "192.0.2.21:99999"]'),
      '6:29 bad-value: Members.peers[1]: expected an address and port such as "192.0.2.20:8080", got "192.0.2.21:99999"',
    ],
    [
      'an address that is none',
      set('ip_addresses', '["192.0.2.1", "192.0.2.300"]'),
      '15:30 bad-value: Cloudflare.ip_addresses[1]: expected an IP address, got "192.0.2.300"',
    ],
    [
      'an address with leading zeros',
      set('ip_addresses', '["192.0.2.01"]'),
      '15:17 bad-value: Cloudflare.ip_addresses[0]: expected an IP address, got "192.0.2.01"',
    ],
    [
      'an address that is a number',
      set('ip_addresses', '["192.0.2.1", 2]'),
      '15:30 wrong-type: Cloudflare.ip_addresses[1]: expected an IP address, got 2',
    ],
    [
      'one text for a list',
      set('ip_addresses', '"192.0.2.1"'),
      '15:16 wrong-type: Cloudflare.ip_addresses: expected a list of IP addresses, got "192.0.2.1"',
    ],
    [
      'no address',
      set('ip_addresses', '[]'),
      '15:16 bad-value: Cloudflare.ip_addresses: expected at least one address',
    ],
    [
      'an address twice',
      set('ip_addresses', '["::1", "0:0::1"]'),
      '15:24 duplicate-edge: Cloudflare.ip_addresses[1]: 0:0::1 is given twice',
    ],
    [
      'an empty domain',
      set('dns_domain', '""'),
      '12:14 bad-value: Cloudflare.dns_domain: expected a domain name, got ""',
    ],
    [
      'a host that only contains the domain',
      set('hostnames', '["myexample.com"]'),
      '14:14 bad-value: Cloudflare.hostnames[0]: "myexample.com" contains example.com, so it is a whole name, but it is not below example.com',
    ],
    [
      'a key that is nearly one',
      `${WHOLE}aws_zonid = "x"`,
      '24:1 unknown-key: unknown key "aws_zonid", did you mean "aws_zoneid"?',
    ],
    [
      'a table that is nearly one',
      `${FLAT}[Cloudfare]\nx = 1`,
      '6:2 unknown-key: unknown key "Cloudfare", did you mean "Cloudflare"?',
    ],
    [
      'a table that is a number',
      `${FLAT}Members = 5`,
      '6:11 wrong-type: Members: expected a section with keys and values, got 5',
    ],
    ['a key twice', `${FLAT}interval = 2`, '6:1 toml-syntax: trying to redefine an already defined table or value'],
    ['a text without end', `${FLAT}port = "4`, '6:8 toml-syntax:'],
    [
      'flat and in the table',
      `dns_domain = "a.example"\n${WHOLE}`,
      '1:1 duplicate-key: dns_domain: given here and in [Cloudflare]; the one in the table counts',
    ],
    [
      'no table for the provider',
      'interval = 1\nfailure_threshold = 1\nport = 1',
      '1:1 missing-key: Cloudflare.dns_domain: missing; -p cloudflare needs the domain',
    ],
    [
      'a threshold of 0',
      set('failure_threshold', '0'),
      '1:21 bad-value: failure_threshold: 0, taken as 1: the first result changes an address',
    ],
    [
      'peers without an address of our own',
      without('local_addr'),
      '6:1 ignored: Members.peers: has no effect without local_addr',
    ],
    ['agreement without peers', without('peers'), '8:1 ignored: Members.min_peers_agree: has no effect without peers'],
  ])('%s', (_, text, expected) => {
    expect(faultsOf(text).filter((fault) => fault.startsWith(expected))).toHaveLength(1);
  });

  test('a port without tcp has no effect', () => {
    expect(faultsOf(WHOLE, IP)).toContain('3:1 ignored: port: has no effect without -t tcp');
  });

  test('Route 53 without its zone', () => {
    expect(faultsOf(without('aws_zoneid'), { type: 'tcp', provider: 'route53' })).toContain(
      "17:2 missing-key: Route53.aws_zoneid: missing; -p route53 needs the hosted zone's id",
    );
  });

  test('secrets are not in what is shown', () => {
    const text = set('crypto_key', '"verysecretkey"').replace(
      'slack_addr = "T0/B0/verysecret"',
      'slack_addr = ["verysecret"]',
    );
    const shown = parseGoavail('/nowhere/goavail.toml', text, TCP).faults.map(formatFault).join('\n');
    expect(shown).toContain('crypto_key: expected a key');
    expect(shown).toContain('slack_addr: expected');
    expect(shown).not.toContain('verysecret');
  });

  test.each([
    ['T0/B0/verysecret', 'T0/B0/verysecret'],
    ['/T0/B0/very-secret_', 'T0/B0/very-secret_'],
    [' ', undefined],
  ])('slack_addr %j', (given, path) => {
    const { goavail, faults } = parseGoavail('/nowhere/goavail.toml', set('slack_addr', `"${given}"`), TCP);
    expect([goavail?.slack?.reveal(), faults.filter(({ severity }) => severity === 'error')]).toEqual([path, []]);
  });

  test.each([
    'https://hooks.slack.com/services/verysecret',
    'verysecret?x',
    '../verysecret',
    'very secret',
    'verysecret//b',
  ])('slack_addr %j could not be sent to', (given) => {
    const { goavail, faults } = parseGoavail('/nowhere/goavail.toml', set('slack_addr', `"${given}"`), TCP);
    const shown = faults.map(formatFault).join('\n');
    expect([goavail, shown]).toEqual([null, expect.stringContaining('slack_addr: expected what follows https://')]);
    expect(shown).not.toMatch(/very ?secret/);
  });

  test('a text nested without end is a fault', () => {
    expect(faultsOf(`x = ${'['.repeat(100_000)}`)).toHaveLength(1);
  });
});

describe('any text gives faults or a value', () => {
  const word = fc.constantFrom(
    ...'interval failure_threshold port Members Cloudflare Route53 peers ip_addresses hostnames __proto__ constructor'.split(
      ' ',
    ),
    ...['=', '[', ']', '[[', ']]', '{', '}', '"', "'", '"""', "'''", '#', ',', '.', '\n', '\r\n', '\\', ' '],
    ...['1', '-1', '0x10', 'inf', 'true', '2026-11-29', '"a"', '"192.0.2.1"', '9'.repeat(30), '\uFEFF', '\0', 'é'],
  );
  const use = fc.record({
    type: fc.constantFrom('ip' as const, 'tcp' as const),
    provider: fc.constantFrom('cloudflare' as const, 'route53' as const),
  });

  test.each([
    ['of its words', fc.array(word, { maxLength: 40 }).map((words) => words.join(''))],
    ['of its words after a sound file', fc.array(word, { maxLength: 15 }).map((words) => `${WHOLE}${words.join('')}`)],
    ['of anything', fc.string({ unit: 'binary', maxLength: 200 })],
  ])('%s', (_, texts) => {
    fc.assert(
      fc.property(texts, use, (text, how) => {
        const { goavail, faults } = parseGoavail('/nowhere/goavail.toml', text, how);
        expect(goavail === null).toBe(faults.some(({ severity }) => severity === 'error'));
        for (const fault of faults) {
          expect(fault.at?.line).toBeLessThanOrEqual(text.split('\n').length);
          expect(formatFault(fault)).toContain(fault.code);
        }
      }),
    );
  });

  const key = fc.constantFrom(
    ...'interval failure_threshold port slack_addr peers local_addr min_peers_agree crypto_key members_port'.split(' '),
    ...'dns_domain dns_proxied hostnames ip_addresses aws_domain ttl aws_zoneid aws_region'.split(' '),
  );
  const value = fc.constantFrom(
    '0',
    '1',
    '-3',
    '1.5',
    'nan',
    'true',
    '""',
    '"x"',
    '[]',
    '["192.0.2.1"]',
    '[[1]]',
    '{}',
    '{a = 1}',
    '1979-05-27',
  );
  const table = fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 8 });

  test('with keys of its own and values of any type', () => {
    const lines = (pairs: readonly (readonly [string, string])[]): string =>
      pairs.map(([k, v]) => `${k} = ${v}\n`).join('');
    fc.assert(
      fc.property(table, table, table, use, (top, one, two, how) => {
        const text = `${lines(top)}[Members]\n${lines(one)}[Cloudflare]\n${lines(two)}[Route53]\n${lines(one)}`;
        const { goavail, faults } = parseGoavail('/nowhere/goavail.toml', text, how);
        expect(faults.filter(({ code }) => code === 'toml-syntax')).toEqual([]);
        expect(goavail === null).toBe(faults.some(({ severity }) => severity === 'error'));
      }),
    );
  });
});
