import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ServerConfig } from '../../../config/types.ts';
import { clientAddress } from '../../../system/client-address.ts';
import { isMapped } from '../../../system/prefix.ts';
import { type Client, TRANSPORT } from '../../answer/front-end.ts';
import { EVENT, type Stats } from '../../stats.ts';
import type { Connection } from './connection.ts';
import { DnsStream, type StreamParts } from './stream.ts';
import { mayCarryTransfers, type TlsAcceptor } from './tls-acceptor.ts';

type Limits = Pick<ServerConfig, 'tcpIdleSeconds' | 'tcpMessageSeconds' | 'tcpConnections' | 'tcpConnectionsPerClient'>;

type Entry = { readonly client: string; readonly youngUntil: number; asked: boolean };

/**
 * A new connection is not closed for another one before its query had the time to come; with TLS, a handshake comes
 * first.
 */
const YOUNG_MS = 100;
const YOUNG_TLS_MS = 500;
/** How often waiting acceptors try again, besides when a connection closes. */
const RETRY_MS = 10;
/** Accepted connections that wait for room, where the system's queue cannot be used for it. */
const WAITING_MAX = 1024;

/**
 * All open connections of a thread, the longest quiet first, within the limits in all and per client (an IPv4 address
 * or an IPv6 /64). At the limit in all the longest quiet idle connection gives way to the new one (RFC 7766 §6.2.3), so
 * that holding connections open keeps nobody out. Where none may be closed, because each is at work or so young that
 * its query may still be on its way, new connections wait in the system's queue. A connection counts from its first
 * packet, so one that never finishes the handshake of TLS has no other limits than the rest.
 */
export class Connections {
  private readonly open = new Map<Connection, Entry>();
  private readonly perClient = new Map<string, number>();
  private readonly parts: StreamParts;
  private readonly stats: Stats;
  private limits: Limits;
  private readonly waiting: { readonly socket: Socket; readonly tls: Pick<TlsAcceptor, 'wrap'> | null }[] = [];
  private readonly waiters = new Set<() => void>();
  private retryTimer: NodeJS.Timeout | null = null;
  private retriesNow = false;
  private streams = 0;
  /** Lower than the limit where the process ran out of descriptors. */
  private ceiling = Number.POSITIVE_INFINITY;

  constructor(parts: StreamParts, stats: Stats, limits: Limits) {
    this.parts = parts;
    this.stats = stats;
    this.limits = limits;
  }

  get size(): number {
    return this.open.size;
  }

  /** How many of the open connections are sockets of Node's event loop. */
  get nodeStreams(): number {
    return this.streams;
  }

  configure(limits: Limits): void {
    this.limits = limits;
    this.ceiling = Number.POSITIVE_INFINITY;
  }

  /**
   * The process has no descriptor left, so probing and HTTP have none either: from now on there are `count` connections
   * fewer than now, at least one. Returns how many there may be. Another configuration ends it.
   */
  release(count: number): number {
    this.ceiling = Math.max(1, this.open.size - count);
    while (this.open.size > this.ceiling && this.evict());
    return this.ceiling;
  }

  private get most(): number {
    return Math.min(this.limits.tcpConnections, this.ceiling);
  }

  /** Whether one more connection may be opened, possibly in the place of an idle one. */
  hasCapacity(): boolean {
    return this.open.size < this.most || (this.open.size === this.most && this.toEvict() !== null);
  }

  /** Calls `retry` once when there may be room: a connection has closed, or a little time has passed. */
  awaitCapacity(retry: () => void): void {
    this.waiters.add(retry);
    this.retryTimer ??= setTimeout(() => this.retryWaiters(), RETRY_MS);
  }

  /**
   * Counts a new connection of this client, for which `hasCapacity` said there is room. Null: the client has too many, and
   * it must be closed; else what to hand to `add`.
   */
  enter(address: Uint8Array): string | null {
    const { counters } = this.stats;
    counters[EVENT.tcp_connections] += 1;
    const client = clientKey(address);
    if ((this.perClient.get(client) ?? 0) >= this.limits.tcpConnectionsPerClient) {
      counters[EVENT.tcp_refused] += 1;
      return null;
    }
    if (this.open.size >= this.most) this.evict();
    return client;
  }

  add(connection: Connection, client: string, tls: boolean): void {
    this.perClient.set(client, (this.perClient.get(client) ?? 0) + 1);
    const youngUntil = this.parts.now() + (tls ? YOUNG_TLS_MS : YOUNG_MS);
    this.open.set(connection, { client, youngUntil, asked: false });
  }

  /** A whole message has come: the connection was active last. */
  asked(connection: Connection): void {
    const entry = this.open.get(connection);
    if (entry === undefined) return;
    entry.asked = true;
    this.open.delete(connection);
    this.open.set(connection, entry);
  }

