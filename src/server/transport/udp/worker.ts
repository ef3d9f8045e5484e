import { setImmediate as nextTurn } from 'node:timers/promises';
import { receiveMessageOnPort } from 'node:worker_threads';
import { loadSyscalls } from '../../../system/syscalls.ts';
import type { DnsMessage } from '../threads/protocol.ts';
import { startThread } from '../threads/thread.ts';
import { serveNative } from './native.ts';
import { limiterOf, PacketAnswerer } from './packet-answerer.ts';
import { openPortable } from './portable.ts';

/** Thread entry: answers UDP on the sockets in its data, until the main thread says stop. */
const thread = startThread();
const { data, port, responder, nonPlain, stats, tap } = thread;
const answerer = new PacketAnswerer({
  responder,
  nonPlain,
  stats,
  limiter: limiterOf(data.server.rateLimit, data.rateLimit),
  report: thread.reportBug,
});

/** Once the thread is to stop. */
let over = false;
thread.onMessage = (message) => {
  if (message.kind === 'settings') answerer.setLimiter(limiterOf(message.server.rateLimit, message.rateLimit));
  if (!thread.take(message)) over = true;
};

port.on('message', (message: DnsMessage) => thread.onMessage(message));

const sys = data.sockets.every(({ fd }) => fd !== null) ? await loadSyscalls() : 'no sockets were opened for it';
if (typeof sys !== 'string') {
  thread.report({ kind: 'bound', endpoints: data.sockets.map(({ endpoint }) => endpoint) });
  if (await thread.begun) {
    await nextTurn(); // off the port's own stack, for the loop below reads it and does not come back
    thread.report({ kind: 'answering' });
    const messageCount = new Int32Array(data.messageCount);
    serveNative(sys, data.sockets, { answerer, stats, tap, messageCount }, readMessages);
  }
  end([]);
} else {
  const sockets = await thread.bindAll(({ endpoint }) => openPortable(endpoint, { answerer, stats, tap }));
  if (await thread.begun) {
    for (const socket of sockets) socket.begin();
    thread.report({ kind: 'answering' });
    const { onMessage } = thread;
    thread.onMessage = (message) => {
      onMessage(message);
      if (over) end(sockets);
    };
  }
  if (over) end(sockets);
}

/** Takes in every message that waits. False: the thread is to stop. */
function readMessages(): boolean {
  for (;;) {
    const next = receiveMessageOnPort(port);
    if (next === undefined || over) return !over;
    thread.onMessage(next.message as DnsMessage);
  }
}

function end(sockets: readonly { close(): void }[]): void {
  for (const socket of sockets) socket.close();
  port.close();
}
