import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';

/** The part of a server, of whatever protocol, that listens. */
type Listener = Pick<Server, 'on' | 'once' | 'listen' | 'address' | 'close'>;

/** A server at a free port of 127.0.0.1. `close`: with every connection, at once. */
export async function listenOnLoopback(
  server: Listener,
): Promise<{ readonly port: number; readonly close: () => void }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server as Server, 'listening');
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, close };
}
