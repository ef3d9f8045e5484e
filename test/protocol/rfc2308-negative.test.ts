import { test } from 'vitest';
import { type Case, expectAnswer } from '../support/dns-expect.ts';
import { protocolServer } from './protocol-server.ts';

const served = protocolServer();

const NXDOMAIN = { rcode: 'NXDOMAIN', authority: 'soa' } as const;
const NODATA = { authority: 'soa' } as const;

const CASES: readonly Case[] = [
  // RFC 2308 §3, §5: the zone's SOA is in the authority section, at the smaller of its TTL and its minimum.
  { name: 'a name that does not exist', query: { name: 'nope.example.test' }, expected: NXDOMAIN },
  { name: 'the same over TCP', query: { name: 'nope.example.test' }, transport: 'tcp', expected: NXDOMAIN },
  // RFC 2308 §2.2: the name exists, the type does not.
  { name: 'a type that does not exist', query: { name: 'www.example.test', type: 'MX' }, expected: NODATA },
  { name: 'a type that the apex lacks', query: { name: 'example.test', type: 'AAAA' }, expected: NODATA },
  // RFC 4592 §2.2.2, RFC 8020 §3: a name that only has names below it exists.
  { name: 'empty non-terminal, top', query: { name: 'ent.example.test' }, expected: NODATA },
  { name: 'empty non-terminal, middle', query: { name: 'c.ent.example.test' }, expected: NODATA },
  { name: 'empty non-terminal, bottom', query: { name: 'b.c.ent.example.test' }, expected: NODATA },
  // RFC 8020 §2: nothing exists below a name that does not.
  { name: 'below a leaf', query: { name: 'foo.www.example.test' }, expected: NXDOMAIN },
  { name: 'deep below nothing', query: { name: 'a.b.c.d.e.nope.example.test' }, expected: NXDOMAIN },
  // RFC 1034 §3.6.2: a CNAME says nothing of the names below it.
  { name: 'below a CNAME', query: { name: 'x.alias.example.test' }, expected: NXDOMAIN },
  // RFC 8482 §4: ANY of a name that does not exist is NXDOMAIN like any type.
  { name: 'ANY of no name', query: { name: 'nope.example.test', type: 'ANY' }, expected: NXDOMAIN },
  { name: 'ANY of an empty non-terminal', query: { name: 'ent.example.test', type: 'ANY' }, expected: NODATA },
  // RFC 2308 §2.1, RFC 6604 §3: the rcode is that of the last name of the chain.
  {
    name: 'a CNAME to a name that does not exist',
    query: { name: 'aliasnx.example.test' },
    expected: { ...NXDOMAIN, answer: ['aliasnx.example.test. 3600 CNAME nope.example.test.'] },
  },
  // RFC 2308 §2.2: NODATA at the end of a chain.
  {
    name: 'a CNAME to a name without this type',
    query: { name: 'alias.example.test', type: 'MX' },
    expected: { ...NODATA, answer: ['alias.example.test. 3600 CNAME www.example.test.'] },
  },
];

test.each(CASES)('$name', async (row) => {
  await expectAnswer(served.server, row);
});
