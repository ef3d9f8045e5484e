import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type MockBehaviour, type MockScript, mockScript } from './mock-edge-script.ts';

export type MockRequest = {
  readonly path: string;
  readonly host: string;
  readonly head: string;
  /** Name the client asked for in TLS; null: none, or plain. */
  readonly servername: string | null;
};

export type MockEdgeOptions = {
  /** Of 127.0.0.0/8, or ::1. */
  readonly address: string;
  /** 0: any free one; see `port` of the result. */
  readonly port: number;
  readonly body: string;
  readonly behaviour?: MockBehaviour;
  /** PEM; given: the edge speaks TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
};

/** A web server on one address that can misbehave in every way the prober must survive. */
export class MockEdge {
  readonly address: string;
  /** Requests so far, oldest first; at most 1000 are kept. */
  readonly requests: MockRequest[] = [];
  /** Connections taken so far, with or without a request. */
  connections = 0;
  /** Milliseconds from taking the last connection to its last octet written. */
  lastMs = 0;
  readonly #options: MockEdgeOptions;
  readonly #open = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #port: number;
  #behaviour: MockBehaviour;
  #first: MockBehaviour[] = [];
  #server: Server | null = null;
  #idle: (() => void)[] = [];
  #waiting: (() => void)[] = [];

  private constructor(options: MockEdgeOptions) {
    this.address = options.address;
    this.#options = options;
    this.#port = options.port;
    this.#behaviour = options.behaviour ?? { kind: 'ok' };
  }

  static async start(options: MockEdgeOptions): Promise<MockEdge> {
    const edge = new MockEdge(options);
    await edge.#listen();
    if (edge.#behaviour.kind === 'refuse') await edge.behave(edge.#behaviour);
    return edge;
  }

  get port(): number {
    return this.#port;
  }

  /** Open connections: none after a prober that leaks nothing. */
  get open(): number {
    return this.#open.size;
  }

  /** Resolved when no connection is open. */
  async idle(): Promise<void> {
    if (this.#open.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Resolved when a request has come. */
  async asked(): Promise<void> {
    if (this.requests.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Takes effect for the next connection. `first`: for one connection each, before that. */
  async behave(behaviour: MockBehaviour, first: readonly MockBehaviour[] = []): Promise<void> {
    this.#behaviour = behaviour;
    this.#first = [...first];
    if (behaviour.kind === 'refuse') await this.#unlisten();
    else await this.#listen();
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#open) socket.destroy();
    await this.#unlisten();
  }

  async #listen(): Promise<void> {
    if (this.#server !== null) return;
    const { tls, address } = this.#options;
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    if (tls === undefined) server.on('connection', (socket) => this.#accept(socket, socket));
    else this.#acceptSecure(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address, port: this.#port, backlog: 511 }, resolve);
    });
    const bound = server.address();
    if (bound !== null && typeof bound === 'object') this.#port = bound.port;
    this.#server = server;
  }

  async #unlisten(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  /** TLS sockets cannot send a reset; the TCP sockets under them can. */
  #acceptSecure(server: Server): void {
    const under = new Map<number, Socket>();
    server.on('connection', (tcp) => {
      const port = tcp.remotePort ?? 0;
      under.set(port, tcp);
      tcp.once('close', () => under.delete(port));
    });
    server.on('secureConnection', (socket: Socket) => {
      this.#accept(socket, under.get(socket.remotePort ?? 0) ?? socket);
    });
    server.on('tlsClientError', () => {}); // a client that refuses the certificate
  }

  /** `tcp` is the socket itself, or the one under TLS. */
  #accept(socket: Socket, tcp: Socket): void {
    const accepted = performance.now();
    this.connections += 1;
    this.#open.add(socket);
    socket.on('error', () => {}); // the prober hangs up as it likes
    socket.once('close', () => {
      this.#open.delete(socket);
      if (this.#open.size > 0) return;
      for (const wake of this.#idle.splice(0)) wake();
    });
    const behaviour = this.#first.shift() ?? this.#behaviour;
    if (behaviour.kind === 'reset' && behaviour.when === 'accept') {
      tcp.resetAndDestroy();
      return;
    }
    let head = '';
    socket.on('data', (chunk) => {
      if (isComplete(head)) return;
      head += chunk.toString('latin1');
      if (!isComplete(head)) return;
      const path = head.split(' ', 2)[1] ?? '';
      const host = /^host: (.*)\r$/im.exec(head)?.[1] ?? '';
      const name: unknown = 'servername' in socket ? socket.servername : null;
      this.requests.push({ path, host, head, servername: typeof name === 'string' ? name : null });
      if (this.requests.length > 1000) this.requests.shift();
      for (const wake of this.#waiting.splice(0)) wake();
      this.#answer(socket, tcp, mockScript(behaviour, path, this.#options.body, this.#port), () => {
        this.lastMs = performance.now() - accepted;
      });
    });
  }

  #answer(socket: Socket, tcp: Socket, script: MockScript, written: () => void): void {
    if (script.end === 'endless') {
      pour(socket, script.steps[0]?.text ?? '', script.piece ?? '');
      return;
    }
    const last = script.steps.length - 1;
    if (last < 0) finish(socket, tcp, script.end);
    for (const [i, step] of script.steps.entries()) {
      this.#after(step.atMs, () => {
        socket.write(step.text, 'latin1', () => {
          if (i !== last) return;
          // Octets that a reset follows need time to be read: it throws away what waits in the peer's buffer. Three
          // turns of the loop, so that a peer in this process has read them even when all timers are overdue.
          if (script.end !== 'reset') finish(socket, tcp, script.end);
          else this.#after(10, () => this.#after(10, () => this.#after(10, () => finish(socket, tcp, script.end))));
        });
        if (i === last) written();
      });
    }
  }

  #after(ms: number, act: () => void): void {
    if (ms <= 0) {
      act();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }
}

/** A whole request head, or TLS at the door of a plain edge, which is answered as if it were one. */
function isComplete(head: string): boolean {
  return head.endsWith('\r\n\r\n') || head.startsWith('\x16');
}

function finish(socket: Socket, tcp: Socket, end: MockScript['end']): void {
  if (end === 'fin') socket.end();
  else if (end === 'reset') tcp.resetAndDestroy();
}

/** The header, then chunks as fast as they are read. */
function pour(socket: Socket, header: string, piece: string): void {
  const more = (): void => {
    while (socket.writable && socket.write(piece, 'latin1'));
  };
  socket.on('drain', more);
  socket.write(header);
  more();
}
