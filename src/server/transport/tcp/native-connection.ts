import type { Client } from '../../answer/front-end.ts';
import type { Connection, StreamTimeouts } from './connection.ts';
import { FrameReader } from './frame-reader.ts';

/** What a native connection asks of the server whose it is. */
export type NativeCalls = {
  close(connection: NativeConnection): void;
  finish(connection: NativeConnection): void;
};

/** One plain TCP connection that `NativeServer` serves with system calls of its own: what it has to remember. */
export class NativeConnection implements Connection {
  readonly fd: number;
  readonly client: Client;
  readonly frames = new FrameReader();
  /** The part of its answers that the system did not take yet; while there is one, nothing is read. */
  unsent: Uint8Array | null = null;
  /** Octets that were read and wait behind `unsent`. */
  held: Uint8Array | null = null;
  /** What still comes is thrown away: we have sent our last, or will. */
  finishing = false;
  /** When a message last came or an answer last went. */
  activeAt: number;
  private readonly calls: NativeCalls;

  constructor(fd: number, client: Client, calls: NativeCalls, nowMs: number) {
    this.fd = fd;
    this.client = client;
    this.calls = calls;
    this.activeAt = nowMs;
  }

  get isIdle(): boolean {
    return this.unsent === null && this.held === null;
  }

  isOverdue(nowMs: number, { idle, message }: StreamTimeouts): boolean {
    if (this.unsent !== null || this.finishing) return nowMs - this.activeAt > message;
    if (this.frames.isPartial) return nowMs - this.frames.partialSince > message;
    return nowMs - this.activeAt > idle;
  }

  close(): void {
    this.calls.close(this);
  }

  finish(): void {
    this.calls.finish(this);
  }
}
