import fc from 'fast-check';
import { expect, test } from 'vitest';
import { notifyMessage, questionIn, readResponse, refusalText } from '../../../src/publish/notify/message.ts';
import { wireName } from '../../support/dns-query.ts';

const ZONE = wireName('a.test');
const QUESTION = [...ZONE, 0, 6, 0, 1];
const header = (flags: number, questions = 1): readonly number[] => [
  1,
  2,
  flags >> 8,
  flags & 255,
  0,
  questions,
  0,
  0,
  0,
  0,
  0,
  0,
];
const octets = (...parts: (readonly number[])[]): Uint8Array => Uint8Array.from(parts.flat());

test.each<[string, Uint8Array, ReturnType<typeof questionIn>]>([
  ['as it was sent', octets(header(0xa400), QUESTION), 'whole'],
  ['in capitals', octets(header(0xa400), [...wireName('A.TEST'), 0, 6, 0, 1]), 'whole'],
  ['with more behind it', octets(header(0xa400), QUESTION, [1, 2, 3]), 'whole'],
  ['cut off', octets(header(0xa401), QUESTION.slice(0, 3)), 'part'],
  ['a header alone that claims one', octets(header(0xa401)), 'part'],
  ['none', octets(header(0xa401, 0)), 'part'],
  ['of another zone', octets(header(0xa400), [...wireName('b.test'), 0, 6, 0, 1]), 'other'],
  ['of another type', octets(header(0xa400), [...ZONE, 0, 1, 0, 1]), 'other'],
  ['of a type that looks like a capital', octets(header(0xa400), [...ZONE, 0, 6, 0, 0x41]), 'other'],
  ['compressed', octets(header(0xa400), [0xc0, 12, 0, 6, 0, 1]), 'other'],
  ['twice', octets(header(0xa400, 2), QUESTION, QUESTION), 'other'],
])('a question %s', (_, message, expected) => {
  expect(questionIn(message, ZONE)).toBe(expected);
});

test('a header is read where there is one, and only of responses', () => {
  expect(readResponse(octets(header(0xa409)))).toEqual({ id: 258, opcode: 4, rcode: 9 });
  expect(readResponse(octets(header(0x2400)))).toBeNull();
  expect(readResponse(octets(header(0xa400)).subarray(0, 11))).toBeNull();
  expect(readResponse(notifyMessage(1, ZONE, Uint8Array.of()))).toBeNull();
});

test('no octets make it fail', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 80 }), (message) => {
      expect(['whole', 'part', 'other']).toContain(questionIn(message, ZONE));
      readResponse(message);
    }),
  );
});

test('a refusal names its response code and what to look for', () => {
  expect(refusalText(9, null, true)).toMatch(/^was refused with NOTAUTH \(.*key\), unsigned$/);
  expect(refusalText(5, null, false)).toMatch(/^was refused with REFUSED \(.*\)$/);
  expect(refusalText(2, null, false)).toBe('was refused with SERVFAIL');
  expect(refusalText(12, null, false)).toBe('was refused with RCODE12');
});
