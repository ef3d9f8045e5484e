/** HTTP: health, metrics, API and pages. Bounded in everything that a client could make expensive. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { hostname } from 'node:os';
import type { Endpoint } from '../../../system/address.ts';
import { endpointText } from '../../../system/address.ts';
import { descriptorLimit, descriptorLimitNow } from '../../../system/descriptors.ts';
import { bugText } from '../../../system/error-text.ts';
import type { Fault } from '../../../system/fault.ts';
import type { Guard } from '../../../system/guard.ts';
import type { Log } from '../../../system/log-events.ts';
import { createMetrics } from '../metrics/metrics.ts';
import type { StatusView } from '../views/views.ts';
import { type AccessPolicy, READ_ONLY } from './access.ts';
import { readBody } from './body.ts';
import { CONNECTIONS_MIN, Connections, httpConnections } from './connections.ts';
import type { ControlActions } from './control-actions.ts';
import { dispatch, type Site } from './dispatch.ts';
import { isOwnHost } from './hosts.ts';
import { MeteredStream } from './metered-stream.ts';
import type { AnyOperation, Reply, Request, StreamReply } from './operation.ts';
import { problem } from './problem.ts';
import { Refusals } from './refusals.ts';
import { Renderer } from './renderer.ts';
import { Router } from './router.ts';
import { send, stream } from './send.ts';
import { targetOf } from './target.ts';
import type { TlsFront } from './tls-front.ts';

const HEADERS_MS = 5_000; // for a request's header to arrive
const REQUEST_MS = 10_000; // for all of it
const SILENCE_MS = 10_000; // of a connection, reading or writing; Node lets a stuck write have it twice
const KEEP_ALIVE_MS = 10_000;
const HEADER_OCTETS = 8192;
const REQUESTS_PER_CONNECTION = 1000;

export type HttpFault = Fault<'address-in-use' | 'listen-failed'>;

/** How often the limit of descriptors is looked at, milliseconds. */
const LIMIT_MS = 1000;

export type HttpOptions = {
  readonly endpoint: Endpoint;
  /** Names besides addresses, names of one label and the machine's own under which it may be asked. */
  readonly hosts: readonly string[];
  readonly view: StatusView;
  readonly operations: readonly AnyOperation[];
  /** Left out: nothing can be changed. */
  readonly actions?: ControlActions;
  /** Left out: everybody reads, nobody changes anything. */
  readonly access?: AccessPolicy;
  /** Left out: in the clear. */
  readonly tls?: TlsFront;
  /** Counts what is refused. */
  readonly refusals?: Refusals;
  /** Connections at most; left out: as many as there are descriptors for. */
  readonly connections?: number;
  readonly log: Log;
  /** Around what the event loop calls. */
  readonly guard: Guard;
};

export type HttpStart =
  | { readonly ok: true; readonly http: HttpServer }
  | { readonly ok: false; readonly fault: HttpFault };

/** Listens, or says in one fault why not. `endpoint.port` 0: any free port; see `HttpServer.endpoint`. */
export function startHttp(options: HttpOptions): Promise<HttpStart> {
  const { endpoint, hosts, view, operations, connections: most, log, guard } = options;
  const site: Site = {
    sources: { view, metrics: createMetrics(view), actions: options.actions ?? null },
    router: new Router(operations),
    access: options.access ?? READ_ONLY,
    lanes: { health: new Renderer(guard), rest: new Renderer(guard) },
  };
  const names = new Set([hostname(), ...hosts].map((name) => name.toLowerCase().replace(/\.$/, '')));
  const connections: Connections = new Connections(
    async (request, response, isLast) => {
      const reply = await answer(request, { site, names, refusals, log });
      if (!('stream' in reply)) {
        send(request, response, reply, isLast);
        return;
      }
      connections.markEndless(request.socket);
      stream(request, response, reply, guard);
    },
    guard,
    most ?? httpConnections(descriptorLimit()),
  );
  const refusals = options.refusals ?? new Refusals();
  const guarded = <Args extends readonly unknown[]>(work: (...args: Args) => unknown) => guard.protect('http', work);
  const server = createServer(
    {
      maxHeaderSize: HEADER_OCTETS,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // How late a timeout may strike.
      connectionsCheckingInterval: 1000,
    },
    guarded((request: IncomingMessage, response: ServerResponse) => connections.request(request, response)),
  );
  if (most === undefined) {
    // The limit may be lowered under a running server, whose idle HTTP clients must not keep DNS from its share.
    const timer = setInterval(
      guarded(() => {
        const limit = descriptorLimitNow();
        if (limit !== null) connections.limit(limit === 'exhausted' ? CONNECTIONS_MIN : httpConnections(limit));
      }),
      LIMIT_MS,
    );
    timer.unref();
    server.once(
      'close',
      guarded(() => clearInterval(timer)),
    );
  }
  server.timeout = SILENCE_MS;
  meter(server, guard, (stream) => connections.add(stream), options.tls);
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
  server.on(
    'clientError',
    guarded((error: Error, socket: Socket) => {
      refusals.add('malformed');
      refuseClient(error, socket);
    }),
  );
  // Without a listener the connection would end without a word.
  server.on(
    'connect',
    guarded((_request: IncomingMessage, socket: Socket) =>
      endWith(socket, '405 Method Not Allowed\r\nallow: GET, HEAD'),
    ),
  );
  return new Promise((resolve) => {
    server.once('error', (error) => resolve({ ok: false, fault: listenFault(endpoint, error) }));
    server.listen({ host: endpoint.address, port: endpoint.port }, () => {
      server.removeAllListeners('error');
      server.on(
        'error',
        guarded((error: Error) => log('error', `http: ${error.message}`, 'http.failed')),
      );
      const bound = server.address();
      const port = bound !== null && typeof bound === 'object' ? bound.port : endpoint.port;
      resolve({ ok: true, http: new HttpServer(server, connections, { address: endpoint.address, port }) });
    });
  });
}

