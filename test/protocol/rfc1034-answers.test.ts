import { expect, test } from 'vitest';
import { type Case, expectAnswer } from '../support/dns-expect.ts';
import { protocolServer } from './protocol-server.ts';

const served = protocolServer();

const WWW = 'www.example.test. 300 A 192.0.2.80';

const CASES: readonly Case[] = [
  // RFC 1034 §4.3.2 step 3a: the whole QNAME is matched, all records that match QTYPE go into the answer section.
  {
    name: 'the SOA of the apex',
    query: { name: 'example.test', type: 'SOA' },
    expected: {
      answer: ['example.test. 3600 SOA ns1.example.test. hostmaster.example.test. 2024010101 7200 900 1209600 300'],
    },
  },
  { name: 'one address', query: { name: 'www.example.test' }, expected: { answer: [WWW] } },
  // RFC 2181 §5: records with the same owner, class, type and data are one record.
  {
    name: 'a record written twice is one record',
    query: { name: 'dup.example.test' },
    expected: { answer: ['dup.example.test. 3600 A 192.0.2.111', 'dup.example.test. 3600 A 192.0.2.112'] },
  },
  // RFC 1034 §4.3.2 step 2: no zone of ours is an ancestor of QNAME. REFUSED without records (RFC 8906 §3.1.1).
  {
    name: 'a name in no zone of ours',
    query: { name: 'www.example.org' },
    expected: { rcode: 'REFUSED', flags: '' },
  },
  {
    name: 'the root: no upward referral',
    query: { name: '.', type: 'NS' },
    expected: { rcode: 'REFUSED', flags: '' },
  },
  {
    name: 'the parent of a zone of ours',
    query: { name: 'test', type: 'SOA' },
    expected: { rcode: 'REFUSED', flags: '' },
  },
  // RFC 1034 §4.3.2 step 3a: a CNAME is copied into the answer and the query starts again with its target.
  {
    name: 'a CNAME is followed',
    query: { name: 'alias.example.test' },
    expected: { answer: ['alias.example.test. 3600 CNAME www.example.test.', WWW] },
  },
  // RFC 2181 §10.1: the chain stands in the answer link by link.
  {
    name: 'a chain of CNAMEs comes in order',
    query: { name: 'alias2.example.test' },
    expected: {
      answer: [
        'alias2.example.test. 3600 CNAME alias.example.test.',
        'alias.example.test. 3600 CNAME www.example.test.',
        WWW,
      ],
    },
  },
  // RFC 1034 §3.6.2: what lies outside our zones is for the resolver to look up.
  {
    name: 'a CNAME out of our zones',
    query: { name: 'aliasout.example.test' },
    expected: { answer: ['aliasout.example.test. 3600 CNAME www.example.net.'] },
  },
  // RFC 1034 §3.6.2: QTYPE CNAME is answered with the CNAME itself.
  {
    name: 'QTYPE CNAME is not followed',
    query: { name: 'alias.example.test', type: 'CNAME' },
    expected: { answer: ['alias.example.test. 3600 CNAME www.example.test.'] },
  },
  // RFC 1034 §3.6.2: a loop is the zone's error; the answer must come and must end.
  {
    name: 'a CNAME loop has each link once',
    query: { name: 'loop1.example.test' },
    expected: {
      answer: [
        'loop1.example.test. 3600 CNAME loop2.example.test.',
        'loop2.example.test. 3600 CNAME loop1.example.test.',
      ],
    },
  },
  // RFC 1035 §3.3.9: an MX brings the address of its exchange along.
  {
    name: 'MX with the address of its exchange',
    query: { name: 'mxbig.example.test', type: 'MX' },
    expected: {
      answer: ['mxbig.example.test. 3600 MX 5 mail.example.test.'],
      additional: ['mail.example.test. 3600 A 192.0.2.25'],
    },
  },
  {
    name: 'NS of the apex with the addresses of those in the zone',
    query: { name: 'example.test', type: 'NS' },
    expected: {
      answer: ['example.test. 3600 NS ns1.example.test.', 'example.test. 3600 NS ns2.example.test.'],
      additional: [
        'ns1.example.test. 3600 A 192.0.2.1',
        'ns1.example.test. 3600 AAAA 2001:db8::1',
        'ns2.example.test. 3600 A 192.0.2.2',
      ],
    },
  },
  // RFC 2782: SRV likewise.
  {
    name: 'SRV with the address of its target',
    query: { name: '_sip._tcp.example.test', type: 'SRV' },
    expected: {
      answer: ['_sip._tcp.example.test. 3600 SRV 10 20 5060 mail.example.test.'],
      additional: ['mail.example.test. 3600 A 192.0.2.25'],
    },
  },
];

test.each(CASES)('$name', async (row) => {
  await expectAnswer(served.server, row);
});

// RFC 1035 §4.1.4: names already in the message are pointed to.
test('names in the rdata of RFC 1035 types are compressed', async () => {
  const { answer, octets } = await served.server.ask({ name: 'example.test', type: 'NS' });
  expect(answer.map(({ compressed }) => compressed)).toEqual([true, true]);
  expect(octets.length).toBe(30 + 2 * 18 + 2 * 16 + 28);
});
