import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { Client, type Dispatcher, errors } from 'undici';
import { type Dial, type DialMarks, dial } from './fetch-connect.ts';
import { type FetchProgress, MAX_HEADER_OCTETS } from './fetch-fail.ts';
import { isRedirect } from './fetch-redirect.ts';

/** One request over one fresh connection. */
export type Hop = {
  readonly dial: Dial;
  readonly url: URL;
  readonly hostHeader: string;
  readonly userAgent: string;
  /** A body over this many octets ends the hop. */
  readonly maxBytes: number;
};

export type HopEnd =
  | { readonly kind: 'response'; readonly status: number; readonly md5: string; readonly encoding: string | null }
  /** 400 and above: the body is not read. */
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'redirect'; readonly status: number; readonly location: string | null }
  | { readonly kind: 'too-large'; readonly octets: number }
  | { readonly kind: 'error'; readonly error: Error }
  | { readonly kind: 'expired' };

/** What a hop took, seconds; null: not reached, or not needed. */
export type HopTimes = {
  readonly connect: number | null;
  readonly tls: number | null;
  readonly firstByte: number | null;
};

/** Interim answers (RFC 9110 section 15.2) before the real one; an edge that sends more is not talking HTTP with us. */
const MAX_INTERIM = 10;

/** What undici needs an origin for is done here instead (dial, Host); parsing one for each hop would be in vain. */
const PLAIN = new URL('http://edge');
const SECURE = new URL('https://edge');

/**
 * A GET over a connection of its own, through undici's parser. A class because it is opened and closed: `done` is
 * resolved exactly once and never rejected, and by then the socket is destroyed, whatever the edge does afterwards.
 */
export class HopRun implements Dispatcher.DispatchHandler {
  readonly done: Promise<HopEnd>;
  readonly #hop: Hop;
  readonly #started = performance.now();
  readonly #marks: DialMarks = { connected: 0, secured: 0, firstByte: 0 };
  readonly #hash = createHash('md5');
  #socket: Socket | null = null;
  #socketError: Error | null = null;
  #settle: (end: HopEnd) => void = () => {};
  #settled = false;
  #interim = 0;
  #status = 0;
  #encoding: string | null = null;
  #expected: number | null = null;
  #octets = 0;

  constructor(hop: Hop) {
    this.#hop = hop;
    this.done = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const client = new Client(hop.dial.tls === null ? PLAIN : SECURE, {
      pipelining: 0, // says `Connection: close`
      // One deadline over everything is the caller's; undici's own timers would only cost.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEADER_OCTETS,
      connect: (_options, callback) => {
        this.#socket = dial(hop.dial, this.#marks, (socket) => callback(null, socket));
        this.#socket.on('error', (error) => {
          this.#socketError ??= error;
          // After `ready` undici listens as well and reports it; the first to settle wins, and the socket's word is plainer.
          this.#end({ kind: 'error', error });
        });
      },
    });
    client.dispatch(
      {
        path: `${hop.url.pathname}${hop.url.search}`,
        method: 'GET',
        // An edge that compresses would change the octets that are summed.
        headers: ['host', hop.hostHeader, 'user-agent', hop.userAgent, 'accept', '*/*', 'accept-encoding', 'identity'],
      },
      this,
    );
  }

  /** The deadline passed: ends the hop unless it has ended. */
  expire(): void {
    this.#end({ kind: 'expired' });
  }

  get progress(): FetchProgress {
    return { phase: this.#phase(), octets: this.#octets, expected: this.#expected };
  }

  get times(): HopTimes {
    const { connected, secured, firstByte } = this.#marks;
    const ready = this.#hop.dial.tls === null ? connected : secured;
    return {
      connect: connected === 0 ? null : (connected - this.#started) / 1000,
      tls: secured === 0 ? null : (secured - connected) / 1000,
      firstByte: firstByte === 0 ? null : (firstByte - ready) / 1000,
    };
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) {
      this.#interim += 1;
      if (this.#interim > MAX_INTERIM) {
        this.#end({ kind: 'error', error: new errors.HTTPParserError(`more than ${MAX_INTERIM} interim answers`) });
      }
      return;
    }
    this.#status = status;
    if (status >= 400) {
      this.#end({ kind: 'status', status });
      return;
    }
    if (isRedirect(status)) {
      this.#end({ kind: 'redirect', status, location: first(headers.location) });
      return;
    }
    this.#encoding = first(headers['content-encoding']);
    const length = first(headers['content-length']);
    // llhttp has refused what is not a number; a list cannot be expected, only counted.
    this.#expected = length === null || !/^\d+$/.test(length) ? null : Number(length);
    if (this.#expected !== null && this.#expected > this.#hop.maxBytes) {
      this.#end({ kind: 'too-large', octets: this.#expected });
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    this.#octets += chunk.length;
    if (this.#octets > this.#hop.maxBytes) this.#end({ kind: 'too-large', octets: this.#octets });
    else this.#hash.update(chunk);
  }

  onResponseEnd(): void {
    // Ended already, perhaps by a reset: undici takes that for the end of a body that has no length.
    if (this.#settled) return;
    this.#end({ kind: 'response', status: this.#status, md5: this.#hash.digest('hex'), encoding: this.#encoding });
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#end({ kind: 'error', error: this.#socketError ?? error });
  }

  #phase(): FetchProgress['phase'] {
    if (this.#status !== 0) return 'body';
    if (this.#marks.firstByte !== 0) return 'header';
    if (this.#marks.connected === 0) return 'connect';
    return this.#hop.dial.tls !== null && this.#marks.secured === 0 ? 'tls' : 'first byte';
  }

  #end(end: HopEnd): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#settle(end);
    this.#socket?.destroy();
  }
}

function first(value: string | string[] | undefined): string | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? value : (value[0] ?? null);
}
