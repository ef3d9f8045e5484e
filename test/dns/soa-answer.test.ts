import { Packet } from 'dns2';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lowerName } from '../../src/dns/name.ts';
import { readSoaAnswer, soaQuery } from '../../src/dns/soa-answer.ts';
import { wireName } from '../support/dns-query.ts';

const ID = 0x1234;
const NAME = wireName('a.test');
const ZONE = lowerName(NAME);
const SERIAL = 4_000_000_000;

const u16 = (value: number): readonly number[] => [value >> 8, value & 255];
const u32 = (value: number): readonly number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
/** AA, NOERROR, one question and one answer, unless given. */
const header = ({ id = ID, flags = 0x8400, counts = [1, 1, 0, 0] } = {}): readonly number[] => [
  ...u16(id),
  ...u16(flags),
  ...counts.flatMap(u16),
];
const question = (name: Iterable<number> = NAME, type = 6, qclass = 1): readonly number[] => [
  ...name,
  ...u16(type),
  ...u16(qclass),
];
const record = (owner: Iterable<number>, type: number, rdata: readonly number[]): readonly number[] => [
  ...owner,
  ...u16(type),
  ...u16(1),
  ...u32(300),
  ...u16(rdata.length),
  ...rdata,
];
const HERE = [0xc0, 12];
const numbers = [...u32(SERIAL), ...u32(1), ...u32(2), ...u32(3), ...u32(4)];
const soa = (owner: Iterable<number> = HERE, names: readonly number[] = [0, 0]): readonly number[] =>
  record(owner, 6, [...names, ...numbers]);
const message = (...parts: (readonly number[])[]): Uint8Array => Uint8Array.from(parts.flat());
const read = (octets: Uint8Array) => readSoaAnswer(octets, ID, ZONE);

const FOUND = { kind: 'serial', serial: SERIAL };
const UNRELATED = { kind: 'unrelated' };
const unusable = (why: string) => ({ kind: 'unusable', why });

test('the query is one that others read', () => {
  const { header: head, questions } = Packet.parse(Buffer.from(soaQuery(ID, ZONE)));
  expect(head).toMatchObject({ id: ID, qr: 0, opcode: 0, rd: 0, qdcount: 1, ancount: 0, arcount: 0 });
  expect(questions).toMatchObject([{ name: 'a.test', type: 6, class: 1 }]);
});

test.each<[string, Uint8Array, unknown]>([
  ['a plain answer', message(header(), question(), soa()), FOUND],
  ['in capitals', message(header(), question(wireName('A.TEST')), soa(wireName('A.Test'))), FOUND],
  ['names that point', message(header(), question(), soa(HERE, [2, 110, 115, 0xc0, 12, 0xc0, 12])), FOUND],
  [
    'an alias and a signature before it',
    message(header({ counts: [1, 3, 0, 0] }), question(), record(HERE, 5, [0]), record(HERE, 46, [1, 2]), soa()),
    FOUND,
  ],
  [
    'records behind it that nobody could read',
    message(header({ counts: [1, 9, 9, 9] }), question(), soa(), [0xff, 0xff]),
    FOUND,
  ],
  ['two of them: the first', message(header({ counts: [1, 2, 0, 0] }), question(), soa(), soa([0])), FOUND],
  ['another identifier', message(header({ id: 1 }), question(), soa()), UNRELATED],
  ['a query', message(header({ flags: 0x0400 }), question(), soa()), UNRELATED],
  ['another opcode', message(header({ flags: 0xa400 }), question(), soa()), UNRELATED],
  ['another zone asked for', message(header(), question(wireName('b.test')), soa(wireName('b.test'))), UNRELATED],
  ['another type asked for', message(header(), question(NAME, 1), soa()), UNRELATED],
  ['another class asked for', message(header(), question(NAME, 6, 3), soa()), UNRELATED],
  ['no question', message(header({ counts: [0, 1, 0, 0] }), soa(NAME)), UNRELATED],
  ['two questions', message(header({ counts: [2, 1, 0, 0] }), question(), question(), soa()), UNRELATED],
  ['a question that points to itself', message(header(), question(HERE), soa()), UNRELATED],
  ['half a header', message(header()).subarray(0, 11), UNRELATED],
  ['nothing', message(), UNRELATED],
  ['REFUSED', message(header({ flags: 0x8005, counts: [1, 0, 0, 0] }), question()), unusable('answered with REFUSED')],
  ['FORMERR, bare', message(header({ flags: 0x8001, counts: [0, 0, 0, 0] })), unusable('answered with FORMERR')],
  ['NOTIMP, half a message', message(header({ flags: 0x8004 })), unusable('answered with NOTIMP')],
  ['REFUSED for another zone', message(header({ flags: 0x8005 }), question(wireName('b.test'))), UNRELATED],
  ['truncated', message(header({ flags: 0x8600, counts: [1, 0, 0, 0] }), question()), { kind: 'truncated' }],
  ['no authority', message(header({ flags: 0x8000 }), question(), soa()), unusable('answered without authority')],
  ['no answer', message(header({ counts: [1, 0, 0, 0] }), question()), unusable('answered without an SOA')],
  [
    'an SOA in the authority section',
    message(header({ counts: [1, 0, 1, 0] }), question(), soa()),
    unusable('answered without an SOA'),
  ],
  [
    'the SOA of the parent',
    message(header(), question(), soa(wireName('test'))),
    unusable('answered with the SOA of another zone'),
  ],
  [
    'rdata of another length',
    message(header(), question(), record(HERE, 6, [0, 0, ...numbers, 0])),
    unusable('answered with an SOA that cannot be read'),
  ],
  [
    'an owner that points to itself',
    message(header(), question(), soa([0xc0, 24])),
    unusable('answered with an SOA that cannot be read'),
  ],
  [
    'a record that ends beyond the message',
    message(header(), question(), soa().slice(0, -1)),
    unusable('answered with a message that cannot be read'),
  ],
])('%s', (_, octets, expected) => {
  expect(read(octets)).toEqual(expected);
});

