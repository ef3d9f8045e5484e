import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Guard } from '../../../system/guard.ts';

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
  private readonly socket: Socket;
  private chunk: Uint8Array | null = null;
  /** Whether `chunk` is the rest of what came. */
  private isRest = false;
  private isWanted = false;
  private isHeld = false;
  private turn: NodeJS.Immediate | undefined;
  private readonly proceed: () => void;

  constructor(socket: Socket, guard: Guard) {
    super();
    const guarded = <Args extends readonly unknown[]>(work: (...args: Args) => unknown) => guard.protect('http', work);
    this.socket = socket;
    this.proceed = guarded(() => this.handOn());
    this.remoteAddress = socket.remoteAddress;
    socket.pause();
    socket.on(
      'data',
      guarded((chunk: Uint8Array) => {
        socket.pause();
        this.chunk = this.chunk === null ? chunk : Buffer.concat([this.chunk, chunk]);
        this.handOn();
      }),
    );
    const onEnd = guarded(() => this.push(null));
    const onTimeout = guarded(() => this.emit('timeout'));
    const onError = guarded((error: Error) => this.destroy(error));
    const onClose = guarded(() => this.destroy());
    socket.on('end', onEnd).on('timeout', onTimeout).on('error', onError).on('close', onClose);
  }

  /** Reads nothing any more, for good. */
  hold(): void {
    this.isHeld = true;
    this.chunk = null;
    this.socket.pause();
  }

  /** As of `net.Socket`; for Node's HTTP server. */
  setTimeout(milliseconds: number): this {
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
    this.socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearImmediate(this.turn);
    this.chunk = null;
    this.socket.destroy();
    done(error);
  }

  private handOn(): void {
    if (!this.isWanted || this.isHeld || this.destroyed) return;
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
