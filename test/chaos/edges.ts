import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../support/ports.ts';

/** Web servers on one port of several addresses, each of which can be dead for those who ask from certain addresses. */
export class Edges {
  readonly addresses: readonly string[];
  readonly port: number;
  private readonly servers: readonly Server[];
  private readonly sockets = new Set<Socket>();
  /** `edge from` of what is dead. */
  private readonly dead = new Set<string>();

  private readonly counts = new Map<string, number>();

  private constructor(addresses: readonly string[], port: number, body: string) {
    this.addresses = addresses;
    this.port = port;
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
    this.servers = addresses.map((edge) => createServer((socket) => this.serve(edge, socket, answer)));
  }

  static async start(addresses: readonly string[], body: string): Promise<Edges> {
    const edges = new Edges(addresses, await freePort(addresses[0]), body);
    for (const [i, server] of edges.servers.entries()) {
      server.listen(edges.port, addresses[i]);
      await once(server, 'listening');
    }
    return edges;
  }

  /** From now on, for those who ask from these addresses. */
  die(edge: string, from: readonly string[]): void {
    for (const address of from) this.dead.add(`${edge} ${address}`);
  }

  revive(edge: string, from: readonly string[]): void {
    for (const address of from) this.dead.delete(`${edge} ${address}`);
  }

  /** How often it was asked from there so far. */
  asked(edge: string, from: string): number {
    return this.counts.get(`${edge} ${from}`) ?? 0;
  }

  close(): void {
    for (const server of this.servers) server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private serve(edge: string, socket: Socket, answer: string): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    const who = `${edge} ${socket.remoteAddress}`;
    this.counts.set(who, (this.counts.get(who) ?? 0) + 1);
    if (this.dead.has(who)) socket.resetAndDestroy();
    else socket.once('data', () => socket.end(answer));
  }
}
