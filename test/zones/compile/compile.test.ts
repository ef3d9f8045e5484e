import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lowerName, textFromWire } from '../../../src/dns/name.ts';
import { compileZone } from '../../../src/zones/compile/compile.ts';
import { forEachRecord, ImageCursor } from '../../../src/zones/image/cursor.ts';
import { ZoneImage } from '../../../src/zones/image/image.ts';
import { compareRdata } from '../../../src/zones/records/rdata-order.ts';
import { RecordStore } from '../../../src/zones/records/record-store.ts';
import { printRecord, printStored } from '../../../src/zones/write/print-record.ts';
import { ZONES } from '../../differential/zones.ts';
import { wireName } from '../../support/dns-query.ts';
import { address4 } from '../../support/dns-responder.ts';
import { imageOf, storeOf } from '../../support/zone-images.ts';

const SOA = '@ 300 SOA ns1 host 7 1 2 3 60\n';
const lines = (image: SharedArrayBuffer): string[] => {
  const found: string[] = [];
  forEachRecord(ZoneImage.attach(image), (owner, type, ttl, rdata) => found.push(printRecord(owner, type, ttl, rdata)));
  return found;
};
/** Case counts in SVCB alone (RFC 4034 §6.2). */
const folded = (line: string): string => (/\tSVCB\t/.test(line) ? line : line.toLowerCase());
const short = (line: string): string =>
  line.replaceAll('\t', ' ').replaceAll('.example.test.', '').replace(' IN ', ' ');

describe('an image holds the records it was compiled from', () => {
  test.each(ZONES.map(({ origin, text }) => [origin, text]))('%s', (origin, text) => {
    const store = storeOf(origin, text);
    const read = Array.from({ length: store.size }, (_, record) => folded(printStored(store, record)));
    const compiled = lines(imageOf({ origin, text })).map(folded);
    expect([...compiled].sort()).toEqual([...new Set(read)].sort());
    expect(ZoneImage.attach(imageOf({ origin, text })).recordCount).toBe(compiled.length);
    expect(compiled[0]).toContain('\tsoa\t');
    expect(compiled.filter((line) => line.includes('\tsoa\t'))).toHaveLength(1);
  });

  test('random names, types and octets', () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: 8 });
    const record = fc.record({
      labels: fc.array(label, { maxLength: 5 }),
      type: fc.constantFrom(1, 16, 99, 257, 65280),
      rdata: fc.uint8Array({ maxLength: 40 }),
    });
    const origin = wireName('example.test');
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), (records) => {
        const store = new RecordStore();
        const expected = new Set<string>();
        const key = (owner: Uint8Array, type: number, rdata: Uint8Array) => `${lowerName(owner)} ${type} ${rdata}`;
        for (const { labels, type, rdata } of records) {
          const owner = Uint8Array.from([...labels.flatMap((part) => [part.length, ...part]), ...origin]);
          store.add(store.names.intern(owner), type, 60, rdata, 0, rdata.length);
          expected.add(key(owner, type, rdata));
        }
        const found = new Set<string>();
        forEachRecord(
          ZoneImage.attach(compileZone({ origin, store, serial: null, live: null })),
          (owner, type, _, rdata) => found.add(key(owner, type, rdata.slice())),
        );
        expect(found).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});

