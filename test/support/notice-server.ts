import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Received = {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

/** What the server does with a request: an answer, `hang` (takes it, never answers) or `reset`. */
export type Answer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  | 'hang'
  | 'reset';

/** A receiver of notices on a loopback address, which keeps what it gets and can be told to fail. */
export class NoticeServer {
  readonly received: Received[] = [];
  /** For the requests to come, in their order; after them `usual`. */
  readonly script: Answer[] = [];
  usual: Answer = { status: 200, body: 'ok' };
  private readonly server = createServer((request, response) => this.take(request, response));
  private waiting: (() => void)[] = [];

  static async start(): Promise<NoticeServer> {
    const made = new NoticeServer();
    await new Promise<void>((resolve) => made.server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook/T0ken`;
  }

  bodies<T = Record<string, never>>(): readonly T[] {
    return this.received.map(({ body }) => JSON.parse(body) as T);
  }

  /** Resolves when so many requests came. */
  async count(wanted: number): Promise<void> {
    while (this.received.length < wanted) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
      const answer = this.script.shift() ?? this.usual;
      if (answer === 'reset') request.socket.destroy();
      else if (answer !== 'hang') response.writeHead(answer.status, answer.headers).end(answer.body);
      for (const resolve of this.waiting.splice(0)) resolve();
    });
  }
}
