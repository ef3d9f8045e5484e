import { expect, test } from 'vitest';
import { type Case, expectAnswer } from '../support/dns-expect.ts';
import { protocolServer } from './protocol-server.ts';

const served = protocolServer();

const DN = 'dn.example.test. 3600 DNAME target.example.test.';
const LABEL = 'a'.repeat(60);
const LONG = `${LABEL}.${LABEL}.${LABEL}.example.test.`;

const CASES: readonly Case[] = [
  // RFC 6672 §3.1: the DNAME, and a CNAME made of it with the DNAME's TTL; then the query goes on with its target.
  {
    name: 'a name below a DNAME',
    query: { name: 'x.dn.example.test' },
    expected: {
      answer: [DN, 'x.dn.example.test. 3600 CNAME x.target.example.test.', 'x.target.example.test. 3600 A 192.0.2.66'],
    },
  },
  // RFC 6672 §2.3: the owner of a DNAME is not redirected.
  { name: 'the owner itself', query: { name: 'dn.example.test' }, expected: { authority: 'soa' } },
  { name: 'QTYPE DNAME', query: { name: 'dn.example.test', type: 'DNAME' }, expected: { answer: [DN] } },
  // RFC 6672 §3.2: QTYPE CNAME is answered by the CNAME made.
  {
    name: 'QTYPE CNAME below a DNAME',
    query: { name: 'x.dn.example.test', type: 'CNAME' },
    expected: { answer: [DN, 'x.dn.example.test. 3600 CNAME x.target.example.test.'] },
  },
  // RFC 6604 §3: the rcode is that of the last name.
  {
    name: 'a target that does not exist',
    query: { name: 'nope.dn.example.test' },
    expected: {
      rcode: 'NXDOMAIN',
      answer: [DN, 'nope.dn.example.test. 3600 CNAME nope.target.example.test.'],
      authority: 'soa',
    },
  },
  {
    name: 'a target out of our zones, several labels',
    query: { name: 'a.b.dnout.example.test' },
    expected: {
      answer: ['dnout.example.test. 3600 DNAME example.net.', 'a.b.dnout.example.test. 3600 CNAME a.b.example.net.'],
    },
  },
  // RFC 6672 §2.2: a name that would be too long is YXDOMAIN, with the DNAME that made it so.
  {
    name: 'a target of more than 255 octets',
    query: { name: `${'b'.repeat(63)}.${'c'.repeat(30)}.dnlong.example.test` },
    expected: { rcode: 'YXDOMAIN', answer: [`dnlong.example.test. 3600 DNAME ${LONG}`] },
  },
];

test.each(CASES)('$name', async (row) => {
  await expectAnswer(served.server, row);
});

test.each([
  [255, 'still a name', 'NXDOMAIN', ['DNAME', 'CNAME']],
  [256, 'none', 'YXDOMAIN', ['DNAME']],
])('a target of exactly %i octets is %s', async (length, _, rcode, types) => {
  const target = 3 * 61 + 14; // octets of LONG on the wire
  const label = 'b'.repeat(length - target - 1);
  const message = await served.server.ask({ name: `${label}.dnlong.example.test`, edns: {} });
  expect([message.rcode, message.answer.map(({ type }) => type)]).toEqual([rcode, types]);
});

test('case of the prefix is kept in the name made', async () => {
  const { answer } = await served.server.ask({ name: 'X.Y.DNOUT.example.test' });
  expect(answer[1].text).toBe('X.Y.example.net.');
});
