import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../../src/system/address.ts';
import { freePort } from './ports.ts';

/** `pass`: as if it was not there. `hang`: takes everything, says nothing. `garbage`: says what nobody understands. */
export type ProxyMode = 'pass' | 'refuse' | 'hang' | 'garbage';

/** In DNS over TCP a whole message of 64 octets that mean nothing, in HTTP nothing at all. */
function garbage(): Buffer {
  return Buffer.concat([Buffer.from([0, 64]), randomBytes(64)]);
}

/** Stands between a client and a server, and can break the way between them. */
export class TcpProxy {
  readonly port: number;
  private readonly to: Endpoint;
  private readonly address: string;
  private mode: ProxyMode = 'pass';
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();

  private constructor(to: Endpoint, address: string, port: number) {
    this.to = to;
    this.address = address;
    this.port = port;
  }

  static async start(to: Endpoint, address = '127.0.0.1'): Promise<TcpProxy> {
    const proxy = new TcpProxy(to, address, await freePort(address));
    await proxy.listen();
    return proxy;
  }

  /** Ends the connections there are. */
  async set(mode: ProxyMode): Promise<void> {
    await this.stop();
    this.mode = mode;
    if (mode !== 'refuse') await this.listen();
  }

  async stop(): Promise<void> {
    const { server } = this;
    this.server = null;
    for (const socket of this.sockets) socket.destroy();
    if (server === null) return;
    const closed = once(server, 'close');
    server.close();
    await closed;
  }

  private async listen(): Promise<void> {
    const server = createServer((socket) => this.serve(socket));
    this.server = server;
    server.listen(this.port, this.address);
    await once(server, 'listening');
  }

  private serve(client: Socket): void {
    this.keep(client);
    if (this.mode === 'hang') client.resume();
    else if (this.mode === 'garbage') client.once('data', () => client.end(garbage()));
    else {
      const upstream = connect(this.to.port, this.to.address);
      this.keep(upstream);
      client.pipe(upstream).pipe(client);
      client.on('close', () => upstream.destroy());
      upstream.on('close', () => client.destroy());
    }
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
  }
}
