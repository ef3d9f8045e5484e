/**
 * Messages of dnstap (`dnstap.proto`, https://dnstap.info) in the encoding of Protocol Buffers, written by hand: two kinds of
 * message, thirteen fields, and nothing allocated for any of them.
 */

import type { WireName } from '../../dns/name.ts';

export const MESSAGE_TYPE = { authQuery: 1, authResponse: 2 } as const;
export type MessageType = (typeof MESSAGE_TYPE)[keyof typeof MESSAGE_TYPE];

export const SOCKET_PROTOCOL = { udp: 1, tcp: 2, dot: 3 } as const;
export type SocketProtocol = (typeof SOCKET_PROTOCOL)[keyof typeof SOCKET_PROTOCOL];

const FAMILY_INET = 1;
const FAMILY_INET6 = 2;

/** A moment on the wall clock: whole epoch seconds, and nanoseconds (below 10^9) after them. */
export type Moment = { seconds: number; nanoseconds: number };

/** What one message says. One object is filled anew for each message. */
export type TapMessage = {
  type: MessageType;
  protocol: SocketProtocol;
  /** The client. 16 octets; an IPv4 address is written ::ffff:a.b.c.d. */
  queryAddress: Uint8Array;
  queryPort: number;
  /** Where it asked, in the same form; null: not known. */
  responseAddress: Uint8Array | null;
  responsePort: number;
  /** When the query came. */
  readonly queryTime: Moment;
  /** When the response was ready; of `authResponse` only. */
  readonly responseTime: Moment;
  /** The origin of the zone that holds the question; null: none of ours does. */
  zone: WireName | null;
  /** The DNS message: the query, or the response, in the first `length` octets. */
  octets: Uint8Array;
  length: number;
};

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/** Key octets of `Message`. */
const KEY = {
  type: (1 << 3) | VARINT,
  family: (2 << 3) | VARINT,
  protocol: (3 << 3) | VARINT,
  queryAddress: (4 << 3) | BYTES,
  responseAddress: (5 << 3) | BYTES,
  queryPort: (6 << 3) | VARINT,
  responsePort: (7 << 3) | VARINT,
  querySeconds: (8 << 3) | VARINT,
  queryNanoseconds: (9 << 3) | FIXED32,
  query: (10 << 3) | BYTES,
  zone: (11 << 3) | BYTES,
  responseSeconds: (12 << 3) | VARINT,
  responseNanoseconds: (13 << 3) | FIXED32,
  response: (14 << 3) | BYTES,
} as const;

/** Key octets of `Dnstap`. */
const OUTER = {
  identity: (1 << 3) | BYTES,
  version: (2 << 3) | BYTES,
  message: (14 << 3) | BYTES,
  type: (15 << 3) | VARINT,
} as const;
const TYPE_MESSAGE = 1;

/** Writes messages of one server. */
export class MessageEncoder {
  /** The server's identity and version, which begin every message. */
  private readonly head: Uint8Array;

  /** An empty text is left out. */
  constructor(identity: string, version: string) {
    const field = (key: number, text: string): Uint8Array => {
      const octets = Buffer.from(text, 'utf8');
      if (octets.length === 0) return octets;
      const out = new Uint8Array(1 + varintSize(octets.length) + octets.length);
      out[0] = key;
      out.set(octets, writeVarint(out, 1, octets.length));
      return out;
    };
    this.head = Buffer.concat([field(OUTER.identity, identity), field(OUTER.version, version)]);
  }

  /** Octets that the message takes. */
  size(message: TapMessage): number {
    const body = bodySize(message);
    return this.head.length + 1 + varintSize(body) + body + 2;
  }

  /** Writes the message at `at`, where there is room for `size(message)`, and returns where it ends. */
  write(out: Uint8Array, at: number, message: TapMessage): number {
    const { head } = this;
    for (let i = 0; i < head.length; i++) out[at + i] = head[i];
    let to = at + head.length;
    out[to] = OUTER.message;
    to = writeVarint(out, to + 1, bodySize(message));
    to = writeBody(out, to, message);
    out[to] = OUTER.type;
    out[to + 1] = TYPE_MESSAGE;
    return to + 2;
  }
}

