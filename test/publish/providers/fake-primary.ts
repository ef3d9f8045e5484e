import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { TYPE } from '../../../src/dns/message.ts';
import { TsigSigner } from '../../../src/dns/tsig.ts';
import type { TsigKey } from '../../../src/dns/tsig-key.ts';
import { findTsig, TSIG_ROOM, withoutTsig } from '../../../src/dns/tsig-record.ts';
import { wireName } from '../../support/dns-query.ts';

/** What a fake primary does with one message; `index` counts the messages of all connections. */
export type Script = (request: Uint8Array, index: number, socket: Socket) => void;

/** A server for DNS over TCP that does what a script says. */
export class FakePrimary {
  connections = 0;
  readonly requests: Uint8Array[] = [];
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(script: Script) {
    this.server = createServer((socket) => {
      this.connections++;
      this.sockets.add(socket);
      let buffered = Buffer.alloc(0);
      socket.on('error', () => undefined);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('data', (chunk) => {
        buffered = Buffer.concat([buffered, chunk]);
        while (buffered.length >= 2 && buffered.length >= 2 + buffered.readUInt16BE(0)) {
          const message = new Uint8Array(buffered.subarray(2, 2 + buffered.readUInt16BE(0)));
          buffered = buffered.subarray(2 + message.length);
          this.requests.push(message);
          script(message, this.requests.length - 1, socket);
        }
      });
    });
  }

  static async start(script: Script, address = '127.0.0.1'): Promise<FakePrimary> {
    const fake = new FakePrimary(script);
    fake.server.listen(0, address);
    await once(fake.server, 'listening');
    return fake;
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    const closed = once(this.server, 'close');
    this.server.close();
    await closed;
  }
}

export type AnswerRecord = {
  readonly name: string;
  readonly type: number;
  readonly ttl?: number;
  readonly rdata: readonly number[];
};

export type AnswerParts = {
  readonly rcode?: number;
  /** Octets 2 of the header without opcode: QR and AA by default. */
  readonly flags?: number;
  readonly answer?: readonly AnswerRecord[];
  readonly authority?: readonly AnswerRecord[];
};

/** An answer to the request, unsigned, with its question. */
export function answerTo(request: Uint8Array, parts: AnswerParts = {}): Uint8Array {
  const { rcode = 0, flags = 0x84, answer = [], authority = [] } = parts;
  const tsig = findTsig(request);
  const bare = tsig === null || tsig === 'malformed' ? request : withoutTsig(request, tsig);
  const isUpdate = ((bare[2] >> 3) & 15) === 5;
  let end = 12;
  while (bare[end] !== 0) end += 1 + bare[end];
  const question = [...bare.subarray(12, end + 5)];
  const record = ({ name, type, ttl = 60, rdata }: AnswerRecord): number[] => [
    ...wireName(name),
    type >>> 8,
    type & 255,
    0,
    1,
    ...[24, 16, 8, 0].map((bits) => (ttl >>> bits) & 255),
    rdata.length >>> 8,
    rdata.length & 255,
    ...rdata,
  ];
  return Uint8Array.from([
    bare[0],
    bare[1],
    flags | (isUpdate ? 0x28 : 0),
    rcode,
    0,
    1,
    answer.length >>> 8,
    answer.length & 255,
    0,
    authority.length,
    0,
    0,
    ...question,
    ...answer.flatMap(record),
    ...authority.flatMap(record),
  ]);
}

/** SOA for the zone's own question, an empty answer to any other: a server that has nothing but the zone. */
export function plainAnswer(request: Uint8Array): Uint8Array {
  let end = 12;
  while (request[end] !== 0) end += 1 + request[end];
  const isSoa = request[end + 2] === TYPE.soa && ((request[2] >> 3) & 15) === 0;
  return answerTo(request, isSoa ? { answer: [SOA] } : {});
}

const SOA: AnswerRecord = { name: 'example.test', type: TYPE.soa, rdata: [0, 0, ...Array<number>(20).fill(1)] };

/** The message with a signature that answers the request's. `time`: epoch seconds. */
export function signed(
  message: Uint8Array,
  request: Uint8Array,
  key: TsigKey,
  time: number = Date.now() / 1000,
  error = 0,
  other: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const tsig = findTsig(request);
  if (tsig === null || tsig === 'malformed') throw new Error('the request is not signed');
  const buffer = new Uint8Array(message.length + TSIG_ROOM);
  buffer.set(message);
  return buffer.slice(0, new TsigSigner(key, tsig.mac).sign(buffer, message.length, time, error, other));
}

/** As TCP has it. */
export function frame(message: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([message.length >>> 8, message.length & 255]), message]);
}
