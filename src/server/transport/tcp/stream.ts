import type { Socket } from 'node:net';
import { clientAddress } from '../../../system/client-address.ts';
import type { Answerer, Client } from '../../answer/front-end.ts';
import { NOT_PLAIN_QUERY } from '../../answer/front-end.ts';
import type { Local, Tap } from '../../dnstap/sampler.ts';
import type { Stats } from '../../stats.ts';
import type { NonPlainHandler } from '../../transfer/handler-types.ts';
import type { Connection, StreamTimeouts } from './connection.ts';
import { FrameReader } from './frame-reader.ts';
import type { MessageTurns } from './message-turns.ts';

/** A shorter message has no header to answer to. */
export const HEADER_OCTETS = 12;
const MESSAGE_MAX = 65_535;
/** Answers waiting for a peer that does not read; above this its queries wait too. */
const UNSENT_MAX = 128 * 1024;
/** Transfers and the like at once on one connection; further queries wait. */
const NON_PLAIN_MAX = 4;
/** Messages of one connection that are answered before the others get their turn. */
const TURN_MESSAGES = 16;

const NO_OCTETS = new Uint8Array(0);

/** What all streams of a thread share. */
export type StreamParts = {
  readonly responder: Answerer;
  readonly nonPlain: NonPlainHandler;
  readonly stats: Stats;
  /** Called for what a query made the responder throw. */
  readonly reportBug: (error: unknown) => void;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  /** Buffer for one answer, used by one query at a time. */
  readonly out: Uint8Array;
  readonly turns: MessageTurns;
  readonly tap: Tap;
};

export function streamOutput(): Uint8Array {
  return new Uint8Array(MESSAGE_MAX);
}

/**
 * One DNS connection over a socket of Node (RFC 7766, TCP or TLS): messages in any segmentation, answers as they are
 * ready, a bounded amount of both in memory. Reading stops while the peer does not read, and goes on when it does;
 * after a few messages the other connections have their turn. A half-closed peer gets its answers; garbage ends the
 * connection, since nothing after it can be trusted to be a frame.
 */
export class DnsStream implements Connection {
  readonly socket: Socket;
  readonly client: Client;
  private readonly parts: StreamParts;
  private readonly onQuery: () => void;
  private readonly frames = new FrameReader();
  /** Octets read but not looked at: answers or transfers are in the way, or it is the other connections' turn. */
  private held: Uint8Array | null = null;
  private nonPlainRunning = 0;
  private peerEnded = false;
  private finishing = false;
  private handshaking = false;
  private activeAt: number;
  private readonly waiting: ((open: boolean) => void)[] = [];

