import { describe, expect, test } from 'vitest';
import { decodeMessage } from '../support/dns-message.ts';
import { encodeOpt, encodeQuery } from '../support/dns-query.ts';
import { ixfrQuery, transfer } from '../support/transfer-client.ts';
import { protocolServer } from './protocol-server.ts';

const anybody = { from: null, key: null, tls: false, networks: null, zones: null };
const served = protocolServer([], {}, { keys: [], allow: [anybody], rows: [] });
const SERIAL = 2024010101; // of protocol.zone

describe('IXFR (RFC 1995 §2, §4)', () => {
  test.each([
    ['the serial there is', SERIAL, 'udp'],
    ['the serial there is', SERIAL, 'tcp'],
    ['a later serial (RFC 1982 §3.2)', SERIAL + 1, 'udp'],
    ['a later serial (RFC 1982 §3.2)', SERIAL + 1, 'tcp'],
    ['an unknown serial, which needs TCP', 1, 'udp'],
  ] as const)('from %s is one SOA (%s, %s)', async (_, serial, transport) => {
    const octets = await served.server.exchange(ixfrQuery('example.test', serial), transport);
    const { aa, rcode, answer } = decodeMessage(octets ?? new Uint8Array());
    expect([aa, rcode, answer.map(({ type }) => type)]).toEqual([true, 'NOERROR', ['SOA']]);
  });

  test.each(['udp', 'tcp'] as const)('with OPT where the query has one (RFC 6891 §6.1.1, %s)', async (transport) => {
    const query = Uint8Array.from([...ixfrQuery('example.test', SERIAL), ...encodeOpt({ flags: 0x8000 })]);
    query[11] = 1;
    const { answer, opt } = decodeMessage((await served.server.exchange(query, transport)) ?? new Uint8Array());
    expect([answer.length, opt?.version, opt?.flags]).toEqual([1, 0, 0x8000]);
  });

  test('from an unknown serial over TCP is the whole zone', async () => {
    const { rows } = await transfer(served.server.endpoint, ixfrQuery('example.test', 1));
    const whole = await transfer(served.server.endpoint, encodeQuery({ name: 'example.test', type: 'AXFR' }));
    expect(rows.map(({ text }) => text)).toEqual(whole.rows.map(({ text }) => text));
  });

  test.each(['udp', 'tcp'] as const)('without an SOA is malformed (§3, %s)', async (transport) => {
    const { rcode } = await served.server.ask({ name: 'example.test', type: 'IXFR' }, transport);
    expect(rcode).toBe('FORMERR');
  });
});
