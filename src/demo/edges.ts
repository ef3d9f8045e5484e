/**
 * The demo's web servers, in a process of their own so that their hiccups are not the prober's: one address of
 * 127.0.0.0/8 each, all on one port. Started by `edgewise demo` with the port and the object as arguments; says `ready`
 * to its parent, which may let somebody's line to them break, and stops with it.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import { DEMO_EDGES, type DemoEdge } from './layout.ts';

const [portText, body] = process.argv.slice(2);
const port = Number(portText);
/** Who cannot reach the edges at present. */
let broken: string | null = null;
process.on('message', ({ from }: { readonly kind: 'broken'; readonly from: string | null }) => {
  broken = from;
});

function handler(edge: DemoEdge): RequestListener {
  const content = edge.kind === 'tampered' ? `${body}<!-- not what it should be -->` : body;
  const delayMs = edge.kind === 'slow' ? 900 : 10 + Math.random() * 40;
  return (_request, response) => {
    setTimeout(() => response.writeHead(200, { 'content-type': 'text/plain' }).end(content), delayMs);
  };
}

function listen(edge: DemoEdge): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(handler(edge));
    server.on('connection', (socket) => {
      if (broken !== null && socket.remoteAddress === broken) socket.resetAndDestroy();
    });
    server.once('error', reject);
    server.listen(port, edge.address, () => resolve(server));
  });
}

/** Half a minute to a minute and a half between changes, never the same rhythm twice. */
function liveAndDie(edge: DemoEdge, server: Server | null): void {
  const wait = 30_000 + Math.random() * 60_000;
  setTimeout(() => {
    if (server === null) {
      // Should the address be taken meanwhile, it stays dead until the next time.
      void listen(edge).then(
        (next) => liveAndDie(edge, next),
        () => liveAndDie(edge, null),
      );
    } else {
      server.close();
      server.closeAllConnections();
      liveAndDie(edge, null);
    }
  }, wait).unref();
}

process.on('disconnect', () => process.exit(0));
// Ctrl-C goes to the whole process group; the parent decides when this process ends.
process.on('SIGINT', () => undefined);

try {
  for (const edge of DEMO_EDGES) {
    const server = await listen(edge);
    if (edge.kind === 'mortal') liveAndDie(edge, server);
  }
  process.send?.({ kind: 'ready' });
} catch (error) {
  process.send?.({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
}
