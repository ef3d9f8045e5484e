import { expect, test } from 'vitest';
import { type Case, expectAnswer } from '../support/dns-expect.ts';
import { protocolServer } from './protocol-server.ts';

const served = protocolServer();

const SUB = {
  flags: '',
  authority: ['sub.example.test. 3600 NS ns1.sub.example.test.', 'sub.example.test. 3600 NS ns.other.net.'],
  additional: ['ns1.sub.example.test. 3600 A 192.0.2.53', 'ns1.sub.example.test. 3600 AAAA 2001:db8::53'],
} as const;

const CASES: readonly Case[] = [
  // RFC 1034 §4.3.2 step 3b: below a cut the answer is a referral, not authoritative, with the addresses that we have.
  { name: 'below a cut', query: { name: 'host.sub.example.test' }, expected: SUB },
  { name: 'deep below a cut: never NXDOMAIN', query: { name: 'nope.nope.sub.example.test' }, expected: SUB },
  // RFC 2181 §6.1: the NS records of a cut belong to the child.
  { name: 'at the cut, NS', query: { name: 'sub.example.test', type: 'NS' }, expected: SUB },
  { name: 'at the cut, A', query: { name: 'sub.example.test' }, expected: SUB },
  { name: 'at the cut, ANY', query: { name: 'sub.example.test', type: 'ANY' }, expected: SUB },
  { name: 'at the cut, SOA', query: { name: 'sub.example.test', type: 'SOA' }, expected: SUB },
  // RFC 2181 §5.4.1: glue is not answered with authority.
  { name: 'the name of glue', query: { name: 'ns1.sub.example.test' }, expected: SUB },
  // RFC 9471 §3.2: glue of a sibling cut helps where it is known.
  {
    name: 'glue of a sibling',
    query: { name: 'host.sub2.example.test' },
    expected: {
      flags: '',
      authority: ['sub2.example.test. 3600 NS ns1.sub.example.test.'],
      additional: SUB.additional,
    },
  },
  // RFC 4035 §3.1.4.1: DS at a cut is the parent's to answer.
  { name: 'DS at a cut', query: { name: 'sub.example.test', type: 'DS' }, expected: { authority: 'soa' } },
  { name: 'DS below a cut', query: { name: 'x.sub.example.test', type: 'DS' }, expected: SUB },
  // Its parent is not served here, so the zone says what it knows: there is none.
  { name: 'DS at an apex', query: { name: 'example.test', type: 'DS' }, expected: { authority: 'soa' } },
];

test.each(CASES)('$name', async (row) => {
  await expectAnswer(served.server, row);
});

// RFC 9471 §3.1: glue from within the child must be there, or TC tells that it is not.
test('glue that does not fit sets TC', async () => {
  const { tc, aa, rcode, octets } = await served.server.ask({ name: 'x.bigdel.example.test' });
  expect([tc, aa, rcode]).toEqual([true, false, 'NOERROR']);
  expect(octets.length).toBeLessThanOrEqual(512);
});

test.each(['udp', 'tcp'] as const)('all glue is there where there is room (%s)', async (transport) => {
  const edns = transport === 'udp' ? {} : null;
  const message = await served.server.ask({ name: 'x.bigdel.example.test', edns }, transport);
  expect([message.tc, message.authority.length, message.additional.length]).toEqual([false, 13, 26]);
});
