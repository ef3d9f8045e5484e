import { describe, expect, test } from 'vitest';
import { verifyTsig } from '../../src/dns/tsig.ts';
import type { TsigKey } from '../../src/dns/tsig-key.ts';
import { appendTsig, findTsig } from '../../src/dns/tsig-record.ts';
import { decodeMessage } from '../support/dns-message.ts';
import { encodeOpt, encodeQuery, wireName } from '../support/dns-query.ts';
import { answersSigned, signedQuery, testKey, transfer } from '../support/transfer-client.ts';
import { protocolServer } from './protocol-server.ts';

const ALGORITHMS = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512', 'hmac-sha1', 'hmac-md5'] as const;
const KEYS = ALGORITHMS.map((algorithm) => testKey(`key-${algorithm}`, algorithm));
const [KEY] = KEYS;
const allow = [{ from: null, key: KEY.name, tls: false, networks: null, zones: null }];
const served = protocolServer([], {}, { keys: KEYS, allow, rows: [] });
const soa = encodeQuery({ name: 'example.test', type: 'SOA' });

function tsigOf(octets: Uint8Array | null) {
  const found = octets === null ? null : findTsig(octets);
  if (found === null || found === 'malformed') throw new Error('no TSIG in the answer');
  return found;
}

describe.each(['udp', 'tcp'] as const)('over %s', (transport) => {
  test.each(KEYS)('a query signed with $algorithm gets a signed answer (§5.3)', async (key) => {
    const { octets, signer } = signedQuery(soa, key);
    const reply = await served.server.exchange(octets, transport);
    expect(decodeMessage(reply ?? new Uint8Array()).answer.map(({ type }) => type)).toEqual(['SOA']);
    expect(answersSigned(reply ?? new Uint8Array(), key, signer.mac)).toBe(true);
  });

  test.each([
    ['an unknown key is BADKEY (§5.2.1)', testKey('nobody'), 17],
    ['the name of a key with another secret is BADSIG (§5.2.2)', testKey('key-hmac-sha256', 'hmac-sha256', 'x'), 16],
    ['the name of a key with another algorithm is BADKEY (§5.2.1)', testKey('key-hmac-sha256', 'hmac-sha512'), 17],
  ])('%s, and the refusal is not signed', async (_, key, error) => {
    const reply = await served.server.exchange(signedQuery(soa, key).octets, transport);
    const { rcode, answer } = decodeMessage(reply ?? new Uint8Array());
    const tsig = tsigOf(reply);
    expect([rcode, answer.length, tsig.error, tsig.mac.length]).toEqual(['NOTAUTH', 0, error, 0]);
  });

  test('a signature of yesterday is BADTIME; the refusal is signed and tells the time (§5.2.3)', async () => {
    const yesterday = Math.floor(Date.now() / 1000) - 86_400;
    const { octets, signer } = signedQuery(soa, KEY, yesterday);
    const reply = await served.server.exchange(octets, transport);
    const tsig = tsigOf(reply);
    expect([decodeMessage(reply ?? new Uint8Array()).rcode, tsig.error, tsig.other.length]).toEqual(['NOTAUTH', 18, 6]);
    const told = Buffer.from(tsig.other).readUIntBE(0, 6);
    expect(Math.abs(told - Date.now() / 1000)).toBeLessThan(60);
    // The answer repeats the request's time, so whoever checks it by that finds it well signed.
    expect(verifyTsig(reply ?? new Uint8Array(), tsig, [KEY], yesterday, signer.mac).ok).toBe(true);
  });

  test('TSIG anywhere but last is malformed (§5.1)', async () => {
    const { octets } = signedQuery(soa, KEY);
    const query = Uint8Array.from([...octets, ...encodeOpt({})]);
    query[11] = 2;
    expect(decodeMessage((await served.server.exchange(query, transport)) ?? new Uint8Array()).rcode).toBe('FORMERR');
  });

  /** The query, signed with a hash of so many octets. */
  const signedBy = (key: TsigKey, length: number): Uint8Array => {
    const { octets } = signedQuery(soa, key);
    const tsig = tsigOf(octets);
    const room = new Uint8Array(tsig.start + 1024);
    room.set(octets.subarray(0, tsig.start));
    room[11] = 0;
    const mac = new Uint8Array(length);
    mac.set(tsig.mac.subarray(0, length));
    const end = appendTsig(room, tsig.start, tsig.keyOctets, tsig.algorithmOctets, { ...tsig, mac });
    return room.slice(0, end);
  };

  test.each([
    ['hmac-sha256', 16],
    ['hmac-sha256', 31],
    ['hmac-sha512', 32],
    ['hmac-sha1', 10],
  ] as const)('a hash of %s cut to %i octets proves the key but is BADTRUNC (§5.2.4), signed', async (name, length) => {
    const key = KEYS.find(({ algorithm }) => algorithm === name) ?? KEY;
    const query = signedBy(key, length);
    const reply = (await served.server.exchange(query, transport)) ?? new Uint8Array();
    const { rcode, answer } = decodeMessage(reply);
    expect([rcode, answer.length, tsigOf(reply).error]).toEqual(['NOTAUTH', 0, 22]);
    expect(answersSigned(reply, key, tsigOf(query).mac)).toBe(true);
  });

  test.each([
    ['hmac-sha256', 0],
    ['hmac-sha256', 1],
    ['hmac-sha256', 15],
    ['hmac-sha256', 33],
    ['hmac-sha512', 31],
    ['hmac-sha1', 9],
    ['hmac-sha1', 21],
  ] as const)('a hash of %s with %i octets may not be sent: FORMERR (§5.2.2.1)', async (name, length) => {
    const key = KEYS.find(({ algorithm }) => algorithm === name) ?? KEY;
    const reply = (await served.server.exchange(signedBy(key, length), transport)) ?? new Uint8Array();
    const { rcode, answer } = decodeMessage(reply);
    expect([rcode, answer.length, findTsig(reply)]).toEqual(['FORMERR', 0, null]);
  });
});

