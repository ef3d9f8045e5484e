import { lowerName, wireNameLength } from '../../src/dns/name.ts';
import { requestSigner, type TsigSigner, verifyTsig } from '../../src/dns/tsig.ts';
import type { TsigKey } from '../../src/dns/tsig-key.ts';
import { findTsig, TSIG_ROOM } from '../../src/dns/tsig-record.ts';
import type { Endpoint } from '../../src/system/address.ts';
import { decodeMessage, line, type Message, type Row } from './dns-message.ts';
import { encodeQuery, u16, wireName } from './dns-query.ts';
import { TcpClient } from './dns-server.ts';

export function testKey(name: string, algorithm: TsigKey['algorithm'] = 'hmac-sha256', secret = 'secret'): TsigKey {
  return { name: lowerName(wireName(name)), algorithm, secret: new TextEncoder().encode(secret.padEnd(32, '.')) };
}

/** An IXFR query; its authority section holds an SOA with the serial. */
export function ixfrQuery(zone: string, serial: number, id = 0x1995): Uint8Array {
  const soa = [
    ...wireName(zone),
    ...[...u16(6), ...u16(1), 0, 0, 0, 0, ...u16(22)],
    ...[0, 0],
    ...[serial >>> 24, serial >>> 16, serial >>> 8, serial].map((octet) => octet & 255),
    ...new Array<number>(16).fill(0),
  ];
  return encodeQuery({ name: zone, type: 'IXFR', id, counts: [1, 0, 1, 0], trailing: Uint8Array.from(soa) });
}

/** The query with a signature behind it, and what its answer is verified with. */
export function signedQuery(
  query: Uint8Array,
  key: TsigKey,
  now = Date.now() / 1000,
): { readonly octets: Uint8Array; readonly signer: TsigSigner } {
  const room = new Uint8Array(query.length + TSIG_ROOM);
  room.set(query);
  const signer = requestSigner(key);
  return { octets: room.slice(0, signer.sign(room, query.length, now)), signer };
}

/** The signed query with its key's name, which must end in the question's, compressed against that. */
export function withCompressedKey(octets: Uint8Array): Uint8Array {
  const tsig = findTsig(octets);
  if (tsig === null || tsig === 'malformed') throw new Error('not signed');
  const question = wireNameLength(octets, 12);
  const own = tsig.keyOctets.length - question;
  return Uint8Array.from([
    ...octets.slice(0, tsig.start),
    ...tsig.keyOctets.slice(0, own),
    ...[0xc0, 12],
    ...octets.slice(tsig.start + tsig.keyOctets.length),
  ]);
}

export type Transfer = {
  readonly messages: readonly Message[];
  readonly octets: readonly Uint8Array[];
  readonly rows: readonly Row[];
  /** `owner ttl type rdata`, in the order they came. */
  readonly lines: readonly string[];
};

/** Sends a transfer query over TCP and reads until its last SOA, a refusal, or the end of the connection. */
export async function transfer(endpoint: Endpoint, query: Uint8Array): Promise<Transfer> {
  return transferOver(await TcpClient.open(endpoint), query);
}

/** The same on a connection of the caller's, which is closed at the end. */
export async function transferOver(client: TcpClient, query: Uint8Array): Promise<Transfer> {
  try {
    client.send(query);
    const octets: Uint8Array[] = [];
    const messages: Message[] = [];
    const rows: Row[] = [];
    for (;;) {
      const reply = await client.next();
      if (reply === null) break;
      const message = decodeMessage(reply);
      octets.push(reply);
      messages.push(message);
      rows.push(...message.answer);
      if (message.rcode !== 'NOERROR' || isWhole(rows)) break;
    }
    return { messages, octets, rows, lines: rows.map(line) };
  } finally {
    client.close();
  }
}

/** RFC 5936 §2.2, RFC 1995 §4: a whole zone ends with its second SOA, a difference with its third of the new serial. */
function isWhole(rows: readonly Row[]): boolean {
  const first = rows[0]?.text;
  const soas = rows.filter(({ type }) => type === 'SOA');
  const same = soas.filter(({ text }) => text === first).length;
  if (rows.length === 1) return false;
  const incremental = rows[1].type === 'SOA';
  return rows[rows.length - 1].text === first && same === (incremental ? 3 : 2);
}

/** Whether the message is signed with the key, as an answer to a request with this hash. */
export function answersSigned(octets: Uint8Array, key: TsigKey, requestMac: Uint8Array): boolean {
  const tsig = findTsig(octets);
  if (tsig === null || tsig === 'malformed') return false;
  return verifyTsig(octets, tsig, [key], Date.now() / 1000, requestMac).ok;
}
