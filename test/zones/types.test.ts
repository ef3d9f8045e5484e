import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rdataNames } from '../../src/dns/rdata-names.ts';
import { isMetaType, typeName } from '../../src/dns/type-name.ts';
import type { RdataScan } from '../../src/zones/text/rdata.ts';
import type { Field } from '../../src/zones/types/field.ts';
import { checkRdata, recordType, recordTypeByName } from '../../src/zones/types/record-type.ts';
import { TABLE } from '../../src/zones/types/table.ts';
import { printRecord, rdataText } from '../../src/zones/write/print-record.ts';
import { RDATA_TEXT } from '../support/generate-zone.ts';
import { readText, recordKeys, wireName } from '../support/read-zone.ts';

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');

/** Type and rdata of one record's text; null: it is refused. */
function rdataOf(text: string): { type: number; rdata: Uint8Array } | null {
  const { store, faults } = readText(`a 300 ${text}\n`);
  if (faults.length > 0 || store.size !== 1) return null;
  return { type: store.typeOf(0), rdata: store.rdata.slice(store.rdataStart(0), store.rdataEnd(0)) };
}

const rows = readFileSync(new URL('./fixtures/reader/records.tsv', import.meta.url), 'latin1')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('# '))
  .map((line) => line.split('\t'));

describe('records as BIND reads them', () => {
  test.each(rows)('%s', (text, type, rdata) => {
    const found = rdataOf(text);
    expect(found === null ? ['-', ''] : [String(found.type), hex(found.rdata)]).toEqual([type, rdata]);
    if (found === null) return;
    // Printing and reading again gives the same octets, and printing those the same text.
    const printed = rdataText(found.type, found.rdata, 0, found.rdata.length);
    const again = rdataOf(`${typeName(found.type)} ${printed}`);
    expect(again === null ? null : hex(again.rdata)).toBe(rdata);
  });
});

describe('canonical text', () => {
  test.each([
    ['A', '192.0.2.1', '192.0.2.1'],
    ['AAAA', '2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['AAAA', '1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['AAAA', '0:1:0:1:0:1:0:1', '0:1:0:1:0:1:0:1'],
    ['AAAA', '::FFFF:1.2.3.4', '::ffff:1.2.3.4'],
    ['SOA', 'a b 1 1h 1m 1w 1d', 'a.example. b.example. 1 3600 60 604800 86400'],
    ['TXT', 'a"b c"\\;\\010', '"a" "b c" ";\\010"'],
    ['CAA', '0 issue ca.example', '0 issue "ca.example"'],
    ['CERT', 'PKIX 1 RSASHA256 AAAA', '1 1 8 AAAA'],
    ['DNSKEY', 'ZONE|KSK DNSSEC ED25519 AAAA', '257 3 15 AAAA'],
    [
      'DS',
      '1 8 SHA-256 00112233445566778899aabbccddeeff 00112233445566778899aabbccddeeff',
      '1 8 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF',
    ],
    ['LOC', '42 21 N 71 6 18 W -24 30', '42 21 0.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m'],
    ['NSEC', 'b TYPE257 MX A A', 'b.example. A MX CAA'],
    ['NSEC3', 'SHA-1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr', '1 0 0 - 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR'],
    ['RRSIG', 'TYPE1 RSASHA256 2 300 1 0 1 @ AA==', 'A 8 2 300 19700101000001 19700101000000 1 example. AA=='],
    ['SVCB', '1 b port=1 alpn=h2,"h3"', null],
    ['SVCB', '1 b port=1 alpn="h2,h3" key3333', '1 b.example. alpn="h2,h3" port=1 key3333'],
    ['SVCB', '1 b alpn=a\\\\,b,c', '1 b.example. alpn="a\\\\,b,c"'],
    ['TYPE65280', '\\# 2 ab cd', '\\# 2 ABCD'],
    ['TYPE65280', '\\# 0', '\\# 0'],
    ['APL', '', '\\# 0'],
    ['WKS', '192.0.2.1 tcp domain smtp', '192.0.2.1 6 25 53'],
    ['DSYNC', '59 1 5359 Cds', 'CDS NOTIFY 5359 Cds.example.'],
    ['DSYNC', 'TYPE59 255 0 .', 'CDS 255 0 .'],
    ['EUI48', '0-1-2-A-B-C', '00-01-02-0a-0b-0c'],
    ['URI', '1 2 "a\\"b"', '1 2 "a\\"b"'],
  ])('%s %s', (type, text, printed) => {
    const found = rdataOf(`${type} ${text}`);
    expect(found === null ? null : rdataText(found.type, found.rdata, 0, found.rdata.length)).toBe(printed);
  });

  test('a whole record', () => {
    const owner = wireName('a\\.b.Example.');
    expect(printRecord(owner, 15, 60, Uint8Array.of(0, 10, 0))).toBe('a\\.b.Example.\t60\tIN\tMX\t10 .');
  });

  test('octets that are no data of their type', () => {
    expect(rdataText(1, Uint8Array.of(1, 2, 3), 0, 3)).toBe('\\# 3 010203');
    expect(checkRdata(1, Uint8Array.of(1, 2, 3), 0, 3)).toBe('these 3 octets are no A data');
    expect(checkRdata(65280, Uint8Array.of(1, 2, 3), 0, 3)).toBeNull();
  });
});

describe('every type', () => {
  test('has generated examples', () => {
    expect(Object.keys(RDATA_TEXT).sort()).toEqual(TABLE.map(({ name }) => name).sort());
  });

  test('is found by its code and its name', () => {
    for (const { code, name } of TABLE) {
      expect(recordTypeByName(name.toLowerCase())).toBe(code);
      expect(recordTypeByName(`TYPE${code}`)).toBe(code);
      expect(typeName(code)).toBe(name);
      expect(recordType(code)?.code).toBe(code);
      expect(isMetaType(code)).toBe(false);
    }
  });

  test.each(['NXNAME', 'CLA', 'IPN'])(
    '%s, which BIND 9.18 does not know, is read in bitmaps and written by number',
    (name) => {
      const code = recordTypeByName(name) ?? 0;
      expect(typeName(code)).toBe(`TYPE${code}`);
      const found = rdataOf(`NSEC b ${name}`);
      expect(found === null ? null : rdataText(found.type, found.rdata, 0, found.rdata.length)).toBe(
        `b.example. TYPE${code}`,
      );
    },
  );

  test('without a codec has the generic form', () => {
    expect(rdataOf('CLA \\# 2 0178')).toEqual({ type: 263, rdata: Uint8Array.of(1, 0x78) });
    expect(rdataOf('IPN 7')).toBeNull();
    expect(rdataOf('NXNAME \\# 0')).toBeNull();
  });

  test.each(Object.entries(RDATA_TEXT))('%s: encoding and decoding are inverse', (name, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (text) => {
        const first = rdataOf(`${name} ${text}`);
        expect(first, text).not.toBeNull();
        if (first === null) return;
        const printed = rdataText(first.type, first.rdata, 0, first.rdata.length);
        const again = rdataOf(`${name} ${printed}`);
        expect(again === null ? printed : hex(again.rdata)).toBe(hex(first.rdata));
        expect(rdataText(first.type, again?.rdata ?? first.rdata, 0, first.rdata.length)).toBe(printed);
        expect(checkRdata(first.type, first.rdata, 0, first.rdata.length)).toBeNull();
        // Generic form gives the same.
        const generic = rdataOf(`${name} \\# ${first.rdata.length} ${hex(first.rdata)}`);
        expect(generic === null ? null : hex(generic.rdata)).toBe(hex(first.rdata));
      }),
      { numRuns: 60 },
    );
  });

  test.each(Object.entries(RDATA_TEXT))('%s: damaged octets are refused or printable', (name, arbitrary) => {
    const damage = fc.record({ at: fc.nat(), octet: fc.integer({ min: 0, max: 255 }), cut: fc.nat(3) });
    fc.assert(
      fc.property(arbitrary, damage, (text, { at, octet, cut }) => {
        const found = rdataOf(`${name} ${text}`);
        if (found === null || found.rdata.length === 0) return;
        const { type } = found;
        const rdata = found.rdata.slice(0, found.rdata.length - Math.min(cut, found.rdata.length));
        if (rdata.length > 0) rdata[at % rdata.length] = octet;
        // Whatever the octets, the text reads back as them, unless they are no data of the type at all.
        const again = rdataOf(`${name} ${rdataText(type, rdata, 0, rdata.length)}`);
        if (checkRdata(type, rdata, 0, rdata.length) === null)
          expect(again === null ? null : hex(again.rdata)).toBe(hex(rdata));
        else expect(again).toBeNull();
      }),
      { numRuns: 60 },
    );
  });
});