describe('what is settled when a zone is compiled', () => {
  test('records of one RRset that are equal but for case of names are one (RFC 2181 §5)', () => {
    const text = `${SOA}a MX 5 Mail\na MX 5 mAIL\na MX 6 mail\n`;
    expect(
      lines(imageOf({ origin: 'example.test', text }))
        .slice(1)
        .map(short),
    ).toEqual(['a 300 MX 5 Mail', 'a 300 MX 6 Mail']);
  });

  test('names in SVCB, HTTPS, NSEC and LP keep their case, and tell records apart (RFC 4034 §6.2, RFC 6840 §5.1)', () => {
    const rows = ['SVCB 1 B.', 'SVCB 1 b.', 'HTTPS 1 B.', 'HTTPS 1 b.', 'NSEC B. A', 'NSEC b. A', 'LP 1 B.', 'LP 1 b.'];
    const text = SOA + rows.map((row) => `a ${row}\n`).join('');
    expect(
      lines(imageOf({ origin: 'example.test', text }))
        .slice(1)
        .map(short)
        .sort(),
    ).toEqual(rows.map((row) => `a 300 ${row}`).sort());
  });

  test('signatures of different types are RRsets with TTLs of their own (RFC 4034 §3)', () => {
    const signature = '8 3 300 20300101000000 20200101000000 1 example.test. AA==';
    const other = signature.replace('AA==', 'AQ==');
    const text = `${SOA}a 600 RRSIG TXT ${signature}\na 60 RRSIG A ${other}\na 70 RRSIG A ${signature}\na 9 SIG A ${other}\n`;
    expect(
      lines(imageOf({ origin: 'example.test', text }))
        .slice(1)
        .map((line) =>
          line
            .split(/\s+/)
            .filter((_, i) => [1, 3, 4].includes(i))
            .join(' '),
        ),
    ).toEqual(['9 SIG A', '60 RRSIG A', '60 RRSIG A', '600 RRSIG TXT']);
  });

  test('differing TTLs of one RRset become the lowest (RFC 2181 §5.2)', () => {
    const text = `${SOA}a 600 A 192.0.2.1\na 60 A 192.0.2.2\na 700 TXT x\n`;
    const ttls = lines(imageOf({ origin: 'example.test', text })).map((line) => line.split('\t')[1]);
    expect(ttls).toEqual(['300', '60', '60', '700']);
  });

  test('records outside the zone and a second SOA are left out', () => {
    const store = storeOf('example.test', `${SOA}a A 192.0.2.1\n`);
    const add = (name: string, type: number, rdata: Uint8Array) =>
      store.add(store.names.intern(wireName(name)), type, 60, rdata, 0, rdata.length);
    add('www.example.org', 1, address4('192.0.2.2'));
    add('test', 1, address4('192.0.2.3'));
    add('a.example.test', 6, Uint8Array.from([0, 0, ...new Uint8Array(20)]));
    const image = compileZone({ origin: wireName('example.test'), store, serial: null, live: null });
    expect(lines(image).map(short)).toEqual(['example.test. 300 SOA ns1 host 7 1 2 3 60', 'a 300 A 192.0.2.1']);
  });

  test('live names take the place of addresses, and only of those', () => {
    const text = `${SOA}@ A 192.0.2.1\n@ AAAA 2001:db8::1\n@ MX 5 @\nwww A 192.0.2.2\n`;
    const image = imageOf({ origin: 'example.test', text, live: ['example.test', 'edge.example.test'] });
    expect(lines(image).map((line) => short(line).split(' ')[2])).toEqual(['SOA', 'MX', 'A']);
    expect(ZoneImage.attach(image).isLive).toBe(true);
  });

  test('the serial given is the zone’s, in image and SOA', () => {
    const image = imageOf({ origin: 'example.test', text: SOA, serial: 4294967295 });
    expect(ZoneImage.attach(image).serial).toBe(4294967295);
    expect(lines(image)[0]).toContain(' 4294967295 ');
  });
});

describe('walking an image', () => {
  const text = `${SOA}@ NS ns1\nns1 A 192.0.2.1\nb.a TXT x\na TXT y\n`;
  const image = ZoneImage.attach(imageOf({ origin: 'Example.Test', text, live: ['example.test'], liveTtl: 5 }));
  const live = { v4: [address4('192.0.2.8'), address4('192.0.2.9')], v6: [new Uint8Array(16)] };

  test('SOA first, the apex before the rest, parents before children, live addresses in their place', () => {
    const found: string[] = [];
    const visit = (owner: Uint8Array, type: number, ttl: number, rdata: Uint8Array): void => {
      found.push(printRecord(owner, type, ttl, rdata).replaceAll('\t', ' ').toLowerCase());
    };
    forEachRecord(image, visit, live, 99);
    expect(found).toEqual([
      'example.test. 300 in soa ns1.example.test. host.example.test. 99 1 2 3 60',
      'example.test. 5 in a 192.0.2.8',
      'example.test. 5 in a 192.0.2.9',
      'example.test. 300 in ns ns1.example.test.',
      'example.test. 5 in aaaa ::',
      'ns1.example.test. 300 in a 192.0.2.1',
      'a.example.test. 300 in txt "y"',
      'b.a.example.test. 300 in txt "x"',
    ]);
  });

  test('names keep the spelling that was read first', () => {
    expect(textFromWire(new ImageCursor(image).ownerOctets)).toBe('.');
    const cursor = new ImageCursor(image);
    cursor.next();
    expect(textFromWire(cursor.owner)).toBe('Example.Test.');
    expect(image.origin).toBe(lowerName(wireName('example.test')));
  });

  test('octets that are no image are refused', () => {
    expect(() => ZoneImage.attach(new SharedArrayBuffer(256))).toThrow('not a zone image');
  });
});

test.each([
  ['octets as unsigned numbers', 16, [1, 0x7f], [1, 0x80], -1],
  ['the shorter one first', 16, [1], [1, 0], -1],
  ['names ignore case', 2, [1, 0x41, 0], [1, 0x61, 0], 0],
  ['but not where RFC 6840 §5.1 keeps it', 47, [1, 0x41, 0], [1, 0x61, 0], -1],
  ['a number before a name', 15, [0, 10, 1, 0x61, 0], [0, 9, 1, 0x62, 0], 1],
  ['octets after the names keep their case', 6, [0, 0, 0x41], [0, 0, 0x61], -1],
] as const)('canonical order: %s', (_, type, a, b, sign) => {
  const order = (x: readonly number[], y: readonly number[]): number =>
    Math.sign(compareRdata(type, Uint8Array.from(x), 0, x.length, Uint8Array.from(y), 0, y.length));
  expect(order(a, b)).toBe(sign);
  expect(order(b, a)).toBe(sign === 0 ? 0 : -sign);
});
