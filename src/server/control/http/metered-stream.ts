import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Guard } from '../../../system/guard.ts';
import type { SecuredSocket } from './tls-front.ts';

/** Octets that are handed on in one turn: a request of a browser takes two, and thirty of the shortest fit in one. */
const TURN_OCTETS = 512;

/**
 * A client's connection as the HTTP parser sees it: a few octets a turn, and none while held. Node.js parses everything
 * that it has read at once, 64 kB, and makes objects of each request in it; a client that sends thousands ahead and
 * reads no answer would cost megabytes. The rest stays here, as one chunk, and in the system's buffers.
 */
export class MeteredStream extends Duplex {
  readonly remoteAddress: string | undefined;
  /** Whether what was handed on last had come together with what was handed on before it. */
  isContinued = false;
  /** TLS, once its handshake is done; null: in the clear, or not yet. */
  secured: SecuredSocket | null = null;
  private readonly guard: Guard;
  /** What is read and written; the client's connection itself until there is TLS on it. */
  private socket: Socket;
  /** Nothing is read or written yet: there will be TLS. */
  private isAwaited: boolean;
  private timeoutMs = 0;
  private chunk: Uint8Array | null = null;
  /** Whether `chunk` is the rest of what came. */
  private isRest = false;
  private isWanted = false;
  private isHeld = false;
  private turn: NodeJS.Immediate | undefined;
  private readonly proceed: () => void;
  private readonly ending = new AbortController();

  /** `isSecure`: nothing passes before `secure` is called. */
  constructor(socket: Socket, guard: Guard, isSecure = false) {
    super();
    this.guard = guard;
    this.socket = socket;
    this.isAwaited = isSecure;
    this.proceed = guard.protect('http', () => this.handOn());
    this.remoteAddress = socket.remoteAddress;
    if (isSecure) this.follow(socket);
    else this.attach(socket);
  }

  /** Aborted when the connection has ended, for whatever reason. */
  get gone(): AbortSignal {
    return this.ending.signal;
  }

  /** From now on TLS is between this and the client. */
  secure(secured: SecuredSocket): void {
    if (this.destroyed) {
      secured.socket.destroy();
      return;
    }
    this.socket.setTimeout(0);
    this.secured = secured;
    this.socket = secured.socket;
    this.isAwaited = false;
    this.attach(secured.socket);
    this.socket.setTimeout(this.timeoutMs);
    this.handOn();
  }

  private attach(socket: Socket): void {
    const guarded = <Args extends readonly unknown[]>(work: (...args: Args) => unknown) =>
      this.guard.protect('http', work);
    socket.pause();
    socket.on(
      'data',
      guarded((chunk: Uint8Array) => {
        socket.pause();
        this.chunk = this.chunk === null ? chunk : Buffer.concat([this.chunk, chunk]);
        this.handOn();
      }),
    );
    socket.on(
      'end',
      guarded(() => this.push(null)),
    );
    this.follow(socket);
  }

  private follow(socket: Socket): void {
    const guarded = <Args extends readonly unknown[]>(work: (...args: Args) => unknown) =>
      this.guard.protect('http', work);
    const onTimeout = guarded(() => this.emit('timeout'));
    const onError = guarded((error: Error) => this.destroy(error));
    const onClose = guarded(() => this.destroy());
    socket.on('timeout', onTimeout).on('error', onError).on('close', onClose);
  }

  /** Reads nothing any more, for good. */
  hold(): void {
    this.isHeld = true;
    this.chunk = null;
    this.socket.pause();
  }

  /** As of `net.Socket`; for Node's HTTP server. */
  setTimeout(milliseconds: number): this {
    this.timeoutMs = milliseconds;
    this.socket.setTimeout(milliseconds);
    return this;
  }

  /** As of `net.Socket`: ends, and closes when all is written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  override _read(): void {
    this.isWanted = true;
    clearImmediate(this.turn);
    this.turn = setImmediate(this.proceed);
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    // HTTP has an answer to a handshake that takes too long; it would not be understood.
    if (this.isAwaited) done();
    else this.socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    if (this.isAwaited) done();
    else this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearImmediate(this.turn);
    this.chunk = null;
    this.ending.abort();
    this.socket.destroy();
    done(error);
  }

  private handOn(): void {
    if (!this.isWanted || this.isHeld || this.isAwaited || this.destroyed) return;
    const { chunk } = this;
    if (chunk === null) {
      this.socket.resume();
      return;
    }
    this.isWanted = false;
    this.isContinued = this.isRest;
    this.isRest = chunk.length > TURN_OCTETS;
    this.chunk = chunk.length > TURN_OCTETS ? chunk.subarray(TURN_OCTETS) : null;
    this.push(chunk.subarray(0, TURN_OCTETS));
  }
}