  remove(connection: Connection): void {
    const entry = this.open.get(connection);
    if (entry === undefined) return;
    this.open.delete(connection);
    const left = (this.perClient.get(entry.client) ?? 1) - 1;
    if (left === 0) this.perClient.delete(entry.client);
    else this.perClient.set(entry.client, left);
    if (this.waiters.size === 0 || this.retriesNow) return;
    this.retriesNow = true;
    setImmediate(() => this.retryWaiters());
  }

  /** Takes a socket that Node has accepted, over TLS where there is an acceptor, now or as soon as there is room. */
  accept(socket: Socket, tls: Pick<TlsAcceptor, 'wrap'> | null): void {
    this.waiting.push({ socket, tls });
    socket.on('error', () => {});
    this.takeWaiting();
    if (this.waiting.length <= WAITING_MAX) return;
    this.waiting.pop()?.socket.destroy();
    this.stats.counters[EVENT.tcp_connections] += 1;
    this.stats.counters[EVENT.tcp_refused] += 1;
  }

  /** Serves a client that was counted by `enter` on a socket of Node. */
  serve(socket: Socket, client: Client, key: string, tls: Pick<TlsAcceptor, 'wrap'> | null): void {
    const secured = tls === null ? null : tls.wrap(socket);
    const stream = this.streamOn(secured ?? socket, client);
    this.add(stream, key, tls !== null);
    if (secured !== null) this.awaitHandshake(secured, stream);
  }

  /**
   * A connection goes on as a socket of Node, with a message that `respond` calls NOT_PLAIN_QUERY and what was read
   * after it.
   */
  handOver(from: Connection, socket: Socket, client: Client, request: Uint8Array, rest: Uint8Array): void {
    const entry = this.open.get(from);
    if (entry === undefined) {
      socket.destroy();
      return;
    }
    const stream = this.streamOn(socket, client);
    this.open.delete(from);
    this.open.set(stream, entry);
    stream.begin(request, rest);
  }

  /** Closes what is overdue, or over a limit that was lowered. Called a few times a second. */
  sweep(): void {
    while (this.open.size > this.most && this.evict());
    const now = this.parts.now();
    const timeouts = { idle: this.limits.tcpIdleSeconds * 1000, message: this.limits.tcpMessageSeconds * 1000 };
    for (const connection of this.open.keys()) if (connection.isOverdue(now, timeouts)) connection.close();
  }

  /** Ends every connection after what is ready for it. */
  finish(): void {
    for (const { socket } of this.waiting.splice(0)) socket.destroy();
    for (const connection of this.open.keys()) connection.finish();
  }

  /** The longest quiet one that may be closed; null: each is at work or young. */
  private toEvict(): Connection | null {
    const now = this.parts.now();
    for (const [connection, { asked, youngUntil }] of this.open) {
      if (connection.isIdle && (asked || now >= youngUntil)) return connection;
    }
    return null;
  }

  /** False: none may be closed. */
  private evict(): boolean {
    const connection = this.toEvict();
    if (connection === null) return false;
    this.stats.counters[EVENT.tcp_evicted] += 1;
    this.remove(connection); // at once, or a burst of new ones would pick it again
    connection.close();
    return true;
  }

  private streamOn(socket: Socket, client: Client): DnsStream {
    const stream: DnsStream = new DnsStream(socket, client, this.parts, () => this.asked(stream));
    this.streams++;
    socket.on('close', () => {
      this.streams--;
      this.remove(stream);
    });
    return stream;
  }

  private awaitHandshake(socket: TLSSocket, stream: DnsStream): void {
    const { counters } = this.stats;
    stream.expectHandshake();
    socket.once('secure', () => {
      counters[EVENT.tls_handshakes] += 1;
      stream.client.carriesTransfers = mayCarryTransfers(socket);
      stream.handshakeDone();
    });
    socket.once('close', () => {
      if (stream.inHandshake) counters[EVENT.tls_failed] += 1;
    });
  }

  private retryWaiters(): void {
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    this.retryTimer = null;
    this.retriesNow = false;
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const retry of waiters) retry();
  }

  private readonly takeWaiting = (): void => {
    while (this.waiting.length > 0) {
      const [{ socket, tls }] = this.waiting;
      const { remoteAddress, remotePort = 0 } = socket;
      if (socket.destroyed || remoteAddress === undefined) {
        this.waiting.shift(); // gone already
        this.stats.counters[EVENT.tcp_connections] += 1;
        socket.destroy();
        continue;
      }
      if (!this.hasCapacity()) {
        this.awaitCapacity(this.takeWaiting);
        return;
      }
      this.waiting.shift();
      const transport = tls === null ? TRANSPORT.tcp : TRANSPORT.tls;
      const client: Client = { transport, address: clientAddress(remoteAddress), port: remotePort };
      const key = this.enter(client.address);
      if (key === null) socket.destroy();
      else this.serve(socket, client, key, tls);
    }
  };
}

function clientKey(address: Uint8Array): string {
  return Buffer.from(isMapped(address) ? address.subarray(12) : address.subarray(0, 8)).toString('latin1');
}