/**
 * Has the server read each connection through a `MeteredStream`, which `onConnection` gets as well: before the handshake
 * where there is TLS, so that those who never end one are counted among the others.
 */
export function meter(
  server: Server,
  guard: Guard,
  onConnection: (stream: MeteredStream) => void,
  tls: TlsFront | null = null,
): void {
  const serve = server.listeners('connection');
  server.removeAllListeners('connection');
  const accept = guard.protect('http', (socket: Socket) => {
    const stream = new MeteredStream(socket, guard, tls !== null);
    for (const listener of serve) listener.call(server, stream);
    onConnection(stream);
    if (tls !== null && !stream.destroyed) guard.run('http', secure(tls, socket, stream));
  });
  server.on('connection', accept);
}

async function secure(tls: TlsFront, socket: Socket, stream: MeteredStream): Promise<void> {
  const secured = await tls.secure(socket);
  if (secured !== null) stream.secure(secured);
}

export class HttpServer {
  /** Where it listens, with the port that was chosen. */
  readonly endpoint: Endpoint;
  private readonly server: Server;
  private readonly connections: Connections;

  constructor(server: Server, connections: Connections, endpoint: Endpoint) {
    this.server = server;
    this.connections = connections;
    this.endpoint = endpoint;
  }

  /** Who may do what has changed: whoever follows what goes on has to ask anew. */
  accessChanged(): void {
    this.connections.endStreams();
    this.server.closeIdleConnections();
  }

  /** Lets requests in progress end for at most `graceMs`, then closes every connection. */
  close(graceMs = 1000): Promise<void> {
    return new Promise((resolve) => {
      const cut = setTimeout(() => this.server.closeAllConnections(), graceMs);
      this.server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      this.server.closeIdleConnections();
    });
  }
}

type Answering = {
  readonly site: Site;
  readonly names: ReadonlySet<string>;
  readonly refusals: Refusals;
  readonly log: HttpOptions['log'];
};

/** Fields that decide, and of which a proxy in front might believe another one than this server does. */
const SINGLE_FIELDS = ['host', 'authorization', 'if-match', 'origin', 'cookie', 'content-type', 'content-length'];

async function answer(
  request: IncomingMessage,
  { site, names, refusals, log }: Answering,
): Promise<Reply | StreamReply> {
  const { method = '', url = '' } = request;
  try {
    const { authority, path, query } = targetOf(url);
    const repeated = SINGLE_FIELDS.find((name) => (request.headersDistinct[name]?.length ?? 0) > 1);
    if (repeated !== undefined) {
      refusals.add('malformed');
      return problem(400, `the field ${repeated} came more than once`);
    }
    if (!isOwnHost(authority ?? request.headers.host, names)) {
      refusals.add('host');
      return problem(421, 'this server has no such name; ask it by its address, or list the name under http.hosts');
    }
    const coding = request.headers['transfer-encoding'];
    if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') {
      // RFC 9112 section 6.1: what the octets mean is not known here.
      refusals.add('malformed');
      return problem(501, 'of transfer codings only chunked is known here');
    }
    return await dispatch(site, factsOf(request, path, authority), query, () => readBody(request));
  } catch (error) {
    // What went wrong is for the log; a stack would tell a stranger about the machine.
    log('error', `http: ${method} ${url}: ${bugText(error)}`, 'http.failed');
    return problem(500, 'the log says more');
  }
}

function factsOf(request: IncomingMessage, path: string, authority: string | null): Request {
  const { method = '', headersDistinct } = request;
  const socket: unknown = request.socket;
  const secured = socket instanceof MeteredStream ? socket.secured : null;
  return {
    method,
    path,
    header: (name) => {
      if (name === 'host' && authority !== null) return authority;
      const values = headersDistinct[name] ?? [];
      return values.length === 1 ? values[0] : null;
    },
    client: request.socket.remoteAddress ?? '',
    isTls: secured !== null,
    certificate: secured?.certificate() ?? null,
    ...(socket instanceof MeteredStream && { gone: socket.gone }),
  };
}

/** A request that is no HTTP, too large or too slow. */
function refuseClient(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? '408 Request Timeout'
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : '400 Bad Request';
  endWith(socket, status);
}

/** An answer without a body, and the end of the connection. */
function endWith(socket: Socket, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  // `end` alone would leave the connection to a client that never reads.
  socket.destroySoon();
}

function listenFault(endpoint: Endpoint, error: NodeJS.ErrnoException): HttpFault {
  const where = `http.listen ${endpointText(endpoint)}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return {
        severity: 'error',
        code: 'address-in-use',
        at: null,
        message: `${where}: the address is already in use`,
      };
    case 'EACCES':
      return { severity: 'error', code: 'listen-failed', at: null, message: `${where}: no permission for this port` };
    case 'EADDRNOTAVAIL':
      return {
        severity: 'error',
        code: 'listen-failed',
        at: null,
        message: `${where}: this machine has no such address`,
      };
    default:
      return { severity: 'error', code: 'listen-failed', at: null, message: `${where}: ${error.message}` };
  }
}
