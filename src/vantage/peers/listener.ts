/** The HTTP or HTTPS listener that peers ask: one path, POST only, everything bounded. */

import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { type Endpoint, endpointText } from '../../system/address.ts';
import type { Guard } from '../../system/guard.ts';
import { ioProblem } from '../../system/io-problem.ts';
import type { Log } from '../../system/log-events.ts';
import { Connections } from './connections.ts';
import { REQUEST_MAX } from './messages.ts';
import type { Refusals } from './refusals.ts';

/** PEM. */
export type ListenerTls = { readonly certificate: string; readonly key: string };

/** `body` null: the status says all. `isTrusted`: the request was sealed with our key. */
export type Reply = { readonly status: number; readonly body: Uint8Array | null; readonly isTrusted: boolean };

export type ListenerOptions = {
  readonly endpoint: Endpoint;
  /** Null: HTTP in the clear. */
  readonly tls: ListenerTls | null;
  /** `sender`: the address that the request came from. `signal`: aborted once nobody waits for the reply. */
  readonly reply: (body: Buffer, sender: string, signal: AbortSignal) => Promise<Reply>;
  readonly refusals: Refusals;
  readonly guard: Guard;
  readonly log: Log;
};

/** Where peers are asked. */
export const PEERS_PATH = '/vantage';

const BOUNDS: ServerOptions = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 60_000,
  // How late a timeout may strike.
  connectionsCheckingInterval: 1000,
};
const HANDSHAKE_MS = 5000;
/** Without an octet either way; longer than any request waits. */
const SILENCE_MS = 60_000;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;

/** Listens from `start` to `close`, and tries again with growing pauses while it cannot. */
export class Listener {
  private readonly options: ListenerOptions;
  private readonly connections = new Connections();
  private server: Server | TlsServer | null = null;
  private retry: NodeJS.Timeout | null = null;
  private pauseMs = RETRY_MIN_MS;
  private isClosed = false;
  /** Why it does not listen, a sentence; null: it does. */
  problem: string | null = null;

  constructor(options: ListenerOptions) {
    this.options = options;
  }

  /** With the port that was chosen; null: it does not listen. */
  get endpoint(): Endpoint | null {
    const bound = this.server?.address();
    if (bound === null || typeof bound !== 'object') return null;
    return { address: this.options.endpoint.address, port: bound.port };
  }

  /** Resolves after the first try. Never rejects. */
  async start(): Promise<void> {
    const { endpoint, tls, guard, log } = this.options;
    if (this.isClosed) return;
    const where = `${endpointText(endpoint)} for peers`;
    const problem = await this.listen();
    if (this.isClosed) return;
    if (problem === null) {
      log('info', `listening on ${where}${tls === null ? '' : ' by TLS'}`, 'vantage.listening');
      this.problem = null;
      this.pauseMs = RETRY_MIN_MS;
      return;
    }
    const text = `cannot listen on ${where}: ${problem}`;
    if (text !== this.problem) log('error', `${text}; it is tried again`, 'vantage.listen_failed');
    this.problem = text;
    this.retry = setTimeout(
      guard.protect('peers', () => this.start()),
      this.pauseMs,
    );
    this.pauseMs = Math.min(RETRY_MAX_MS, this.pauseMs * 2);
  }

  /** Resolves when the port is free again; whatever is under way is cut off. */
  async close(): Promise<void> {
    this.isClosed = true;
    if (this.retry !== null) clearTimeout(this.retry);
    const { server } = this;
    this.server = null;
    if (server === null) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      this.connections.closeAll();
    });
  }

  /** Resolves with why not, or null. */
  private listen(): Promise<string | null> {
    const { endpoint, guard, log } = this.options;
    const guarded = <Args extends readonly unknown[]>(work: (...args: Args) => unknown) => guard.protect('peers', work);
    return new Promise((resolve) => {
      let server: Server | TlsServer;
      try {
        server = this.create(
          guarded((request: IncomingMessage, response: ServerResponse) => this.answer(request, response)),
        );
      } catch (error) {
        resolve(ioProblem(error)); // a certificate that TLS does not take
        return;
      }
      server.timeout = SILENCE_MS;
      server.on(
        'connection',
        guarded((socket: Socket) => this.connections.add(socket, guarded)),
      );
      for (const event of ['clientError', 'tlsClientError']) {
        server.on(
          event,
          guarded((_error: Error, socket: Socket) => void socket.destroy()),
        );
      }
      server.once(
        'error',
        guarded((error: Error) => resolve(ioProblem(error))),
      );
      server.listen(
        { host: endpoint.address, port: endpoint.port },
        guarded(() => {
          server.removeAllListeners('error');
          server.on(
            'error',
            guarded((error: Error) =>
              log('error', `the listener for peers: ${error.message}`, 'vantage.listen_failed'),
            ),
          );
          this.server = server;
          resolve(null);
          if (this.isClosed) server.close();
        }),
      );
    });
  }

  private create(onRequest: (request: IncomingMessage, response: ServerResponse) => void): Server | TlsServer {
    const { tls } = this.options;
    if (tls === null) return createServer(BOUNDS, onRequest);
    return createTlsServer(
      { ...BOUNDS, cert: tls.certificate, key: tls.key, handshakeTimeout: HANDSHAKE_MS },
      onRequest,
    );
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { reply, refusals, guard } = this.options;
    const { socket } = request; // which the request loses once it has ended
    const sender = socket.remoteAddress ?? 'an address that is gone';
    const gone = new AbortController();
    response.on(
      'close',
      guard.protect('peers', () => gone.abort()),
    );
    // What a stream reports, its being closed too early included, needs a listener each.
    for (const stream of [request, response]) stream.on('error', () => undefined);
    // What else is sent of a request that was refused is not read.
    response.on(
      'finish',
      guard.protect('peers', () => {
        if (!request.complete) socket.destroy();
      }),
    );
    const status = statusOf(request);
    if (status !== null) {
      end(response, { status, body: null, isTrusted: false });
      return;
    }
    const body = await bodyOf(request);
    if (body === 'cut-off') return;
    if (body === 'too-large') {
      refusals.add(
        'too-large',
        sender,
        `a request from ${sender} has more than ${REQUEST_MAX} octets, so it is refused`,
      );
      end(response, { status: 413, body: null, isTrusted: false });
      return;
    }
    const replied = await reply(body, sender, gone.signal);
    if (gone.signal.aborted) return;
    if (replied.isTrusted) this.connections.trust(socket);
    end(response, replied);
  }
}

/** Null: the body is worth reading. */
function statusOf({ method, url }: IncomingMessage): number | null {
  if (url !== PEERS_PATH) return 404;
  return method === 'POST' ? null : 405;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | 'too-large' | 'cut-off'> {
  if (Number(request.headers['content-length'] ?? 0) > REQUEST_MAX) return 'too-large';
  const chunks: Buffer[] = [];
  let octets = 0;
  try {
    for await (const chunk of request) {
      const part: Buffer = chunk;
      octets += part.length;
      if (octets > REQUEST_MAX) return 'too-large';
      chunks.push(part);
    }
  } catch {
    return 'cut-off';
  }
  return Buffer.concat(chunks);
}

/** A connection of which nothing was sealed with our key ends with its reply: nobody else needs it. */
function end(response: ServerResponse, { status, body, isTrusted }: Reply): void {
  if (!isTrusted) response.setHeader('connection', 'close');
  if (status === 405) response.setHeader('allow', 'POST');
  response.statusCode = status;
  response.setHeader('cache-control', 'no-store');
  if (body !== null) response.setHeader('content-type', 'application/octet-stream');
  response.end(body ?? '');
}