  /** `onQuery` is called for each whole message. The socket must allow half-open connections. */
  constructor(socket: Socket, client: Client, parts: StreamParts, onQuery: () => void) {
    this.socket = socket;
    this.client = client;
    this.parts = parts;
    this.onQuery = onQuery;
    this.activeAt = parts.now();
    socket.on('data', (chunk: Uint8Array) => this.read(chunk));
    socket.on('drain', () => this.drained());
    socket.on('end', () => {
      this.peerEnded = true;
      this.endIfDone();
    });
    // Resets and timeouts are everyday; 'close' follows.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.held = null;
      this.wake(false);
    });
  }

  /** Whether the peer has still to finish the handshake of TLS. */
  get inHandshake(): boolean {
    return this.handshaking;
  }

  /** The socket is a TLS one that has just begun. */
  expectHandshake(): void {
    this.handshaking = true;
  }

  handshakeDone(): void {
    this.handshaking = false;
    this.activeAt = this.parts.now();
  }

  get isIdle(): boolean {
    return this.nonPlainRunning === 0 && this.held === null && this.socket.writableLength === 0;
  }

  isOverdue(nowMs: number, { idle, message }: StreamTimeouts): boolean {
    // A handshake is a message that must come to its end, however many packets arrive meanwhile.
    if (this.socket.writableLength > 0 || this.finishing || this.handshaking) return nowMs - this.activeAt > message;
    if (this.nonPlainRunning > 0) return false;
    if (this.frames.isPartial) return nowMs - this.frames.partialSince > message;
    return nowMs - this.activeAt > idle;
  }

  close(): void {
    this.socket.destroy();
  }

  /**
   * Goes on where another front end stopped: at a message that `respond` calls NOT_PLAIN_QUERY, and the octets read
   * after it.
   */
  begin(request: Uint8Array, rest: Uint8Array): void {
    this.startNonPlain(request);
    if (rest.length > 0) this.read(rest);
  }

  finish(): void {
    if (this.finishing) return;
    if (this.handshaking) {
      this.socket.destroy();
      return;
    }
    this.finishing = true;
    this.held = null;
    this.activeAt = this.parts.now();
    // What still comes is read and thrown away: unread input would turn the closing into a reset that eats the answers.
    this.socket.removeAllListeners('data');
    this.socket.resume();
    this.socket.end();
  }

  private read(chunk: Uint8Array): void {
    if (this.held !== null) {
      this.held = Buffer.concat([this.held, chunk]); // 'data' after pause(): not seen, but nothing may be lost
      return;
    }
    this.socket.cork();
    let at = 0;
    for (let messages = 0; at < chunk.length && !this.finishing; messages++) {
      if (messages === TURN_MESSAGES || this.isFull()) {
        this.held = chunk.subarray(at);
        this.socket.pause();
        if (messages === TURN_MESSAGES) this.parts.turns.add(this.proceed);
        break;
      }
      const query = this.frames.take(chunk, at, chunk.length, this.parts.now());
      at = this.frames.next;
      if (query !== null) this.handle(query);
    }
    this.socket.uncork();
  }

  private isFull(): boolean {
    return this.socket.writableLength >= UNSENT_MAX || this.nonPlainRunning >= NON_PLAIN_MAX;
  }

  private handle(query: Uint8Array): void {
    this.activeAt = this.parts.now();
    this.onQuery();
    const { responder, out, tap } = this.parts;
    let size = 0;
    try {
      if (query.length >= HEADER_OCTETS) size = responder.respond(query, query.length, out, this.client);
    } catch (error) {
      this.parts.reportBug(error);
    }
    // What is no plain query is reported with the first message of its answer.
    if (tap.sampler !== null && size !== NOT_PLAIN_QUERY) {
      const cameMs = tap.sampler.pick();
      if (cameMs > 0) tap.sampler.report(cameMs, query, query.length, out, size, this.client, this.local());
    }
    if (size > 0) this.write(out, size);
    else if (size === NOT_PLAIN_QUERY)
      this.startNonPlain(new Uint8Array(query)); // a copy: the slice of a Buffer is none
    else this.finish();
  }

  private startNonPlain(query: Uint8Array): void {
    this.nonPlainRunning++;
    const { sampler } = this.parts.tap;
    let cameMs = sampler?.pick() ?? 0;
    const report = (message: Uint8Array): void => {
      if (cameMs > 0) sampler?.report(cameMs, query, query.length, message, message.length, this.client, this.local());
      cameMs = 0;
    };
    this.parts.nonPlain
      .stream(query, this.client, (message) => {
        report(message);
        return this.send(message);
      })
      .catch((error: unknown) => {
        this.parts.reportBug(error);
        this.socket.destroy(); // an answer cut in the middle must not look like a whole one
      })
      .finally(() => {
        report(NO_OCTETS);
        this.nonPlainRunning--;
        this.activeAt = this.parts.now();
        this.proceed();
      });
  }

  /** Where the peer connected to; null where the socket is closed. */
  private local(): Local | null {
    const { localAddress, localPort = 0 } = this.socket;
    return localAddress === undefined ? null : { address: clientAddress(localAddress), port: localPort };
  }

  private write(message: Uint8Array, size: number): void {
    if (this.socket.destroyed || this.socket.writableEnded) return;
    this.parts.stats.countSize(this.client.transport, size);
    this.parts.stats.addOctets(this.client.transport, size);
    const framed = Buffer.allocUnsafe(size + 2);
    framed[0] = size >> 8;
    framed[1] = size & 255;
    framed.set(message.subarray(0, size), 2);
    this.socket.write(framed, () => {
      this.activeAt = this.parts.now();
    });
  }

  private send(message: Uint8Array): Promise<boolean> {
    this.write(message, message.length);
    if (this.socket.destroyed || this.socket.writableEnded) return Promise.resolve(false);
    if (this.socket.writableLength < UNSENT_MAX) return Promise.resolve(true);
    return new Promise((resolve) => {
      this.waiting.push(resolve);
    });
  }

  private drained(): void {
    this.wake(true);
    this.proceed();
  }

  private wake(open: boolean): void {
    for (const resolve of this.waiting.splice(0)) resolve(open);
  }

  /** Goes on with what was held back, unless something is in the way. */
  private readonly proceed = (): void => {
    if (this.socket.destroyed || this.isFull()) return;
    const { held } = this;
    if (held !== null) {
      this.held = null;
      this.read(held);
    }
    if (this.held === null && this.socket.isPaused()) this.socket.resume();
    this.endIfDone();
  };

  private endIfDone(): void {
    if (this.peerEnded && this.nonPlainRunning === 0 && this.held === null) this.finish();
  }
}
