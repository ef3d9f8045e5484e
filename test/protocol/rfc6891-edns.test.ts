import { describe, expect, test } from 'vitest';
import { expectAnswer } from '../support/dns-expect.ts';
import { decodeMessage } from '../support/dns-message.ts';
import { type EdnsSpec, encodeOpt, encodeQuery, OPCODE_SHIFT } from '../support/dns-query.ts';
import { protocolServer } from './protocol-server.ts';

const served = protocolServer([], { nsid: new TextEncoder().encode('edge-7') });

const WWW = ['www.example.test. 300 A 192.0.2.80'];
const COOKIE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

const rows = (...entries: readonly (readonly [name: string, edns: EdnsSpec])[]) => entries;

// RFC 6891 §6.1.1, §6.2.3: a query with OPT gets one OPT, version 0, with our payload size.
describe('answered as if the odd part were not there', () => {
  test.each(
    rows(
      ['plain EDNS', {}],
      ['an unknown option (RFC 6891 §6.1.2)', { options: [[65001, COOKIE]] }],
      ['an unknown flag (RFC 6891 §6.1.4)', { flags: 0x0080 }],
      ['client subnet 0.0.0.0/0 (RFC 7871 §7.2.1)', { options: [[8, Uint8Array.of(0, 1, 0, 0)]] }],
      ['TCP keepalive in UDP (RFC 7828 §3.2.1)', { options: [[11, new Uint8Array(0)]] }],
      ['padding (RFC 7830 §3)', { options: [[12, new Uint8Array(64)]] }],
      ['a cookie while cookies are off (RFC 7873 §5.2)', { options: [[10, COOKIE]] }],
      ['EXPIRE (RFC 7314 §3)', { options: [[9, new Uint8Array(0)]] }],
      ['a payload size below 512 (RFC 6891 §6.2.3)', { size: 100 }],
      ['a payload size of 0', { size: 0 }],
      ['a payload size of 65535', { size: 65535 }],
    ),
  )('%s', async (_, edns) => {
    const { opt } = await expectAnswer(served.server, {
      name: '',
      query: { name: 'www.example.test', edns },
      expected: { answer: WWW },
    });
    expect(opt).toEqual({ size: 1232, version: 0, flags: 0, options: new Map() });
  });
});

test('DO comes back, alone (RFC 3225 §3)', async () => {
  const { opt } = await served.server.ask({ name: 'www.example.test', edns: { flags: 0xffff } });
  expect(opt?.flags).toBe(0x8000);
});

test('NSID is told when asked for, and only then (RFC 5001 §2.1)', async () => {
  const asked = await served.server.ask({ name: 'www.example.test', edns: { options: [[3, new Uint8Array(0)]] } });
  expect(new TextDecoder().decode(asked.opt?.options.get(3))).toBe('edge-7');
  const silent = await served.server.ask({ name: 'www.example.test', edns: {} });
  expect(silent.opt?.options.size).toBe(0);
});

test('TCP keepalive is told over TCP when asked for (RFC 7828 §3.3.2)', async () => {
  const edns = { options: [[11, new Uint8Array(0)]] } as const;
  const { opt } = await served.server.ask({ name: 'www.example.test', edns }, 'tcp');
  expect(opt?.options.get(11)).toEqual(Uint8Array.of(0, 100)); // 10 s in units of 100 ms
});

// RFC 6891 §6.1.3: a version above ours is told ours, and nothing else is answered.
describe('another version is BADVERS', () => {
  test.each(rows(['version 1', { version: 1 }], ['with an option', { version: 255, options: [[65001, COOKIE]] }]))(
    '%s',
    async (_, edns) => {
      const { opt } = await expectAnswer(served.server, {
        name: '',
        query: { name: 'www.example.test', edns },
        expected: { rcode: 'BADVERS', flags: '' },
      });
      expect(opt?.version).toBe(0);
      expect(opt?.options.size).toBe(0);
    },
  );
});

// RFC 6891 §6.1.1: more than one OPT is FORMERR.
test('two OPT records are FORMERR', async () => {
  await expectAnswer(served.server, {
    name: '',
    query: { name: 'www.example.test', edns: {}, additional: [encodeOpt({})] },
    expected: { rcode: 'FORMERR', flags: '' },
  });
});

