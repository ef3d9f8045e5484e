import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { type Dispatcher, errors } from 'undici';
import { OneShotClient } from './fetch-client.ts';
import { type Dial, type DialMarks, dial } from './fetch-connect.ts';
import { BodyDigest } from './fetch-digest.ts';
import type { FetchProgress } from './fetch-fail.ts';
import { isRedirect } from './fetch-redirect.ts';
import type { StallClock } from './stall.ts';

/** One request over one fresh connection. */
export type Hop = {
  readonly dial: Dial;
  readonly url: URL;
  readonly hostHeader: string;
  readonly userAgent: string;
  /** A body over this many octets ends the hop. */
  readonly maxBytes: number;
  readonly stalls: StallClock;
};

export type HopEnd =
  | { readonly kind: 'response'; readonly status: number; readonly md5: string; readonly encoding: string | null }
  /** 400 and above: the body is not read. */
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'redirect'; readonly status: number; readonly location: string | null }
  | { readonly kind: 'too-large'; readonly octets: number }
  /** Octets without end that come to no header, or to hardly any body: parsing them would take all of our time. */
  | { readonly kind: 'flood'; readonly octets: number }
  | { readonly kind: 'error'; readonly error: Error }
  | { readonly kind: 'expired' };

/** What a hop took, seconds; null: not reached, or not needed. */
export type HopTimes = {
  readonly connect: number | null;
  readonly tls: number | null;
  readonly firstByte: number | null;
};

/** What may come before the header's end: the header itself, interim answers, and what is read with them in one go. */
const HEADER_WIRE_OCTETS = 256 * 1024;
/** What may come in all: framing as large as the largest body. */
const wireOctets = (maxBytes: number): number => 2 * maxBytes + HEADER_WIRE_OCTETS;

/** Interim answers (RFC 9110 section 15.2) before the real one; an edge that sends more is not talking HTTP with us. */
const MAX_INTERIM = 10;

/**
 * A GET over a connection of its own, through undici's parser. A class because it is opened and closed: `done` is
 * resolved exactly once and never rejected, and by then the socket is destroyed, whatever the edge does afterwards.
 */
export class HopRun implements Dispatcher.DispatchHandler {
  readonly done: Promise<HopEnd>;
  /** `performance.now()` when it ended: before anything is made of the answer. 0: not yet. */
  endedAt = 0;
  /** By how much our own loop may have lengthened the hop, ms. */
  stalledMs = 0;
  readonly #hop: Hop;
  readonly #started = performance.now();
  readonly #marks: DialMarks = { connected: 0, secured: 0, firstByte: 0 };
  readonly #digest = new BodyDigest();
  readonly #client: OneShotClient;
  /** Stalls before the handshake: nothing of it is told to us before its end, and each of its steps may have waited for us. */
  #stallsBefore = 0;
  #socket: Socket | null = null;
  #socketError: Error | null = null;
  #settle: (end: HopEnd) => void = () => {};
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
    this.#client = OneShotClient.take(hop.dial.tls !== null, (ready) => this.#dial(ready));
    this.#client.client.dispatch(
      {
        path: `${hop.url.pathname}${hop.url.search}`,
        method: 'GET',
        // An edge that compresses would change the octets that are summed.
        headers: ['host', hop.hostHeader, 'user-agent', hop.userAgent, 'accept', '*/*', 'accept-encoding', 'identity'],
      },
      this,
    );
  }

  #dial(ready: (socket: Socket) => void): void {
    const { dial: to, stalls } = this.#hop;
    this.#stallsBefore = stalls.total();
    const opened = (open: Socket): void => {
      this.stalledMs = to.tls === null ? stalls.late() : stalls.total() - this.#stallsBefore;
      ready(open);
      open.once('close', () => this.#client.giveBack()); // undici has heard of it before us
    };
    const socket = dial(to, this.#marks, opened, (octets) => this.#weigh(octets));
    socket.on('error', (error) => {
      this.#socketError ??= error;
      // After `ready` undici listens as well and reports it; the first to settle wins, and the socket's word is plainer.
      this.#end({ kind: 'error', error });
    });
    this.#socket = socket;
  }

  #weigh(octets: number): void {
    const most = this.#status === 0 ? HEADER_WIRE_OCTETS : wireOctets(this.#hop.maxBytes);
    if (octets > most) this.#end({ kind: 'flood', octets });
  }

  /** The deadline passed: ends the hop unless it has ended. */
  expire(): void {
    if (this.#phase() === 'tls') this.stalledMs += this.#hop.stalls.total() - this.#stallsBefore;
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
    if (this.endedAt !== 0) return;
    this.#octets += chunk.length;
    if (this.#octets > this.#hop.maxBytes) this.#end({ kind: 'too-large', octets: this.#octets });
    else this.#digest.update(chunk);
  }

  onResponseEnd(): void {
    // Ended already, perhaps by a reset: undici takes that for the end of a body that has no length.
    if (this.endedAt !== 0) return;
    this.#stop();
    this.#settle({ kind: 'response', status: this.#status, md5: this.#digest.hex(), encoding: this.#encoding });
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
    if (this.endedAt !== 0) return;
    this.#stop();
    this.#settle(end);
  }

  /** Notes the time, and how much too late that may be; the socket ends here. */
  #stop(): void {
    this.endedAt = performance.now();
    this.stalledMs += this.#hop.stalls.late();
    this.#socket?.destroy();
  }
}

function first(value: string | string[] | undefined): string | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? value : (value[0] ?? null);
}
