import { Packet } from 'dns2';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lowerName } from '../../src/dns/name.ts';
import { ednsQuery, readReply } from '../../src/dns/reply.ts';
import { wireName } from '../support/dns-query.ts';

const NAME = wireName('a.test');
const ASKED = { id: 0x1234, name: lowerName(NAME), type: 1 };

const u16 = (value: number): readonly number[] => [value >> 8, value & 255];
const header = ({ id = ASKED.id, flags = 0x8400, counts = [1, 1, 0, 0] } = {}): readonly number[] => [
  ...u16(id),
  ...u16(flags),
  ...counts.flatMap(u16),
];
const question = (name: Iterable<number> = NAME, type = 1, qclass = 1): readonly number[] => [
  ...name,
  ...u16(type),
  ...u16(qclass),
];
const HERE = [0xc0, 12];
const record = (rdata: Iterable<number>, owner: Iterable<number> = HERE, type = 1, rclass = 1): readonly number[] => {
  const octets = [...rdata];
  return [...owner, ...u16(type), ...u16(rclass), 0, 0, 1, 0, ...u16(octets.length), ...octets];
};
const opt = (extended: number): readonly number[] => [0, ...u16(41), ...u16(1232), extended, 0, 0, 0, 0, 0];
const message = (...parts: (readonly number[])[]): Uint8Array => Uint8Array.from(parts.flat());
const ADDRESS = [127, 0, 0, 1];

const UNRELATED = { kind: 'unrelated' };
const answer = (rcode: number, ...data: readonly (readonly number[])[]) => ({
  kind: 'answer',
  rcode,
  data: data.map((octets) => Buffer.from(octets)),
});
const malformed = (why: RegExp) => ({ kind: 'malformed', why: expect.stringMatching(why) });

test('the query is one that others read', () => {
  const { header: head, questions, additionals } = Packet.parse(Buffer.from(ednsQuery(ASKED)));
  expect(head).toMatchObject({ id: 0x1234, qr: 0, opcode: 0, rd: 0, qdcount: 1, ancount: 0, arcount: 1 });
  expect(questions).toMatchObject([{ name: 'a.test', type: 1, class: 1 }]);
  expect(additionals).toMatchObject([{ type: 41 }]);
});