test('OPT owned by another name than the root is FORMERR (RFC 6891 §6.1.2)', async () => {
  const { rcode } = await served.server.ask({ name: 'www.example.test', edns: { owner: 'www.example.test' } });
  expect(rcode).toBe('FORMERR');
});

test('an option that runs past its record is FORMERR (RFC 6891 §6.1.2)', async () => {
  const opt = Uint8Array.from([...encodeOpt({ options: [[65001, COOKIE]] })]);
  opt[14] = 200;
  const { rcode } = await served.server.ask({ name: 'www.example.test', additional: [opt] });
  expect(rcode).toBe('FORMERR');
});

// RFC 6891 §6.2.3–6.2.5: no answer is larger than the requestor's size, nor than ours.
test.each([
  ['512 without EDNS (RFC 1035 §4.2.1)', null, 512],
  ['the size asked for', { size: 600 }, 600],
  ['512 when less is asked for', { size: 100 }, 512],
  ['our own limit', { size: 65535 }, 1232],
])('an answer keeps within %s', async (_, edns, limit) => {
  const { tc, octets, opt, answer } = await served.server.ask({ name: 'big.example.test', type: 'TXT', edns });
  expect(tc).toBe(true);
  expect(answer).toEqual([]); // RRsets are whole or absent (RFC 2181 §5)
  expect(octets.length).toBeLessThanOrEqual(limit);
  expect(opt === null).toBe(edns === null); // RFC 6891 §7
});

// RFC 6891 §7: OPT is in every kind of answer.
test.each([
  ['NXDOMAIN', 'nope.example.test'],
  ['REFUSED', 'www.example.org'],
])('%s has OPT', async (rcode, name) => {
  const message = await served.server.ask({ name, edns: {} });
  expect([message.rcode, message.opt?.version]).toEqual([rcode, 0]);
});

// The same whatever is asked for: an opcode that we do not know, a NOTIFY, a transfer that is not for everybody.
describe.each([
  ['STATUS', 2, 'A', 'NOTIMP'],
  ['UPDATE', 5, 'SOA', 'NOTIMP'],
  ['opcode 9', 9, 'A', 'NOTIMP'],
  ['NOTIFY', 4, 'SOA', 'REFUSED'],
  ['AXFR', 0, 'AXFR', 'REFUSED'],
] as const)('%s', (_, opcode, type, rcode) => {
  const flags = opcode << OPCODE_SHIFT;

  test.each(['udp', 'tcp'] as const)('has OPT in its answer when there is one in the query (%s)', async (transport) => {
    const query = { name: 'example.test', type, flags };
    const { opt, ...message } = await served.server.ask({ ...query, edns: { flags: 0x8000 } }, transport);
    // AXFR is for TCP (RFC 5936 §4.2).
    expect([message.rcode, message.opcode]).toEqual([
      type === 'AXFR' && transport === 'udp' ? 'FORMERR' : rcode,
      opcode,
    ]);
    expect([opt?.version, opt?.flags]).toEqual([0, 0x8000]);
    expect((await served.server.ask(query, transport)).opt).toBeNull();
  });

  test('is BADVERS in a version that we do not know', async () => {
    const edns = { version: 1 };
    const message = await served.server.ask({ name: 'example.test', type, flags, edns }, 'tcp');
    expect([message.rcode, message.opt?.version, message.answer.length]).toEqual(['BADVERS', 0, 0]);
  });
});

test('what is no DNS message but for its header is answered without OPT', async () => {
  const octets = encodeQuery({ name: 'example.test', flags: 6 << OPCODE_SHIFT, edns: {} }).slice(0, -1);
  const { rcode, opt } = decodeMessage((await served.server.exchange(octets)) ?? new Uint8Array(0));
  expect([rcode, opt]).toEqual(['NOTIMP', null]);
});

test('a NOTIFY gets its question back', async () => {
  const { question } = await served.server.ask({ name: 'eXample.test', type: 'SOA', flags: 4 << OPCODE_SHIFT });
  expect(question).toEqual({ name: 'eXample.test.', type: 'SOA', class: 1 });
});

// RFC 8914 §4.21: why a name is refused.
test('REFUSED says that we are not authoritative', async () => {
  const { opt } = await served.server.ask({ name: 'www.example.org', edns: {} });
  expect(opt?.options.get(15)?.slice(0, 2)).toEqual(Uint8Array.of(0, 20));
});
