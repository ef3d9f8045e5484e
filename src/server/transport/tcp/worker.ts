import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { DnsMessage, ThreadSocket } from '../threads/protocol.ts';
import { startThread } from '../threads/thread.ts';
import { Connections } from './connections.ts';
import { type StreamParts, streamOutput } from './stream.ts';
import { TlsAcceptor } from './tls-acceptor.ts';

const SWEEP_MS = 100;
const BACKLOG = 1024;
const STOP_MS = 500; // for answers on their way, when the server stops

/** Thread entry: answers TCP and TLS on the sockets in its data, until the main thread says stop. */
const thread = startThread();
const { data, port, responder, special, stats } = thread;
const parts: StreamParts = {
  responder,
  special,
  reportBug: thread.reportBug,
  now: () => performance.now(),
  out: streamOutput(),
};
const connections = new Connections(parts, stats, data.server);
const door = data.tls === null ? null : new TlsAcceptor(data.tls);

const servers: Server[] = [];
let sweeper: NodeJS.Timeout | undefined;

thread.onMessage = (message) => {
  if (message.kind === 'settings') connections.configure(message.server);
  if (message.kind === 'tls') door?.configure(message.tls);
  if (!thread.take(message)) stop();
};
port.on('message', (message: DnsMessage) => thread.onMessage(message));

if (await thread.begun) {
  servers.push(...(await thread.listenAll((socket) => listen(socket))));
  sweeper = setInterval(() => connections.sweep(), SWEEP_MS);
} else {
  // These are ours, and no server closes them.
  for (const { fd } of data.sockets) if (fd !== null) closeSync(fd);
}

/** A `node:net` server on an endpoint, on the main thread's socket where it opened one. */
async function listen({ endpoint, fd, tls }: ThreadSocket): Promise<Server> {
  // Half-open: a peer that has sent its last query still waits for the answer (RFC 7766 section 6.2.4).
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
    connections.accept(socket, tls ? door : null),
  );
  if (fd !== null) server.listen({ fd });
  else server.listen({ host: endpoint.address, port: endpoint.port, backlog: BACKLOG, ipv6Only: true });
  await once(server, 'listening');
  server.on('error', (error) => {
    thread.report({ kind: 'log', level: 'warn', message: `${data.name}: accepting failed: ${error.message}` });
  });
  return server;
}

function stop(): void {
  clearInterval(sweeper);
  for (const server of servers) server.close();
  connections.finish();
  const started = performance.now();
  const wait = setInterval(() => {
    if (connections.size > 0 && performance.now() - started < STOP_MS) return;
    clearInterval(wait);
    thread.stopped();
    process.exit(0); // of this thread: whoever still does not read is cut off
  }, 10);
}
