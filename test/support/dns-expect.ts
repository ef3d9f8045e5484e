import { expect } from 'vitest';
import { decodeMessage, line, type Message } from './dns-message.ts';
import { encodeQuery, type QuerySpec } from './dns-query.ts';
import type { DnsServer } from './dns-server.ts';

/** What an answer must be. A section is given as lines `owner ttl type rdata`; what is not given must be empty. */
export type Expected = {
  readonly rcode?: string;
  /** Of `aa`, `tc`, `rd`; all others are clear in every answer. */
  readonly flags?: string;
  /** In this order. */
  readonly answer?: readonly string[];
  /** In any order. `soa`: the SOA of a negative answer. `any`: not looked at. */
  readonly authority?: readonly string[] | 'soa' | 'any';
  /** In any order; `any`: not looked at. */
  readonly additional?: readonly string[] | 'any';
};

export type Case = {
  readonly name: string;
  readonly query: QuerySpec;
  readonly transport?: 'udp' | 'tcp';
  readonly expected: Expected;
};

/** SOA of negative answers from protocol.zone, whose minimum is 300 (RFC 2308 §5). */
export const NEGATIVE_SOA =
  'example.test. 300 SOA ns1.example.test. hostmaster.example.test. 2024010101 7200 900 1209600 300';

/** Asks, checks what holds for every answer, then what this one must hold. Returns it for more. */
export async function expectAnswer(server: DnsServer, { query, transport, expected }: Case): Promise<Message> {
  const octets = encodeQuery(query);
  const reply = await server.exchange(octets, transport);
  if (reply === null) throw new Error('no reply');
  const message = decodeMessage(reply);
  const questionEnd = 12 + questionLength(octets);
  // RFC 1035 §4.1.1: identifier, opcode and RD come back; the question is the same octets, case included.
  expect([...reply.subarray(0, 2)]).toEqual([...octets.subarray(0, 2)]);
  expect([...reply.subarray(12, questionEnd)]).toEqual([...octets.subarray(12, questionEnd)]);
  expect(flagsOf(message)).toBe(expected.flags ?? 'aa');
  expect(message.rcode).toBe(expected.rcode ?? 'NOERROR');
  expect(message.answer.map(line)).toEqual(expected.answer ?? []);
  const { authority = [], additional = [] } = expected;
  if (authority !== 'any') {
    expect(message.authority.map(line).sort()).toEqual(authority === 'soa' ? [NEGATIVE_SOA] : [...authority].sort());
  }
  if (additional !== 'any') expect(message.additional.map(line).sort()).toEqual([...additional].sort());
  expect(message.opt === null).toBe((query.edns ?? null) === null);
  return message;
}

export function flagsOf(message: Message): string {
  const { qr, aa, tc, rd, ra, z, ad, cd } = message;
  const flags = { aa, tc, rd, ra, z, ad, cd, 'not-a-response': !qr };
  return Object.entries(flags)
    .filter(([, set]) => set)
    .map(([name]) => name)
    .join(' ');
}

function questionLength(query: Uint8Array): number {
  let at = 12;
  while (query[at] !== 0) at += 1 + query[at];
  return at + 5 - 12;
}
