import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../../src/system/address.ts';
import { freePort } from './ports.ts';

/**
 * `pass`: as if it was not there. `drop`: connections are reset, and new ones refused. `half-open`: connections are there
 * and are made, and lead nowhere; the far end knows nothing of them, so they are reset once it is over. `no-requests`,
 * `no-answers`: what goes one way is held back, and comes late, as TCP's retransmissions do.
 */
export type LinkState = 'pass' | 'drop' | 'half-open' | 'no-requests' | 'no-answers';

/** A pair of sockets; `upstream` null: swallowed. */
type Pair = { readonly client: Socket; readonly upstream: Socket | null; readonly ways: readonly Way[] };

/** One link between a client and a server, which can fail as a network does: without a word. */
export class LinkProxy {
  readonly port: number;
  private readonly to: Endpoint;
  private readonly address: string;
  private current: LinkState = 'pass';
  private delayMs = 0;
  private server: Server | null = null;
  private readonly pairs = new Set<Pair>();

  private constructor(to: Endpoint, address: string, port: number) {
    this.to = to;
    this.address = address;
    this.port = port;
  }

  static async start(to: Endpoint, address = '127.0.0.1'): Promise<LinkProxy> {
    const proxy = new LinkProxy(to, address, await freePort(address));
    await proxy.listen();
    return proxy;
  }

  get state(): LinkState {
    return this.current;
  }

  /** Connections through it now. */
  get connections(): number {
    return this.pairs.size;
  }

  async set(state: LinkState): Promise<void> {
    const before = this.current;
    this.current = state;
    // A connection whose octets went nowhere cannot go on.
    if (before === 'half-open' && state !== 'half-open') this.reset();
    for (const { ways } of this.pairs) this.apply(ways);
    if (state === 'drop') {
      this.reset();
      await this.unlisten();
    } else if (this.server === null) await this.listen();
  }

  heal(): Promise<void> {
    this.delayMs = 0;
    return this.set('pass');
  }

  /** Every octet, both ways, comes so many milliseconds later from now on. */
  delay(ms: number): void {
    this.delayMs = ms;
  }

  async stop(): Promise<void> {
    this.reset();
    await this.unlisten();
  }

  private reset(): void {
    for (const { client, upstream } of this.pairs) {
      client.resetAndDestroy();
      upstream?.resetAndDestroy();
    }
  }

  private async unlisten(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (server === null) return;
    const closed = once(server, 'close');
    server.close();
    await closed;
  }

  private async listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.serve(client));
    this.server = server;
    server.listen(this.port, this.address);
    await once(server, 'listening');
  }

  private serve(client: Socket): void {
    if (this.current === 'half-open') {
      this.keep({ client, upstream: null, ways: [] });
      client.resume();
      return;
    }
    const upstream = connect({ host: this.to.address, port: this.to.port, allowHalfOpen: true, noDelay: true });
    const delay = (): number => this.delayMs;
    const ways = [new Way(client, upstream, delay), new Way(upstream, client, delay)];
    this.keep({ client, upstream, ways });
    this.apply(ways);
  }

  private apply([requests, answers]: readonly Way[]): void {
    requests?.go(HELD.requests.has(this.current) ? held(this.current) : 'pass');
    answers?.go(HELD.answers.has(this.current) ? held(this.current) : 'pass');
  }

  private keep(pair: Pair): void {
    this.pairs.add(pair);
    const { client, upstream } = pair;
    const forget = (): void => void this.pairs.delete(pair);
    client.on('error', () => undefined);
    client.on('close', () => {
      upstream?.destroy();
      forget();
    });
    upstream?.on('error', () => undefined);
    upstream?.on('close', () => client.destroy());
  }
}

const HELD = {
  requests: new Set<LinkState>(['half-open', 'no-requests']),
  answers: new Set<LinkState>(['half-open', 'no-answers']),
};

function held(state: LinkState): 'swallow' | 'hold' {
  return state === 'half-open' ? 'swallow' : 'hold';
}

/** What comes from one socket and goes to another, in order. */
class Way {
  private readonly from: Socket;
  private readonly to: Socket;
  private how: 'pass' | 'hold' | 'swallow' = 'pass';
  private waiting: (() => void)[] = [];

  constructor(from: Socket, to: Socket, delay: () => number) {
    this.from = from;
    this.to = to;
    const later = (act: () => void): void => {
      const ms = delay();
      if (ms > 0) setTimeout(() => this.act(act), ms).unref();
      else this.act(act);
    };
    from.on('data', (octets: Buffer) => later(() => this.write(octets)));
    from.on('end', () => later(() => to.end()));
    to.on('drain', () => this.how !== 'hold' && from.resume());
  }

  go(how: 'pass' | 'hold' | 'swallow'): void {
    this.how = how;
    if (how === 'hold') this.from.pause();
    else this.from.resume();
    if (how === 'hold') return;
    for (const act of this.waiting.splice(0)) act();
  }

  private act(act: () => void): void {
    if (this.how === 'hold') this.waiting.push(act);
    else if (this.how === 'pass') act();
  }

  private write(octets: Buffer): void {
    if (this.to.writable && !this.to.write(octets)) this.from.pause();
  }
}
