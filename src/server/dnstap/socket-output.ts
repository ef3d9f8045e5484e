import { createConnection, type Socket } from 'node:net';
import { ioProblem } from '../../system/io-problem.ts';
import { retryPauseMs } from '../../system/retry-pause.ts';
import { CONTENT_TYPE, CONTROL, type Control, ControlReader, controlFrame, controlName } from './frame-streams.ts';
import type { Output, OutputEvents } from './output.ts';
import type { Frames } from './ring.ts';

const PATH_MAX = 107; // sockaddr_un
/** What the socket may hold beside the system's own buffer. */
const UNSENT_MAX = 256 * 1024;

export type SocketTimes = {
  /** Time for a receiver that has taken the connection to answer READY. */
  readonly handshakeMs: number;
  /** Time after which a receiver that takes nothing is a problem. */
  readonly stallMs: number;
  /** Time for FINISH when the stream ends. */
  readonly finishMs: number;
  /** A stream that ended sooner counts as a failure. */
  readonly steadyMs: number;
  readonly firstMs: number;
  readonly maxMs: number;
};

export const SOCKET_TIMES: SocketTimes = {
  handshakeMs: 5000,
  stallMs: 10_000,
  finishMs: 500,
  steadyMs: 5000,
  firstMs: 500,
  maxMs: 10_000,
};

/** `opened`: after READY, ACCEPT and START. */
type Phase = 'connecting' | 'ready sent' | 'opened' | 'closed';

/**
 * Frame Streams to a receiver that listens on a Unix stream socket. It connects again, with a back-off, whenever the receiver
 * is not there, goes, or answers what is not in the protocol; nothing that it does or leaves undone costs more than
 * `UNSENT_MAX` octets of memory.
 */
export class SocketOutput implements Output {
  private readonly path: string;
  private readonly events: OutputEvents;
  private readonly times: SocketTimes;
  private socket: Socket | null = null;
  private phase: Phase = 'connecting';
  private failures = 0;
  private openedAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private stall: NodeJS.Timeout | undefined;
  private isStalled = false;
  private closed = false;
  /** Called when the last socket has closed. */
  private onClosed: (() => void) | null = null;

  constructor(path: string, events: OutputEvents, times: SocketTimes = SOCKET_TIMES) {
    this.path = path;
    this.events = events;
    this.times = times;
    this.connect();
  }

  get isOpen(): boolean {
    return this.phase === 'opened';
  }

  get isFull(): boolean {
    return (this.socket?.writableLength ?? 0) >= UNSENT_MAX;
  }

  write({ octets, count }: Frames): void {
    const { socket, events } = this;
    if (socket === null) {
      events.onLost(count);
      return;
    }
    this.stall ??= setTimeout(() => this.stalled(), this.times.stallMs);
    socket.write(octets, (error) => {
      if (error) events.onLost(count);
      else {
        events.onSent(count);
        this.progressed(socket);
      }
    });
  }

  close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    const { socket } = this;
    if (socket === null) return Promise.resolve();
    return new Promise((resolve) => {
      this.onClosed = resolve;
      if (this.phase !== 'opened') {
        socket.destroy();
        return;
      }
      this.phase = 'closed';
      socket.write(controlFrame(CONTROL.stop)); // answered by FINISH
      this.timer = setTimeout(() => socket.destroy(), this.times.finishMs);
    });
  }

  private connect(): void {
    if (Buffer.byteLength(this.path) > PATH_MAX) {
      this.events.onState(`a path of more than ${PATH_MAX} octets cannot be a socket's`);
      return;
    }
    const reader = new ControlReader();
    this.phase = 'connecting';
    let problem: string | null = null;
    const socket = createConnection({ path: this.path });
    this.socket = socket;
    const fail = (text: string): void => {
      problem ??= text;
      socket.destroy();
    };
    socket.on('connect', () => {
      this.phase = 'ready sent';
      socket.write(controlFrame(CONTROL.ready));
      this.timer = setTimeout(() => {
        fail(
          `who listens there did not answer READY in ${this.times.handshakeMs / 1000} s, as a receiver of dnstap does`,
        );
      }, this.times.handshakeMs);
    });
    socket.on('data', (chunk: Buffer) => {
      for (const control of reader.read(chunk)) {
        const wrong = this.received(socket, control);
        if (wrong !== null) fail(wrong);
      }
    });
    socket.on('error', (error) => fail(connectProblem(error)));
    socket.on('end', () => fail(this.phase === 'opened' ? 'the receiver has gone' : 'the receiver hung up'));
    socket.on('close', () => this.ended(problem ?? 'the receiver has gone'));
  }

  /** What is wrong with a control frame of the receiver's; null: nothing. */
  private received(socket: Socket, control: Control): string | null {
    if ('error' in control) return `who listens there is no receiver of dnstap: ${control.error}`;
    const { type, contentTypes } = control;
    if (this.phase === 'ready sent' && type === CONTROL.accept) {
      if (contentTypes.length > 0 && !contentTypes.includes(CONTENT_TYPE)) return 'the receiver takes no dnstap';
      clearTimeout(this.timer);
      socket.write(controlFrame(CONTROL.start));
      this.phase = 'opened';
      this.openedAt = performance.now();
      this.events.onState(null);
      return null;
    }
    if (type !== CONTROL.finish) return `the receiver sent ${controlName(type)} when it should not`;
    return 'the receiver ended the stream';
  }

  private ended(problem: string): void {
    clearTimeout(this.timer);
    this.progress();
    const wasSteady = this.phase === 'opened' && performance.now() - this.openedAt >= this.times.steadyMs;
    this.failures = wasSteady ? 1 : this.failures + 1;
    this.socket = null;
    this.phase = 'connecting';
    if (this.closed) {
      this.onClosed?.();
      return;
    }
    this.events.onState(problem);
    this.timer = setTimeout(() => this.connect(), retryPauseMs(this.failures, this.times));
  }

  private stalled(): void {
    this.isStalled = true;
    this.events.onState(`the receiver has read nothing for ${this.times.stallMs / 1000} s`);
  }

  /** The system took a chunk, so the receiver reads, or may still have a full buffer to go. */
  private progressed(socket: Socket): void {
    const wasStalled = this.isStalled;
    this.progress();
    if (socket.writableLength > 0) this.stall = setTimeout(() => this.stalled(), this.times.stallMs);
    if (wasStalled && this.phase === 'opened') this.events.onState(null);
  }

  private progress(): void {
    clearTimeout(this.stall);
    this.stall = undefined;
    this.isStalled = false;
  }
}

function connectProblem(error: Error): string {
  switch ('code' in error ? error.code : '') {
    case 'ECONNREFUSED':
      return 'nobody listens there';
    case 'EPIPE':
    case 'ECONNRESET':
      return 'the receiver has gone';
    case 'EAGAIN':
      return 'the receiver does not take the connection (EAGAIN)';
    case 'ENOTSOCK':
    case 'EPROTOTYPE':
      return 'is no stream socket';
    default:
      return ioProblem(error);
  }
}
