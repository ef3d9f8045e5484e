import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import type { Endpoint } from '../../system/address.ts';
import type { Guard } from '../../system/guard.ts';

/** A socket, and so its port, is used for so long, lest somebody who cannot see it has time to guess the port. */
const SOCKET_MS = 30_000;

type Waiting = { readonly take: (octets: Uint8Array) => void; readonly fail: (error: Error) => void };
type Channel = {
  readonly socket: Socket;
  readonly connected: Promise<unknown>;
  /** When it is too old for new queries, milliseconds of a steady clock. */
  readonly until: number;
  readonly waiting: Map<number, Waiting>;
};

/**
 * Queries to one server over UDP, many at a time through one socket that the kernel lets nobody else write to. Answers
 * belong to their query by a random identifier.
 */
export class UdpClient {
  private readonly to: Endpoint;
  private readonly guard: Guard;
  private readonly open = new Set<Channel>();
  private current: Channel | null = null;

  constructor(to: Endpoint, guard: Guard) {
    this.to = to;
    this.guard = guard;
  }

  /**
   * Resolves with what `read` makes of an answer; null from it: something else, the query goes on waiting. Rejects when
   * nothing comes within `timeoutMs`, or nobody listens there.
   */
  ask<T>(
    query: (id: number) => Uint8Array,
    read: (octets: Uint8Array, id: number) => T | null,
    timeoutMs: number,
  ): Promise<T> {
    const channel = this.channel();
    const { socket, waiting } = channel;
    let id = randomInt(65_536);
    while (waiting.has(id)) id = (id + 1) & 0xffff; // far fewer are waiting
    return new Promise<T>((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        waiting.delete(id);
        if (waiting.size === 0 && channel !== this.current) this.close(channel);
      };
      const fail = (error: Error): void => {
        done();
        reject(error);
      };
      const take = (octets: Uint8Array): void => {
        const result = read(octets, id);
        if (result === null) return;
        done();
        resolve(result);
      };
      waiting.set(id, { take, fail });
      const late = this.guarded(() => fail(new Error('no answer over UDP')));
      const timer = setTimeout(late, timeoutMs);
      const send = (): void => {
        if (!waiting.has(id)) return; // the socket has failed
        const sent = this.guarded((error: Error | null) => {
          if (error !== null) fail(new Error(`UDP: ${error.message}`));
        });
        socket.send(query(id), sent);
      };
      this.guard.run('serial over UDP', channel.connected.then(send));
    });
  }

  /** Whoever waits gets no answer. */
  stop(): void {
    for (const channel of [...this.open]) this.end(channel, new Error('stopped'));
  }

  private channel(): Channel {
    const now = performance.now();
    if (this.current !== null && now < this.current.until) return this.current;
    const before = this.current;
    const { address, port } = this.to;
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const connected = new Promise((resolve) =>
      socket.once(
        'connect',
        this.guarded(() => resolve(null)),
      ),
    );
    const channel: Channel = { socket, connected, until: now + SOCKET_MS, waiting: new Map() };
    // Such as "connection refused": nobody listens there, for any of the queries.
    socket.on(
      'error',
      this.guarded((error: Error) => this.end(channel, new Error(`UDP: ${error.message}`))),
    );
    socket.on(
      'message',
      this.guarded((octets: Buffer) => {
        if (octets.length >= 2) channel.waiting.get(octets.readUInt16BE(0))?.take(octets);
      }),
    );
    socket.connect(port, address);
    this.open.add(channel);
    this.current = channel;
    if (before !== null && before.waiting.size === 0) this.close(before);
    return channel;
  }

  private end(channel: Channel, error: Error): void {
    if (this.current === channel) this.current = null;
    for (const { fail } of [...channel.waiting.values()]) fail(error);
    this.close(channel);
  }

  private guarded<Args extends readonly unknown[]>(work: (...args: Args) => void): (...args: Args) => void {
    return this.guard.protect('serial over UDP', work);
  }

  private close(channel: Channel): void {
    if (this.open.delete(channel)) this.guard.run('serial over UDP', () => channel.socket.close());
  }
}
