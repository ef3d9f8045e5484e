import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { loadSyscalls } from '../../../system/syscalls.ts';
import type { DnsMessage, ThreadSocket } from '../threads/protocol.ts';
import { startThread } from '../threads/thread.ts';
import { Connections } from './connections.ts';
import { MessageTurns } from './message-turns.ts';
import { NativeServer } from './native-server.ts';
import { OpenDescriptors } from './open-descriptors.ts';
import { type StreamParts, streamOutput } from './stream.ts';
import { TlsAcceptor } from './tls-acceptor.ts';

const SWEEP_MS = 100;
const BACKLOG = 1024;
const EARLY_MAX = 256;
const STOP_MS = 500; // for answers on their way, when the server stops

/** Thread entry: answers TCP and TLS on the sockets in its data, until the main thread says stop. */
const thread = startThread();
const { data, port, responder, nonPlain, stats, tap } = thread;
const stream: StreamParts = {
  responder,
  nonPlain,
  stats,
  reportBug: thread.reportBug,
  now: () => performance.now(),
  out: streamOutput(),
  turns: new MessageTurns(),
  tap,
};
const connections = new Connections(stream, stats, data.server);
const tls = data.tls === null ? null : new TlsAcceptor(data.tls);

/** What accepts; `native` on sockets of the main thread, else servers of Node on their own. */
let native: NativeServer | null = null;
const servers: Server[] = [];
/** Connections to servers of Node that came before the thread was to answer. */
const early: { readonly socket: Socket; readonly tls: TlsAcceptor | null }[] = [];
let begun = false;
let sweeper: NodeJS.Timeout | undefined;

thread.onMessage = (message) => {
  if (message.kind === 'settings') connections.configure(message.server);
  if (message.kind === 'tls') tls?.configure(message.tls);
  if (!thread.take(message)) stop();
};
port.on('message', (message: DnsMessage) => thread.onMessage(message));

const sys = data.descriptors === null ? 'no sockets were opened for it' : await loadSyscalls();
if (data.descriptors !== null && typeof sys !== 'string') {
  thread.report({ kind: 'bound', endpoints: data.sockets.map(({ endpoint }) => endpoint) });
  if (await thread.begun) {
    const descriptors = new OpenDescriptors(data.descriptors);
    native = NativeServer.start(sys, data.sockets, { connections, stream, tls, descriptors, warn });
    answering();
  }
} else {
  servers.push(...(await thread.bindAll((socket) => listen(socket))));
  if (await thread.begun) answering();
}

function warn(message: string): void {
  thread.report({ kind: 'log', level: 'warn', message: `${data.name}: ${message}` });
}

function answering(): void {
  begun = true;
  for (const { socket, tls } of early.splice(0)) connections.accept(socket, tls);
  sweeper = setInterval(() => connections.sweep(), SWEEP_MS);
  thread.report({ kind: 'answering' });
}

async function listen({ endpoint, tls: secured }: ThreadSocket): Promise<Server> {
  // Half-open: a peer that has sent its last query still waits for the answer (RFC 7766 section 6.2.4).
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (begun) connections.accept(socket, secured ? tls : null);
    else if (early.length < EARLY_MAX) early.push({ socket, tls: secured ? tls : null });
    else socket.destroy();
  });
  server.listen({ host: endpoint.address, port: endpoint.port, backlog: BACKLOG, ipv6Only: true });
  await once(server, 'listening');
  server.on('error', (error) => {
    warn(`accepting failed: ${error.message}`);
  });
  return server;
}

function stop(): void {
  clearInterval(sweeper);
  native?.stopAccepting();
  for (const server of servers) server.close();
  for (const { socket } of early.splice(0)) socket.destroy();
  connections.finish();
  const started = performance.now();
  const wait = setInterval(() => {
    if (connections.size > 0 && performance.now() - started < STOP_MS) return;
    clearInterval(wait);
    native?.close();
    process.exit(0); // of this thread; peers that still do not read are cut off
  }, 10);
}
