import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MessageCursor } from '../../../src/dns/message-cursor.ts';
import { lowerName, nameText, textFromWire, type WireName } from '../../../src/dns/name.ts';
import { typeName } from '../../../src/dns/type-name.ts';
import {
  answerFault,
  existsMessage,
  readSetReply,
  setQuery,
  type UpdateStep,
  updateMessage,
} from '../../../src/publish/providers/rfc2136-message.ts';
import { wireName } from '../../support/dns-query.ts';
import { answerTo } from './fake-primary.ts';

const name = (text: string): WireName => lowerName(wireName(text));
const ZONE = name('example.test');
const a = (last: number): Uint8Array => Uint8Array.of(192, 0, 2, last);
const [IN, NONE, ANY] = [1, 254, 255];

type Row = {
  readonly owner: string;
  readonly class: number;
  readonly type: number;
  readonly ttl: number;
  readonly rdata: string;
};
type Update = { readonly before: readonly Row[]; readonly updates: readonly Row[] };

/** Prerequisites and updates of a message. */
function decoded(message: Uint8Array | null): Update {
  const cursor = message === null ? null : MessageCursor.over(message);
  if (message === null || cursor === null) throw new Error('it does not fit');
  expect((message[2] >> 3) & 15).toBe(5);
  expect(cursor.question()).toEqual({ name: wireName('example.test'), type: 6, class: IN });
  const rows: { section: string; row: Row }[] = [];
  for (let next = cursor.next(); next !== 'end'; next = cursor.next()) {
    expect(next).toBe('record');
    const { section, class: of, type, ttl, rdata, end } = cursor;
    const owner = textFromWire(cursor.owner() ?? new Uint8Array(1));
    rows.push({ section, row: { owner, class: of, type, ttl, rdata: message.slice(rdata, end).join('.') } });
  }
  const of = (wanted: string): readonly Row[] => rows.flatMap(({ section, row }) => (section === wanted ? [row] : []));
  expect(of('additional')).toEqual([]);
  return { before: of('answer'), updates: of('authority') };
}

/** Owner, class, type, TTL, data. */
function lines(message: Uint8Array | null): {
  readonly before: readonly string[];
  readonly updates: readonly string[];
} {
  const { before, updates } = decoded(message);
  const text = ({ owner, class: of, type, ttl, rdata }: Row): string =>
    `${owner} ${of} ${typeName(type)} ${ttl} ${rdata}`;
  return { before: before.map(text), updates: updates.map(text) };
}

test.each<[string, UpdateStep, readonly string[], readonly string[]]>([
  [
    'a new set must not exist',
    { name: name('www.example.test'), type: 1, was: null, to: { ttl: 60, rdata: [a(1), a(2)] } },
    [`www.example.test. ${NONE} A 0 `, `www.example.test. ${NONE} CNAME 0 `],
    [`www.example.test. ${IN} A 60 192.0.2.1`, `www.example.test. ${IN} A 60 192.0.2.2`],
  ],
  [
    'a changed set must be what it was, and goes before it comes',
    { name: ZONE, type: 1, was: [a(1), a(2)], to: { ttl: 2 ** 31 - 1, rdata: [a(3)] } },
    [`example.test. ${IN} A 0 192.0.2.1`, `example.test. ${IN} A 0 192.0.2.2`, `example.test. ${NONE} CNAME 0 `],
    [`example.test. ${ANY} A 0 `, `example.test. ${IN} A 2147483647 192.0.2.3`],
  ],
  [
    'a set that goes',
    { name: name('*.a.example.test'), type: 1, was: [a(1)], to: null },
    [`*.a.example.test. ${IN} A 0 192.0.2.1`],
    [`*.a.example.test. ${ANY} A 0 `],
  ],
])('%s', (_, step, before, updates) => {
  expect(lines(updateMessage(ZONE, [step]))).toEqual({ before, updates });
});

test('whether a set exists is asked without changing it', () => {
  expect(lines(existsMessage(ZONE, name('www.example.test'), 28))).toEqual({
    before: [`www.example.test. ${ANY} AAAA 0 `],
    updates: [],
  });
});

const label = fc.string({
  unit: fc.constantFrom('a', 'b', '-', '9', '*', '\u00ff', '\0'),
  minLength: 1,
  maxLength: 63,
});
const owner = fc
  .array(label, { maxLength: 3 })
  .map((labels) => `${labels.map((one) => String.fromCharCode(one.length) + one).join('')}${ZONE}` as WireName)
  .filter((wire) => wire.length <= 255);
const rdata = fc.array(fc.uint8Array({ minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 70 });
const step: fc.Arbitrary<UpdateStep> = fc.record({
  name: owner,
  type: fc.constant(1),
  was: fc.option(rdata, { nil: null }),
  to: fc.option(fc.record({ ttl: fc.nat(2 ** 31 - 1), rdata }), { nil: null }),
});

describe('any steps', () => {
  test('are all in the message, in their order', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        const message = updateMessage(ZONE, steps);
        if (message === null) return;
        const { before, updates } = decoded(message);
        const data = (rows: readonly Row[]) => rows.flatMap((row) => (row.class === IN ? [row.rdata] : []));
        expect(data(before)).toEqual(steps.flatMap(({ was }) => (was ?? []).map((one) => one.join('.'))));
        expect(data(updates)).toEqual(steps.flatMap(({ to }) => (to?.rdata ?? []).map((one) => one.join('.'))));
        const owners = steps.flatMap(({ name, was }) => (was === null ? [] : [nameText(name)]));
        expect(updates.flatMap((row) => (row.class === ANY ? [row.owner] : []))).toEqual(owners);
      }),
      { numRuns: 200 },
    );
  });

  test('that do not fit make no message', () => {
    const many = Array.from({ length: 6000 }, (_, i) => Uint8Array.of(10, 0, i >> 8, i & 255));
    const one: UpdateStep = { name: name('www.example.test'), type: 1, was: null, to: { ttl: 60, rdata: many } };
    expect(updateMessage(ZONE, [one])).toBeNull();
    expect(updateMessage(ZONE, [{ ...one, to: { ttl: 60, rdata: many.slice(0, 4000) } }])?.length).toBeLessThan(65_536);
  });
});

describe('any octets', () => {
  const www = name('www.example.test');
  const request = setQuery(www, 1);
  const record = { name: 'www.example.test', type: 1, rdata: [192, 0, 2, 1] };
  const sound = answerTo(request, { answer: [record, record], authority: [{ ...record, type: 2 }] });

  test('are read without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        const fault = answerFault(octets, request);
        if (fault === null) readSetReply(octets, ZONE, www, 1);
        expect(fault === null || fault !== '').toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('in place of some of a sound answer never make records out of nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(sound.length),
        (changes, length) => {
          const octets = sound.slice();
          for (const [at, octet] of changes) octets[at] = octet;
          const reply = readSetReply(octets.slice(0, length), ZONE, www, 1);
          if (reply.kind === 'set') expect(reply.records.length).toBeLessThanOrEqual(3);
          if (length < sound.length && changes.length === 0) expect(reply.kind).toBe('malformed');
        },
      ),
      { numRuns: 2000 },
    );
  });
});
