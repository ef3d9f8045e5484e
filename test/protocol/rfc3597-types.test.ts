import { expect, test } from 'vitest';
import { expectAnswer } from '../support/dns-expect.ts';
import { protocolServer } from './protocol-server.ts';

const served = protocolServer();

const HEX = '0123456789ABCDEF';

// RFC 3597 §3, §5: rdata goes through unchanged, whether the type is known or not.
test.each([
  ['an unknown type', 'unk', 'TYPE65280', '\\# 4 0A000001'],
  ['a known type in generic form', 'gena', 'A', '192.0.2.1'],
  ['LOC (RFC 1876)', 'loc', 'LOC', '52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m'],
  ['SSHFP (RFC 4255)', 'sshfp', 'SSHFP', `1 1 ${HEX}${HEX}01234567`],
  ['TLSA (RFC 6698)', 'tlsa', 'TLSA', `3 1 1 ${HEX}${HEX}${HEX}${HEX}`],
  ['CAA (RFC 8659)', '@', 'CAA', '0 issue "ca.example.net"'],
  ['TXT of two strings (RFC 1035 §3.3.14)', '@', 'TXT', '"v=spf1 -all" "second string"'],
  ['HTTPS (RFC 9460 §2.1)', 'svc', 'HTTPS', '1 . alpn="h2,h3" ipv4hint=192.0.2.80'],
  ['NAPTR (RFC 3403 §4.1)', 'naptr', 'NAPTR', '100 10 "u" "E2U+sip" "!^.*$!sip:info@example.test!" .'],
])('%s', async (_, label, type, text) => {
  const name = label === '@' ? 'example.test' : `${label}.example.test`;
  const { answer, aa } = await served.server.ask({ name, type });
  expect(aa).toBe(true);
  expect(answer.map((row) => `${row.type} ${row.text}`.toUpperCase())).toEqual([`${type} ${text}`.toUpperCase()]);
});

// RFC 3597 §4: names in the rdata of newer types are not compressed. The last label of the target is written out.
test.each([
  ['SRV', '_sip._tcp.example.test', 'SRV'],
  ['DNAME', 'dn.example.test', 'DNAME'],
])('%s has its target written out', async (_, name, type) => {
  const { octets } = await served.server.ask({ name, type });
  const text = Buffer.from(octets).toString('latin1');
  expect(text.split('\x07example\x04test\0')).toHaveLength(3); // question, rdata
});

// RFC 2181 §11, RFC 4343 §2.1: any octet may stand in a label, a dot too.
test.each([
  ['a space', 'sp\\032ace.example.test', '192.0.2.201'],
  ['a zero octet', '\\000nul.example.test', '192.0.2.202'],
  ['a dot', 'dot\\.ted.example.test', '192.0.2.200'],
])('a label with %s', async (_, name, address) => {
  const { answer } = await served.server.ask({ name });
  expect(answer.map(({ text }) => text)).toEqual([address]);
});

test('a dot inside a label is not a dot between labels', async () => {
  const { rcode } = await served.server.ask({ name: 'dot.ted.example.test' });
  expect(rcode).toBe('NXDOMAIN');
});

// RFC 4343 §3, §4.1: comparison ignores case, the question's spelling is kept.
test.each(['MIXED', 'mixed', 'MiXeD'])('%s is MiXeD', async (label) => {
  await expectAnswer(served.server, {
    name: '',
    query: { name: `${label}.example.test` },
    expected: { answer: [`${label}.example.test. 3600 A 192.0.2.203`] },
  });
});

test('the spelling of a 0x20 question comes back in question and owner', async () => {
  await expectAnswer(served.server, {
    name: '',
    query: { name: 'wWw.eXAMple.TEst' },
    expected: { answer: ['wWw.eXAMple.TEst. 300 A 192.0.2.80'] },
  });
});
