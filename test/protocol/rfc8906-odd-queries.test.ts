import { describe, expect, test } from 'vitest';
import { expectAnswer } from '../support/dns-expect.ts';
import { decodeMessage } from '../support/dns-message.ts';
import { encodeQuery, type QuerySpec, u16, wireName } from '../support/dns-query.ts';
import { protocolServer } from './protocol-server.ts';

const served = protocolServer();

const WWW = ['www.example.test. 300 A 192.0.2.80'];
const header = (id: number, ...counts: number[]): number[] => [...u16(id), 0, 0, ...counts.flatMap(u16)];
const question = (name: readonly number[]): Uint8Array =>
  Uint8Array.from([...header(7, 1, 0, 0, 0), ...name, 0, 1, 0, 1]);

// RFC 8906 §3.1.3, §3.1.4: header bits that mean nothing in a query are ignored, and clear in the answer.
describe('header bits', () => {
  test.each([
    ['Z', 0x0040, 'aa'],
    ['AD, in an unsigned zone (RFC 6840 §5.7)', 0x0020, 'aa'],
    ['CD (RFC 4035 §3.1.6)', 0x0010, 'aa'],
    ['TC, AA and RA', 0x0680, 'aa'],
    ['an rcode', 0x000f, 'aa'],
    ['RD, which comes back (RFC 1035 §4.1.1)', 0x0100, 'aa rd'],
  ])('%s', async (_, flags, answered) => {
    await expectAnswer(served.server, {
      name: '',
      query: { name: 'www.example.test', id: 0xbeef, flags },
      expected: { answer: WWW, flags: answered },
    });
  });
});

// RFC 1035 §4.1.1, RFC 8906 §2: what is a response or cannot be one gets no reply, or two servers could talk for ever.
describe('no reply', () => {
  test.each([
    ['a response', encodeQuery({ name: 'www.example.test', flags: 0x8000 })],
    ['eleven octets', encodeQuery({ name: 'www.example.test' }).slice(0, 11)],
    ['one octet', Uint8Array.of(0)],
    ['a response with another opcode', encodeQuery({ name: 'www.example.test', flags: 0xa800 })],
  ])('%s', async (_, octets) => {
    expect(await served.server.exchange(octets)).toBeNull();
  });
});

/** Labels of one octet, `octets` in all, in the zone's domain. */
function longName(octets: number): number[] {
  const tail = [...wireName('example.test')];
  const rest = octets - tail.length;
  const labels: number[] = [];
  if (rest % 2 === 1) labels.push(2, 0x61, 0x61);
  while (labels.length < rest) labels.push(1, 0x61);
  return [...labels, ...tail];
}

describe('FORMERR', () => {
  test.each([
    // RFC 9619 §4: QDCOUNT of a query is one.
    ['no question', Uint8Array.from(header(7, 0, 0, 0, 0))],
    [
      'two questions',
      Uint8Array.from([...header(7, 2, 0, 0, 0), ...wireName('a.test'), 0, 1, 0, 1, ...wireName('b.test'), 0, 1, 0, 1]),
    ],
    ['a question cut short', encodeQuery({ name: 'www.example.test' }).slice(0, 20)],
    ['a question without its class', encodeQuery({ name: 'www.example.test' }).slice(0, -1)],
    // RFC 1035 §4.1.4: a pointer leads to an earlier name; there is none before the question.
    ['a name that points to itself', question([0xc0, 0x0c])],
    ['a name that points forward', question([0xc0, 0xff])],
    ['a name that points into the header', question([0xc0, 0x00])],
    // RFC 6891 §5: label types 01 and 10 are not in use.
    ['label type 01', question([0x41, 0, 0])],
    ['label type 10', question([0x80, 0, 0])],
    // RFC 1035 §2.3.4: names are of 255 octets or less.
    ['a name of 256 octets', question(longName(256))],
    ['a name of 257 octets', question(longName(257))],
    ['octets after the question', encodeQuery({ name: 'www.example.test', trailing: new Uint8Array(4) })],
    ['octets after OPT', encodeQuery({ name: 'www.example.test', edns: {}, trailing: new Uint8Array(1) })],
    ['records announced that are not there', encodeQuery({ name: 'www.example.test', counts: [1, 0, 0, 5] })],
    ['65,535 records announced', encodeQuery({ name: 'www.example.test', counts: [1, 0, 0, 65535], edns: {} })],
    ['an answer in the query', encodeQuery({ name: 'www.example.test', counts: [1, 1, 0, 0] })],
    ['a record cut short', encodeQuery({ name: 'www.example.test', edns: {} }).slice(0, -1)],
  ])('%s', async (_, octets) => {
    const reply = await served.server.exchange(octets);
    expect(reply).not.toBeNull();
    const message = decodeMessage(reply ?? new Uint8Array(0));
    expect([message.rcode, message.answer.length, message.aa]).toEqual(['FORMERR', 0, false]);
    expect([...message.octets.slice(0, 2)]).toEqual([...octets.slice(0, 2)]);
  });
});

describe('names at their limits (RFC 1035 §2.3.4)', () => {
  test.each([
    ['255 octets', Uint8Array.from(longName(255))],
    ['a label of 63 octets', wireName(`${'a'.repeat(63)}.example.test`)],
  ])('%s', async (_, name) => {
    await expectAnswer(served.server, {
      name: '',
      query: { name },
      expected: { rcode: 'NXDOMAIN', authority: 'soa' },
    });
  });
});

// RFC 6895 §2.2, RFC 8906 §3.1.4: opcodes that are not implemented say so, and come back.
test.each([1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])('opcode %i is NOTIMP', async (opcode) => {
  const { rcode, opcode: echoed, answer } = await served.server.ask({ name: 'www.example.test', flags: opcode << 11 });
  expect([rcode, echoed, answer.length]).toEqual(['NOTIMP', opcode, 0]);
});