test('dns2 reads the same serial', () => {
  const names = fc.constantFrom([0, 0], [...wireName('ns.a.test'), ...HERE], [1, 110, ...HERE, ...HERE]);
  const owners = fc.constantFrom([...NAME], HERE);
  fc.assert(
    fc.property(names, owners, fc.nat({ max: 2 ** 32 - 1 }), (given, owner, serial) => {
      const rdata = [...given, ...u32(serial), ...u32(1), ...u32(2), ...u32(3), ...u32(4)];
      const octets = message(header(), question(), record(owner, 6, rdata));
      const second = Packet.parse(Buffer.from(octets)).answers[0] as { readonly serial?: number };
      expect(read(octets)).toEqual({ kind: 'serial', serial: (second.serial ?? -1) >>> 0 });
    }),
  );
});

describe('hostile octets', () => {
  const valid = message(header(), question(), soa(HERE, [...wireName('ns.a.test'), 0xc0, 12]));

  test('of any kind never make it throw', () => {
    const prefixed = fc.uint8Array({ maxLength: 600 }).map((rest) => message(header(), question(), [...rest]));
    const changed = fc
      .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
      .map((places) => {
        const copy = Uint8Array.from(valid);
        for (const [place, octet] of places) copy[place] = octet;
        return copy;
      });
    const cut = fc.nat(valid.length).map((length) => valid.subarray(0, length));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), prefixed, changed, cut), (octets) => {
        expect(['serial', 'truncated', 'unusable', 'unrelated']).toContain(read(octets).kind);
      }),
      { numRuns: 3000 },
    );
  });

  /** Octets read, which is what it costs: an array that counts. */
  function cost(octets: Uint8Array): number {
    let reads = 0;
    const counting = new Proxy(octets, {
      get: (target, key) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) reads++;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    read(counting);
    return reads;
  }
  const chain = Array.from({ length: 5000 }, (_, i) => u16(0xc000 | (12 + 2 * i))).flat();

  test.each<[string, Uint8Array]>([
    [
      '512 octets whose counts say 65535',
      message(header({ counts: [1, 65_535, 65_535, 65_535] }), question(), new Array(480).fill(0)),
    ],
    ['counts of questions', message(header({ counts: [65_535, 65_535, 65_535, 65_535] }), new Array(65_000).fill(0))],
    [
      'records without data, to the end',
      message(header({ counts: [1, 65_535, 0, 0] }), question(), new Array(5900).fill(record([0], 1, [])).flat()),
    ],
    ['a chain of pointers as question', message(header(), chain)],
    [
      'a chain of pointers, an SOA at its end',
      message(header({ counts: [1, 2, 0, 0] }), question(), record([0], 10, chain), soa(u16(0xc000 | 8000))),
    ],
    [
      'names of 63 octets to the end',
      message(
        header({ counts: [1, 9, 0, 0] }),
        question(),
        new Array(1000).fill([63, ...new Array(63).fill(97)]).flat(),
      ),
    ],
  ])('cost little: %s', (_, octets) => {
    // Each octet a few times, and a name of at most 127 pointers and 255 octets.
    expect(cost(octets)).toBeLessThan(4 * octets.length + 2000);
  });
});
