import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CLOSED, codeOf, type TlsWanted, tlsOptions } from './connect-fail.ts';
import type { BodyMatch } from './http-body.ts';
import { decodeBody, isCoded } from './http-coding.ts';
import type { ProbePhase, ProbeProgress } from './http-fail.ts';
import { type ResponseEnd, type ResponseHead, ResponseReader } from './http-response.ts';
import { type Http2, isHttp2, requestHttp2 } from './http2-request.ts';
import type { StallClock } from './stall.ts';

/** Where to connect, and as whom. */
export type Dial = {
  /** The edge's own address; never looked up. */
  readonly address: string;
  readonly port: number;
  /** SNI and certificate name; null: plain TCP. */
  readonly tls: TlsWanted | null;
};

/** One GET over a connection of its own. */
export type Exchange = {
  readonly dial: Dial;
  /** Path and query as they go into the request line. */
  readonly path: string;
  /** Field name and value, in order; `Host` first (RFC 9110 section 7.2). */
  readonly fields: readonly (readonly [string, string])[];
  /** A body over this many octets ends the exchange. */
  readonly maxBytes: number;
  /** Whether the body of an answer with this head is wanted; otherwise the head ends the exchange. */
  readonly wantsBody: (head: ResponseHead) => boolean;
  /** Gets the body, its Content-Encoding undone. */
  readonly match: BodyMatch | null;
  /** Asks in HTTP/2, which needs TLS; null: in HTTP/1.1. */
  readonly http2: Http2 | null;
  readonly stalls: StallClock;
};

/** The length of a body after its Content-Encoding was undone. `broken`: the coding that could not be. */
export type Content = { readonly octets: number; readonly broken: string | null };

export type ExchangeEnd =
  | { readonly kind: 'response'; readonly head: ResponseHead; readonly content: Content | null }
  | { readonly kind: 'bad-response'; readonly end: Exclude<ResponseEnd, { readonly kind: 'complete' }> }
  | { readonly kind: 'error'; readonly error: Error }
  /** It was asked in HTTP/1.1, and speaks nothing but HTTP/2. */
  | { readonly kind: 'http2-only'; readonly error: Error }
  | { readonly kind: 'expired' }
  | { readonly kind: 'cancelled' };

/** What an exchange took, seconds; null: not reached, or not needed. */
export type ExchangeTimes = {
  readonly connect: number | null;
  readonly tls: number | null;
  readonly firstByte: number | null;
};

/**
 * A class because it is opened and closed: `done` is resolved exactly once and never rejected, and by then the socket
 * is destroyed, whatever the edge does afterwards.
 */
