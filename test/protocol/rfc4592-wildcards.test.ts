import { test } from 'vitest';
import { type Case, expectAnswer } from '../support/dns-expect.ts';
import { protocolServer } from './protocol-server.ts';

const served = protocolServer();

const NXDOMAIN = { rcode: 'NXDOMAIN', authority: 'soa' } as const;
const NODATA = { authority: 'soa' } as const;

const CASES: readonly Case[] = [
  // RFC 4592 §3.3.1: the source of synthesis is the `*` child of the closest encloser; the owner is the QNAME.
  {
    name: 'a name made from a wildcard',
    query: { name: 'foo.wild.example.test' },
    expected: { answer: ['foo.wild.example.test. 3600 A 192.0.2.99'] },
  },
  {
    name: 'a wildcard covers several labels',
    query: { name: 'a.b.c.wild.example.test', type: 'TXT' },
    expected: { answer: ['a.b.c.wild.example.test. 3600 TXT "wild"'] },
  },
  // RFC 4592 §2.2.1: the wildcard matches and has no data of the type.
  { name: 'a type that the wildcard lacks', query: { name: 'foo.wild.example.test', type: 'MX' }, expected: NODATA },
  // RFC 4592 §2.2.1: a name that exists is not made from a wildcard.
  { name: 'a name that exists', query: { name: 'x.y.wild.example.test', type: 'TXT' }, expected: NODATA },
  // RFC 4592 §2.2.2: empty non-terminals exist too.
  { name: 'an empty non-terminal', query: { name: 'y.wild.example.test', type: 'TXT' }, expected: NODATA },
  // RFC 4592 §3.3.1: only the closest encloser's own `*` answers, never one further up.
  { name: 'a closest encloser without wildcard', query: { name: 'z.y.wild.example.test' }, expected: NXDOMAIN },
  // RFC 4592 §4.9: the wildcard's parent exists, as an empty non-terminal here.
  { name: 'the parent of a wildcard', query: { name: 'wild.example.test' }, expected: NODATA },
  { name: 'the parent of a deeper wildcard', query: { name: 'wc.example.test' }, expected: NODATA },
  {
    name: 'a wildcard below an empty non-terminal',
    query: { name: 'q.ent2.wc.example.test' },
    expected: { answer: ['q.ent2.wc.example.test. 3600 A 192.0.2.120'] },
  },
  // RFC 4592 §2.3: asked for by its own name, a wildcard is a name like others.
  {
    name: 'the wildcard itself',
    query: { name: '*.wild.example.test' },
    expected: { answer: ['*.wild.example.test. 3600 A 192.0.2.99'] },
  },
  // RFC 4592 §2.3: an asterisk inside a name is no wildcard; `*.wild` exists and has no children.
  { name: 'a name below the wildcard itself', query: { name: 'a.*.wild.example.test' }, expected: NXDOMAIN },
  // RFC 4592 §4.3: a wildcard CNAME is followed like any other.
  {
    name: 'a CNAME made from a wildcard',
    query: { name: 'foo.cwild.example.test' },
    expected: {
      answer: ['foo.cwild.example.test. 3600 CNAME www.example.test.', 'www.example.test. 300 A 192.0.2.80'],
    },
  },
];

test.each(CASES)('$name', async (row) => {
  await expectAnswer(served.server, row);
});
