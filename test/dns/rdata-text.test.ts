import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparableRdata, rdataFromText, rdataText } from '../../src/dns/rdata-text.ts';
import { scanTypeName } from '../../src/dns/type-name.ts';

const code = (type: string): number => scanTypeName(Buffer.from(type), 0, type.length);
const read = (type: string, text: string): string => {
  const rdata = rdataFromText(code(type), text);
  return typeof rdata === 'string' ? rdata : Buffer.from(rdata).toString('hex');
};

test.each([
  ['A', '127.0.0.1', '7f000001', '127.0.0.1'],
  ['A', String.raw`\# 4 7f000001`, '7f000001', '127.0.0.1'],
  ['A', String.raw`\# 4 7F00 0001`, '7f000001', '127.0.0.1'],
  ['AAAA', '::1', '00000000000000000000000000000001', '::1'],
  ['AAAA', '2001:DB8:0:0::1', '20010db8000000000000000000000001', '2001:db8::1'],
  ['AAAA', '::ffff:127.0.0.1', '00000000000000000000ffff7f000001', '::ffff:7f00:1'],
  ['NS', 'NS1.a.Test.', '036e73310161047465737400', 'ns1.a.test.'],
  ['NS', 'ns1.a.test', '036e73310161047465737400', 'ns1.a.test.'],
  ['CNAME', '.', '00', '.'],
  ['MX', '10 mx.test.', '000a026d78047465737400', '10 mx.test.'],
  ['SRV', '0 5 443 a.test.', '0000000501bb0161047465737400', '0 5 443 a.test.'],
  [
    'SOA',
    'a. b. 4294967295 2 3 4 5',
    '016100016200ffffffff00000002000000030000000400000005',
    'a. b. 4294967295 2 3 4 5',
  ],
  ['TXT', 'one "two words" ""', '036f6e650974776f20776f72647300', '"one" "two words" ""'],
  ['TXT', String.raw`"a\"b" c\;d \195\169`, '0361226203633b6402c3a9', String.raw`"a\"b" "c;d" "\195\169"`],
  ['TXT', 'é', '02c3a9', String.raw`"\195\169"`],
  ['CAA', '0 issue "ca.test; x=1"', '0005697373756563612e746573743b20783d31', '0 issue "ca.test; x=1"'],
  ['TYPE65280', String.raw`\# 3 010203`, '010203', String.raw`\# 3 010203`],
  ['TYPE65280', String.raw`\# 0`, '', String.raw`\# 0`],
  ['NS', String.raw`\# 3 014100`, '016100', 'a.'],
])('%s %s', (type, text, hex, shown) => {
  expect(read(type, text)).toBe(hex);
  expect(rdataText(code(type), Buffer.from(hex, 'hex'))).toBe(shown);
});

test.each([
  ['A', '127.0.0.256', '"127.0.0.256" is not an IPv4 address'],
  ['A', '::1', '"::1" is not an IPv4 address'],
  ['A', '127.0.0.1 127.0.0.2', '"127.0.0.2" is more than this type has'],
  ['A', '', 'it ends where an IPv4 address is expected'],
  ['AAAA', 'fe80::1%lo', '"fe80::1%lo" is not an IPv6 address'],
  ['MX', '65536 a.', '"65536" is not a number up to 65535'],
  ['MX', '-1 a.', '"-1" is not a number up to 65535'],
  ['MX', '10', 'it ends where a domain name is expected'],
  ['NS', 'a..b.', /^"a\.\.b\." is not a domain name: /],
  ['TXT', `"${'x'.repeat(256)}"`, /is not a text of 255 octets at most$/],
  ['TXT', '"a', 'a quotation mark has no other'],
  ['TXT', String.raw`\256`, /is not a text of 255/],
  ['DS', '1 8 2 AB', /^data of this type is written as \\#/],
  ['DS', String.raw`\# 2 AB`, /^after \\# comes the number of octets/],
  ['DS', String.raw`\# 1 A`, /^after \\# comes/],
  ['DS', String.raw`\#`, /^after \\# comes/],
  ['NS', String.raw`\# 2 c000`, 'a name in it cannot be read'],
])('%s %s is none', (type, text, problem) => {
  const got = read(type, text);
  if (problem instanceof RegExp) expect(got).toMatch(problem);
  else expect(got).toBe(problem);
});

describe('any octets', () => {
  const types = fc
    .constantFrom('A', 'NS', 'SOA', 'TXT', 'MX', 'AAAA', 'SRV', 'CAA', 'DS', 'SVCB', 'TYPE65280')
    .map(code);

  test('are shown as text that reads as the same', () => {
    fc.assert(
      fc.property(types, fc.uint8Array({ maxLength: 120 }), (type, octets) => {
        const rdata = comparableRdata(octets, type, 0, octets.length);
        if (rdata === null) return;
        const text = rdataText(type, rdata);
        expect(text).toMatch(/^[\x20-\x7e]*$/);
        expect(Buffer.from(rdataFromText(type, text) as Uint8Array)).toEqual(Buffer.from(rdata));
      }),
      { numRuns: 2000 },
    );
  });

  test('as text are read or refused', () => {
    fc.assert(
      fc.property(types, fc.string({ unit: 'binary', maxLength: 60 }), (type, text) => {
        const got = rdataFromText(type, text);
        expect(typeof got === 'string' || got instanceof Uint8Array).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('of a whole message are cut short', () => {
    expect(rdataText(16, new Uint8Array(65_535).fill(0xff))).toHaveLength(String.raw`\# 65535 `.length + 2 * 128 + 1);
  });
});