// RFC 1035 §4.1.4: any name may be compressed; RFC 8945 §4.2 forbids it for the algorithm's. The hash covers the whole name.
describe('a key whose name ends as the zone does', () => {
  const under = testKey('xfr.example.test');
  const apex = testKey('example.test');
  const two = protocolServer([], {}, { keys: [under, apex], allow: [{ ...allow[0], key: under.name }], rows: [] });
  const pointer = [0xc0, 0x0c];
  /** The query, signed, with another owner or algorithm in the record. */
  const withNames = (
    key: TsigKey,
    owner: readonly number[],
    algorithm?: readonly number[],
    query = soa,
  ): Uint8Array => {
    const { octets } = signedQuery(query, key);
    const tsig = tsigOf(octets);
    const rdata = tsig.start + tsig.keyOctets.length + 10;
    const rest = octets.slice(rdata + tsig.algorithmOctets.length);
    const names = algorithm ?? [...tsig.algorithmOctets];
    const length = names.length + rest.length;
    const fixed = [0, 250, 0, 255, 0, 0, 0, 0, length >> 8, length & 255];
    return Uint8Array.from([...octets.slice(0, tsig.start), ...owner, ...fixed, ...names, ...rest]);
  };
  const xfr = [3, 0x78, 0x66, 0x72];

  test.each([
    ['whole name is a pointer', apex, pointer],
    ['labels and a pointer', under, [...xfr, ...pointer]],
    ['labels in capitals and a pointer', under, [3, 0x58, 0x46, 0x52, ...pointer]],
    ['pointer to the middle of the question', under, [...xfr, 7, ...Buffer.from('example'), 0xc0, 0x0c + 8]],
    ['pointer to the final root', under, [...xfr, ...wireName('example.test').slice(0, -1), 0xc0, 0x0c + 13]],
  ] as const)('%s', async (_, key, owner) => {
    const query = withNames(key, owner);
    for (const transport of ['udp', 'tcp'] as const) {
      const reply = (await two.server.exchange(query, transport)) ?? new Uint8Array();
      expect(decodeMessage(reply).answer.map(({ type }) => type)).toEqual(['SOA']);
      expect(answersSigned(reply, key, tsigOf(query).mac)).toBe(true);
    }
  });

  test('a refusal repeats the whole name', async () => {
    const query = withNames(testKey('nobody.example.test'), [6, ...Buffer.from('Nobody'), ...pointer]);
    const reply = (await two.server.exchange(query)) ?? new Uint8Array();
    expect([decodeMessage(reply).rcode, tsigOf(reply).error]).toEqual(['NOTAUTH', 17]);
    expect([...tsigOf(reply).keyOctets]).toEqual([...wireName('Nobody.example.test')]);
  });

  test.each([
    ['a compressed algorithm', under, [...xfr, ...pointer], [11, ...Buffer.from('hmac-sha256'), 0xc0, 0x0c + 13]],
    ['an owner that points to itself', under, [0xc0, 12 + 18], undefined],
    ['an owner that points forward', under, [...xfr, 0xc0, 60], undefined],
    ['an owner that points into the header', under, [...xfr, 0xc0, 4], undefined],
  ] as const)('%s is FORMERR', async (_, key, owner, algorithm) => {
    const reply = (await two.server.exchange(withNames(key, owner, algorithm))) ?? new Uint8Array();
    expect([decodeMessage(reply).rcode, findTsig(reply)]).toEqual(['FORMERR', null]);
  });
});

test('every message of a signed transfer is signed, each over the one before (§5.3.1)', async () => {
  const { octets, signer } = signedQuery(encodeQuery({ name: 'example.test', type: 'AXFR' }), KEY);
  const { messages, octets: replies } = await transfer(served.server.endpoint, octets);
  expect(messages.every(({ tsig }) => tsig !== null)).toBe(true);
  expect(answersSigned(replies[0], KEY, signer.mac)).toBe(true);
});

test.each([
  ['not signed', () => encodeQuery({ name: 'example.test', type: 'AXFR' })],
  [
    'signed with a key that no rule names',
    () => signedQuery(encodeQuery({ name: 'example.test', type: 'AXFR' }), KEYS[1]).octets,
  ],
])('a transfer %s is refused', async (_, query) => {
  const { messages } = await transfer(served.server.endpoint, query());
  expect(messages.map(({ rcode, answer }) => [rcode, answer.length])).toEqual([['REFUSED', 0]]);
});
