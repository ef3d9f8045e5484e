import { createSocket, type Socket } from 'node:dgram';
import type { Endpoint } from '../../system/address.ts';
import { errorText } from '../../system/error-text.ts';
import type { Guard } from '../../system/guard.ts';
import { kernelSource, sourceAddress } from './source-address.ts';

export type NotifySocketsOptions = {
  /** Addresses that the server answers on. */
  readonly listen: readonly string[];
  readonly onMessage: (octets: Uint8Array, address: string, port: number) => void;
  readonly guard: Guard;
};

/** How long the kernel's choice of a source address is believed. */
const ROUTE_MS = 10_000;
/** Targets whose source address is remembered. */
const ROUTES = 1000;

type Route = { readonly until: number; readonly source: Promise<string | null> };

/**
 * Sockets that NOTIFY leaves from, one for each source address, open while something is sent or waits for an answer.
 */
export class NotifySockets {
  private readonly options: NotifySocketsOptions;
  /** By family and address. */
  private readonly sockets = new Map<string, Promise<Socket>>();
  private readonly routes = new Map<string, Route>();
  private closed = false;

  constructor(options: NotifySocketsOptions) {
    this.options = options;
  }

  /** `from` null: one of the server's own addresses. Resolves with what the kernel has against it; null: it is sent. */
  async send(octets: Uint8Array, to: Endpoint, from: string | null): Promise<string | null> {
    let source = from;
    try {
      source ??= await this.sourceFor(to.address);
      const socket = await this.open(to.address.includes(':'), source);
      await new Promise<void>((resolve, reject) => {
        socket.send(octets, to.port, to.address, (error) => (error === null ? resolve() : reject(error)));
      });
      return null;
    } catch (error) {
      this.routes.delete(to.address); // the network may have changed
      return `${errorText(error)}${source === null ? '' : `, from ${source}`}`;
    }
  }

  /** Nothing waits for an answer: closes all sockets, so that strangers find no port to write to. */
  release(): void {
    for (const socket of this.sockets.values()) {
      socket.then(
        (open) => open.close(),
        () => undefined,
      );
    }
    this.sockets.clear();
  }

  /** For good. */
  close(): void {
    this.closed = true;
    this.release();
  }

  private sourceFor(address: string): Promise<string | null> {
    const now = performance.now();
    const known = this.routes.get(address);
    if (known !== undefined && known.until > now) return known.source;
    const { listen } = this.options;
    const source = kernelSource(address).then((route) => sourceAddress(address, listen, route));
    this.routes.delete(address);
    this.routes.set(address, { until: now + ROUTE_MS, source });
    for (const oldest of this.routes.keys()) {
      if (this.routes.size <= ROUTES) break;
      this.routes.delete(oldest);
    }
    return source;
  }

  private open(isV6: boolean, source: string | null): Promise<Socket> {
    if (this.closed) return Promise.reject(new Error('the server stops'));
    const key = `${isV6 ? 6 : 4} ${source ?? ''}`;
    const known = this.sockets.get(key);
    if (known !== undefined) return known;
    const opened = this.bind(isV6, source, () => this.sockets.delete(key));
    this.sockets.set(key, opened);
    return opened;
  }

  /** `onEnd`: the socket failed, now or later, and is closed; the next message opens another one. */
  private bind(isV6: boolean, source: string | null, onEnd: () => void): Promise<Socket> {
    const { guard, onMessage } = this.options;
    const socket = createSocket({ type: isV6 ? 'udp6' : 'udp4', ipv6Only: isV6 });
    return new Promise((resolve, reject) => {
      socket.on(
        'error',
        guard.protect('NOTIFY socket', (error: Error) => {
          onEnd();
          reject(error);
          socket.close();
        }),
      );
      socket.on(
        'message',
        guard.protect('NOTIFY answer', (message: Buffer, { address, port }: { address: string; port: number }) =>
          onMessage(new Uint8Array(message), address, port),
        ),
      );
      socket.bind(
        0,
        source ?? (isV6 ? '::' : '0.0.0.0'),
        guard.protect('NOTIFY socket', () => resolve(socket)),
      );
    });
  }
}
