import { Packet } from 'dns2';
import { expect, test } from 'vitest';
import { PROTOCOL_ZONE } from '../../protocol/protocol-server.ts';
import { encodeQuery } from '../../support/dns-query.ts';
import { TestResponder } from '../../support/dns-responder.ts';

/** What a codec that shares nothing with ours reads of an answer: the sections, as far as it knows the types. */
const responder = new TestResponder([PROTOCOL_ZONE]);

test.each([
  ['www', 1, { address: '192.0.2.80' }],
  ['www', 28, { address: '2001:db8::80' }],
  ['mxbig', 15, { priority: 5, exchange: 'mail.example.test' }],
  ['alias', 5, { domain: 'www.example.test' }],
  ['_sip._tcp', 33, { priority: 10, weight: 20, port: 5060, target: 'mail.example.test' }],
] as const)('dns2 reads %s, type %i', (label, type, fields) => {
  const { octets } = responder.raw(encodeQuery({ name: `${label}.example.test`, type, edns: {} }));
  const { header, questions, answers } = Packet.parse(Buffer.from(octets));
  expect(header).toMatchObject({ qr: 1, aa: 1, rcode: 0, ancount: 1, arcount: expect.any(Number) });
  expect(questions[0].name).toBe(`${label}.example.test`);
  expect(answers).toHaveLength(1);
  expect(answers[0]).toMatchObject({ name: `${label}.example.test`, type, ...fields });
});

test('dns2 reads the SOA of a negative answer', () => {
  const { octets } = responder.raw(encodeQuery({ name: 'nope.example.test' }));
  const { header, authorities } = Packet.parse(Buffer.from(octets));
  expect(header.rcode).toBe(3);
  expect(authorities[0]).toMatchObject({
    name: 'example.test',
    primary: 'ns1.example.test',
    admin: 'hostmaster.example.test',
    serial: 2024010101,
    ttl: 300,
    minimum: 300,
  });
});