describe('reading', () => {
  test('never throws on random octets, and ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (octets) => {
        const { store, faults } = readText(octets);
        expect(store.size + faults.length).toBeLessThan(500);
      }),
      { numRuns: 500 },
    );
  });

  test('never throws on damaged zones, and what it keeps prints and reads the same', () => {
    const line = fc
      .constantFrom(...Object.keys(RDATA_TEXT))
      .chain((name) => RDATA_TEXT[name].map((text) => `r ${name} ${text}\n`));
    const splice = fc.record({
      at: fc.nat(),
      text: fc.oneof(
        fc.constantFrom('(', ')', '"', '\\', ';', '\n', ' ', '$', '\\#', '\0', '\r'),
        fc.string({ maxLength: 4 }),
      ),
    });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), fc.array(splice, { maxLength: 4 }), (lines, splices) => {
        let text = `$TTL 5\n${lines.join('')}`;
        for (const { at, text: inserted } of splices) {
          const where = at % (text.length + 1);
          text = text.slice(0, where) + inserted + text.slice(where + (at % 3));
        }
        const result = readText(text);
        const { store } = result;
        const printed = Array.from({ length: store.size }, (_, i) => {
          const owner = store.names.wireOf(store.ownerOf(i));
          return printRecord(
            owner,
            store.typeOf(i),
            store.ttlOf(i),
            store.rdata,
            store.rdataStart(i),
            store.rdataEnd(i),
          );
        });
        const again = readText(`${printed.join('\n')}\n`);
        expect(again.faults).toEqual([]);
        expect(recordKeys(again).map((key) => key.toLowerCase())).toEqual(
          recordKeys(result).map((key) => key.toLowerCase()),
        );
      }),
      { numRuns: 1000 },
    );
  });
});

/** Names in no fixed place (RFC 3403 §4.1), and names that are opaque as of every type since RFC 3597. */
const OPAQUE = ['NAPTR', 'DSYNC'];

test.each(
  TABLE.filter(({ name, fields }) => namesRead(fields) > 0 && !OPAQUE.includes(name)).map(
    ({ name, code, fields }) => [name, code, namesRead(fields)] as const,
  ),
)('%s: where the names of its rdata are is known', (_name, code, count) => {
  expect(rdataNames(code)).toHaveLength(count);
});

/** How many of the fields read nothing but a domain name. */
function namesRead(fields: readonly Field[]): number {
  let names = 0;
  const scan = new Proxy({} as RdataScan, {
    get: (_, key) => () => {
      if (key === 'name') names += 1;
      return null;
    },
  });
  for (const { read } of fields) {
    try {
      read(scan);
    } catch {
      // It reads something else, by what the scan returns.
    }
  }
  return names;
}
