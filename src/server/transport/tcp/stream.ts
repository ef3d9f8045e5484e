import type { Socket } from 'node:net';
import type { Answerer, Client } from '../../answer/front-end.ts';
import { NOT_PLAIN_QUERY } from '../../answer/front-end.ts';
import type { NonPlainHandler } from '../../transfer/handler-types.ts';

const HEADER_OCTETS = 12;
const MESSAGE_MAX = 65_535;
/** Answers waiting for a peer that does not read; above this its queries wait too. */
const UNSENT_MAX = 128 * 1024;
/** Transfers and the like at once on one connection; further queries wait. */
const SPECIALS_MAX = 4;
const FRAME_START = 512; // a partial message's first buffer

/** What all streams of a thread share. */
export type StreamParts = {
  readonly responder: Answerer;
  readonly special: NonPlainHandler;
  /** Called for what a query made the responder throw. */
  readonly reportBug: (error: unknown) => void;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  /** Room for one answer, used by one query at a time. */
  readonly out: Uint8Array;
};

/** Limits in milliseconds. `idle`: nothing asked; `message`: a message begun by either side and not finished. */
export type StreamTimeouts = { readonly idle: number; readonly message: number };

export function streamOutput(): Uint8Array {
  return new Uint8Array(MESSAGE_MAX);
}

/**
 * One DNS connection over a stream (RFC 7766, TCP or TLS): messages in any segmentation, answers as they are ready, a
 * bounded amount of both in memory. Reading stops while the peer does not read, and goes on when it does. A half-closed
 * peer gets its answers; garbage ends the connection, since nothing after it can be trusted to be a frame.
 */
export class DnsStream {
  readonly socket: Socket;
  readonly client: Client;
  private readonly parts: StreamParts;
  private readonly onQuery: () => void;
  /** The part of a message that has come, length prefix included. */
  private frame: Uint8Array = new Uint8Array(0);
  private frameUsed = 0;
  private frameSince = 0;
  /** Octets read but not looked at, because answers or transfers are in the way. */
  private held: Uint8Array | null = null;
  private specials = 0;
  private peerEnded = false;
  private finishing = false;
  private handshaking = false;
  private activeAt: number;
  private readonly waiting: ((open: boolean) => void)[] = [];

  /** `onQuery` hears of each whole message. The socket must allow half-open connections. */
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

  /** Whether nothing is going on here: such a connection may be closed when room is needed (RFC 7766 §6.2.3). */
  get isIdle(): boolean {
    return this.specials === 0 && this.frameUsed === 0 && this.held === null && this.socket.writableLength === 0;
  }

  /** Whether one of the timeouts has passed. */
  isOverdue(nowMs: number, { idle, message }: StreamTimeouts): boolean {
    // A handshake is a message that must come to its end, however many packets arrive meanwhile.
    if (this.socket.writableLength > 0 || this.finishing || this.handshaking) return nowMs - this.activeAt > message;
    if (this.specials > 0) return false;
    if (this.frameUsed > 0) return nowMs - this.frameSince > message;
    return nowMs - this.activeAt > idle;
  }

  /** Sends what is ready, then closes. */
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
    while (at < chunk.length && !this.finishing) {
      if (this.isFull()) {
        this.held = chunk.subarray(at);
        this.socket.pause();
        break;
      }
      at = this.takeFrame(chunk, at);
    }
    this.socket.uncork();
  }

  private isFull(): boolean {
    return this.socket.writableLength >= UNSENT_MAX || this.specials >= SPECIALS_MAX;
  }

  /** Handles the message that begins or goes on at `at`, or keeps its part. Returns where the next one begins. */
  private takeFrame(chunk: Uint8Array, at: number): number {
    if (this.frameUsed === 0 && chunk.length - at >= 2) {
      const end = at + 2 + ((chunk[at] << 8) | chunk[at + 1]);
      if (end <= chunk.length) {
        this.handle(chunk.subarray(at + 2, end));
        return end;
      }
    }
    return this.keep(chunk, at);
  }

  private keep(chunk: Uint8Array, start: number): number {
    if (this.frameUsed === 0) this.frameSince = this.parts.now();
    let at = start;
    // First the length prefix, which may itself come in two pieces, then what it promises.
    for (;;) {
      const wanted = this.frameUsed < 2 ? 2 : 2 + ((this.frame[0] << 8) | this.frame[1]);
      const take = Math.min(wanted - this.frameUsed, chunk.length - at);
      this.append(chunk, at, take, wanted);
      at += take;
      if (this.frameUsed < wanted) return at;
      if (wanted > 2 || (this.frame[0] === 0 && this.frame[1] === 0)) break;
    }
    const query = this.frame.subarray(2, this.frameUsed);
    this.frame = new Uint8Array(0);
    this.frameUsed = 0;
    this.handle(query);
    return at;
  }

  /** Grows with what has come, not with what is promised: a thousand peers may promise 64 KB each and send nothing. */
  private append(chunk: Uint8Array, at: number, count: number, wanted: number): void {
    const used = this.frameUsed + count;
    if (used > this.frame.length) {
      const grown = new Uint8Array(Math.max(used, Math.min(Math.max(FRAME_START, 2 * used), wanted)));
      grown.set(this.frame.subarray(0, this.frameUsed));
      this.frame = grown;
    }
    this.frame.set(chunk.subarray(at, at + count), this.frameUsed);
    this.frameUsed = used;
  }

  private handle(query: Uint8Array): void {
    this.activeAt = this.parts.now();
    this.onQuery();
    const { responder, out } = this.parts;
    let size = 0;
    try {
      if (query.length >= HEADER_OCTETS) size = responder.respond(query, query.length, out, this.client);
    } catch (error) {
      this.parts.reportBug(error);
    }
    if (size > 0) this.write(out, size);
    else if (size === NOT_PLAIN_QUERY)
      this.startSpecial(new Uint8Array(query)); // a copy: the slice of a Buffer is none
    else this.finish();
  }

  private startSpecial(query: Uint8Array): void {
    this.specials++;
    this.parts.special
      .stream(query, this.client, (message) => this.send(message))
      .catch((error: unknown) => {
        this.parts.reportBug(error);
        this.socket.destroy(); // an answer cut in the middle must not look like a whole one
      })
      .finally(() => {
        this.specials--;
        this.activeAt = this.parts.now();
        this.proceed();
      });
  }

  private write(message: Uint8Array, size: number): void {
    if (this.socket.destroyed || this.socket.writableEnded) return;
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

  /** Goes on with what was held back, once there is room. */
  private proceed(): void {
    if (this.socket.destroyed || this.isFull()) return;
    const { held } = this;
    if (held !== null) {
      this.held = null;
      this.read(held);
    }
    if (this.held === null && this.socket.isPaused()) this.socket.resume();
    this.endIfDone();
  }

  private endIfDone(): void {
    if (this.peerEnded && this.specials === 0 && this.held === null) this.finish();
  }
}
