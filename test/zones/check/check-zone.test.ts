import { describe, expect, test } from 'vitest';
import { codes, DNS, HEAD, load, REVERSE, ROWS, type Row, wireName } from './check-fixture.ts';

// The `-peer` file beside it asks named-checkzone for every row's verdict.
describe('as named-checkzone rates it', () => {
  test.each(ROWS)('%s', (_name, text, ...faults) => {
    const zone = load(`$TTL 300\n${text}`);
    expect(codes(zone)).toEqual([...faults].sort());
  });

  test.each([
    ['64,500 octets', 64_500, []],
    ['what is left beside header, names and TSIG', 65_535 - 12 - 10 - 606 - 16, []],
    ['one octet more', 65_535 - 12 - 10 - 606 - 15, ['error record-too-large 5']],
    ['65,500 octets, which BIND loads and cannot transfer', 65_500, ['error record-too-large 5']],
  ])('a record of %s', (_name, octets, expected) => {
    const text = `$TTL 300\n${HEAD}a TYPE65280 \\# ${octets} ${'00'.repeat(octets)}\n`;
    expect(load(text).faults.map(({ severity, code, at }) => `${severity} ${code} ${at?.line}`)).toEqual(expected);
  });

  test('PTR in the reverse tree is a host name', () => {
    const text = REVERSE;
    const zone = load(text, { kind: 'static' }, '2.0.192.in-addr.arpa.');
    expect(zone.faults.map(({ code, at }) => `${code} ${at?.line}`)).toEqual(['target-name 4']);
    expect(zone.ok).toBe(true);
  });

  test('the root is a zone like any other', () => {
    const zone = load('. 300 SOA a. b. 9 2 3 4 5\n. 300 NS ns.\nns. 300 A 192.0.2.1\n', { kind: 'static' }, '.');
    expect(zone.faults).toEqual([]);
    expect(zone.serial).toBe(9);
  });
});

describe("in a network's include file", () => {
  const rows: readonly Row[] = [
    ['nothing', ''],
    ['ordinary records', 'mail A 192.0.2.7\n@ MX 10 mail\n'],
    ['a SOA', '@ SOA a. b. 1 2 3 4 5', 'error soa-in-include'],
    [
      'the very SOA that the server makes',
      '@ SOA ns1.example.net. host.example.net. 0 43200 10800 1209600 300',
      'error soa-in-include',
    ],
    ['addresses at the apex', '@ A 192.0.2.7\n@ AAAA 2001:db8::7', 'warning live-address'],
    ['addresses at a rotate label', 'www A 192.0.2.7', 'warning live-address'],
    ['an alias at a rotate label', 'www CNAME other.example.net.', 'error live-alias'],
    ['an alias at the apex', '@ CNAME other.example.net.', 'error live-alias', 'error cname-and-other'],
    ['DNAME at the apex hides the rotate labels', '@ DNAME other.example.net.', 'error live-alias'],
    ['DNAME at a rotate label', 'www DNAME other.example.net.'],
    ['a cut at a rotate label', 'www NS ns1.example.net.', 'error live-alias'],
    ['other data at live names', '@ TXT x\nwww TXT y\n@ CAA 0 issue "ca.example.net"'],
    ['more NS at the apex', '@ NS ns3.example.net.'],
    ['an NS that the server makes too', '@ NS ns1.example.net.', 'warning duplicate'],
    ['NS at the apex with another TTL', '@ 7200 NS ns3.example.net.', 'warning ttl-differs'],
    ['MX to live names', '@ MX 1 www\n@ MX 2 @'],
  ];
  test.each(rows)('%s', (_name, text, ...faults) => {
    const zone = load(text, { kind: 'network', dns: DNS });
    expect(codes(zone)).toEqual([...new Set(faults)].sort());
    expect(zone.ok).toBe(!faults.some((fault) => fault.startsWith('error')));
  });

  test('an NS of the configuration that the zone should know and does not is an error, as it is in BIND', () => {
    const inside = { ...DNS, nsRecords: [wireName('ns1.example.test.')] };
    expect(codes(load('', { kind: 'network', dns: inside }))).toEqual(['error target-no-address']);
    expect(codes(load('ns1 A 192.0.2.1', { kind: 'network', dns: inside }))).toEqual([]);
    expect(codes(load('', { kind: 'network', dns: { ...inside, rotateZones: ['ns1'] } }))).toEqual([]);
  });
});

describe('faults', () => {
  test('name file, line and column and show the line', () => {
    const zone = load(`$TTL 300\n${HEAD}\n   mail MX 1 nosuch ; here\r\n`.replace('   mail', 'mail'));
    expect(zone.faults).toEqual([
      {
        severity: 'warning',
        code: 'target-no-address',
        at: { file: 'zone', line: 6, col: 1, text: 'mail MX 1 nosuch ; here' },
        message: expect.stringContaining('nosuch.example.test.'),
      },
    ]);
  });

  test('of one kind are shown a hundred times, then counted', () => {
    const many = Array.from({ length: 150 }, (_, i) => `n${i} MX 1 nosuch${i}`).join('\n');
    const zone = load(`$TTL 300\n${HEAD}${many}\n`);
    expect(zone.faults.length).toBe(101);
    expect(zone.faults.at(-1)?.message).toContain('50 more');
  });

  test('of lines that cannot be read are not followed by what only follows from them', () => {
    const zone = load('$TTL 300\n@ SOA ns1 host five 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.\n');
    expect(zone.ok).toBe(false);
    expect(zone.faults.map(({ at }) => at?.line)).toEqual([2, 4]);
  });

  test('large RRsets are compared without comparing each with each', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => `a A 10.1.${(i >> 8) & 255}.${i & 255}`).join('\n');
    const zone = load(`$TTL 300\n${HEAD}${many}\na A 10.1.0.77\n`);
    expect(zone.faults.map(({ code, at }) => `${code} ${at?.line}`)).toEqual(['duplicate 20005', 'rrset-too-large 5']);
  });
});