// RFC 1035 §4.1.1: RD is a bit of queries. BIND, too, copies it to answers to opcode QUERY only; no other bit comes back.
describe('RD with all header bits set', () => {
  const octets = (opcode: number): Uint8Array =>
    encodeQuery({ name: 'example.test', type: 'SOA', flags: (opcode << 11) | 0x07f0 });
  test.each(Array.from({ length: 15 }, (_, i) => i + 1))('is clear in the answer to opcode %i', async (opcode) => {
    for (const transport of ['udp', 'tcp'] as const) {
      const reply = (await served.server.exchange(octets(opcode), transport)) ?? new Uint8Array();
      expect([reply[2], reply[3] & 0xf0]).toEqual([0x80 | (opcode << 3), 0]);
    }
  });

  test.each([
    ['an answer', encodeQuery({ name: 'example.test', type: 'SOA', flags: 0x0100 }), 0x85],
    ['REFUSED', encodeQuery({ name: 'example.org', flags: 0x0100 }), 0x81],
    ['FORMERR', encodeQuery({ name: 'example.test', flags: 0x0100, counts: [2, 0, 0, 0] }), 0x81],
    ['a refused transfer', encodeQuery({ name: 'example.test', type: 'AXFR', flags: 0x0100 }), 0x81],
  ])('is set in %s to opcode QUERY', async (_, query, flags) => {
    expect((await served.server.exchange(query, 'tcp'))?.[2]).toBe(flags);
  });
});

// RFC 1996 §3.10: a primary takes no NOTIFY.
test.each([
  ['for our zone', 'example.test'],
  ['for another', 'example.org'],
])('NOTIFY %s is refused', async (_, name) => {
  const { rcode, opcode } = await served.server.ask({ name, type: 'SOA', flags: 4 << 11 });
  expect(opcode).toBe(4);
  expect(['REFUSED', 'NOTAUTH']).toContain(rcode);
});

// RFC 6895 §3.2: data of class IN is for queries of class IN.
test.each([
  ['CH', 3],
  ['HS', 4],
  ['CLASS2', 2],
  ['ANY', 255],
  ['NONE', 254],
  ['CLASS0', 0],
])('class %s is refused', async (_, queryClass) => {
  await expectAnswer(served.server, {
    name: '',
    query: { name: 'www.example.test', class: queryClass },
    expected: { rcode: 'REFUSED', flags: '' },
  });
});

// RFC 6895 §3.1: types that are no data. What is said differs, but something is, and the zone's data is not.
test.each([
  ['OPT', 'FORMERR'],
  ['TSIG', 'FORMERR'],
  ['TKEY', 'NOTIMP'],
  ['MAILB', 'NOTIMP'],
  ['MAILA', 'NOTIMP'],
])('QTYPE %s is %s', async (type, rcode) => {
  const message = await served.server.ask({ name: 'www.example.test', type });
  expect([message.rcode, message.answer.length]).toEqual([rcode, 0]);
});

// RFC 3597 §2, RFC 8906 §3.1.2: a type that we do not know is a type that the name does not have.
test.each([
  ['TYPE0', 0],
  ['TYPE666', 666],
  ['TYPE128', 128],
  ['TYPE248', 248],
  ['TYPE65535', 65535],
  ['RRSIG, in an unsigned zone (RFC 8482 §6)', 46],
])('QTYPE %s is NODATA', async (_, type) => {
  await expectAnswer(served.server, {
    name: '',
    query: { name: 'www.example.test', type },
    expected: { authority: 'soa' },
  });
});

// RFC 5936 §4.2: AXFR is for TCP; and nobody may transfer here.
test.each<readonly [string, QuerySpec, 'udp' | 'tcp', string]>([
  ['AXFR over UDP', { name: 'example.test', type: 'AXFR' }, 'udp', 'FORMERR'],
  ['AXFR over TCP', { name: 'example.test', type: 'AXFR' }, 'tcp', 'REFUSED'],
  ['IXFR over UDP', { name: 'example.test', type: 'IXFR' }, 'udp', 'REFUSED'],
])('%s is %s', async (_, spec, transport, rcode) => {
  const message = await served.server.ask(spec, transport);
  expect([message.rcode, message.answer.length]).toEqual([rcode, 0]);
});

// RFC 8945 §5.2.1: a key that is not known is BADKEY, in an answer that is not signed.
describe('TSIG', () => {
  const time = [0, 0, 0x67, 0, 0, 0, 1, 44];
  const tsig = (algorithm: string): Uint8Array => {
    const rdata = [...wireName(algorithm), ...time, 0, 4, 1, 2, 3, 4, 0x12, 0x34, 0, 0, 0, 0];
    return Uint8Array.from([...wireName('nobody.'), 0, 250, 0, 255, 0, 0, 0, 0, ...u16(rdata.length), ...rdata]);
  };

  test('with an unknown key', async () => {
    const spec = { name: 'example.test', type: 'SOA', additional: [tsig('hmac-sha256.')] };
    const { rcode, tsig: record, answer } = await served.server.ask(spec);
    expect([rcode, answer.length, record?.owner]).toEqual(['NOTAUTH', 0, 'nobody.']);
    const rdata = record?.rdata ?? new Uint8Array(0);
    expect([...rdata.slice(-16)]).toEqual([...time, 0, 0, 0x12, 0x34, 0, 17, 0, 0]);
  });

  test('before another record is FORMERR (RFC 8945 §5.1)', async () => {
    const opt = Uint8Array.of(0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0);
    const { rcode } = await served.server.ask({ name: 'example.test', additional: [tsig('hmac-sha256.'), opt] });
    expect(rcode).toBe('FORMERR');
  });
});