test.each<[string, Uint8Array, unknown]>([
  ['a plain answer', message(header(), question(), record(ADDRESS)), answer(0, ADDRESS)],
  [
    'in capitals',
    message(header(), question(wireName('A.TEST')), record(ADDRESS, wireName('A.Test'))),
    answer(0, ADDRESS),
  ],
  [
    'two records',
    message(header({ counts: [1, 2, 0, 0] }), question(), record(ADDRESS), record([127, 0, 0, 2])),
    answer(0, ADDRESS, [127, 0, 0, 2]),
  ],
  [
    'an alias',
    message(
      header({ counts: [1, 2, 0, 0] }),
      question(),
      record([1, 0x62, ...HERE], HERE, 5),
      record(ADDRESS, [1, 0x42, ...HERE]),
    ),
    answer(0, ADDRESS),
  ],
  ["another name's record", message(header(), question(), record(ADDRESS, wireName('b.test'))), answer(0)],
  ['another type', message(header(), question(), record([0], HERE, 2)), answer(0)],
  ['another class', message(header(), question(), record(ADDRESS, HERE, 1, 3)), answer(0)],
  ['in the authority section', message(header({ counts: [1, 0, 1, 0] }), question(), record(ADDRESS)), answer(0)],
  ['NXDOMAIN', message(header({ flags: 0x8403, counts: [1, 0, 0, 0] }), question()), answer(3)],
  ['BADVERS', message(header({ counts: [1, 0, 0, 1] }), question(), opt(1)), answer(16)],
  ['FORMERR, bare', message(header({ flags: 0x8001, counts: [0, 0, 0, 0] })), answer(1)],
  ['NOERROR, bare', message(header({ counts: [0, 0, 0, 0] })), UNRELATED],
  ['truncated', message(header({ flags: 0x8600, counts: [1, 0, 0, 0] }), question()), { kind: 'truncated' }],
  ['truncated in the middle', message(header({ flags: 0x8600 }), question(), [0xc0]), { kind: 'truncated' }],
  ['another identifier', message(header({ id: 1 }), question(), record(ADDRESS)), UNRELATED],
  ['our own query', ednsQuery(ASKED), UNRELATED],
  ['another opcode', message(header({ flags: 0xa400 }), question(), record(ADDRESS)), UNRELATED],
  ['another name asked for', message(header(), question(wireName('b.test')), record(ADDRESS)), UNRELATED],
  ['another type asked for', message(header(), question(NAME, 28), record(ADDRESS)), UNRELATED],
  ['another class asked for', message(header(), question(NAME, 1, 3), record(ADDRESS)), UNRELATED],
  ['two questions', message(header({ counts: [2, 0, 0, 0] }), question(), question()), UNRELATED],
  ['no question', message(header({ counts: [0, 1, 0, 0] }), record(ADDRESS, NAME)), UNRELATED],
  ['a question that points to itself', message(header(), question(HERE), record(ADDRESS)), UNRELATED],
  ['half a header', message(header()).subarray(0, 11), UNRELATED],
  ['nothing', message(), UNRELATED],
  [
    'a record less than its count',
    message(header({ counts: [1, 2, 0, 0] }), question(), record(ADDRESS)),
    malformed(/cut short/),
  ],
  ['octets behind it', message(header(), question(), record(ADDRESS), [0]), malformed(/longer/)],
  ['counts of 65535', message(header({ counts: [1, 65535, 65535, 65535] }), question()), malformed(/cut short/)],
  ['an owner that points to itself', message(header(), question(), record(ADDRESS, [0xc0, 24])), malformed(/name/)],
  ['an owner that points ahead', message(header(), question(), record(ADDRESS, [0xc0, 30])), malformed(/name/)],
  ['an alias without a name', message(header(), question(), record([], HERE, 5)), malformed(/name/)],
  ['an alias beyond its end', message(header(), question(), record([3, 97], HERE, 5)), malformed(/name/)],
  ['two OPT records', message(header({ counts: [1, 0, 0, 2] }), question(), opt(0), opt(0)), malformed(/two OPT/)],
])('%s', (_, octets, expected) => {
  expect(readReply(octets, ASKED)).toEqual(expected);
});

test('names that lead back a thousand times are given up, not followed', () => {
  const chain: number[] = [];
  for (let at = 12 + question().length + 12; chain.length < 4000; at += 2) {
    chain.push(...(chain.length === 0 ? HERE : [0xc0 | ((at - 2) >> 8), (at - 2) & 255]));
  }
  const last = 12 + question().length + 12 + chain.length - 2;
  const octets = message(
    header({ counts: [1, 2, 0, 0] }),
    question(),
    record(chain, HERE, 99),
    record(ADDRESS, [0xc0 | (last >> 8), last & 255]),
  );
  expect(readReply(octets, ASKED)).toEqual(malformed(/name/));
});

test('a message of 64 KiB full of records is read', () => {
  const one = record(ADDRESS);
  const count = Math.floor((65_535 - 12 - question().length) / one.length);
  const octets = message(
    header({ counts: [1, count, 0, 0] }),
    question(),
    ...Array<readonly number[]>(count).fill(one),
  );
  expect(readReply(octets, ASKED)).toMatchObject({ kind: 'answer', data: { length: count } });
});

test('whatever comes is read or refused', () => {
  const head = message(header({ counts: [1, 2, 1, 1] }), question());
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.boolean(),
      fc.integer({ min: 0, max: 255 }),
      (tail, isBehind, type) => {
        const octets = isBehind ? Uint8Array.from([...head, ...tail]) : tail;
        const { kind } = readReply(octets, { ...ASKED, type: isBehind ? 1 : type });
        expect(['answer', 'malformed', 'unrelated', 'truncated']).toContain(kind);
      },
    ),
    { numRuns: 3000 },
  );
});
