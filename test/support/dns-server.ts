import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ServerConfig } from '../../src/config/types.ts';
import { LiveSlots } from '../../src/live/slots.ts';
import { NO_TRANSFERS, type ThreadHistory, type ThreadTransfer } from '../../src/server/transfer/handler-types.ts';
import { DnsThreads } from '../../src/server/transport/threads/dns-threads.ts';
import type { Endpoint } from '../../src/system/address.ts';
import { decodeMessage, type Message } from './dns-message.ts';
import { encodeQuery, type QuerySpec } from './dns-query.ts';
import { PLAIN_SERVER, SLOTS } from './dns-responder.ts';
import { type ZoneSpec, zoneUpdate } from './zone-images.ts';

const SENTINEL = { name: 'sentinel.invalid', id: 0xfeed };

/**
 * The server under test, over real sockets: our own threads, or with EDGEWISE_TEST_SERVER=ADDRESS:PORT whatever listens
 * there with the same zones.
 */
export class DnsServer {
  readonly endpoint: Endpoint;
  readonly slots: LiveSlots;
  private readonly threads: DnsThreads | null;

  private constructor(endpoint: Endpoint, slots: LiveSlots, threads: DnsThreads | null) {
    this.endpoint = endpoint;
    this.slots = slots;
    this.threads = threads;
  }

  static async start(
    zones: readonly ZoneSpec[],
    server: Partial<ServerConfig> = {},
    transfer: ThreadTransfer = NO_TRANSFERS,
  ): Promise<DnsServer> {
    const slots = LiveSlots.create(SLOTS);
    const other = process.env['EDGEWISE_TEST_SERVER'];
    if (other !== undefined) {
      const [address, port] = other.split(':');
      return new DnsServer({ address, port: Number(port) }, slots, null);
    }
    const threads = await DnsThreads.start({
      server: { ...PLAIN_SERVER, listen: [{ address: '127.0.0.1', port: 0 }], ...server },
      transfer,
      slots: slots.shared,
      networks: 2,
      updates: zones.map((zone, number) => zoneUpdate(zone, number)),
      log: () => {},
    });
    if (!(threads instanceof DnsThreads)) throw new Error(threads.message);
    return new DnsServer(threads.endpoints[0], slots, threads);
  }

  /** Tells the threads what happened to zones before. */
  async tell(history: ThreadHistory): Promise<void> {
    this.threads?.sendHistory(history);
    await this.threads?.settled();
  }

  /** Resolves when every thread serves these, numbered as at the start. */
  async serve(zones: readonly ZoneSpec[]): Promise<void> {
    this.threads?.send(zones.map((zone, number) => zoneUpdate(zone, number)));
    await this.threads?.settled();
  }

  async stop(): Promise<void> {
    await this.threads?.stop();
  }

  async ask(spec: QuerySpec, transport: 'udp' | 'tcp' = 'udp'): Promise<Message> {
    const octets = await this.exchange(encodeQuery(spec), transport);
    if (octets === null) throw new Error('no reply');
    return decodeMessage(octets);
  }

  /** The reply to some octets; null when there is none (over TCP: the connection was closed). */
  async exchange(octets: Uint8Array, transport: 'udp' | 'tcp' = 'udp'): Promise<Uint8Array | null> {
    return transport === 'udp' ? this.exchangeUdp(octets) : this.exchangeTcp(octets);
  }

  /** A second query on the same socket tells that there is no reply to the first: one thread answers in order. */
  private async exchangeUdp(octets: Uint8Array): Promise<Uint8Array | null> {
    const { address, port } = this.endpoint;
    const socket = createSocket('udp4');
    try {
      socket.connect(port, address);
      await once(socket, 'connect');
      socket.send(octets);
      socket.send(encodeQuery(SENTINEL));
      const [reply] = (await once(socket, 'message')) as [Buffer];
      return isSentinel(reply) ? null : new Uint8Array(reply);
    } finally {
      socket.close();
    }
  }

  private async exchangeTcp(octets: Uint8Array): Promise<Uint8Array | null> {
    const stream = await TcpClient.open(this.endpoint);
    try {
      stream.send(octets);
      return await stream.next();
    } finally {
      stream.close();
    }
  }
}

function isSentinel(octets: Uint8Array): boolean {
  return ((octets[0] << 8) | octets[1]) === SENTINEL.id;
}

/** One TCP connection of a client, or what runs over it. */
export class TcpClient {
  readonly socket: Socket;
  private readonly chunks: AsyncIterator<Buffer>;
  private received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    this.chunks = (socket as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  static async open({ address, port }: Endpoint): Promise<TcpClient> {
    const socket = connect(port, address);
    socket.setNoDelay(true);
    await once(socket, 'connect');
    return new TcpClient(socket);
  }

  /** On a connection that is open. */
  static over(socket: Socket): TcpClient {
    return new TcpClient(socket);
  }

  /** One message with its length before it. */
  send(octets: Uint8Array): void {
    this.socket.write(framed(octets));
  }

  /** The next whole message; null when the connection ended. */
  async next(): Promise<Uint8Array | null> {
    while (this.received.length < 2 || this.received.length < 2 + this.received.readUInt16BE(0)) {
      const chunk = await this.chunks.next().catch(() => ({ done: true as const, value: undefined }));
      if (chunk.done === true) return null;
      this.received = Buffer.concat([this.received, chunk.value]);
    }
    const end = 2 + this.received.readUInt16BE(0);
    const message = new Uint8Array(this.received.subarray(2, end));
    this.received = this.received.subarray(end);
    return message;
  }

  close(): void {
    this.socket.destroy();
  }
}

export function framed(octets: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(octets.length >> 8, octets.length & 255), octets]);
}
