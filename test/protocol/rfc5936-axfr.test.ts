import { describe, expect, test } from 'vitest';
import { encodeQuery } from '../support/dns-query.ts';
import { testKey, transfer } from '../support/transfer-client.ts';
import { storeOf } from '../support/zone-images.ts';
import { PROTOCOL_ZONE, protocolServer } from './protocol-server.ts';

const KEY = testKey('testkey');
const anybody = { from: null, key: null, tls: false, networks: null, zones: null };
const served = protocolServer([], {}, { keys: [KEY], allow: [anybody], rows: [] });
const closed = protocolServer();

const axfr = (name: string): Uint8Array => encodeQuery({ name, type: 'AXFR', id: 0x5936 });

describe('AXFR over TCP (RFC 5936 §2.2)', () => {
  test('the SOA first and last, AA, the question in the first message', async () => {
    const { messages, rows } = await transfer(served.server.endpoint, axfr('example.test'));
    expect(messages.map(({ aa, qr, id, rcode }) => ({ aa, qr, id, rcode }))).toEqual(
      messages.map(() => ({ aa: true, qr: true, id: 0x5936, rcode: 'NOERROR' })),
    );
    expect(messages[0].question).toEqual({ name: 'example.test.', type: 'AXFR', class: 1 });
    expect([rows[0].type, rows.at(-1)?.type]).toEqual(['SOA', 'SOA']);
    expect(rows.filter(({ type }) => type === 'SOA')).toHaveLength(2);
  });

  test('every record of the file, glue and occluded data among them, each once (§3.1 to §3.5)', async () => {
    const { rows } = await transfer(served.server.endpoint, axfr('example.test'));
    const store = storeOf('example.test', PROTOCOL_ZONE.text);
    // One record stands in the file twice; the SOA comes twice.
    expect(rows).toHaveLength(store.size);
    expect(rows.map(({ owner, type }) => `${owner} ${type}`)).toEqual(
      expect.arrayContaining(['ns1.sub.example.test. A', 'www.example.test. A']),
    );
  });

  test.each([0, 0x8000])('OPT in the first message where the query has one (§2.2.5), flags %i', async (flags) => {
    const query = encodeQuery({ name: 'example.test', type: 'AXFR', edns: { flags } });
    const { messages } = await transfer(served.server.endpoint, query);
    const [first, ...rest] = messages.map(({ opt }) => opt);
    expect(first).toMatchObject({ version: 0, flags });
    expect(rest.every((opt) => opt === null)).toBe(true);
  });

  test('and in a refusal', async () => {
    const query = { name: 'example.test', type: 'AXFR', edns: {} };
    for (const transport of ['udp', 'tcp'] as const) {
      const { rcode, opt } = await closed.server.ask(query, transport);
      expect([rcode, opt?.version]).toEqual([transport === 'udp' ? 'FORMERR' : 'REFUSED', 0]);
    }
  });

  test('two at once over one connection', async () => {
    const { TcpClient } = await import('../support/dns-server.ts');
    const client = await TcpClient.open(served.server.endpoint);
    client.send(encodeQuery({ name: 'example.test', type: 'AXFR', id: 1 }));
    client.send(encodeQuery({ name: 'example.test', type: 'AXFR', id: 2 }));
    const ids = [await client.next(), await client.next()].map((octets) => octets?.[1]);
    client.close();
    expect(new Set(ids)).toEqual(new Set([1, 2]));
  });
});

test.each([
  ['below the apex', 'www.example.test', 'NOTAUTH'],
  ['a zone that is not ours', 'example.org', 'NOTAUTH'],
])('AXFR of %s is refused (§2.2.1)', async (_, name, rcode) => {
  const { messages } = await transfer(served.server.endpoint, axfr(name));
  expect(messages.map((message) => [message.rcode, message.answer.length])).toEqual([[rcode, 0]]);
});

test('AXFR over UDP gives no data (§4.2)', async () => {
  const { rcode, answer } = await served.server.ask({ name: 'example.test', type: 'AXFR' });
  expect([rcode, answer.length]).toEqual(['FORMERR', 0]);
});

test.each([
  ['AXFR', 'udp', 'FORMERR'],
  ['AXFR', 'tcp', 'REFUSED'],
] as const)('by default nobody may transfer (%s, %s)', async (type, transport, refusal) => {
  const { answer, authority, rcode } = await closed.server.ask({ name: 'example.test', type }, transport);
  expect([answer.length, authority.length, rcode]).toEqual([0, 0, refusal]);
});

test('a NOTIFY is refused, for we are nobody’s secondary (RFC 1996 §3.10)', async () => {
  const { rcode, opcode } = await served.server.ask({ name: 'example.test', type: 'SOA', flags: 0x2400 });
  expect([rcode, opcode]).toEqual(['REFUSED', 4]);
});
