import { expect, test } from 'vitest';
import { expectAnswer } from '../support/dns-expect.ts';
import { protocolServer } from './protocol-server.ts';

const served = protocolServer();

// RFC 8482 §4.1: one RRset of those that the name has.
test('ANY over UDP is one RRset', async () => {
  await expectAnswer(served.server, {
    name: '',
    query: { name: 'example.test', type: 'ANY' },
    expected: { answer: ['example.test. 3600 A 192.0.2.80'] },
  });
});

// RFC 8482 §4.4: a client over TCP has shown its address, so nothing is amplified.
test('ANY over TCP is all RRsets', async () => {
  const { answer, aa } = await served.server.ask({ name: 'example.test', type: 'ANY' }, 'tcp');
  expect(aa).toBe(true);
  expect(answer.map(({ type }) => type)).toEqual(['A', 'NS', 'NS', 'SOA', 'MX', 'TXT', 'CAA']);
});

// RFC 1034 §4.3.2: ANY matches the CNAME, which is then not followed.
test.each(['udp', 'tcp'] as const)('ANY of an alias is the CNAME (%s)', async (transport) => {
  await expectAnswer(served.server, {
    name: '',
    query: { name: 'alias.example.test', type: 'ANY' },
    transport,
    expected: { answer: ['alias.example.test. 3600 CNAME www.example.test.'] },
  });
});

test('ANY below a DNAME is the DNAME and its CNAME', async () => {
  const { answer } = await served.server.ask({ name: 'x.dn.example.test', type: 'ANY' });
  expect(answer.map(({ type }) => type)).toEqual(['DNAME', 'CNAME']);
});

test('ANY of a wildcard name', async () => {
  const { answer } = await served.server.ask({ name: 'foo.wild.example.test', type: 'ANY' }, 'tcp');
  expect(answer.map(({ owner, type }) => `${owner} ${type}`)).toEqual([
    'foo.wild.example.test. A',
    'foo.wild.example.test. TXT',
  ]);
});
