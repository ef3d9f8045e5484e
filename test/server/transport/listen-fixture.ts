import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { ServerConfig } from '../../../src/config/types.ts';
import { lowerName, nameFromText } from '../../../src/dns/name.ts';
import { LiveSlots } from '../../../src/live/slots.ts';
import type { ZoneUpdate } from '../../../src/server/answer/zone-update.ts';
import { NO_TRANSFERS } from '../../../src/server/transfer/handler-types.ts';
import { DnsThreads, type DnsThreadsOptions } from '../../../src/server/transport/threads/dns-threads.ts';
import type { Endpoint } from '../../../src/system/address.ts';
import { compileZone } from '../../../src/zones/compile/compile.ts';
import { RecordStore } from '../../../src/zones/records/record-store.ts';
import { serverSettings } from '../../support/server-settings.ts';

/** What the tests of the front ends have in common: a small zone, running threads, and packets made by hand. */
export const SERVER: ServerConfig = serverSettings({ listen: [{ address: '127.0.0.1', port: 0 }] });

export const TYPE = { a: 1, soa: 6, txt: 16, aaaa: 28 } as const;

function name(text: string): Uint8Array {
  const wire = nameFromText(text, Uint8Array.of(0));
  if (typeof wire === 'string') throw new Error(`${text}: ${wire}`);
  return wire;
}

/**
 * Zone number `zone`, `ORIGIN` with a live apex on slot 0, `www A 192.0.2.80` (or `www`), `* .wild A`, and `big TXT` of
 * about 2000 octets.
 */
export function zoneUpdate(origin = 'front.test', zone = 0, www = 80): ZoneUpdate {
  const store = new RecordStore();
  const add = (owner: string, type: number, ...rdata: (Uint8Array | number[])[]): void => {
    const octets = Uint8Array.from(rdata.flatMap((part) => [...part]));
    store.add(store.names.intern(name(owner)), type, 300, octets, 0, octets.length);
  };
  const times = [0, 0, 0, 9, 0, 0, 14, 16, 0, 0, 2, 88, 0, 1, 81, 128, 0, 0, 1, 44];
  add(origin, TYPE.soa, name(`ns.${origin}`), name(`host.${origin}`), times);
  add(origin, 2, name(`ns.${origin}`));
  add(`ns.${origin}`, TYPE.a, [192, 0, 2, 53]);
  add(`www.${origin}`, TYPE.a, [192, 0, 2, www]);
  add(`*.wild.${origin}`, TYPE.a, [192, 0, 2, 99]);
  for (let i = 0; i < 10; i++) add(`big.${origin}`, TYPE.txt, [200, ...new Uint8Array(200).fill(97 + i)]);
  const live = { names: [name(origin)], ttl: 60 };
  const image = compileZone({ origin: name(origin), store, serial: null, live });
  return { kind: 'zone', zone, origin: lowerName(name(origin)), image, slot: 0, network: 1 };
}

export function liveSlots(): LiveSlots {
  const slots = LiveSlots.create(4);
  slots.write(0, { serial: 100, v4: [Uint8Array.of(192, 0, 2, 1), Uint8Array.of(192, 0, 2, 2)], v6: [] });
  return slots;
}

export type Running = { readonly threads: DnsThreads; readonly slots: LiveSlots; readonly logs: string[] };

/** Threads that serve `front.test`. Throws where they cannot be started. */
export async function startThreads(
  server: Partial<ServerConfig> = {},
  more: Partial<DnsThreadsOptions> = {},
): Promise<Running> {
  const slots = liveSlots();
  const logs: string[] = [];
  const threads = await DnsThreads.start({
    server: { ...SERVER, ...server },
    transfer: NO_TRANSFERS,
    slots: slots.shared,
    networks: 2,
    updates: [zoneUpdate()],
    log: (level, message) => logs.push(`${level}: ${message}`),
    ...more,
  });
  if (!(threads instanceof DnsThreads)) throw new Error(threads.message);
  return { threads, slots, logs };
}

/** A query for IN; `ednsSize` 0: without OPT. */
export function query(qname: string, type: number, id: number, ednsSize = 0): Buffer {
  const question = [...name(qname), type >> 8, type & 255, 0, 1];
  const opt = ednsSize === 0 ? [] : [0, 0, 41, ednsSize >> 8, ednsSize & 255, 0, 0, 0, 0, 0, 0];
  const header = [id >> 8, id & 255, 0, 0, 0, 1, 0, 0, 0, 0, 0, opt.length === 0 ? 0 : 1];
  return Buffer.from([...header, ...question, ...opt]);
}

export type Answer = { readonly octets: Buffer; readonly from: string; readonly port: number };

/** A UDP socket of a client; `next` gives the packets in the order they came. */
export class UdpClient {
  readonly socket: Socket;
  private readonly inbox: Answer[] = [];
  private waiting: ((answer: Answer) => void) | null = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('message', (octets, { address, port }) => {
      const answer = { octets, from: address, port };
      if (this.waiting === null) this.inbox.push(answer);
      else this.waiting(answer);
      this.waiting = null;
    });
  }

  static async open(address = '127.0.0.1'): Promise<UdpClient> {
    const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 22 });
    socket.bind(0, address);
    await once(socket, 'listening');
    return new UdpClient(socket);
  }

  send(octets: Uint8Array, { address, port }: Endpoint): void {
    this.socket.send(octets, port, address);
  }

  next(): Promise<Answer> {
    const first = this.inbox.shift();
    if (first !== undefined) return Promise.resolve(first);
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }

  async ask(octets: Uint8Array, to: Endpoint): Promise<Buffer> {
    this.send(octets, to);
    return (await this.next()).octets;
  }

  close(): void {
    this.socket.close();
  }
}

/** One query over TCP and its answer. */
export async function askTcp(octets: Uint8Array, { address, port }: Endpoint): Promise<Buffer> {
  const socket = connect(port, address);
  socket.write(Buffer.concat([Buffer.of(octets.length >> 8, octets.length & 255), octets]));
  let received = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, chunk]);
    if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) break;
  }
  socket.destroy();
  return received.subarray(2);
}

export const rcode = (octets: Buffer): number => octets[3] & 15;
export const answers = (octets: Buffer): number => octets.readUInt16BE(6);
export const isTruncated = (octets: Buffer): boolean => (octets[2] & 2) !== 0;
/** The last four octets: the address in an answer whose last record is an A record. */
export const lastAddress = (octets: Buffer): string => [...octets.subarray(-4)].join('.');