export class ExchangeRun {
  readonly done: Promise<ExchangeEnd>;
  /** `performance.now()` when it ended: before anything is made of the answer. 0: not yet. */
  endedAt = 0;
  /** By how much our own loop may have lengthened it, ms. */
  stalledMs = 0;
  private readonly exchange: Exchange;
  private readonly reader: ResponseReader;
  private readonly socket: Socket;
  private readonly started = performance.now();
  /** Of `performance.now()`; 0: not reached yet. */
  private connected = 0;
  private secured = 0;
  private firstByte = 0;
  /**
   * Stalls before the handshake: nothing of it is reported before its end, and each of its steps may have waited for
   * us.
   */
  private readonly stallsBefore: number;
  private settle: (end: ExchangeEnd) => void = () => undefined;
  /** The body's pieces where they have to be decoded at the end; null: passed on as they come. */
  private coded: Buffer[] | null = null;
  /** Ends the session of HTTP/2. */
  private endSession: (() => void) | null = null;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
    this.done = new Promise((resolve) => {
      this.settle = resolve;
    });
    this.reader = new ResponseReader(exchange.maxBytes, (piece) => this.takeBody(piece));
    this.stallsBefore = exchange.stalls.total();
    this.socket = this.open(exchange.dial);
  }

  private open(to: Dial): Socket {
    const where = {
      host: to.address,
      port: to.port,
      family: isIP(to.address),
      autoSelectFamily: false,
      // A plain request is one segment that nothing holds back; inside TLS it would wait for the handshake's last to be
      // acknowledged.
      noDelay: to.tls !== null,
    };
    const socket =
      to.tls === null
        ? connectTcp(where)
        : connectTls({ ...where, ...tlsOptions(to.tls, [this.exchange.http2 === null ? 'http/1.1' : 'h2']) });
    socket.once('connect', () => {
      this.connected = performance.now();
      if (to.tls === null) this.ready(this.exchange.stalls.late());
    });
    socket.once('secureConnect', () => {
      this.secured = performance.now();
      this.ready(this.exchange.stalls.total() - this.stallsBefore);
    });
    if (this.exchange.http2 === null) {
      socket.on('data', (piece: Buffer) => this.take(piece));
      socket.once('end', () => this.close());
    }
    socket.on('error', (error) => this.fail(error));
    // A connection may close without an end or an error, e.g. when TLS is cut.
    socket.once('close', () => this.fail(hungUp()));
    return socket;
  }

  private ready(stalledMs: number): void {
    this.stalledMs = stalledMs;
    const { path, fields, http2 } = this.exchange;
    if (http2 !== null) {
      const sink = {
        push: (octets: Buffer) => this.take(octets),
        close: () => this.close(),
        fail: (error: Error) => this.fail(error),
      };
      try {
        this.endSession = requestHttp2(http2, this.socket, path, fields, sink);
      } catch (error) {
        this.fail(error instanceof Error ? error : new Error(String(error)));
      }
      return;
    }
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.socket.write(`GET ${path} HTTP/1.1\r\n${lines}\r\n`, 'latin1');
  }

  private take(piece: Buffer): void {
    if (this.endedAt !== 0) return;
    if (this.firstByte === 0) {
      this.firstByte = performance.now();
      const isUnasked = this.exchange.http2 === null && this.exchange.dial.tls !== null && isHttp2(piece);
      if (isUnasked) {
        this.finish({ kind: 'http2-only', error: new Error('it answers in HTTP/2') });
        return;
      }
    }
    this.reader.push(piece);
    this.inspect();
  }

  /** The edge ended its answer. */
  private close(): void {
    if (this.firstByte === 0) this.fail(hungUp());
    this.reader.close();
    this.inspect();
  }

  private fail(error: Error): void {
    // RFC 7301 section 3.2: the edge speaks nothing of what we offered, which was HTTP/1.1.
    const isRefused = this.exchange.http2 === null && codeOf(error).endsWith('_NO_APPLICATION_PROTOCOL');
    this.finish({ kind: isRefused ? 'http2-only' : 'error', error });
  }

  private takeBody(piece: Buffer): void {
    const { head } = this.reader;
    if (head === null || !this.exchange.wantsBody(head)) return;
    if (isCoded(head.fields)) {
      this.coded ??= [];
      this.coded.push(piece);
    } else {
      this.exchange.match?.take(piece);
    }
  }

  /** Sees whether what has come decides. */
  private inspect(): void {
    const { head, end } = this.reader;
    if (head !== null && !this.exchange.wantsBody(head)) this.finish({ kind: 'response', head, content: null });
    else if (end !== null && end.kind !== 'complete') this.finish({ kind: 'bad-response', end });
    else if (end !== null && head !== null) this.complete(head);
  }

  private complete(head: ResponseHead): void {
    if (this.endedAt !== 0) return;
    this.stop();
    if (this.coded === null) {
      const content = { octets: this.reader.octets, broken: null };
      this.settle({ kind: 'response', head, content });
      return;
    }
    void decodeBody(Buffer.concat(this.coded), head.fields, this.exchange.maxBytes).then((decoded) => {
      if (decoded.kind === 'too-large') {
        const why = `body of more than ${this.exchange.maxBytes} octets when ${decoded.coding} is undone`;
        this.settle({ kind: 'bad-response', end: { kind: 'too-large', why } });
        return;
      }
      const { content } = decoded;
      const broken = decoded.kind === 'broken' ? decoded.coding : null;
      this.exchange.match?.take(content);
      this.settle({ kind: 'response', head, content: { octets: content.length, broken } });
    });
  }

  /** The deadline passed: ends the exchange unless it has ended. */
  expire(): void {
    if (this.phase() === 'tls') this.stalledMs += this.exchange.stalls.total() - this.stallsBefore;
    this.finish({ kind: 'expired' });
  }

  /** Nobody wants the result any more. */
  cancel(): void {
    this.finish({ kind: 'cancelled' });
  }

  get progress(): ProbeProgress {
    return { phase: this.phase(), octets: this.reader.octets, expected: this.reader.expected };
  }

  get times(): ExchangeTimes {
    const { connected, secured, firstByte } = this;
    const ready = this.exchange.dial.tls === null ? connected : secured;
    return {
      connect: connected === 0 ? null : (connected - this.started) / 1000,
      tls: secured === 0 ? null : (secured - connected) / 1000,
      firstByte: firstByte === 0 ? null : (firstByte - ready) / 1000,
    };
  }

  private phase(): ProbePhase {
    if (this.reader.head !== null) return 'body';
    if (this.firstByte !== 0) return 'header';
    if (this.connected === 0) return 'connect';
    return this.exchange.dial.tls !== null && this.secured === 0 ? 'tls' : 'first byte';
  }

  private finish(end: ExchangeEnd): void {
    if (this.endedAt !== 0) return;
    this.stop();
    this.settle(end);
  }

  /** Notes the time, and how much too late that may be; the socket ends here. */
  private stop(): void {
    this.endedAt = performance.now();
    this.stalledMs += this.exchange.stalls.late();
    this.endSession?.();
    this.socket.destroy();
  }
}

function hungUp(): Error {
  return Object.assign(new Error('closed'), { code: CLOSED });
}
