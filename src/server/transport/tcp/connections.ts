import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ServerConfig } from '../../../config/types.ts';
import { clientAddress } from '../../../system/client-address.ts';
import { type Client, TRANSPORT } from '../../answer/front-end.ts';
import { EVENT, type Stats } from '../../stats.ts';
import { DnsStream, type StreamParts } from './stream.ts';
import { mayCarryTransfers, type TlsAcceptor } from './tls-acceptor.ts';

type Limits = Pick<ServerConfig, 'tcpIdleSeconds' | 'tcpMessageSeconds' | 'tcpConnections' | 'tcpConnectionsPerClient'>;

/**
 * All open connections of a thread, the longest quiet first, within the limits in all and per client (an IPv4 address
 * or an IPv6 /64). At the limit in all the longest quiet idle connection gives way to the new one (RFC 7766 §6.2.3), so
 * that holding connections open keeps nobody out. A connection counts from its first packet, so one that never finishes
 * the handshake of TLS has no other limits than the rest.
 */
export class Connections {
  private readonly open = new Set<DnsStream>();
  private readonly perClient = new Map<string, number>();
  private readonly parts: StreamParts;
  private readonly stats: Stats;
  private limits: Limits;

  constructor(parts: StreamParts, stats: Stats, limits: Limits) {
    this.parts = parts;
    this.stats = stats;
    this.limits = limits;
  }

  get size(): number {
    return this.open.size;
  }

  configure(limits: Limits): void {
    this.limits = limits;
  }

  /** Serves an accepted socket, over TLS where there is a `door`, or closes it where a limit says so. */
  accept(socket: Socket, door: Pick<TlsAcceptor, 'enter'> | null): void {
    const { counters } = this.stats;
    counters[EVENT.tcp_connections] += 1;
    if (socket.remoteAddress === undefined) {
      socket.destroy(); // gone already
      return;
    }
    const client: Client = {
      transport: door === null ? TRANSPORT.tcp : TRANSPORT.tls,
      address: clientAddress(socket.remoteAddress),
      port: socket.remotePort ?? 0,
    };
    const key = clientKey(client.address);
    const held = this.perClient.get(key) ?? 0;
    if (held >= this.limits.tcpConnectionsPerClient || !this.makeRoom()) {
      counters[EVENT.tcp_refused] += 1;
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    this.perClient.set(key, held + 1);
    const secured = door === null ? null : door.enter(socket);
    const stream: DnsStream = new DnsStream(secured ?? socket, client, this.parts, () => {
      this.open.delete(stream); // to the end: it was active last
      this.open.add(stream);
    });
    this.open.add(stream);
    stream.socket.on('close', () => this.forget(stream, key));
    if (secured !== null) this.awaitHandshake(secured, stream);
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

  /** Closes what is overdue. Called a few times a second. */
  sweep(): void {
    const now = this.parts.now();
    const timeouts = { idle: this.limits.tcpIdleSeconds * 1000, message: this.limits.tcpMessageSeconds * 1000 };
    for (const stream of this.open) if (stream.isOverdue(now, timeouts)) stream.socket.destroy();
  }

  /** Ends every connection after what is ready for it. */
  finish(): void {
    for (const stream of this.open) stream.finish();
  }

  private makeRoom(): boolean {
    if (this.open.size < this.limits.tcpConnections) return true;
    for (const stream of this.open) {
      if (!stream.isIdle || stream.socket.destroyed) continue;
      this.open.delete(stream); // at once, or a burst of new ones would pick it again
      stream.socket.destroy();
      return true;
    }
    return false;
  }

  private forget(stream: DnsStream, key: string): void {
    this.open.delete(stream);
    const left = (this.perClient.get(key) ?? 1) - 1;
    if (left === 0) this.perClient.delete(key);
    else this.perClient.set(key, left);
  }
}

function clientKey(address: Uint8Array): string {
  const mapped = address[10] === 0xff && address[11] === 0xff && address.subarray(0, 10).every((octet) => octet === 0);
  return Buffer.from(mapped ? address.subarray(12) : address.subarray(0, 8)).toString('latin1');
}
