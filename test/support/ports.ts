import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/**
 * Below the ports that Linux gives to clients by itself (32768 and up), so that no query's or connection's own end takes
 * a port between the moment it is found and the moment a server binds it.
 */
const FIRST = 10_240;
const COUNT = 22_000;
/** Test files that run at once take different ports: each worker has its own residue. */
const WORKERS = 16;
const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % WORKERS;
const given = new Set<number>();

/** A port that is free for TCP and UDP on `address`, and that no other test of this run gets. */
export async function freePort(address = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor((Math.random() * COUNT) / WORKERS) * WORKERS + worker;
    if (given.has(port)) continue;
    given.add(port);
    if ((await tcpFree(address, port)) && (await udpFree(address, port))) return port;
  }
}

function tcpFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}

function udpFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, address, () => socket.close(() => resolve(true)));
  });
}