function bodySize(message: TapMessage): number {
  const { queryAddress, responseAddress, zone, length } = message;
  let size = 6; // type, family, protocol: a key and a small number each
  size += bytesSize(isMapped(queryAddress) ? 4 : 16);
  if (responseAddress !== null) size += bytesSize(isMapped(responseAddress) ? 4 : 16);
  size += 1 + varintSize(message.queryPort) + 1 + varintSize(message.responsePort);
  size += 1 + varintSize(message.queryTime.seconds) + 5;
  if (zone !== null) size += bytesSize(zone.length);
  if (message.type === MESSAGE_TYPE.authResponse) size += 1 + varintSize(message.responseTime.seconds) + 5;
  return size + bytesSize(length);
}

function writeBody(out: Uint8Array, at: number, message: TapMessage): number {
  const { type, queryAddress, responseAddress, queryTime, responseTime, zone } = message;
  let to = writeNumber(out, at, KEY.type, type);
  to = writeNumber(out, to, KEY.family, isMapped(queryAddress) ? FAMILY_INET : FAMILY_INET6);
  to = writeNumber(out, to, KEY.protocol, message.protocol);
  to = writeAddress(out, to, KEY.queryAddress, queryAddress);
  if (responseAddress !== null) to = writeAddress(out, to, KEY.responseAddress, responseAddress);
  to = writeNumber(out, to, KEY.queryPort, message.queryPort);
  to = writeNumber(out, to, KEY.responsePort, message.responsePort);
  to = writeNumber(out, to, KEY.querySeconds, queryTime.seconds);
  to = writeFixed32(out, to, KEY.queryNanoseconds, queryTime.nanoseconds);
  if (zone !== null) {
    out[to] = KEY.zone;
    to = writeVarint(out, to + 1, zone.length);
    for (let i = 0; i < zone.length; i++) out[to + i] = zone.charCodeAt(i);
    to += zone.length;
  }
  if (type === MESSAGE_TYPE.authQuery) return writeBytes(out, to, KEY.query, message.octets, 0, message.length);
  to = writeNumber(out, to, KEY.responseSeconds, responseTime.seconds);
  to = writeFixed32(out, to, KEY.responseNanoseconds, responseTime.nanoseconds);
  return writeBytes(out, to, KEY.response, message.octets, 0, message.length);
}

/** Whether 16 octets are an IPv4 address. */
function isMapped(address: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false;
  return address[10] === 0xff && address[11] === 0xff;
}

function writeAddress(out: Uint8Array, at: number, key: number, address: Uint8Array): number {
  return isMapped(address) ? writeBytes(out, at, key, address, 12, 4) : writeBytes(out, at, key, address, 0, 16);
}

function writeNumber(out: Uint8Array, at: number, key: number, value: number): number {
  out[at] = key;
  return writeVarint(out, at + 1, value);
}

function writeFixed32(out: Uint8Array, at: number, key: number, value: number): number {
  out[at] = key;
  out[at + 1] = value & 255;
  out[at + 2] = (value >>> 8) & 255;
  out[at + 3] = (value >>> 16) & 255;
  out[at + 4] = value >>> 24;
  return at + 5;
}

/** `subarray` for a short copy costs more than the copy. */
const SHORT = 256;

function writeBytes(out: Uint8Array, at: number, key: number, from: Uint8Array, start: number, count: number): number {
  out[at] = key;
  const to = writeVarint(out, at + 1, count);
  if (count < SHORT) for (let i = 0; i < count; i++) out[to + i] = from[start + i];
  else out.set(from.subarray(start, start + count), to);
  return to + count;
}

/** With its key and length. */
function bytesSize(count: number): number {
  return 1 + varintSize(count) + count;
}

/** Of a whole number from 0 to 2^53. */
function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

function writeVarint(out: Uint8Array, at: number, value: number): number {
  let to = at;
  let rest = value;
  while (rest >= 128) {
    out[to++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  out[to] = rest;
  return to + 1;
}
